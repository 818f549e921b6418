"""Redis, workers and a stand-in for the model, as a backend of a benchmark's own; reports for it."""

import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis_servers import Redis, redis_server
from timing import environment, python, wait_for

from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import FailureReport, LogLine, Run, Stage
from robot_ddn_listener.fingerprint import fingerprint

PATIENCE_SECONDS = 600.0
NAMES = [
    *("amber", "basil", "cedar", "daisy", "elder", "fennel", "ginger", "hazel", "iris", "juniper"),
    *("kale", "lilac", "maple", "nettle", "olive", "poppy", "quince", "rowan", "sage", "thyme"),
]


@dataclass
class Stack:
    """Redis and workers that are up. `pids` are the workers', `model` is the stand-in's address, if there is one."""

    redis: Redis
    pids: list[int]
    home: Path
    model: str = ""


def report(number: int) -> FailureReport:
    """Return a report that is equal to no other in words: numbers alone would be normalised away."""
    words, left = [], number
    for _ in range(4):
        left, place = divmod(left, len(NAMES))
        words.append(NAMES[place])
    message = f"Widget {' '.join(words)} was not amused."
    return FailureReport(
        id=str(uuid.uuid4()),
        project="bench",
        fingerprint=fingerprint("AssertionError", message, "Pay"),
        run=Run(f"run {number // 40}"),  # as many runs as keep each below its limit of groups
        suite_name="Bench",
        test_name=f"Test {number}",
        full_name=f"Bench.Test {number}",
        error_message=message,
        log=tuple(LogLine(f"line {line} of a log that is as long as they tend to be") for line in range(60)),
    )


def analysed(running: Stack, reports: Sequence[FailureReport], interim: bool = False) -> tuple[float, float]:
    """Send all reports; return the seconds until the last final (or any) verdict is there, and those that sending took."""
    broker = Broker(running.redis.url)
    start = time.perf_counter()
    for one in reports:
        broker.submit(one)
    sent = time.perf_counter() - start
    waiting = [one.id for one in reports]
    while waiting:
        found: dict[str, Any] = {}
        for some in range(0, len(waiting), 200):
            found |= broker.verdicts("bench", waiting[some : some + 200])
        waiting = [one for one in waiting if one not in found or (found[one].stage is not Stage.FINAL and not interim)]
        if time.perf_counter() - start > PATIENCE_SECONDS:
            raise SystemExit(f"{len(waiting)} of {len(reports)} were not answered within {PATIENCE_SECONDS:g} s.")
        time.sleep(0.02 if len(reports) == 1 else 0.2)
    taken = time.perf_counter() - start
    broker.close()
    return taken, sent


@contextmanager
def stack(place: Path, workers: int, threads: int, model: bool, answers_after: float | None = None) -> Iterator[Stack]:
    with ExitStack() as running:
        redis = running.enter_context(redis_server(place / "redis"))
        home = place / "home"
        home.mkdir(mode=0o700)
        variables = {"DDN_REDIS_URL": redis.url, "DDN_HOME": str(home), "DDN_CONCURRENCY": str(threads)}
        if model:
            after = [] if answers_after is None else ["--after", str(answers_after)]
            port = running.enter_context(_child(python(str(Path(__file__).parent / "slow_model.py"), *after), environment()))
            variables |= {
                "DDN_MODEL": "google:bench",
                "GEMINI_API_KEY": "stand-in",
                "GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{port}",
                "DDN_MODEL_GROUPS": "1000000",
            }
        pids = [running.enter_context(_worker(place, redis, number, environment(**variables))) for number in range(workers)]
        yield Stack(redis, pids, home, variables.get("GOOGLE_GEMINI_BASE_URL", ""))


@contextmanager
def _child(command: Sequence[str], environ: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


@contextmanager
def _worker(place: Path, redis: Redis, number: int, environ: dict[str, str]) -> Iterator[int]:
    log = place / f"worker{number}.log"
    with log.open("wb") as output:
        command = python("-m", "celery", "-A", "ddn_backend", "worker", "-n", f"bench{number}@%h")
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, cwd=place)
    try:
        wait_for(lambda: redis.workers() > number or process.poll() is not None, "the worker")
        if process.poll() is not None:
            raise SystemExit(log.read_text())
        yield process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def cpu(pids: Sequence[int]) -> float:
    ticks = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids)
    return sum((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") for fields in ticks)


def resident(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
