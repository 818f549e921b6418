"""What one analysis takes of each part, for docs/scaling.md: `python bench/service.py [--reports 600]`.

First without a model, then with one call of a stand-in that takes a second. Reports have 60 log lines. Redis' and the worker's
shares are what their counters say before and after, less what they need without any report in the same time; each answer is
read once, as a listener does. `thread_ms` is without the model's second; `ready_s` is until Redis and the worker are there.
"""

import argparse
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import redis
from redis_servers import redis_server
from timing import median, told, wait_for
from worker_stack import Stack, cpu, report, stack

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.ports import Wanted
from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import FailureReport

MODEL_SECONDS = 1.0
IDLE_SECONDS = 3.0
SINGLY = 20  # analyses one at a time, for what a thread is busy with one
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Counters:
    """CPU seconds, commands, bytes of network and of memory (without clients) of a Redis; CPU seconds of the workers; when."""

    redis_cpu: float
    commands: float
    network: float
    memory: float
    worker_cpu: float
    when: float

    @classmethod
    def of(cls, url: str, pids: Sequence[int]) -> "Counters":
        with redis.Redis.from_url(url) as client:
            told_by = client.info()
        return cls(
            told_by["used_cpu_user"] + told_by["used_cpu_sys"],
            told_by["total_commands_processed"],
            told_by["total_net_input_bytes"] + told_by["total_net_output_bytes"],
            told_by["used_memory"] - told_by["mem_clients_normal"],
            cpu(pids),
            time.monotonic(),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=600)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="ddn-bench-") as folder:
        place = Path(folder)
        _tell("waiting", while_it_waits(place, options.reports))
        _tell("without a model", whole(place / "without", options.reports, model=False))
        _tell("with a model", whole(place / "with", options.reports, model=True))


def while_it_waits(place: Path, count: int) -> dict[str, float]:
    """Return what a report takes before any worker is there: the sender's CPU, and memory of Redis."""
    with redis_server(place / "waiting") as server:
        broker, reports, taken = Broker(server.url), [report(number) for number in range(count)], []
        broker.submit(report(count))  # connects, and imports what it needs
        before = Counters.of(server.url, ())
        for one in reports:
            start = time.thread_time()
            broker.submit(one)
            taken.append(1000 * (time.thread_time() - start))
        memory = Counters.of(server.url, ()).memory - before.memory
        broker.close()
    return {"sender_cpu_ms": median(taken), "waiting_kb": memory / count / 1000}


def whole(place: Path, count: int, *, model: bool) -> dict[str, float]:
    """Return what `count` analyses took of Redis, worker and history, each."""
    place.mkdir()
    start = time.monotonic()
    with stack(place, 1, 150, model=model, answers_after=MODEL_SECONDS) as running:
        ready = time.monotonic() - start
        history = SqliteHistory(running.home / "history" / "history.sqlite")
        for number in range(SINGLY):
            _answered(running, history, [report(10_000 + number)])
        busy = [sum(past.analysis.engine.step_seconds.values()) for past in history.listed(Wanted(limit=SINGLY)) if past.analysis]
        idle = _idle(running)
        size, before = _bytes(history), Counters.of(running.redis.url, running.pids)
        _answered(running, history, [report(number) for number in range(count)])
        after, grown = Counters.of(running.redis.url, running.pids), _bytes(history) - size
        history.close()

    def each(what: str) -> float:
        meanwhile = idle[what] * (after.when - before.when) if what in idle else 0.0
        return (float(getattr(after, what)) - float(getattr(before, what)) - meanwhile) / count

    return {
        "redis_cpu_ms": 1000 * each("redis_cpu"),
        "commands": each("commands"),
        "network_kb": each("network") / 1000,
        "kept_kb": each("memory") / 1000,
        "worker_cpu_ms": 1000 * each("worker_cpu"),
        "thread_ms": 1000 * (median(busy) - (MODEL_SECONDS if model else 0.0)),
        "history_kb": grown / count / 1000,
        "ready_s": ready,
    }


def _answered(running: Stack, history: SqliteHistory, reports: Sequence[FailureReport]) -> None:
    """Send `reports`; return when the history, which costs Redis nothing, has all answers, and they have been read from Redis."""
    since, broker, ids = datetime.now(UTC), Broker(running.redis.url), {one.id for one in reports}
    for one in reports:
        broker.submit(one)

    def all_are_there() -> bool:
        time.sleep(LOOK_SECONDS)
        return ids <= {name for name, _ in history.answered(since)}

    wait_for(all_are_there, f"{len(ids)} answers")
    for one in reports:
        broker.verdicts(one.project, [one.id])
    broker.close()


def _idle(running: Stack) -> dict[str, float]:
    """Return what a second without reports takes: heartbeats, and looks at an empty queue."""
    before = Counters.of(running.redis.url, running.pids)
    time.sleep(IDLE_SECONDS)
    after = Counters.of(running.redis.url, running.pids)
    counted = ("redis_cpu", "commands", "network", "worker_cpu")
    return {what: (getattr(after, what) - getattr(before, what)) / (after.when - before.when) for what in counted}


def _bytes(history: SqliteHistory) -> int:
    with sqlite3.connect(history._path) as database:
        return int(database.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").fetchone()[0])


def _tell(name: str, figures: dict[str, float]) -> None:
    rounded = {what: round(value, 2) for what, value in figures.items()}
    print(f"one analysis, {name}: {', '.join(f'{what} {value:g}' for what, value in rounded.items())}")
    told(f"service, {name}", rounded)


if __name__ == "__main__":
    main()
