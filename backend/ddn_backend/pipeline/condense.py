"""Condense: cut a report down to what fits a budget, without losing what tells the cause.

Kept whole: error message, exceptions, execution errors. Of the log: lines that look like errors with what stands around
them, the head and the tail; lines that differ only in numbers and ids are folded into their first with a count, the last
is kept too. What was left out is said in words.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from robot_ddn_listener.contract import ExceptionInfo, FailureReport
from robot_ddn_listener.fingerprint import normalise

from .case import Case, Digest, Line

BUDGET_CHARACTERS = 24_000  # about 6000 tokens: a model's answer stays quick and cheap, and most logs fit whole
ESSENTIAL_CHARACTERS = 4_000  # the most that one of error message, exception or execution error may take of it
LINE_CHARACTERS = 600  # of a log line; longer ones are page sources and dumps
LINES_BEFORE, LINES_AFTER = 4, 6  # around an error line, as LogSage found useful
HEAD_LINES, TAIL_LINES = 10, 30

_ERROR_LEVELS = ("FAIL", "ERROR")
_ERROR_WORDS = re.compile(
    r"(?:error|exception|traceback|fatal|panic|failed|failure|refused|denied|forbidden|unauthorized|timed? ?out"
    r"|unreachable|unable to|could ?n[o']t|cannot|can't|no such|not found|not installed|missing|invalid|aborted"
    r"|crashed|killed|expired|out of memory|no space left)",
    re.IGNORECASE,
)
# Small numbers tell statuses and exit codes apart, so `normalise` leaves them; after these words they only count.
_COUNTER = re.compile(
    r"(?<=\b)(?:attempt|retry|retries|try|poll|iteration|loop|round|item|row|step)\W{0,3}\d+|\d+\s?(?:of|/)\s?\d+", re.IGNORECASE
)


def condense(case: Case, budget: int = BUDGET_CHARACTERS) -> Case:
    """Return `case` with a digest of at most about `budget` characters."""
    essentials = tuple(_essentials(case.report))
    log = tuple(_log_lines(case.report))
    folded = _fold(log)
    room = budget - sum(len(line.text) for line in essentials)
    kept = _fit(folded, _interesting(folded), room)
    return replace(case, digest=Digest((*essentials, *kept), tuple(_cut(case.report, log, folded, kept))))


def _essentials(report: FailureReport) -> Iterator[Line]:
    yield from _lines("error message", report.error_message)
    for exception in _chain(report.exception):
        yield from _lines("exception", f"{exception.type}: {exception.message}" if exception.message else exception.type)
    for error in report.execution_errors:
        yield from _lines("execution errors", error.text)


def _chain(exception: ExceptionInfo | None) -> Iterator[ExceptionInfo]:
    if exception:
        yield exception
        for cause in exception.causes:
            yield from _chain(cause)


def _lines(where: str, text: str) -> Iterator[Line]:
    for line in text[:ESSENTIAL_CHARACTERS].splitlines():
        if line.strip():
            yield Line(where, line, is_error=True)


def _log_lines(report: FailureReport) -> Iterator[Line]:
    for entry in report.log:
        for text in entry.text.splitlines():
            if text.strip():
                yield Line("log", text[:LINE_CHARACTERS], _is_error(entry.level, text))


def _is_error(level: str, text: str) -> bool:
    return level in _ERROR_LEVELS or (level != "KEYWORD" and _ERROR_WORDS.search(text[:LINE_CHARACTERS]) is not None)


def _fold(lines: Sequence[Line]) -> tuple[Line, ...]:
    templates = [_COUNTER.sub("<n>", normalise(line.text)) for line in lines]
    counts = Counter(templates)
    last = {template: index for index, template in enumerate(templates)}
    folded, seen = [], set()
    for index, (line, template) in enumerate(zip(lines, templates, strict=True)):
        if template not in seen:
            seen.add(template)
            folded.append(replace(line, count=max(1, counts[template] - 1)))
        elif index == last[template]:
            folded.append(line)
    return tuple(folded)


def _interesting(lines: Sequence[Line]) -> list[int]:
    """Return indexes by how much they matter: what surrounds errors, the latest first; then tail and head."""
    around = {
        near
        for index, line in enumerate(lines)
        if line.is_error
        for near in range(max(0, index - LINES_BEFORE), min(len(lines), index + LINES_AFTER + 1))
    }
    ends = {*range(min(HEAD_LINES, len(lines))), *range(max(0, len(lines) - TAIL_LINES), len(lines))}
    return sorted(around, reverse=True) + sorted(ends - around, reverse=True)


def _fit(lines: Sequence[Line], by_interest: Sequence[int], room: int) -> tuple[Line, ...]:
    kept = []
    for index in by_interest:
        room -= len(lines[index].text)
        if room < 0:
            break
        kept.append(index)
    return tuple(lines[index] for index in sorted(kept))


def _cut(report: FailureReport, log: Sequence[Line], folded: Sequence[Line], kept: Sequence[Line]) -> Iterator[str]:
    if len(folded) < len(log):
        yield f"log: {len(log) - len(folded)} of {len(log)} lines repeat others and were folded"
    if len(kept) < len(folded):
        yield f"log: {len(folded) - len(kept)} of {len(folded)} different lines were left out"
    if len(report.error_message) > ESSENTIAL_CHARACTERS:
        yield f"error message: {len(report.error_message) - ESSENTIAL_CHARACTERS} characters were left out"
    for truncation in report.truncated:
        yield f"{truncation.what}: cut from {truncation.from_} to {truncation.to} before it was sent"
