"""How many analyses a minute: `python bench/throughput.py [--workers 2] [--threads 150] [--reports 600] [--rounds 5]`.

    model    all different, a stand-in model that answers after 2 to 5 s (mean 3 s), one call an analysis
    reuse    equal to one that was analysed before: a verdict is used again
    rules    all different, no model; also the CPU of an analysis
    one      one at a time with the model: mean and 95th percentile from sending to the final verdict
    own      eight at once with a model that takes a second: what ours adds to that second
    draft    eight at once with a model that takes a second: from sending to the first verdict of the backend
    steady   rules only, 10,000 reports with 100 at once: memory of the worker early and late

Rates are medians over the rounds, each from the first report sent to the last answer read. Sender, workers, Redis and stand-in
share this machine.
"""

import argparse
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from timing import median, share_of, told
from worker_stack import Stack, analysed, cpu, report, resident, stack

from ddn_backend.adapters.fts import FtsKnowledgeBase
from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.knowledge import load as load_knowledge
from ddn_backend.pipeline import Parts, Pipeline, thresholds
from ddn_backend.pipeline.retrieve import Shipped
from robot_ddn_listener.contract import FailureReport, Run

MODEL_WANTED, OTHERS_WANTED = 3000, 9000
PORTIONS = 11


@dataclass(frozen=True)
class Round:
    """What one round of reports took: analyses a minute, and the workers' CPU for each, in milliseconds."""

    per_minute: float
    cpu_ms: float


def main() -> None:
    benchmarks = {"model": with_model, "reuse": reuse, "rules": rules, "one": one_at_a_time, "own": own_time}
    benchmarks |= {"draft": drafts, "steady": steady}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=150)
    parser.add_argument("--reports", type=int, default=600, help="of a round: twice as many without a model, thrice with one")
    parser.add_argument("--rounds", type=int, default=5, help="of model, reuse and rules")
    parser.add_argument("--singly", type=int, default=40, help="analyses of the benchmark one")
    parser.add_argument("--steady", type=int, default=10_000, help="analyses of the benchmark steady")
    parser.add_argument("--only", choices=list(benchmarks))
    options = parser.parse_args()
    for name, benchmark in benchmarks.items():
        if options.only in (None, name):
            with TemporaryDirectory(prefix="ddn-bench-") as folder:
                benchmark(Path(folder), options)


def with_model(place: Path, options: argparse.Namespace) -> None:
    count = options.reports * 3  # long enough that the beginning, when all threads start, and the end do not decide
    with stack(place, options.workers, options.threads, model=True) as running:
        rounds = _rounds(running, lambda start: [report(start + number) for number in range(count)], options.rounds)
    _tell("model", options, rounds, count, MODEL_WANTED)


def reuse(place: Path, options: argparse.Namespace) -> None:
    with stack(place, options.workers, options.threads, model=True, answers_after=0.0) as running:
        first = report(0)
        analysed(running, [first])

        def again(start: int) -> list[FailureReport]:
            numbers = range(start, start + options.reports * 2)
            return [replace(first, id=str(uuid.uuid4()), run=Run(f"run {number}")) for number in numbers]

        rounds = _rounds(running, again, options.rounds)
    _tell("reuse", options, rounds, options.reports * 2, OTHERS_WANTED)


def rules(place: Path, options: argparse.Namespace) -> None:
    """Besides the rate: CPU of an analysis in the worker, Celery included, the median of portions of 100; and without Celery."""
    count = options.reports * 2
    with stack(place, options.workers, options.threads, model=False) as running:
        analysed(running, [report(100_000 + number) for number in range(20)])
        rounds = _rounds(running, lambda start: [report(start + number) for number in range(count)], options.rounds)
        portions = _rounds(running, lambda start: [report(start + 5_000 + number) for number in range(100)], PORTIONS)
    cpu_ms = median([one.cpu_ms for one in portions])
    alone = median(in_process_milliseconds(place, 200))
    print(f"CPU of an analysis by rules: {cpu_ms:.1f} ms in the worker, {alone:.1f} ms without Celery, in this process; wanted 10")
    _tell("rules", options, rounds, count, OTHERS_WANTED, cpu_ms=round(cpu_ms, 2), in_process_ms=round(alone, 2), portions=PORTIONS)


def in_process_milliseconds(place: Path, count: int) -> list[float]:
    """Return the CPU of each of `count` analyses by rules in this process, with the shipped knowledge and a new history."""
    history = SqliteHistory(place / "in-process.sqlite")
    pipeline = Pipeline(Parts(Shipped(FtsKnowledgeBase(load_knowledge())), thresholds.load(), history=history))
    taken = []
    for number in range(count + 5):
        start = time.process_time()
        pipeline.analyze(report(number))
        taken.append(1000 * (time.process_time() - start))
    history.close()
    return taken[5:]


def one_at_a_time(place: Path, options: argparse.Namespace) -> None:
    with stack(place, 1, 8, model=True) as running:
        analysed(running, [report(10_000)])
        taken = [analysed(running, [report(number)])[0] for number in range(options.singly)]
    mean, p95 = sum(taken) / len(taken), share_of(taken, 0.95)
    print(f"one at a time, model of 2 to 5 s: mean {mean:.2f} s, p95 {p95:.2f} s of {len(taken)}; wanted 3.5 and 5.3")
    told("one at a time", {"mean_s": round(mean, 3), "p95_s": round(p95, 3), "n": len(taken)})


def own_time(place: Path, options: argparse.Namespace) -> None:
    """Eight threads of this process each send the next report when the last one is answered."""
    own = [taken - 1.0 for taken in _eight_at_once(place)]
    p50, p95 = share_of(own, 0.5), share_of(own, 0.95)
    print(f"our own time above a model of 1 s, 8 at once: p50 {p50:.2f} s, p95 {p95:.2f} s of {len(own)}; wanted .3")
    told("own time", {"p50_s": round(p50, 3), "p95_s": round(p95, 3), "n": len(own)})


def drafts(place: Path, options: argparse.Namespace) -> None:
    """The same until the interim answer."""
    taken = _eight_at_once(place, interim=True)
    p50, p95 = share_of(taken, 0.5), share_of(taken, 0.95)
    print(f"draft, 8 at once: p50 {p50:.2f} s, p95 {p95:.2f} s, at most {max(taken):.2f} s of {len(taken)}; wanted 1")
    told("draft", {"p50_s": round(p50, 3), "p95_s": round(p95, 3), "max_s": round(max(taken), 3), "n": len(taken)})


def steady(place: Path, options: argparse.Namespace) -> None:
    step = options.steady // 10
    with stack(place, 1, 100, model=False) as running:
        sizes = []
        for start in range(0, options.steady, step):
            analysed(running, [report(number) for number in range(start, start + step)])
            sizes.append(round(sum(resident(pid) for pid in running.pids)))
    print(f"steady, 100 threads: MB of the worker after each {step:,} of {options.steady:,} analyses: {sizes}; wanted 250, flat")
    told("steady", {"memory_mb": sizes, "late_mb": sizes[-1] - sizes[len(sizes) // 2 - 1], "analyses": options.steady})


def _eight_at_once(place: Path, interim: bool = False) -> list[float]:
    """Return the seconds of 160 reports, sent by eight threads, each the next one when the last is answered by a model of 1 s."""
    with stack(place, 1, 100, model=True, answers_after=1.0) as running:
        analysed(running, [report(10_000 + number) for number in range(8)])
        with ThreadPoolExecutor(8) as eight:
            return list(eight.map(lambda number: analysed(running, [report(number)], interim=interim)[0], range(160)))


def _rounds(running: Stack, made: Callable[[int], Sequence[FailureReport]], rounds: int) -> list[Round]:
    """Send what `made` returns for a first number that no earlier round came near to; a round each."""
    found = []
    for number in range(rounds):
        reports = made(10_000 * number)
        before = cpu(running.pids)
        seconds, _ = analysed(running, reports)
        used = cpu(running.pids) - before
        found.append(Round(60 * len(reports) / seconds, 1000 * used / len(reports)))
    return found


def _tell(name: str, options: argparse.Namespace, rounds: Sequence[Round], count: int, wanted: int, **more: float) -> None:
    rates, costs = [one.per_minute for one in rounds], [one.cpu_ms for one in rounds]
    how = f"{options.workers} workers of {options.threads} threads"
    said = f"{median(rates):,.0f} analyses a minute ({min(rates):,.0f} to {max(rates):,.0f}), {how}"
    print(f"{name}: {said}, {len(rounds)} rounds of {count}, CPU {median(costs):.1f} ms each; wanted {wanted:,}")
    figures = {"per_minute": round(median(rates)), "least": round(min(rates)), "most": round(max(rates))}
    shape = {"workers": options.workers, "threads": options.threads, "n": count, "rounds": len(rounds)}
    told(name, {**figures, "cpu_ms": round(median(costs), 2), **shape, **more})


if __name__ == "__main__":
    main()
