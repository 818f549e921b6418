"""The measures: what share is right, shown and wrong, supported by the right passage; every share with its interval.

The label and the alternative label both count as right; an abstention is never right. Whoever reads "accuracy" should read
"shown and wrong" first: an answer that misleads costs more than none.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from robot_ddn_listener.contract import MAX_QUOTE_CHARACTERS, ErrorType

from .answers import Answer

Z_95 = 1.959964  # of the standard normal distribution: 95 % lie within
OVERLAP_SHARE = 0.6  # of the labelled evidence that one quote must hold
BANDS = (0.85, 0.65, 0.40, 0.0)  # lower ends of the bands in which confidence is shown
TYPES = tuple(kind for kind in ErrorType if kind is not ErrorType.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `n`, with the Wilson 95 % interval. Of nothing it is 0 with an interval of 0 to 1."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.hits, self.n)


@dataclass(frozen=True, slots=True)
class Band:
    """Answers shown with a confidence from `low` to below `high`."""

    low: float
    high: float
    right: Share
    mean_confidence: float


@dataclass(frozen=True, slots=True)
class TypeMeasures:
    """`n` records have this label; `precision` of the answers that name it, `recall` of the records that have it."""

    n: int
    precision: Share
    recall: Share

    @property
    def f1(self) -> float:
        both = self.precision.value + self.recall.value
        return 2 * self.precision.value * self.recall.value / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Measures:
    """See the module; `brier` is over the answers that were shown, `macro_f1` over the labels that occur."""

    n: int
    accuracy: Share
    coverage: Share
    shown_and_wrong: Share
    macro_f1: float
    brier: float
    bands: tuple[Band, ...]
    evidence_hit: Share
    evidence_echo: Share
    seconds_p50: float
    seconds_p95: float
    per_type: dict[ErrorType, TypeMeasures]


def measure(answers: Iterable[Answer]) -> Measures:
    """Return the measures of `answers`."""
    all_answers = tuple(answers)
    shown = [answer for answer in all_answers if answer.is_shown]
    right = [answer for answer in shown if answer.is_right]
    with_evidence = [answer for answer in all_answers if answer.record.evidence.strip()]
    seconds = sorted(answer.seconds for answer in all_answers)
    per_type = _per_type(all_answers)
    occurring = [measures for measures in per_type.values() if measures.n or measures.recall.n]
    n = len(all_answers)
    return Measures(
        n=n,
        accuracy=Share(len(right), n),
        coverage=Share(len(shown), n),
        shown_and_wrong=Share(len(shown) - len(right), n),
        macro_f1=_mean([measures.f1 for measures in occurring]),
        brier=_mean([(answer.analysis.confidence - answer.is_right) ** 2 for answer in shown]),
        bands=tuple(_bands(shown)),
        evidence_hit=_hits(with_evidence, lambda answer: answer.quotes),
        evidence_echo=_hits(with_evidence, lambda answer: (_echo(answer),)),
        seconds_p50=percentile(seconds, 0.5),
        seconds_p95=percentile(seconds, 0.95),
        per_type=per_type,
    )


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the Wilson score interval of `hits` of `n` at 95 %."""
    if not n:
        return 0.0, 1.0
    share, square = hits / n, Z_95**2
    middle = share + square / (2 * n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    scale = 1 + square / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below or at which `share` of the `ordered` values lie (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def overlap(evidence: str, quote: str) -> float:
    """Return the share of `evidence` that stands in `quote` in one piece, white space folded."""
    wanted, offered = " ".join(evidence.split()), " ".join(quote.split())
    return _longest_common(wanted, offered) / len(wanted) if wanted else 0.0


def _longest_common(first: str, second: str) -> int:
    if first in second:
        return len(first)
    best, above = 0, [0] * (len(second) + 1)
    for character in first:
        row = [0] * (len(second) + 1)
        for index, other in enumerate(second, start=1):
            if character == other:
                row[index] = above[index - 1] + 1
        best, above = max(best, *row), row
    return best


def has_evidence(answer: Answer, quotes: Sequence[str]) -> bool:
    """Tell whether one of `quotes` holds enough of the labelled evidence."""
    return any(overlap(answer.record.evidence, quote) >= OVERLAP_SHARE for quote in quotes)


def _hits(answers: Sequence[Answer], quotes: Callable[[Answer], Sequence[str]]) -> Share:
    return Share(sum(has_evidence(answer, quotes(answer)) for answer in answers), len(answers))


def _echo(answer: Answer) -> str:
    return (answer.record.error_message or answer.report.error_message)[:MAX_QUOTE_CHARACTERS]


def _bands(shown: Sequence[Answer]) -> Iterator[Band]:
    high = 1.0
    for low in BANDS:
        inside = [
            answer for answer in shown if low <= answer.analysis.confidence < high or answer.analysis.confidence == high == 1.0
        ]
        right = sum(answer.is_right for answer in inside)
        yield Band(low, high, Share(right, len(inside)), _mean([answer.analysis.confidence for answer in inside]))
        high = low


def _per_type(answers: Sequence[Answer]) -> dict[ErrorType, TypeMeasures]:
    labels = Counter(answer.record.error_type for answer in answers)
    truths = Counter(_truth(answer) for answer in answers)
    named = Counter(answer.shown for answer in answers)
    right = Counter(answer.shown for answer in answers if answer.is_right)
    return {kind: TypeMeasures(labels[kind], Share(right[kind], named[kind]), Share(right[kind], truths[kind])) for kind in TYPES}


def _truth(answer: Answer) -> ErrorType:
    """The label to hold the answer against: the alternative where that was answered."""
    return answer.shown if answer.is_right else answer.record.error_type


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
