"""What failed alike, how often, on which days, and whether it comes back weekly."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from robot_ddn_listener.fingerprint import normalise

from ...ports import TaskRun
from .recurrence import weekly

MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Cause:
    """What failed alike, `count` times on `days` days; `weekly` says in words on which weekday it comes back, if on one."""

    text: str
    kind: str
    count: int
    days: int
    first: datetime
    last: datetime
    weekly: str
    trend: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Dated:
    """A task run, and when it counts, in the reader's zone."""

    run: TaskRun
    when: datetime


@dataclass
class Causes:
    """Groups runs by what they tell, and looks for what comes back."""

    dated: Sequence[Dated]
    starts: Sequence[datetime]
    active: frozenset[date] = field(init=False)

    def __post_init__(self) -> None:
        self.active = frozenset(one.when.date() for one in self.dated)

    def ranked(
        self, told: Callable[[TaskRun], Iterable[str]], kind: Callable[[TaskRun], str], *, part: bool = False
    ) -> tuple[Cause, ...]:
        """Return the groups, the largest first. `part`: what stands before the colon names the group."""
        groups: dict[str, list[tuple[Dated, str]]] = {}
        for one in self.dated:
            keyed = {text.partition(":")[0].strip().lower() if part else normalise(text): text for text in told(one.run)}
            for key, text in keyed.items():
                groups.setdefault(key, []).append((one, text))
        ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
        return tuple(self._cause(key if part else "", members, kind, len(groups)) for key, members in ranked)

    def _cause(self, name: str, members: list[tuple[Dated, str]], kind: Callable[[TaskRun], str], looked_at: int) -> Cause:
        times = sorted(one.when for one, _ in members)
        days = {time.date() for time in times}
        comes_back = weekly(days, self.active, looked_at)
        text = Counter(_line(text) for _, text in members).most_common(1)[0][0]
        kinds = Counter(kind(one.run) for one, _ in members).most_common(1)[0][0]
        trend = counted(times, self.starts)
        return Cause(
            text, name or kinds, len(members), len(days), times[0], times[-1], comes_back.text if comes_back else "", trend
        )


def place(when: datetime, starts: Sequence[datetime]) -> int:
    """Return the number of the last bin that begins at `when` or before; what is before the first counts there."""
    return max(0, bisect_right(starts, when) - 1)


def _line(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= MOST_CHARACTERS else folded[: MOST_CHARACTERS - 1] + "…"


def counted(times: Iterable[datetime], starts: Sequence[datetime]) -> tuple[int, ...]:
    counts = Counter(place(time, starts) for time in times)
    return tuple(counts[number] for number in range(len(starts)))
