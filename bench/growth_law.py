"""One figure at several sizes, and the law it follows."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

SCALES = (1, 3, 10)
FLAT, LINEAR = 0.15, (0.85, 1.15)  # exponents that count as no growth, and as linear


@dataclass(frozen=True)
class Growth:
    """`sizes` in `unit`, `costs` in `of`. `says` tells what costs, `why` it follows its law."""

    name: str
    says: str
    unit: str
    of: str
    sizes: tuple[float, ...]
    costs: tuple[float, ...]
    why: str = ""

    @classmethod
    def told(cls, figures: Mapping[str, Any]) -> "Growth":
        """Return it from what `figures` said."""
        kept = {name: figures[name] for name in ("name", "says", "unit", "of", "why")}
        return cls(sizes=tuple(figures["sizes"]), costs=tuple(figures["costs"]), **kept)

    def figures(self) -> dict[str, Any]:
        return {**asdict(self), "exponent": round(self.exponent, 2), "law": self.law}

    @property
    def exponent(self) -> float:
        return math.log(max(self.costs[-1], 1e-9) / max(self.costs[0], 1e-9)) / math.log(self.sizes[-1] / self.sizes[0])

    @property
    def law(self) -> str:
        if self.exponent < FLAT:
            return "does not grow" if self.exponent > -FLAT else "shrinks"
        if LINEAR[0] <= self.exponent <= LINEAR[1]:
            return "linear"
        fixed, step = self.line
        if self.exponent < LINEAR[0] and fixed > 0:
            each = (self.sizes[-1] - self.sizes[0]) / 9  # the size at 1x
            return f"{number(fixed)} {self.of}, then {number(step * each)} for each {number(each)}"
        return f"size^{self.exponent:.2f}"

    @property
    def line(self) -> tuple[float, float]:
        """Return the fixed part and what each unit adds, by least squares."""
        step, fixed = statistics.linear_regression(self.sizes, self.costs)
        return fixed, step


def number(value: float) -> str:
    """Return three digits of `value`, without an exponent: 0.254, 11.2, 5,000."""
    digits = 0 if abs(value) >= 99.5 else 1 if abs(value) >= 9.95 else 2 if abs(value) >= 0.995 else 3
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
