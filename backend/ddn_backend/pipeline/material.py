"""The one door to a model: what of a case may go there, by the operator's consent, and how it is marked as data.

message  names of suite, test and keywords, the error message, the exception's type, documents of the knowledge base
log      and the log, execution errors, exceptions with their messages and frames, arguments, earlier failures
code     and source lines, commits

Nothing else makes text for a model out of a case, and tools are offered by the same consent (tools.py).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from robot_ddn_listener.contract import ExceptionInfo, FailureReport, Suspect, Verdict

from ..ports import DocumentKind, Passage, Query, SourceLines
from .case import Case, Line

MAX_PASSAGES = 5
PASSAGE_CHARACTERS = 600
NAME_CHARACTERS = 300
MESSAGE = "error message"  # the place in a digest that may always go
CODE = "code"

# Characters that a reader does not see and a model does: format and zero-width characters, bidirectional controls, variation
# selectors and tags (used to smuggle text), and controls but for tab and line feed.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


Redact = Callable[[str], str]


class Send(StrEnum):
    """What may go to a model; each includes those before it."""

    MESSAGE = "message"
    LOG = "log"
    CODE = "code"

    def allows(self, kind: "Send") -> bool:
        return list(Send).index(kind) <= list(Send).index(self)

    def of_a_query(self) -> str:
        """Return in words what of a query goes out: its message alone, or the lines of the log in it, too."""
        return ", ".join(kind.value for kind in (Send.MESSAGE, Send.LOG) if self.allows(kind))


# What of the library may go: past failures only where logs may, because what is said of them may quote one.
_NEEDED = {DocumentKind.PAST_FAILURE: Send.LOG, DocumentKind.CODE: Send.CODE}


@dataclass(frozen=True, slots=True)
class Material:
    """`text` as a model gets it; `kinds` is what stands in it."""

    text: str
    kinds: frozenset[Send]


def _unchanged(text: str) -> str:
    return text


def material(case: Case, send: Send, redact: Redact = _unchanged) -> Material:
    """Return what a model is told of `case` at first; `redact` takes secrets out of code, reports come without."""
    sections = [section for section in _sections(case, send, redact) if section[2]]
    body = "\n\n".join(f"## {title}\n" + "\n".join(lines) for _, title, lines in sections)
    return Material(fenced(body), frozenset(kind for kind, _, _ in sections))


def fenced(text: str) -> str:
    """Return `text` between two marks that it cannot forge: they are made from what stands between them."""
    text = visible(text)
    mark = f"ddn-{sha256(text.encode('utf-8', 'replace')).hexdigest()[:16]}"
    return f"<{mark}>\n{text}\n</{mark}>"


def visible(text: str) -> str:
    """Return `text` without characters that a person does not see."""
    return _INVISIBLE.sub("", text)


_Section = tuple[Send, str, list[str]]


def _sections(case: Case, send: Send, redact: Redact) -> Iterator[_Section]:
    report, lines = case.report, case.digest.lines
    may_log, may_code = send.allows(Send.LOG), send.allows(Send.CODE)
    yield Send.MESSAGE, "failure", list(_names(report))
    yield Send.MESSAGE, "keywords", [_clipped(call) for call in _keywords(report, with_arguments=may_log)]
    yield Send.MESSAGE, MESSAGE, _quoted(line for line in lines if line.where == MESSAGE)
    if not may_log and report.exception:
        yield Send.MESSAGE, "exception", _quoted([Line("exception", report.exception.type)])
    if may_log:
        for where in dict.fromkeys(line.where for line in lines if line.where not in (MESSAGE, CODE)):
            yield Send.LOG, where, _quoted(line for line in lines if line.where == where)
        yield Send.LOG, "frames", _quoted(Line("frames", text) for text in _frames(report.exception))
    if may_code:
        yield Send.CODE, CODE, _quoted([line for line in lines if line.where == CODE] or _code(report.exception))
        yield Send.CODE, "code around it", _quoted(Line(CODE, redact(text)) for text in _around(case.code))
        yield Send.CODE, "commits that may have broken it", [_clipped(redact(text)) for text in _suspects(case.analysis.suspects)]
    yield Send.LOG if may_log else Send.MESSAGE, "what is known without a model", list(_draft(case, may_log))
    yield Send.MESSAGE, "known causes that look alike", list(known_causes(case.passages, send))
    if may_code:
        yield Send.CODE, "code that has the same names", list(_code_passages(case.passages))
    if may_log:
        yield Send.LOG, "earlier failures that look alike", [_clipped(item.root_cause) for item in case.analysis.similar]
        yield Send.MESSAGE, "left out", list(case.digest.cut)


def _names(report: FailureReport) -> Iterator[str]:
    yield f"report: {report.id}"
    yield _clipped(f"suite: {report.suite_name}")
    yield _clipped(f"test: {report.test_name}")
    yield f"phase: {report.phase.value}"


def _keywords(report: FailureReport, with_arguments: bool) -> Iterator[str]:
    for call in report.keywords:
        yield "    ".join((call.full_name, *call.args)) if with_arguments else call.full_name


def _quoted(lines: Iterable[Line]) -> list[str]:
    """Each line of foreign text starts with a bar, so that none of them looks like a heading or a turn of a dialogue."""
    return [f"| {text}{_count(line)}" for line in lines for text in line.text.splitlines() or [""]]


def _count(line: Line) -> str:
    return f"  ({line.count} lines like this)" if line.count > 1 else ""


def _frames(exception: ExceptionInfo | None) -> Iterator[str]:
    for one in _chain(exception):
        yield from (f"{frame.file}:{frame.line} {frame.function}" for frame in one.frames)


def _code(exception: ExceptionInfo | None) -> list[Line]:
    return [Line(CODE, text) for one in _chain(exception) for frame in one.frames for text in (f"{frame.file}:", *frame.code)]


def _around(code: Iterable[SourceLines]) -> Iterator[str]:
    for part in code:
        numbered = "\n".join(f"{number}: {line[:NAME_CHARACTERS]}" for number, line in enumerate(part.lines, part.first))
        yield f"{part.file}:\n{numbered}"


def _suspects(suspects: Iterable[Suspect]) -> Iterator[str]:
    yield from (f"{suspect.commit[:12]} {suspect.file}: {suspect.why}" for suspect in suspects)


def _chain(exception: ExceptionInfo | None) -> Iterator[ExceptionInfo]:
    if exception:
        yield exception
        for cause in exception.causes:
            yield from _chain(cause)


def _draft(case: Case, may_log: bool) -> Iterator[str]:
    draft = case.analysis
    if draft.verdict is Verdict.DIAGNOSED:
        source = f"rule {draft.engine.rule_id}" if draft.engine.rule_id else "the knowledge base"
        cause = f": {draft.root_cause}" if may_log else ""  # rules put words of the log into their sentences
        yield _clipped(f"{source} says {draft.error_type.value}{cause}")


def may_see(kind: DocumentKind, send: Send) -> bool:
    """Tell whether a document of that kind may go to a model."""
    return send.allows(_NEEDED.get(kind, Send.MESSAGE))


def known_causes(passages: Iterable[Passage], send: Send) -> Iterator[str]:
    """Yield the passages that may go, as a model reads them; code is told apart."""
    allowed = [passage for passage in passages if may_see(passage.document.kind, send)]
    yield from (passage_line(passage) for passage in [one for one in allowed if not _is_code(one)][:MAX_PASSAGES])


def _code_passages(passages: Iterable[Passage]) -> Iterator[str]:
    for passage in passages:
        if _is_code(passage):
            yield from _quoted([Line(CODE, f"{passage.document.title}\n{passage.document.cause[:PASSAGE_CHARACTERS]}")])


def _is_code(passage: Passage) -> bool:
    return passage.document.kind is DocumentKind.CODE


def passage_line(passage: Passage) -> str:
    """Return a passage as a model reads it, without its symptoms."""
    document = passage.document
    remedy = f" What helps: {_flat(document.remedy)}" if document.remedy else ""
    text = _flat(passage.text) or f"{_flat(document.cause)}{remedy}"
    return f"- {document.title} ({document.kind}, {document.error_type.value}). {text}"[:PASSAGE_CHARACTERS]


def query_lines(query: Query, send: Send) -> list[str]:
    """Return what of a query may go to a model, as lines of foreign text."""
    return _quoted([Line("query", query.text if send.allows(Send.LOG) else query.message)])


def _clipped(text: str) -> str:
    return f"- {_flat(text)[:NAME_CHARACTERS]}"


def _flat(text: str) -> str:
    return " ".join(text.split())
