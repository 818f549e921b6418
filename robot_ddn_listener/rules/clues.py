"""Clues that rules of several areas share."""

from .engine import named, said

INVALID_INPUT = named(  # the test is about a refusal
    r"invalid|wrong|incorrect|\bbad |negative|unauthori[sz]ed|forbidden|not allowed|denied|without|missing|expired|non.?exist"
    r"|unknown|fail|reject|refuse|illegal|duplicate|inv[aá]lid|incorret|inexistente|ung[uü]ltig|falsch|erron|incorrec|virheel"
    r"|väär",
    "inv|wrong|incorrec|bad |negativ|unauthor|forbid|not allowed|denied|without|missing|expired|non|unknown|fail|reject|refuse"
    "|illegal|duplicate|incorret|inexist|ung|falsch|erron|virheel|väär",
)
KEYWORD_GONE = said(r"No keyword with name '(?P<keyword>[^'\n]{1,200})", "no keyword with name")
