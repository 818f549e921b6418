"""What the task runs of a time tell: how well, when, how fast, by whom, about which causes, without which parts, at what price.

A run is counted where it was queued (or started, or ended, where that is all that is known).
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeVar

from ...ports import TaskRun, TaskState
from .figures import mean, percentile
from .report_causes import Cause, Causes, Dated, place

HOURLY_UP_TO = timedelta(hours=48)
DAILY_UP_TO = timedelta(days=100)
MOST_SLOW = 10
MOST_CAUSES = 15
NOTHING = "(no message)"

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Bin:
    """A part of the time, from `start` on: a day, an hour or a week. `rate` is the share that succeeded, None where none ended."""

    start: datetime
    succeeded: int
    failed: int
    other: int
    degraded: int
    cost_usd: float

    @property
    def rate(self) -> float | None:
        ended = self.succeeded + self.failed
        return self.succeeded / ended if ended else None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of `count` analyses, or of a step of them."""

    name: str
    count: int
    mean: float
    p50: float
    p95: float
    most: float


@dataclass(frozen=True, slots=True)
class Slow:
    """An analysis that took long; `step` took most of it."""

    run: TaskRun
    when: datetime
    step: str
    step_seconds: float


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """What one worker did; `busy` is the share of the time that its analyses took, more than 1 where they ran side by side."""

    name: str
    count: int
    failed: int
    degraded: int
    busy: float
    timing: Timing


@dataclass(frozen=True, slots=True)
class Price:
    """What a model, or a project, took."""

    name: str
    analyses: int
    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Report:
    """All figures. `step` is the length of the bins in words, `active_days` those with any analysis, `heat` by weekday and hour.

    `causes` are why tests failed, by their error message; `errors` why analyses failed; `parts` what analyses were without.
    """

    since: datetime
    until: datetime
    project: str
    step: str
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    revoked: int = 0
    open: int = 0
    degraded: int = 0
    reused: int = 0
    retried: int = 0
    active_days: int = 0
    timing: Timing = Timing("", 0, 0, 0, 0, 0)
    waiting: Timing = Timing("", 0, 0, 0, 0, 0)
    bins: tuple[Bin, ...] = ()
    heat: tuple[tuple[int, ...], ...] = ()
    by_type: tuple[Timing, ...] = ()
    by_step: tuple[Timing, ...] = ()
    slowest: tuple[Slow, ...] = ()
    workers: tuple[WorkerShare, ...] = ()
    causes: tuple[Cause, ...] = ()
    cause_count: int = 0
    errors: tuple[Cause, ...] = ()
    parts: tuple[Cause, ...] = ()
    models: tuple[Price, ...] = ()
    projects: tuple[Price, ...] = ()
    price: Price = Price("", 0, 0, 0, 0, 0.0)

    @property
    def rate(self) -> float | None:
        """The share of the analyses that ended well, None where none ended."""
        ended = self.succeeded + self.failed
        return self.succeeded / ended if ended else None


def report(runs: Sequence[TaskRun], since: datetime, until: datetime, project: str = "", zone: tzinfo | None = None) -> Report:
    """Return the figures of the runs of that time. All times are told in `zone`, by default in that of this machine."""
    since, until = since.astimezone(zone), until.astimezone(zone)  # None: this machine's, with summer time where it holds
    dated = [Dated(run, when.astimezone(zone)) for run in runs if (when := _when(run))]
    step, starts = _starts(since, until, zone)
    if not dated:
        return Report(since, until, project, step)
    states = Counter(run.run.state for run in dated)
    ended = [one.run for one in dated if one.run.state in (TaskState.SUCCESS, TaskState.FAILURE)]
    seen = Causes(dated, starts)
    causes = seen.ranked(_why_the_test_failed, lambda run: run.error_type or "UNKNOWN")
    return Report(
        since,
        until,
        project,
        step,
        total=len(dated),
        succeeded=states[TaskState.SUCCESS],
        failed=states[TaskState.FAILURE],
        revoked=states[TaskState.REVOKED],
        open=len(dated) - len(ended) - states[TaskState.REVOKED],
        degraded=sum(bool(run.degraded) for run in ended),
        reused=sum(run.reused for run in ended),
        retried=sum(run.retries > 0 for run in ended),
        active_days=len(seen.active),
        timing=timing("", [run.seconds for run in ended]),
        waiting=timing("", [wait for run in ended if (wait := _waited(run)) is not None]),
        bins=_bins(dated, starts),
        heat=_heat(dated),
        by_type=_timings((run.error_type or "UNKNOWN", run.seconds) for run in ended),
        by_step=_timings(pair for run in ended for pair in run.step_seconds.items()),
        slowest=tuple(_slow(one) for one in sorted(dated, key=lambda one: -one.run.seconds)[:MOST_SLOW] if one.run.seconds),
        workers=_workers(ended, (until - since).total_seconds()),
        causes=causes[:MOST_CAUSES],
        cause_count=len(causes),
        errors=seen.ranked(lambda run: (run.error,) if run.error else (), lambda run: run.error.partition("(")[0][:40])[
            :MOST_CAUSES
        ],
        parts=seen.ranked(lambda run: run.degraded, lambda run: "", part=True)[:MOST_CAUSES],
        models=_prices([run for run in ended if run.calls], lambda run: run.model or "(not told)"),
        projects=_prices(ended, lambda run: run.project or "(none)"),
        price=_price("", ended),
    )


def timing(name: str, seconds: Sequence[float]) -> Timing:
    """Return the figures of one list of seconds."""
    return Timing(name, len(seconds), mean(seconds), percentile(seconds, 50), percentile(seconds, 95), max(seconds, default=0.0))


def _when(run: TaskRun) -> datetime | None:
    text = run.queued or run.started or run.finished
    return datetime.fromisoformat(text) if text else None


def _waited(run: TaskRun) -> float | None:
    """Return for how long the run waited; one that was tried again was started more than once."""
    if not run.queued or not run.started or run.retries:
        return None
    return max(0.0, (datetime.fromisoformat(run.started) - datetime.fromisoformat(run.queued)).total_seconds())


def _why_the_test_failed(run: TaskRun) -> tuple[str]:
    return (run.error_message or NOTHING,)


def _starts(since: datetime, until: datetime, zone: tzinfo | None) -> tuple[str, list[datetime]]:
    """Return the word for the bins' length and when each begins; days begin at midnight, also where clocks change."""
    length = until - since
    if length <= HOURLY_UP_TO:
        first = since.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        count = int((until - first) / timedelta(hours=1)) + 1
        return "hour", [(first + timedelta(hours=number)).astimezone(zone) for number in range(count)]
    days = 1 if length <= DAILY_UP_TO else 7
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    first = midnight - timedelta(days=midnight.weekday() if days == 7 else 0)
    count = (until.date() - first.date()).days // days + 1
    naive = [first + timedelta(days=days * number) for number in range(count)]
    return "day" if days == 1 else "week", [start.replace(tzinfo=zone) if zone else start.astimezone() for start in naive]


def _bins(dated: Sequence[Dated], starts: Sequence[datetime]) -> tuple[Bin, ...]:
    inside: list[list[TaskRun]] = [[] for _ in starts]
    for one in dated:
        inside[place(one.when, starts)].append(one.run)
    return tuple(_bin(start, runs) for start, runs in zip(starts, inside, strict=True))


def _bin(start: datetime, runs: Sequence[TaskRun]) -> Bin:
    succeeded = sum(run.state is TaskState.SUCCESS for run in runs)
    failed = sum(run.state is TaskState.FAILURE for run in runs)
    degraded = sum(bool(run.degraded) for run in runs)
    return Bin(start, succeeded, failed, len(runs) - succeeded - failed, degraded, sum(run.cost_usd for run in runs))


def _heat(dated: Iterable[Dated]) -> tuple[tuple[int, ...], ...]:
    counts = Counter((one.when.weekday(), one.when.hour) for one in dated)
    return tuple(tuple(counts[weekday, hour] for hour in range(24)) for weekday in range(7))


def _timings(pairs: Iterable[tuple[str, float]]) -> tuple[Timing, ...]:
    by_name: dict[str, list[float]] = {}
    for name, seconds in pairs:
        by_name.setdefault(name, []).append(seconds)
    return tuple(sorted((timing(name, seconds) for name, seconds in by_name.items()), key=lambda item: -item.mean * item.count))


def _slow(one: Dated) -> Slow:
    step, seconds = max(one.run.step_seconds.items(), key=lambda item: item[1], default=("", 0.0))
    return Slow(one.run, one.when, step, seconds)


def _workers(ended: Sequence[TaskRun], length_seconds: float) -> tuple[WorkerShare, ...]:
    by_name = _grouped([run for run in ended if run.worker], lambda run: run.worker)
    return tuple(
        WorkerShare(
            name,
            len(runs),
            sum(run.state is TaskState.FAILURE for run in runs),
            sum(bool(run.degraded) for run in runs),
            sum(run.seconds for run in runs) / max(length_seconds, 1.0),
            timing(name, [run.seconds for run in runs]),
        )
        for name, runs in sorted(by_name.items())
    )


def _prices(runs: Sequence[TaskRun], name: Callable[[TaskRun], str]) -> tuple[Price, ...]:
    prices = (_price(key, members) for key, members in _grouped(runs, name).items())
    return tuple(sorted(prices, key=lambda price: (-price.cost_usd, -price.analyses, price.name)))


def _price(name: str, runs: Sequence[TaskRun]) -> Price:
    return Price(
        name,
        len(runs),
        sum(run.calls for run in runs),
        sum(run.tokens_in for run in runs),
        sum(run.tokens_out for run in runs),
        sum(run.cost_usd for run in runs),
    )


def _grouped(runs: Iterable[TaskRun], key: Callable[[TaskRun], K]) -> dict[K, list[TaskRun]]:
    groups: dict[K, list[TaskRun]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return groups
