"""Text normalisation and the group key: equal causes share one report, one ticket and one analysis.

What varies between two occurrences of one failure (times, ids, addresses, counters) is taken out; what tells causes apart (HTTP
statuses, exit codes, errno, signals, well-known ports) stays: a 500 and a 401 never share a verdict.
"""

import re
import uuid
from hashlib import sha256

HEAD_CHARACTERS = 4000  # of the message; what follows is a page source or a diff, and varies
_NAMESPACE = uuid.UUID("6f0c4d0e-7c8f-5d0b-9f0e-5b1d6a0f3c11")

# Numbers after these words are codes: they tell causes apart.
_CODE_WORDS = r"(?:http|https|status|code|error|errno|err|exit|exited|rc|signal|sig|returned|response|ora|sqlstate|winerror)"

# How many digits must stand side by side somewhere in a text, and which sign must be in it, before a pattern can match.
_NONE, _ONE, _FOUR = 0, 1, 4
_REPLACEMENTS = [
    (digits, sign, re.compile(pattern, re.IGNORECASE), mark)
    for digits, sign, pattern, mark in [
        (_NONE, "-", r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<uuid>"),
        (_FOUR, "", r"\b\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d(?::?\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
        (_ONE, "", r"\b\d{4}-\d\d-\d\d\b|\b\d\d?[./]\d\d?[./]\d{4}\b|\b\d\d?:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
        (_ONE, "0", r"(?<!exit code )(?<!status )\b0x[0-9a-f]{6,}\b", "<address>"),
        (_NONE, "/", r"(?:/private)?/(?:tmp|var/folders|var/tmp)/[^\s'\"),;:]+", "<temp>"),
        (_NONE, "\\", r"[a-z]:\\[^\s'\"]*\\temp\\[^\s'\"),;:]+", "<temp>"),
        (_FOUR, ":", r"(?<=:)(?:3[2-9]|[45]\d|6[0-5])\d{3}\b", "<port>"),
        (_ONE, "", r"\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", "<hex>"),
        (_ONE, ".", r"\b\d+\.\d+(?=\s*(?:s|ms|sec|seconds|minutes?|m|kb|mb|gb|%)\b)", "<n>"),
    ]
]
_COLOUR = re.compile(r"\x1b\[[0-9;]*m", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_FOUR_DIGITS = re.compile(r"\d{4}")
_NUMBER = re.compile(
    rf"(?P<word>\b{_CODE_WORDS}(?![a-z])['\"]?[\s:=_#(\[-]*(?:code|status|with)?['\"]?[\s:=]*)?(?<![\d.])(?P<number>\d+)(?![\d.]*\d)",
    re.IGNORECASE,
)
_COUNTER = re.compile(rf"(?<![A-Za-z])(?!{_CODE_WORDS}[-_#])([A-Za-z]+[-_#])\d+\b", re.IGNORECASE)
_LONG_NUMBER_DIGITS = 4  # shorter numbers are statuses, exit codes, small counts: they tell causes apart


def normalise(text: str) -> str:
    """Return `text` without what varies between two occurrences of the same failure, white space folded."""
    text = text[:HEAD_CHARACTERS]
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    digits = _digits_in(text)
    for needed, sign, pattern, mark in _REPLACEMENTS:
        if needed <= digits and sign in text:
            text = pattern.sub(mark, text)
    if digits and ("-" in text or "_" in text or "#" in text):
        text = _COUNTER.sub(r"\1<n>", text)
    if digits >= _LONG_NUMBER_DIGITS:
        text = _NUMBER.sub(_shorten, text)
    return " ".join(text.split())


def _digits_in(text: str) -> int:
    """Return _FOUR, _ONE or _NONE: marks that are put in have no digits, so that what does not match at first never will."""
    if not _DIGIT.search(text):
        return _NONE
    return _FOUR if _FOUR_DIGITS.search(text) else _ONE


def fingerprint(exception_type: str, message: str, keyword: str) -> str:
    """Return the group key, 16 hex digits. `exception_type` may be empty, `keyword` is the failing keyword's full name."""
    key = "\0".join([exception_type, normalise(message), keyword.replace(" ", "").replace("_", "").lower()])
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def report_id(run_id: str, group: str, project: str = "") -> str:
    """Return the one id of a group's report, task and ticket in a project's run: sending it again changes nothing.

    Run ids of two projects may be equal, build numbers for example, and so may their failures.
    """
    name = f"{project}\0{run_id}/{group}" if project else f"{run_id}/{group}"
    return str(uuid.uuid5(_NAMESPACE, name.encode("utf-8", "replace").decode()))


def _shorten(match: re.Match[str]) -> str:
    is_code = match["word"] is not None or _is_port(match)
    if is_code or len(match["number"]) < _LONG_NUMBER_DIGITS:
        return match[0]
    return "<n>"


def _is_port(match: re.Match[str]) -> bool:
    return match.start() > 0 and match.string[match.start() - 1] == ":" and len(match["number"]) <= len("65535")
