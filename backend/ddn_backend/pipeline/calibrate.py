"""Calibrate: what a model's confidence is worth, by how often it was right on labelled failures when it said so.

Confidences and outcomes are pooled into blocks whose share of right answers rises with the confidence (pool adjacent violators),
each drawn towards the confidence itself by PRIOR answers, so that a few lucky ones prove nothing. Between blocks it is
interpolated. A model is known by the id that answered; below MIN_ANSWERS its confidence is left as it is, and told in words.
"""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

Calibrate = Callable[[str, float], float | None]
"""Takes a model's id and its confidence; returns the probability, None where that model has no fit."""

MIN_ANSWERS = 50  # of one model: with fewer a share of .8 is known to +-.12 at best
PRIOR = 4.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """`points` are confidences with what they are worth, both rising; `n` answers, described by `basis`, on the day `fitted`."""

    points: tuple[tuple[float, float], ...]
    n: int
    fitted: str = ""
    basis: str = ""

    def probability(self, confidence: float) -> float:
        """Return what `confidence` is worth; below the first point it falls to 0, above the last one it stays."""
        points = ((0.0, 0.0), *self.points)
        if confidence >= points[-1][0]:
            return points[-1][1]
        after = max(1, bisect_left([said for said, _ in points], confidence))
        (low, from_), (high, to) = points[after - 1], points[after]
        return from_ + (to - from_) * (confidence - low) / (high - low) if high > low else to


ByModel = Mapping[str, Calibration]


def uncalibrated(_model: str, _confidence: float) -> None:
    """Implement Calibrate for models that nobody has fitted."""


def calibrator(fits: ByModel) -> Calibrate:
    """Return what calibrates by `fits`, those with enough answers."""
    enough = {model: fit for model, fit in fits.items() if fit.n >= MIN_ANSWERS and fit.points}
    return lambda model, confidence: round(enough[model].probability(confidence), 4) if model in enough else None


def fit(answers: Sequence[tuple[float, bool]], fitted: str, basis: str) -> Calibration:
    """Return the calibration by `answers`: each a confidence and whether it was right."""
    by_said: dict[float, list[bool]] = defaultdict(list)
    for said, right in sorted(answers):
        by_said[round(said, 4)].append(right)
    blocks = _pooled([_Block(said, said, said, _mean(rights), len(rights)) for said, rights in by_said.items()])
    drawn = [replace(one, worth=(one.worth * one.n + one.said * PRIOR) / (one.n + PRIOR)) for one in blocks]
    points = ((edge, round(one.worth, 4)) for one in _pooled(drawn) for edge in dict.fromkeys((one.low, one.high)))
    return Calibration(tuple(points), len(answers), fitted, basis)


def load(text: str) -> dict[str, Calibration]:
    """Return the calibrations by model, as `dump` wrote them; ValueError where it is something else."""
    try:
        return {model: _read(fields) for model, fields in json.loads(text).items()}
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"expected what `ddn eval --fit-calibration` writes ({error})") from None


def dump(fits: ByModel) -> str:
    """Return `fits` as the text of a file."""
    return json.dumps({model: asdict(fit) for model, fit in fits.items()}, indent=2) + "\n"


def _read(fields: Mapping[str, object]) -> Calibration:
    points = tuple((float(said), float(worth)) for said, worth in fields["points"])  # type: ignore[attr-defined]
    in_order = all(first[0] < then[0] and first[1] <= then[1] for first, then in pairwise(points))
    if not in_order or any(not 0 <= number <= 1 for point in points for number in point):
        raise ValueError("expected points within 0 and 1 that rise")
    return Calibration(points, int(str(fields["n"])), str(fields["fitted"]), str(fields["basis"]))


@dataclass(frozen=True, slots=True)
class _Block:
    """`n` answers with confidences from `low` to `high`, `said` on average, and what they are worth."""

    low: float
    high: float
    said: float
    worth: float
    n: int


def _pooled(blocks: Iterable[_Block]) -> list[_Block]:
    """Return `blocks` with each worth more than the one before; neighbours that are not are made one."""
    pooled: list[_Block] = []
    for block in blocks:
        pooled.append(block)
        while len(pooled) > 1 and pooled[-2].worth >= pooled[-1].worth:
            pooled[-2:] = [_united(*pooled[-2:])]
    return pooled


def _united(first: _Block, then: _Block) -> _Block:
    n = first.n + then.n
    said, worth = ((one * first.n + two * then.n) / n for one, two in ((first.said, then.said), (first.worth, then.worth)))
    return _Block(first.low, then.high, said, worth, n)


def _mean(rights: Sequence[bool]) -> float:
    return sum(rights) / len(rights)
