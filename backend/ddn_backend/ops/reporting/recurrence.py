"""Does something come back every week on the same day? Said only where chance is no likely reason, and with its numbers.

Days are counted, not failures: one broken run fails a hundred times on one day. And they are compared with the days on which
anything ran at all: where all runs are on Tuesdays, nothing tells of Tuesdays.
"""

import math
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from datetime import date

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FEWEST_WEEKS = 3
MOST_OF_THEM = 0.75  # share of these weekdays on which it was seen, and of the days it was seen on that are this weekday
CHANCE = 0.05  # that any of the things looked at falls like that on any weekday by itself


@dataclass(frozen=True, slots=True)
class Weekly:
    """Seen on `times` of the `weekdays` Mondays (or other weekday, 0 to 6) with runs, and on `days` days in all. `chance` is that
    of so many or more, were weekdays without meaning."""

    weekday: int
    times: int
    weekdays: int
    days: int
    chance: float

    @property
    def text(self) -> str:
        """In words, with the numbers."""
        name = WEEKDAYS[self.weekday]
        each = "every" if self.times == self.weekdays else "most"
        plural = "" if each == "every" else "s"
        those = f"{self.times} of the {self.days} days it was seen on"
        return f"{each} {name}{plural}: on {self.times} of {self.weekdays} {name}s, {those}"


def weekly(seen: Set[date], active: Set[date], looked_at: int = 1) -> Weekly | None:
    """Return the weekday on which it comes back; `active` are all days with runs, `looked_at` how many things are asked about."""
    if not seen:
        return None
    weekday, times = Counter(day.weekday() for day in seen).most_common(1)[0]
    weekdays = sum(day.weekday() == weekday for day in active)
    if times < FEWEST_WEEKS or times < MOST_OF_THEM * weekdays or times < MOST_OF_THEM * len(seen):
        return None
    chance = _chance(times, len(seen), weekdays, len(active))
    return Weekly(weekday, times, weekdays, len(seen), chance) if chance * len(WEEKDAYS) * looked_at < CHANCE else None


def _chance(times: int, drawn: int, marked: int, total: int) -> float:
    """Return the chance that of `drawn` days out of `total`, `times` or more are among the `marked` (hypergeometric)."""
    ways = sum(
        math.comb(marked, hits) * math.comb(total - marked, drawn - hits)
        for hits in range(times, min(drawn, marked) + 1)
        if drawn - hits <= total - marked
    )
    return ways / math.comb(total, drawn)
