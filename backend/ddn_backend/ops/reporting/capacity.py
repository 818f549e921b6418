"""How many workers the analyses need: arrival rate, service time, utilisation, waiting; and what other numbers of them would give.

A worker, here, is what analyses one report at a time: a thread of the pool. `ddn up` runs DDN_WORKERS x DDN_CONCURRENCY of them.

Waiting is estimated by the M/M/c queue (Erlang C): reports come at random and analyses last at random around their mean. A broken
run sends all its reports at once; those wait longer than the estimate says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...ports import ENDED, TaskRun, TaskState
from .figures import mean, percentile

BUSY_ENOUGH = 0.8  # utilisation above which waiting grows steeply: at .8 with 4 workers .75 of a service time, at .95 4.3
BUSIEST = timedelta(hours=1)
MOST_WORKERS = 100_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """What `workers` would give. Rates are a minute, times in seconds; waiting is infinite where more arrives than is done."""

    workers: int
    per_minute: float
    utilisation: float
    wait_seconds: float
    wait_p95_seconds: float


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured. Rates are a minute, times in seconds. `busiest_rate` is that of the busiest hour, which began at
    `busiest`; `most_at_once` the most analyses that ran at the same time. Waiting is from queued to started, of `waited` runs."""

    arrived: int
    rate: float
    busiest_rate: float
    busiest: str
    served: int
    service_seconds: float
    service_p95_seconds: float
    waited: int
    wait_seconds: float
    wait_p95_seconds: float
    most_at_once: int


def estimate(workers: int, rate: float, service_seconds: float) -> Estimate:
    """Return what `workers` give for `rate` arrivals a minute that take `service_seconds` each."""
    offered = rate * service_seconds / 60  # in Erlang: so many workers are busy on average
    utilisation = offered / workers
    per_minute = 60 * workers / service_seconds if service_seconds else math.inf
    if utilisation >= 1:
        return Estimate(workers, per_minute, utilisation, math.inf, math.inf)
    if not offered:
        return Estimate(workers, per_minute, 0.0, 0.0, 0.0)
    waits = _erlang_c(workers, offered)
    leaving_seconds = service_seconds / (workers - offered)
    return Estimate(
        workers,
        per_minute,
        utilisation,
        waits * leaving_seconds,
        max(0.0, math.log(waits / 0.05) * leaving_seconds) if waits else 0.0,
    )


def needed(rate: float, service_seconds: float, busy: float = BUSY_ENOUGH) -> int:
    """Return the fewest workers that are busy for at most that share of the time."""
    return min(MOST_WORKERS, max(1, math.ceil(rate * service_seconds / 60 / busy - 1e-9)))


def measured(runs: Sequence[TaskRun], since: datetime, until: datetime) -> Load:
    """Return what the runs of that time tell."""
    arrivals = sorted(datetime.fromisoformat(run.queued or run.started) for run in runs if run.queued or run.started)
    arrivals = [arrival for arrival in arrivals if since <= arrival <= until]
    busiest_count, busiest = _busiest(arrivals)
    served = [run.seconds for run in runs if run.state in ENDED and run.state is not TaskState.REVOKED and run.seconds > 0]
    waits = [wait for run in runs if (wait := _waited(run)) is not None]
    minutes = max((until - since).total_seconds() / 60, 1e-9)
    return Load(
        arrived=len(arrivals),
        rate=len(arrivals) / minutes,
        busiest_rate=max(busiest_count / min(minutes, BUSIEST.total_seconds() / 60), len(arrivals) / minutes),
        busiest=busiest.isoformat() if busiest else "",
        served=len(served),
        service_seconds=mean(served),
        service_p95_seconds=percentile(served, 95),
        waited=len(waits),
        wait_seconds=mean(waits),
        wait_p95_seconds=percentile(waits, 95),
        most_at_once=_most_at_once(runs),
    )


def choices(present: int, wanted: int, rate: float, service_seconds: float) -> list[Estimate]:
    """Return the estimates worth comparing, fewest first: what there is, what is needed, half and twice of it, and `wanted`."""
    numbers = {present, needed(rate, service_seconds), max(1, present // 2), present * 2, *([wanted] if wanted else [])}
    return [estimate(number, rate, service_seconds) for number in sorted(numbers)]


def _erlang_c(workers: int, offered: float) -> float:
    """Return the share of arrivals that find all workers busy, by the recursion of Erlang B, which does not overflow."""
    blocked = 1.0
    for number in range(1, workers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked / (1 - offered / workers * (1 - blocked))


def _busiest(arrivals: Sequence[datetime]) -> tuple[int, datetime | None]:
    """Return how many arrived in the hour with the most arrivals, and when the first of them did."""
    most, when, first = 0, None, 0
    for last, arrival in enumerate(arrivals):
        while arrival - arrivals[first] >= BUSIEST:
            first += 1
        if last - first + 1 > most:
            most, when = last - first + 1, arrivals[first]
    return most, when


def _waited(run: TaskRun) -> float | None:
    """Return for how long the run waited; one that was tried again was started more than once."""
    if not run.queued or not run.started or run.retries:
        return None
    return max(0.0, (datetime.fromisoformat(run.started) - datetime.fromisoformat(run.queued)).total_seconds())


def _most_at_once(runs: Sequence[TaskRun]) -> int:
    spans = [(run.started, run.finished) for run in runs if run.started and run.finished]
    changes = sorted((datetime.fromisoformat(time), step) for span in spans for time, step in zip(span, (1, -1), strict=True))
    present = most = 0
    for _, step in changes:
        present += step
        most = max(most, present)
    return most
