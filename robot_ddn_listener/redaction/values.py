"""Known secret values: read from variables and environment, and found again in texts in any of the forms they can take there."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import cached_property
from html import escape
from urllib.parse import quote, quote_plus, unquote

from .headers import url_spans
from .names import Span, is_identifying, is_worth_replacing, positions, secret_kind

MIN_SECRET_CHARACTERS = 6  # of a variable's value; replacing shorter ones everywhere would destroy the log
MIN_PIECE_CHARACTERS = 8  # of a known value that is cut off at the edge of a text
MIN_LINE_CHARACTERS = 16  # of a line of a known value that has several, such as a key
MANY_VALUES = 500  # from here on a set of all pieces of the text is faster than searching for each value
MAX_DEPTH = 8  # of containers inside a variable
MAX_ITEMS = 20_000  # looked at in variables without secret names

_DIRECTORY_NAMES = ("PWD", "OLDPWD")  # of the environment, in spite of their look
_SPACE = re.compile(r"\s")
_CUT_AFTER = re.compile(r"\s*(?:\.\.\.|…|\[\s?\.\.\.|\[ Message|\Z)")
_CUT_BEFORE = re.compile(r"(?:\A|\.\.\.\]?|…\]?|removed\. \])\s*\Z")
_CUT_MARK_CHARACTERS = 20  # that are looked at before a piece
_CONNECTION_PASSWORD = re.compile(r"(?:password|pwd|accountkey|sharedaccesskey)\s{0,3}=\s{0,3}([^;\s]+)", re.IGNORECASE)


class KnownValues:
    """Texts to find, with their kinds; with `cut_off` also beginnings and ends of them where a text was cut."""

    def __init__(self, kinds: Mapping[str, str], cut_off: bool = True):
        self._kinds = kinds
        self._cut_off = cut_off

    def present(self, haystack: str) -> "KnownValues":
        """Return those that stand in `haystack`, whole or with an end that can have been cut off."""
        return KnownValues({value: self._kinds[value] for value in self._candidates(haystack)}, self._cut_off)

    def spans(self, text: str) -> Iterator[Span]:
        for value in self._candidates(text) if len(self._kinds) > MANY_VALUES else self._kinds:
            kind = self._kinds[value]
            if value.isdigit() and len(value) < MIN_PIECE_CHARACTERS:
                yield from (Span(*match.span(), kind) for match in re.finditer(rf"(?<!\d){value}(?!\d)", text))
                continue
            for start in positions(text, value):
                yield Span(start, start + len(value), kind)
            if self._cut_off and len(value) > MIN_PIECE_CHARACTERS:
                yield from _cut_off(text, value, kind)

    def _candidates(self, text: str) -> list[str]:
        if len(self._kinds) > MANY_VALUES:
            return self._by_pieces(text)
        # Logs repeat themselves: looking among their different words is several times faster.
        words = "\n".join(set(text.split()))
        return [value for value in self._kinds if any(piece in (text if _SPACE.search(piece) else words) for piece in _ends(value))]

    def _by_pieces(self, text: str) -> list[str]:
        pieces = {text[start : start + MIN_PIECE_CHARACTERS] for start in range(len(text))}
        found = [value for piece in pieces.intersection(self._index) for value in self._index[piece]]
        return list(dict.fromkeys([*found, *(value for value in self._short if value in text)]))

    @cached_property
    def _index(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for value in self._kinds:
            for piece in _ends(value):
                index.setdefault(piece, []).append(value)
        return index

    @cached_property
    def _short(self) -> list[str]:
        return [value for value in self._kinds if len(value) < MIN_PIECE_CHARACTERS]


def _ends(value: str) -> tuple[str, str]:
    return value[:MIN_PIECE_CHARACTERS], value[-MIN_PIECE_CHARACTERS:]


def known_values(names: Mapping[str, object], kind: str) -> dict[str, str]:
    """Return the secret values among `names` (variables or environment entries) in all their forms, each with `kind`."""
    return {form: kind for value in _secret_values(names) for form in _forms(value)}


def _cut_off(text: str, value: str, kind: str) -> Iterator[Span]:
    """Find beginnings of `value` where a text was cut after them, and ends of it where it was cut before them."""
    size = MIN_PIECE_CHARACTERS
    for start in positions(text, value[:size]):
        length = _common(text[start : start + len(value)], value)
        if length < len(value) and _CUT_AFTER.match(text, start + length):
            yield Span(start, start + length, kind)
    for start in positions(text, value[-size:]):
        end = start + size
        length = _common(text[max(0, end - len(value)) : end][::-1], value[::-1])
        if length < len(value) and _CUT_BEFORE.search(text[max(0, end - length - _CUT_MARK_CHARACTERS) : end - length]):
            yield Span(end - length, end, kind)


def _common(text: str, value: str) -> int:
    """Return the length of the beginning that `text` and `value` have in common."""
    return next((index for index, (a, b) in enumerate(zip(text, value, strict=False)) if a != b), min(len(text), len(value)))


def _secret_values(names: Mapping[str, object]) -> set[str]:
    """Return the values that are secret by their name or type, or stand as a password inside a URL or connection string."""
    found: set[str] = set()
    seen: set[int] = set()
    plain = []
    for name, value in names.items():
        if secret_kind(name) and name not in _DIRECTORY_NAMES:
            found.update(_leaves(value, seen))
        else:
            plain.append(value)
    budget = iter(range(MAX_ITEMS))
    for value in plain:
        found.update(_hidden(value, seen, budget))
    return {value for value in found if is_worth_replacing(value, MIN_SECRET_CHARACTERS)}


def _leaves(value: object, seen: set[int], depth: int = 0) -> Iterator[str]:
    """Yield all texts in a value that has a secret name, except those of entries that say what else they are."""
    value = _unwrapped(value)
    if value is None or isinstance(value, bool) or depth > MAX_DEPTH:
        return
    if isinstance(value, (str, int, float)):
        yield from _leaves_of_text(str(value), seen, depth)
    elif id(value) not in seen:
        seen.add(id(value))
        for name, item in _entries(value):
            if not is_identifying(name):
                yield from _leaves(item, seen, depth + 1)


def _leaves_of_text(text: str, seen: set[int], depth: int) -> Iterator[str]:
    nested = _nested_json(text)
    if nested is not None:
        yield from _leaves(nested, seen, depth + 1)
        return
    inner = list(_inner_secrets(text))
    yield from inner or [text]


def _nested_json(text: str) -> object:
    """Return the dict or list that `text` is as JSON, such as the key file of a service account, else None."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        nested = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return nested if isinstance(nested, (dict, list)) else None


def _hidden(value: object, seen: set[int], budget: Iterable[int], depth: int = 0) -> Iterator[str]:
    """Yield the secrets in a value whose own name is not secret: entries with secret names, Secret objects, passwords in URLs."""
    if next(iter(budget), None) is None or depth > MAX_DEPTH:
        return
    if _wraps_secret(value):
        yield from _leaves(value, seen, depth)
    elif isinstance(value, str):
        yield from _inner_secrets(value)
    elif isinstance(value, (dict, list, tuple, set, frozenset)) and id(value) not in seen:
        seen.add(id(value))
        for name, item in _entries(value):
            yield from _leaves(item, seen, depth) if secret_kind(name) else _hidden(item, seen, budget, depth + 1)


def _wraps_secret(value: object) -> bool:
    """Tell whether the type says secret: Robot's Secret (from 7.4 on, so told by its name), pydantic's SecretStr."""
    return any(base.__name__ in ("Secret", "SecretStr", "SecretBytes") for base in type(value).__mro__)


def _unwrapped(value: object) -> object:
    if _wraps_secret(value) and hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    elif _wraps_secret(value) or isinstance(value, Enum):
        value = getattr(value, "value", None)
    return bytes(value).decode("utf-8", "replace") if isinstance(value, (bytes, bytearray)) else value


def _entries(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from ((str(name), item) for name, item in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from (("", item) for item in value)
    else:
        yield from getattr(value, "__dict__", {}).items()


def _inner_secrets(text: str) -> Iterator[str]:
    """Yield the passwords inside a URL or connection string, as written and as meant."""
    if "://" not in text and "=" not in text:
        return
    found = [text[span.start : span.end] for span in url_spans(text)]
    found += [match[1] for match in _CONNECTION_PASSWORD.finditer(text)]
    for secret in found:
        yield secret
        yield unquote(secret)


def _forms(value: str) -> set[str]:
    """Return `value` as it can stand in a text: as is, by line, escaped for URLs, JSON, Python, HTML, shells, Robot, in base64."""
    lines = [line.strip() for line in value.splitlines() if len(line.strip()) >= MIN_LINE_CHARACTERS and "-----" not in line]
    forms = {value, value.strip(), *lines}
    if not value.isalnum() or not value.isascii():
        forms |= _escaped(value)
    forms |= _in_base64(value.encode("utf-8", "surrogatepass"))
    return {form for form in forms if len(form.strip()) >= MIN_SECRET_CHARACTERS}


def _escaped(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    in_json = json.dumps(value)[1:-1]
    urls = {
        quote(raw, safe=""),
        quote(raw),
        quote_plus(raw),
        quote_plus(raw, safe="/"),
        quote(raw, safe="!'()*"),
        quote(raw, safe="!$&'()*+,;=:@/"),
    }
    return {
        *urls,
        *(re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), url) for url in urls),
        in_json,
        in_json.replace("/", r"\/"),
        json.dumps(in_json)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(raw)[2:-1],
        escape(value),
        escape(value, quote=False),
        value.replace("'", "'\"'\"'"),
        value.replace("'", r"'\''"),
        value.replace("'", r"\'"),
        value.replace("\\", "\\\\"),
        re.sub(r"([\\$@&%#=])", r"\\\1", value),
        re.sub(r"(\\|[$@&%](?={))", r"\\\1", value),
    }


def _in_base64(raw: bytes) -> set[str]:
    """Return what base64 of any text with `raw` in it contains: a piece for each place `raw` can have in a group of three bytes."""
    forms = {b64encode(raw).decode("ascii")}
    for before in range(3):
        encoded = b64encode(bytes(before) + raw).decode("ascii").rstrip("=")
        end = len(encoded) - (1 if (before + len(raw)) % 3 else 0)
        forms.add(encoded[(0, 2, 3)[before] : end])
    return forms | {form.replace("+", "-").replace("/", "_") for form in forms}
