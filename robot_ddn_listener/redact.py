"""Takes secrets out of a failure report before it leaves the robot process; fails closed.

    report -> every text of every field -> spans of secrets -> what was found once is looked for everywhere -> `<redacted:kind>`

Spans come from: values of variables and environment entries with secret names (also URL-encoded, in base64, escaped, or cut off at
the edge of a text), values that a name, header, URL or keyword in the text calls secret, tokens of well-known form, private keys,
and the user's own patterns. All are found in the original text and merged, so no finding can hide half of another.

Not covered: local variables, gone when a test ends, unless a text names them or their form is known; base64 of more than one layer.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import chain, islice
from pathlib import PurePath
from typing import Any, TypeVar

from .contract import FailureReport, Frame, KeywordCall, LogLine
from .errors import RedactionError
from .redaction.arguments import argument_spans, step_spans
from .redaction.assignments import HINTS, assigned_spans
from .redaction.headers import decoded_basic
from .redaction.names import Span
from .redaction.patterns import UnusablePatternError, compiled
from .redaction.tokens import DETECTORS, Detector, hinted, is_key_line, own_form_spans, private_key_lines
from .redaction.values import KnownValues, known_values

KEPT_FIELDS = frozenset({"id", "fingerprint", "project", "version", "redactions"})  # of the report itself, not of nested records

MAX_LEARNED = 1000  # secrets found in one text that are looked for in all others
MAX_ROUNDS = 5  # over one text; the second finds something only in texts made for it

T = TypeVar("T")
_MARK = re.compile(r"<redacted:[a-z0-9-]+>")
_ESCAPED_SIGN = "\\="


@dataclass(frozen=True, slots=True)
class _Text:
    """One text to redact, and what its place in the report tells: program text, a keyword with arguments, spans known before."""

    text: str
    is_code: bool = False
    is_step: bool = False
    known: tuple[Span, ...] = ()


class Redactor:
    """Replaces secrets in reports of one failure, or of one run when the variables do not change.

    `variables` are Robot's, names with or without decoration; they and `environ` are read when the first text is redacted.
    `patterns` are the user's regular expressions: the first group, if there is one, else the whole match, is replaced as kind
    ``custom``. An invalid one is told of by `redact` and `text`, never by the constructor: a listener must come up in any case.
    """

    def __init__(self, variables: Mapping[str, object] = {}, environ: Mapping[str, str] = {}, patterns: Sequence[str] = ()):
        self._variables = variables
        self._environ = environ
        self._patterns = patterns

    def redact(self, report: FailureReport) -> FailureReport:
        """Return `report` without secrets, `redactions` telling how many of each kind; RedactionError when that cannot be done.

        Every text of every nested record is looked at, except the report's own id, fingerprint and project. Redacting twice
        changes nothing.
        """
        return _closed("a failure report", "The report", lambda: self._redacted(report))

    def text(self, text: str, counts: dict[str, int] | None = None) -> str:
        """Return `text` without secrets and add what was replaced to `counts`; RedactionError when that cannot be done."""
        redacted, found = _closed("a text", "The text", lambda: self._redacted_text(text))
        if counts is not None:
            _add(counts, found)
        return redacted

    def _redacted(self, report: FailureReport) -> FailureReport:
        texts: dict[_Text, str] = {}
        _rebuilt(report, lambda text: texts.setdefault(text, text.text))
        spans = self._spans(list(texts))
        counts = dict(report.redactions)

        def replaced(text: _Text) -> str:
            return self._settled(text, spans.get(text, text.known), counts)

        changed: FailureReport = _rebuilt(report, replaced)
        return replace(changed, redactions=counts)

    def _redacted_text(self, text: str) -> tuple[str, dict[str, int]]:
        counts: dict[str, int] = {}
        item = _Text(text)
        return self._settled(item, self._spans([item])[item], counts), counts

    def _settled(self, item: _Text, spans: Iterable[Span], counts: dict[str, int]) -> str:
        """Return the text with `spans` replaced, and with whatever comes to light only now that marks stand beside it."""
        for _ in range(MAX_ROUNDS):
            text, found = _replaced(item.text, spans)
            if not found:
                break
            _add(counts, found)
            item = replace(item, text=text, known=())
            spans = [*_shown_spans(item, DETECTORS), *self._custom_spans(text)]
        return item.text

    def _spans(self, texts: Sequence[_Text]) -> dict[_Text, list[Span]]:
        """Return what to replace in each text: what its own words show, and whatever was found in one text also in all others."""
        haystack = "\n".join(text.text for text in texts)
        detectors = hinted(haystack.lower().replace(_ESCAPED_SIGN, "="))
        values = self._values.present(haystack)
        spans = {text: [*values.spans(text.text), *_shown_spans(text, detectors)] for text in texts}
        learned = chain.from_iterable(_learned(text.text, found) for text, found in spans.items())
        elsewhere = KnownValues(dict(islice(learned, MAX_LEARNED)), cut_off=False).present(haystack)
        return {text: [*found, *elsewhere.spans(text.text), *self._custom_spans(text.text)] for text, found in spans.items()}

    def _custom_spans(self, text: str) -> Iterator[Span]:
        for pattern in self._compiled:
            for match in pattern.finditer(text):
                group = 1 if pattern.groups and match[1] is not None else 0
                yield Span(*match.span(group), "custom")

    @cached_property
    def _compiled(self) -> tuple[re.Pattern[str], ...]:
        patterns = (self._patterns,) if isinstance(self._patterns, str) else self._patterns
        try:
            return compiled(patterns)
        except UnusablePatternError as error:
            raise RedactionError(f"redaction {error}") from None

    @cached_property
    def _values(self) -> KnownValues:
        return KnownValues({**_read(self._environ, "environment"), **_read(self._variables, "variable")})


def _read(names: Mapping[str, object], kind: str) -> dict[str, str]:
    try:
        return known_values(names, kind)
    except Exception as error:  # noqa: BLE001 - any object can stand in a variable and raise anything, and its text could be the secret
        problem = _told(error)
    raise RedactionError(f"reading {kind} values raised {problem}.")


def _closed(subject: str, what_stays: str, work: Callable[[], T]) -> T:
    """Return what `work` does, or raise a RedactionError that carries nothing of the text, neither itself nor in its context."""
    try:
        return work()
    except RedactionError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, what may hold a secret must stay in the process
        problem = f"looking for secrets raised {_told(error)}."
    raise RedactionError(f"Redacting {subject} failed: {problem} {what_stays} stays in the process.")


def _told(error: Exception) -> str:
    """Return the type of an error and where it was raised: its own text can hold a secret."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    name = type(error).__name__
    return f"{name} at {PurePath(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else name


def _add(counts: dict[str, int], found: Mapping[str, int]) -> None:
    for kind, number in found.items():
        counts[kind] = counts.get(kind, 0) + number


def _rebuilt(value: Any, visit: Callable[[_Text], str], is_code: bool = False) -> Any:
    """Return `value` with `visit` applied to each text in it; a type that is not known here fails, as it could hold a text."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return visit(_Text(value, is_code))
    if value is None or isinstance(value, (bool, int, float, Enum)):
        return value
    if isinstance(value, (tuple, list)):
        return _rebuilt_sequence(value, visit, is_code)
    if isinstance(value, dict):
        return {_rebuilt(key, visit, is_code): _rebuilt(item, visit, is_code) for key, item in value.items()}
    if is_dataclass(value):
        return _rebuilt_record(value, visit)
    raise TypeError(type(value).__name__)


def _rebuilt_sequence(items: tuple[Any, ...] | list[Any], visit: Callable[[_Text], str], is_code: bool) -> Any:
    in_key = private_key_lines([item if isinstance(item, str) else getattr(item, "text", "") for item in items])

    def visit_key_line(text: _Text) -> str:
        return visit(replace(text, known=(_whole_key_line(text.text),)) if is_key_line(text.text) else text)

    return type(items)(_rebuilt(item, visit_key_line if index in in_key else visit, is_code) for index, item in enumerate(items))


def _whole_key_line(text: str) -> Span:
    return Span(0, len(text), "private-key")


def _rebuilt_record(record: Any, visit: Callable[[_Text], str]) -> Any:
    kept = KEPT_FIELDS if isinstance(record, FailureReport) else frozenset()
    changes = {}
    for field in fields(record):
        if field.name in kept:
            continue
        old = getattr(record, field.name)
        new = _rebuilt_field(record, field.name, old, visit)
        if new != old:
            changes[field.name] = new
    return replace(record, **changes) if changes else record


def _rebuilt_field(record: Any, name: str, value: Any, visit: Callable[[_Text], str]) -> Any:
    if isinstance(record, KeywordCall) and name == "args":
        return _rebuilt_arguments(record, visit)
    if isinstance(record, LogLine) and name == "text" and record.level == "KEYWORD":
        return visit(_Text(value, is_step=True))
    return _rebuilt(value, visit, isinstance(record, Frame) and name == "code")


def _rebuilt_arguments(call: KeywordCall, visit: Callable[[_Text], str]) -> tuple[str, ...]:
    """Visit the arguments until nothing changes any more, as each tells what its neighbours are."""
    for _ in range(MAX_ROUNDS):
        arguments = tuple(visit(text) for text in _arguments(call))
        if arguments == call.args:
            break
        call = replace(call, args=arguments)
    return call.args


def _arguments(call: KeywordCall) -> Iterator[_Text]:
    spans = argument_spans((call.full_name, *call.args))
    in_key = private_key_lines(call.args)
    for index, argument in enumerate(call.args):
        known = [*spans.get(index + 1, ()), *([_whole_key_line(argument)] if index in in_key else ())]
        yield _Text(argument, known=tuple(known))


def _replaced(text: str, spans: Iterable[Span]) -> tuple[str, dict[str, int]]:
    counts: dict[str, int] = {}
    pieces = []
    position = 0
    for start, end, kind in _merged(_outside_marks(text, spans)):
        pieces += [text[position:start], f"<redacted:{kind}>"]
        counts[kind] = counts.get(kind, 0) + 1
        position = end
    return "".join((*pieces, text[position:])), counts


def _outside_marks(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Cut what is marked already out of `spans`: that makes redacting twice the same as once."""
    marks = [mark.span() for mark in _MARK.finditer(text)] if "<redacted:" in text else []
    ends = [end for _, end in marks]
    for start, end, kind in spans:
        index = bisect_right(ends, start)
        while index < len(marks) and marks[index][0] < end:
            if start < marks[index][0]:
                yield Span(start, marks[index][0], kind)
            start = marks[index][1]
            index += 1
        if start < end:
            yield Span(start, end, kind)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Join overlapping spans; the longest gives its kind."""
    merged: list[Span] = []
    longest = 0
    for span in sorted(spans, key=lambda span: span.start):
        size = span.end - span.start
        if not merged or span.start >= merged[-1].end:
            merged.append(span)
            longest = size
            continue
        last = merged[-1]
        merged[-1] = Span(last.start, max(last.end, span.end), span.kind if size > longest else last.kind)
        longest = max(longest, size)
    return merged


def _shown_spans(text: _Text, detectors: tuple[Detector, ...]) -> Iterator[Span]:
    """Find what a text shows to be secret by its own words and by its place in the report."""
    yield from text.known
    yield from own_form_spans(text.text, detectors)
    lower = text.text.lower()
    if any(hint in lower for hint in HINTS):
        yield from assigned_spans(text.text, text.is_code)
    if text.is_step:
        yield from step_spans(text.text)
    if _ESCAPED_SIGN in text.text:
        yield from _spans_behind_escapes(text, detectors)


def _spans_behind_escapes(text: _Text, detectors: tuple[Detector, ...]) -> Iterator[Span]:
    """Find what a text shows when it is read as Robot reads it: arguments stand in results as in the data, ``password\\=value``."""
    places = [at for at in range(len(text.text)) if not text.text.startswith(_ESCAPED_SIGN, at)]
    read = replace(text, text=text.text.replace(_ESCAPED_SIGN, "="), known=())
    yield from (Span(places[start], places[end - 1] + 1, kind) for start, end, kind in _shown_spans(read, detectors) if start < end)


_STRONG = re.compile(r"(?=\S*[A-Za-z])(?=\S*\d)\S{8,200}")


def _learned(text: str, spans: Iterable[Span]) -> Iterator[tuple[str, str]]:
    """Yield secrets found in `text` that are unlike anything else, so that they can be looked for in all other texts too."""
    for start, end, kind in spans:
        secret = text[start:end]
        password = decoded_basic(secret).partition(":")[2] if kind == "authorization" else ""
        yield from ((value, kind) for value in (secret, password) if _STRONG.fullmatch(value))
