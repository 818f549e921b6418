"""How the cost of a run and of its output file grows."""

from collections.abc import Iterator
from pathlib import Path

import attaching
from growth_law import SCALES, Growth
from listener import REFUSED, held_milliseconds, output_file_seconds
from recorded_runs import milliseconds, passing
from redis_servers import answering, redis_server
from suites import EMPTY, robot, written
from timing import median


def of_run(place: Path, runs: int) -> Iterator[Growth]:
    sizes, costs = tuple(20 * scale for scale in SCALES), []
    for failing in sizes:
        suite = written(place / f"run{failing}", failing, failing=failing)
        added = []
        for _ in range(runs):
            empty = robot(place, suite, EMPTY).user
            added.append(robot(place, suite, "robot_ddn_listener;wait=0", redis=REFUSED).user - empty)
        costs.append(median(added))
    why = "Celery's import and the first connection are paid once, at the first failure; equal failures join their ticket"
    yield Growth("run", "listener in a run, CPU over an empty one", "failing tests", "s", sizes, tuple(costs), why)


def of_held(place: Path, runs: int) -> Iterator[Growth]:
    sizes = tuple(50 * scale for scale in SCALES)
    costs = tuple(held_milliseconds(place, REFUSED, failing, runs)[0] for failing in sizes)
    why = "a failing test hands over references; all else is done in other threads"
    yield Growth("held", "held on the test thread for a failing test, p50", "failing tests", "ms", sizes, costs, why)


def of_end(place: Path, runs: int) -> Iterator[Growth]:
    sizes, costs = [], []
    with redis_server(place / "redis") as redis, answering(redis.url):
        for scale in SCALES:
            taken, size = output_file_seconds(place, redis.url, 200 * scale, runs)
            sizes.append(round(size, 1))
            costs.append(median(taken))
    why = "asking for the answers is the fixed part, and how long ago the last failure was; then it is attaching"
    yield Growth("end", "`output_file()` after the last test, answers in", "MB", "s", tuple(sizes), tuple(costs), why)


def of_recorded(place: Path, runs: int) -> Iterator[Growth]:
    sizes = tuple(200 * scale for scale in SCALES)
    with redis_server(place / "redis") as redis:
        costs = tuple(median(milliseconds(place, passing(place, tests), redis.url, runs)) for tests in sizes)
    why = "imports and the connection once; each test adds its name, status and seconds to one message"
    yield Growth("recorded", "telling how a run's tests ended", "passing tests", "ms", sizes, costs, why)


def of_attach(place: Path, runs: int) -> Iterator[Growth]:
    small = attaching.written(place, attaching.SUITE_TESTS)
    sizes, costs = [], []
    for scale in SCALES:
        file = attaching.repeated(small, place / f"{scale}.xml", scale)
        failed = attaching.written_to_fail(file)
        costs.append(median([attaching.attached(place, file, failed)[0] for _ in range(runs)]))
        sizes.append(round(file.stat().st_size / 1e6, 1))
    yield Growth("attach", "attaching to one output file", "MB", "s", tuple(sizes), tuple(costs), "one pass over the file")
