"""Secrets among the arguments of a keyword: typed into a password field, set to a secret variable, given to a login."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from .names import Span, can_be_secret, secret_kind

_CELL = re.compile(r"\S+(?: \S+)*")
_OPTION = re.compile(r"-{1,2}[\w-]{1,60}")
_VARIABLE = re.compile(r"[$@&%]\{([^{}]{1,80})\}\s?=?")
_WORD = re.compile(r"[\w. -]{1,60}")
_NAMED = re.compile(r"([\w -]{1,60})=(.+)", re.DOTALL)

_SETTING = re.compile(r"(?:^|\.)(?:var$|set\b.*\bvariable)")
_FILLING = re.compile(r"dictionary|environment variable|header|cookie|item|param|json|object|field")
_TYPING = re.compile(
    r"\b(?:input|fill|type|enter|set|send|provide|insert|write|submit|add|digitar|digite|preencher|informar|informe|inserir|eingeben|syötä|"
    r"introducir|saisir)\b.{0,60}\b(?:passwords?|passwd|pwd|passphrase|passcode|secrets?|credentials?|senha|passwort|salasana|contraseña)\b"
)
_TYPING_ANYTHING = re.compile(r"\b(?:input|fill|type|enter|press keys?|send keys?|set text|clear and)\b")
_PASSWORD_LOCATOR = re.compile(
    r"(?<!forgot-)(?<!forgot_)(?:password|passwd|pwd|passphrase|passcode|senha|passwort|salasana)", re.IGNORECASE
)
_ABOUT = re.compile(r"\b(?:expiry|policy|length|count|timeout|visible|visibility|should)\b")
_LOGIN = re.compile(r"(?:^|[. ])(?:login|log in|logon|log on|sign in|signin|authenticate)\b")

# Where a keyword of a library takes a secret by position, counted from 0.
_POSITIONS = {
    "sshlibrary.login": 1,
    "seleniumlibrary.add cookie": 1,
    "add cookie": 1,
    "connect to database": 3,
    "databaselibrary.connect to database": 3,
}


def step_spans(text: str) -> Iterator[Span]:
    """Find secrets in a logged keyword start: name and arguments with at least two spaces between."""
    cells = list(_CELL.finditer(text))
    found = argument_spans([cell[0] for cell in cells])
    for index, spans in found.items():
        offset = cells[index].start()
        yield from (Span(offset + span.start, offset + span.end, span.kind) for span in spans)


def argument_spans(cells: Sequence[str]) -> dict[int, list[Span]]:
    """Return the secrets among `cells`, a keyword's name and its arguments, by index."""
    found: dict[int, list[Span]] = {}
    name = re.sub(r"[\s_]+", " ", cells[0]).strip().lower() if cells else ""
    for index, start, kind in (*_named_cells(cells), *_following_cells(name, cells), *_placed_cells(name, cells)):
        found.setdefault(index, []).append(Span(start, len(cells[index]), kind))
    return found


def _named_cells(cells: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """``password=value with spaces``"""
    for index, cell in enumerate(cells):
        match = _NAMED.fullmatch(cell)
        kind = secret_kind(match[1]) if match and index else ""
        if match and kind and can_be_secret(match[2], must_look_like_one=kind == "weak"):
            yield index, match.start(2), _shown(kind)


def _following_cells(name: str, cells: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """``--password  value``, ``${PASSWORD}  value``, and in keywords that fill a dictionary or the like ``password  value``"""
    for index, (cell, value) in enumerate(pairwise(cells), 1):
        variable = _VARIABLE.fullmatch(cell)
        kind = secret_kind(variable[1]) if variable else _plain_kind(name, cell, index)
        is_proved = not variable or bool(_SETTING.search(name))
        if kind and not _NAMED.fullmatch(value) and can_be_secret(value, must_look_like_one=not is_proved):
            yield index, 0, _shown(kind)


def _plain_kind(name: str, cell: str, index: int) -> str:
    if _OPTION.fullmatch(cell) or (index > 1 and _WORD.fullmatch(cell) and _FILLING.search(name)):
        return secret_kind(cell)
    return ""


def _placed_cells(name: str, cells: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """``Input Password  locator  value``, ``Login  user  value``"""
    last = len(cells) - 1
    place = _POSITIONS.get(name)
    if place is None and _TYPING.search(name) and not _ABOUT.search(name):
        place = min(1, last - 1)
    if place is None and last >= 2 and _TYPING_ANYTHING.search(name) and _PASSWORD_LOCATOR.search(cells[1]):
        place = 1
    if place is not None and 0 <= place < last and can_be_secret(cells[place + 1]):
        yield place + 1, 0, "password"
    elif place is None and last >= 2 and _LOGIN.search(name) and can_be_secret(cells[2], must_look_like_one=True):
        yield 2, 0, "password"


def _shown(kind: str) -> str:
    return "secret" if kind == "weak" else kind
