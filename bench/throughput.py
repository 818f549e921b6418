"""How many analyses a minute: `python bench/throughput.py [--workers 2] [--threads 150] [--reports 600]`.

    model    all different, a stand-in model that answers after 2 to 5 s (mean 3 s), one call an analysis
    reuse    equal to one that was analysed before: a verdict is used again
    rules    all different, no model
    one      one at a time with the model: mean and 95th percentile from sending to the final verdict
    own      eight at once with a model that takes a second: what ours adds to that second
    draft    eight at once with a model that takes a second: from sending to the first verdict of the backend
    steady   rules only, 10,000 reports with 100 at once: memory of the worker early and late

Sender, workers, Redis and stand-in share this machine.
"""

import argparse
import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from listener import Redis, redis_server
from timing import environment, python, told

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=150)
    parser.add_argument("--reports", type=int, default=600)
    parser.add_argument("--only", choices=["model", "reuse", "rules", "one", "own", "draft", "steady"])
    parser.add_argument("--steady", type=int, default=10_000, help="analyses of the benchmark steady")
    options = parser.parse_args()
    benchmarks = {"model": with_model, "reuse": reuse, "rules": rules, "one": one_at_a_time, "own": own_time}
    benchmarks |= {"draft": drafts, "steady": steady}
    for name, benchmark in benchmarks.items():
        if options.only in (None, name):
            with TemporaryDirectory(prefix="ddn-bench-") as folder:
                benchmark(Path(folder), options)


def with_model(place: Path, options: argparse.Namespace) -> None:
    count = options.reports * 3  # long enough that the beginning, when all threads start, and the end do not decide
    with stack(place, options.workers, options.threads, model=True) as running:
        before = _cpu(running.pids)
        seconds, _ = analysed(running, [report(number) for number in range(count)])
        used = _cpu(running.pids) - before
    _tell("model, all different", options, seconds, count, 3000, cpu_ms=round(1000 * used / count, 2))


def reuse(place: Path, options: argparse.Namespace) -> None:
    with stack(place, options.workers, options.threads, model=True) as running:
        first = report(0)
        analysed(running, [first])
        again = [replace(first, id=str(uuid.uuid4()), run=Run(f"run {number}")) for number in range(options.reports * 2)]
        seconds, _ = analysed(running, again)
    _tell("reuse", options, seconds, len(again), 9000)


def rules(place: Path, options: argparse.Namespace) -> None:
    with stack(place, options.workers, options.threads, model=False) as running:
        analysed(running, [report(number) for number in range(20)])
        before = _cpu(running.pids)
        seconds, _ = analysed(running, [report(number) for number in range(20, 20 + options.reports * 2)])
        used = _cpu(running.pids) - before
    _tell("rules", options, seconds, options.reports * 2, 9000, cpu_ms=round(1000 * used / (options.reports * 2), 2))


def one_at_a_time(place: Path, options: argparse.Namespace) -> None:
    with stack(place, 1, 8, model=True) as running:
        analysed(running, [report(10_000)])
        taken = sorted(analysed(running, [report(number)])[0] for number in range(40))
    mean, p95 = sum(taken) / len(taken), taken[int(0.95 * (len(taken) - 1))]
    print(f"one at a time, model of 2 to 5 s: mean {mean:.2f} s, p95 {p95:.2f} s of {len(taken)}; wanted 3.5 and 5.3")
    told("one at a time", {"mean_s": round(mean, 3), "p95_s": round(p95, 3), "n": len(taken)})


def own_time(place: Path, options: argparse.Namespace) -> None:
    """Eight threads of this process each send the next report when the last one is answered."""
    with stack(place, 1, 100, model=True, answers_after=1.0) as running:
        analysed(running, [report(10_000 + number) for number in range(8)])
        with ThreadPoolExecutor(8) as eight:
            own = sorted(taken - 1.0 for taken in eight.map(lambda number: analysed(running, [report(number)])[0], range(160)))
    p50, p95 = own[len(own) // 2], own[int(0.95 * (len(own) - 1))]
    print(f"our own time above a model of 1 s, 8 at once: p50 {p50:.2f} s, p95 {p95:.2f} s of {len(own)}; wanted .3")
    told("own time", {"p50_s": round(p50, 3), "p95_s": round(p95, 3), "n": len(own)})


def drafts(place: Path, options: argparse.Namespace) -> None:
    """Eight threads of this process each send the next report when the last one is answered; the interim answer counts."""
    with stack(place, 1, 100, model=True, answers_after=1.0) as running:
        analysed(running, [report(10_000 + number) for number in range(8)])
        with ThreadPoolExecutor(8) as eight:
            taken = sorted(eight.map(lambda number: analysed(running, [report(number)], interim=True)[0], range(160)))
    p50, p95 = taken[len(taken) // 2], taken[int(0.95 * (len(taken) - 1))]
    print(f"draft, 8 at once: p50 {p50:.2f} s, p95 {p95:.2f} s, at most {taken[-1]:.2f} s of {len(taken)}; wanted 1")
    told("draft", {"p50_s": round(p50, 3), "p95_s": round(p95, 3), "max_s": round(taken[-1], 3), "n": len(taken)})


def steady(place: Path, options: argparse.Namespace) -> None:
    step = options.steady // 10
    with stack(place, 1, 100, model=False) as running:
        sizes = []
        for start in range(0, options.steady, step):
            analysed(running, [report(number) for number in range(start, start + step)])
            sizes.append(round(sum(_resident(pid) for pid in running.pids)))
    print(f"steady, 100 threads: MB of the worker after each {step:,} of {options.steady:,} analyses: {sizes}; wanted 250, flat")
    told("steady", {"memory_mb": sizes, "step": step})


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
        _wait(lambda: redis.workers() > number or process.poll() is not None, "the worker")
        if process.poll() is not None:
            raise SystemExit(log.read_text())
        yield process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited for {what} in vain.")
        time.sleep(0.05)


def _cpu(pids: Sequence[int]) -> float:
    ticks = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids)
    return sum((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") for fields in ticks)


def _resident(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _tell(name: str, options: argparse.Namespace, seconds: float, count: int, wanted: int, **more: object) -> None:
    rate = 60 * count / seconds
    how = f"{options.workers} workers of {options.threads} threads"
    print(f"{name}: {rate:,.0f} analyses a minute, {how}, {count} in {seconds:.1f} s; wanted {wanted:,} {more or ''}")
    told(name, {"per_minute": round(rate), "workers": options.workers, "threads": options.threads, "n": count, **more})


if __name__ == "__main__":
    main()
