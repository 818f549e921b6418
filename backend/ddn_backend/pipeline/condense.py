"""Condense: cut a report down to what fits a budget of tokens, without losing what tells the cause.

The budget has a share for each kind of text; what one does not use goes to the log. Of error message and exceptions the
beginning and the end are kept. Of the log: lines that look like errors, what is news among them first, then what stands around
them, the tail and the head; lines that differ only in numbers and ids are folded into their first with a count, the last is
kept too. What was left out is said in words.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from robot_ddn_listener.contract import ExceptionInfo, FailureReport
from robot_ddn_listener.fingerprint import normalise
from robot_ddn_listener.templates import Survey, by_interest, error_strength, most_telling, survey

from .case import Case, Digest, Line

LINE_CHARACTERS = 600  # of a line; longer ones are page sources and dumps
AROUND = (4, 6)  # lines before and after an error, as LogSage found useful
ENDS = (10, 30)  # lines of head and tail
MAX_LINES = 2_000  # of a log that are looked at closely; of a longer one those that matter most
MAX_FRAMES = 6  # whose code is shown, the innermost first: of all the project's own before those of packages

# Small numbers tell statuses and exit codes apart, so `normalise` leaves them; after these words they only count.
_COUNTER = re.compile(
    r"(?<=\b)(?:attempt|retry|retries|try|poll|iteration|loop|round|item|row|step)\W{0,3}\d+|\d+\s?(?:of|/)\s?\d+", re.IGNORECASE
)
_DIGIT = re.compile(r"\d")
_TOKEN = re.compile(r"[^\W\d_]{1,4}|\d|[^\w\s]|_")


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens by kind of text. `past` is left for what recall and retrieval add: past failures and known causes."""

    error: int = 800
    exception: int = 600
    execution: int = 400
    log: int = 1_400
    code: int = 400
    past: int = 400

    @property
    def total(self) -> int:
        return self.error + self.exception + self.execution + self.log + self.code + self.past

    @staticmethod
    def of(tokens: int) -> "Budget":
        """Return the usual shares of a budget of `tokens`."""
        usual = Budget()
        shares = {name: getattr(usual, name) * tokens // usual.total for name in usual.__dataclass_fields__}
        return Budget(**shares)


def condense(case: Case, budget: Budget = Budget()) -> Case:
    """Return `case` with a digest of at most `budget` tokens, less what is left for the past."""
    report = case.report
    parts = (
        _cut_to("error message", [report.error_message], budget.error),
        _cut_to("exception", [_described(one) for one in _chain(report.exception)], budget.exception),
        _cut_to("execution errors", [error.text for error in report.execution_errors], budget.execution),
        _cut_to("code", _code(report.exception), budget.code),
    )
    essentials = [line for part in parts for line in part.lines]
    unused = sum(part.unused for part in parts)
    log, notes = _condensed_log(report, budget.log + unused)
    cut = (*(note for part in parts for note in part.notes), *notes, *_cut_before(report))
    code = [line for line in essentials if line.where == "code"]
    return replace(case, digest=Digest((*(line for line in essentials if line.where != "code"), *log, *code), cut))


def tokens(text: str) -> int:
    """Return about how many tokens a model counts for `text`, rather too many: each digit and sign, four letters of a word."""
    return len(_TOKEN.findall(text)) + 1


@dataclass(frozen=True, slots=True)
class _Part:
    lines: tuple[Line, ...]
    unused: int
    notes: tuple[str, ...]


def _cut_to(where: str, texts: Iterable[str], budget: int) -> _Part:
    """Return the lines of `texts` that fit: of a longer text two thirds from its beginning, one third from its end."""
    lines = [line[:LINE_CHARACTERS] for text in texts for line in text.splitlines() if line.strip()]
    unique = list(dict.fromkeys(lines)) if where == "execution errors" else lines
    order = _from_both_ends(len(unique))
    kept, unused = _fitting(order, unique, budget)
    notes = tuple(_left_out(where, unique, kept))
    return _Part(tuple(Line(where, unique[index], is_error=where != "code") for index in sorted(kept)), unused, notes)


def _left_out(where: str, lines: Sequence[str], kept: Sequence[int]) -> Iterator[str]:
    if len(kept) < len(lines):
        yield f"{where}: {len(lines) - len(kept)} of {len(lines)} lines were left out"
    if any(len(line) == LINE_CHARACTERS for line in lines):
        yield f"{where}: of each line at most {LINE_CHARACTERS} characters are shown"


def _from_both_ends(size: int) -> Iterator[int]:
    head, tail = 0, size - 1
    while head <= tail:
        yield from range(head, min(head + 2, tail + 1))
        head += 2
        if head <= tail:
            yield tail
            tail -= 1


def _fitting(order: Iterable[int], texts: Sequence[str], budget: int) -> tuple[list[int], int]:
    """Return the indexes, in that order, whose texts fit into `budget` tokens, each once, and what is left of it."""
    kept: dict[int, None] = {}
    for index in order:
        if budget <= 0:
            break
        if index not in kept and (cost := tokens(texts[index])) <= budget:
            kept[index] = None
            budget -= cost
    return list(kept), budget


def _described(exception: ExceptionInfo) -> str:
    return f"{exception.type}: {exception.message}" if exception.message else exception.type


def _chain(exception: ExceptionInfo | None) -> Iterator[ExceptionInfo]:
    if exception:
        yield exception
        for cause in exception.causes:
            yield from _chain(cause)


def _code(exception: ExceptionInfo | None) -> Iterator[str]:
    frames = [frame for one in _chain(exception) for frame in reversed(one.frames) if frame.code]
    for frame in sorted(frames, key=lambda frame: not frame.own)[:MAX_FRAMES]:
        yield "\n".join((f"{frame.file}:{frame.line} {frame.function}", *frame.code))


def _condensed_log(report: FailureReport, budget: int) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    texts, levels = _split(report)
    found = survey(texts, levels)
    folded = list(_fold(_worth_a_look(texts, levels, found), texts, levels, found))
    lines = [fold.line for fold in folded]
    errors = most_telling([fold.strength for fold in folded], [fold.total for fold in folded], range(len(folded)))
    kept, _ = _fitting(by_interest(errors, len(lines), AROUND, ENDS), [line.text for line in lines], budget)
    return tuple(lines[index] for index in sorted(kept)), tuple(_notes(len(texts), len(lines), len(kept)))


def _split(report: FailureReport) -> tuple[list[str], list[str]]:
    texts, levels = [], []
    for entry in report.log:
        for text in entry.text.splitlines() if "\n" in entry.text else (entry.text,):
            if text and not text.isspace():
                texts.append(text[:LINE_CHARACTERS])
                levels.append(entry.level)
    return texts, levels


def _worth_a_look(texts: Sequence[str], levels: Sequence[str], found: Survey) -> list[int]:
    if len(texts) <= MAX_LINES:
        return list(range(len(texts)))
    strengths = [error_strength(texts[index], levels[index]) for index in found.last]
    errors = [found.last[number] for number in most_telling(strengths, found.counts, found.last)]
    wanted: dict[int, None] = {}
    for index in chain(by_interest(errors[: MAX_LINES // 2], len(texts), AROUND, ENDS), found.first):
        wanted[index] = None
        if len(wanted) >= MAX_LINES:
            break
    return sorted(wanted)


@dataclass(frozen=True, slots=True)
class _Fold:
    """One line for all of a template, or its last, which has no `strength` of its own. `total` counts the coarse template."""

    line: Line
    total: int
    strength: int


def _fold(near: Sequence[int], texts: Sequence[str], levels: Sequence[str], found: Survey) -> Iterator[_Fold]:
    templates = [_template(texts[index]) for index in near]
    counts = _counts(near, templates, found)
    last = {template: index for index, template in zip(near, templates, strict=True)}
    seen = set[str]()
    for index, template in zip(near, templates, strict=True):
        strength, total = error_strength(texts[index], levels[index]), found.counts[found.numbers[index]]
        if template not in seen:
            yield _Fold(Line("log", texts[index], strength > 0, max(1, counts[template] - 1)), total, strength)
        elif index == last[template]:
            yield _Fold(Line("log", texts[index], strength > 0), total, 0)
        seen.add(template)


def _template(text: str) -> str:
    template = normalise(text)
    return _COUNTER.sub("<n>", template) if _DIGIT.search(template) else template


def _counts(near: Sequence[int], templates: Sequence[str], found: Survey) -> Counter[str]:
    """Return how often each template is in the log; where only a part of it was looked at closely, its coarse templates tell."""
    counts = Counter(templates)
    if len(near) < len(found.numbers):
        shown = Counter(found.numbers[index] for index in near)
        for index, template in zip(near, templates, strict=True):
            number = found.numbers[index]
            counts[template] = max(counts[template], found.counts[number] - shown[number] + 1)
    return counts


def _notes(lines: int, folded: int, kept: int) -> Iterator[str]:
    if folded < lines:
        yield f"log: {lines - folded} of {lines} lines repeat others and were folded"
    if kept < folded:
        yield f"log: {folded - kept} of {folded} different lines were left out"


def _cut_before(report: FailureReport) -> Iterator[str]:
    for truncation in report.truncated:
        yield f"{truncation.what}: cut from {truncation.from_} to {truncation.to} before it was sent"
