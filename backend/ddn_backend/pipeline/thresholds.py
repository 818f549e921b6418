"""What an evaluator's grade means. Each has its own scale, so its thresholds are fitted on labelled failures, never chosen.

`upper`: from here on a passage is relevant. The lowest grade at which the best passages of that grade or more are right in
PRECISION of all cases. `lower`: below it a passage is irrelevant. The highest grade that loses no more than LOST of the cases
that found a right passage. In between nobody knows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files

from ..ports import Standing

PRECISION = 0.9
LOST = 0.05
MAX_LABELLED = 10_000
SHORT = "lexical-short"  # the lexical evaluator on texts of a few words, such as a person types
_FILE = "thresholds.json"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`n` labelled failures, described by `basis`, on the day `fitted`; n is 0 where they are only a beginning."""

    upper: float
    lower: float
    n: int = 0
    fitted: str = ""
    basis: str = ""

    def standing(self, grade: float) -> Standing:
        """Return what `grade` means."""
        if grade >= self.upper:
            return Standing.RELEVANT
        return Standing.UNSURE if grade >= self.lower else Standing.IRRELEVANT


@dataclass(frozen=True, slots=True)
class Labelled:
    """A failure's passages: how each was graded, and whether it is right for the failure."""

    grades: tuple[float, ...]
    right: tuple[bool, ...]


ByEvaluator = Mapping[str, Thresholds]


def load(text: str = "") -> dict[str, Thresholds]:
    """Return the thresholds by evaluator, as `dump` wrote them to `text`, else those that ship."""
    source = text or files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    return {name: Thresholds(**values) for name, values in json.loads(source).items()}


def dump(thresholds: ByEvaluator) -> str:
    """Return the text that `load` reads."""
    return json.dumps({name: asdict(values) for name, values in thresholds.items()}, indent=2) + "\n"


def fit(labelled: Sequence[Labelled], fitted: str, basis: str) -> Thresholds:
    """Return the thresholds that do best on `labelled`; `fitted` is the day, `basis` says in words what was labelled."""
    best = [max(zip(case.grades, case.right, strict=True)) for case in labelled[:MAX_LABELLED] if case.grades]
    found = sorted(_best_right(case) for case in labelled[:MAX_LABELLED] if any(case.right))
    if not best or not found:
        raise ValueError("Fitting thresholds failed: expected failures with and without a right passage. They stay as they are.")
    upper = _upper(best)
    lower = min(found[int(LOST * len(found))], upper)
    return Thresholds(round(upper, 3), round(lower - 0.0005, 3), len(labelled), fitted, basis)


def _best_right(case: Labelled) -> float:
    return max(grade for grade, right in zip(case.grades, case.right, strict=True) if right)


def _upper(best: Sequence[tuple[float, bool]]) -> float:
    """Going down from the best grade, return the lowest above which the share of right ones is high enough."""
    rights, upper = 0, max(grade for grade, _ in best)
    for count, (grade, right) in enumerate(sorted(best, reverse=True), start=1):
        rights += right
        if right and rights >= PRECISION * count:
            upper = grade
    return upper
