"""How the cost of an analysis and of what stands around it grows."""

import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import condense as logs
from growth_law import SCALES, Growth
from timing import median
from worker_stack import analysed, report, resident, stack

from ddn_backend.adapters.fts import FtsKnowledgeBase
from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.knowledge import load as load_knowledge
from ddn_backend.ops.reporting.report import report as report_of
from ddn_backend.ops.reporting.report_html import page
from ddn_backend.pipeline import Parts, Pipeline, thresholds
from ddn_backend.pipeline.condense import condense
from ddn_backend.pipeline.retrieve import Shipped
from ddn_backend.ports.operations import TaskRun, TaskState
from robot_ddn_listener.contract import FailureReport, LogLine, Run
from robot_ddn_listener.rules import first_verdict

NOW = datetime(2026, 1, 8, 12, tzinfo=UTC)


def of_condense(_place: Path, runs: int) -> Iterator[Growth]:
    texts = list(logs.log_texts(random.Random(1), 200 * SCALES[-1] * 100))
    sizes = tuple(200 * scale for scale in SCALES)
    cases = [logs.case_of(tuple(LogLine(text) for text in texts[:size])) for size in sizes]
    costs = tuple(_milliseconds(partial(condense, case), 3 * runs) for case in cases)
    why = "each line is normalised; of longer logs the 2,000 lines that matter most are looked at closely"
    yield Growth("condense", "condensing one log", "lines", "ms", sizes, costs, why)


def of_rules(_place: Path, runs: int) -> Iterator[Growth]:
    texts = list(logs.log_texts(random.Random(1), 400 * 100))
    sizes = tuple(40 * scale for scale in SCALES)
    reports = [replace(report(1), log=tuple(LogLine(text) for text in texts[:size])) for size in sizes]
    costs = tuple(_milliseconds(partial(first_verdict, one), 10 * runs) for one in reports)
    why = "each line is folded and looked at; rules see the last 400 lines, so that longer logs cost no more"
    yield Growth("rules", "rules on one report", "log lines", "ms", sizes, costs, why)


def of_analysis(place: Path, runs: int) -> Iterator[Growth]:
    history = SqliteHistory(place / "history.sqlite")
    pipeline = Pipeline(Parts(Shipped(FtsKnowledgeBase(load_knowledge())), thresholds.load(), history=history))
    sizes, costs, done = tuple(500 * scale for scale in SCALES), [], 0
    for size in sizes:
        for number in range(done, size):
            pipeline.analyze(report(number))
        done = size
        fresh = iter([replace(report(number), id=str(uuid.uuid4())) for number in range(50_000, 50_001 + 20 * runs)])
        costs.append(_milliseconds(partial(_next_analysed, pipeline, fresh), 20 * runs))
    history.close()
    why = "every read of the history is by an index"
    yield Growth("analysis", "an analysis without a model", "reports kept", "ms", sizes, tuple(costs), why)


def of_return(place: Path, runs: int) -> Iterator[Growth]:
    history = SqliteHistory(place / "history.sqlite")
    pipeline = Pipeline(Parts(Shipped(FtsKnowledgeBase(load_knowledge())), thresholds.load(), history=history))
    same = (replace(report(1), id=str(uuid.uuid4()), run=Run(f"run {number}")) for number in count())
    sizes, costs, done = tuple(500 * scale for scale in SCALES), [], 0
    for size in sizes:
        for _ in range(done, size):
            pipeline.analyze(next(same))
        costs.append(_milliseconds(partial(_next_analysed, pipeline, same), 20 * runs))
        done = size + 20 * runs + 1
    history.close()
    why = "how often it was there is counted in an index, about 150 nanoseconds each"
    yield Growth("return", "an analysis of a failure that comes back", "times before", "ms", sizes, tuple(costs), why)


def _next_analysed(pipeline: Pipeline, reports: Iterator[FailureReport]) -> None:
    pipeline.analyze(next(reports))


def of_worker(place: Path, runs: int) -> Iterator[Growth]:
    """One worker gets ever more reports at once, the most only once, which takes long enough; its memory is read on the way."""
    sizes, taken = tuple(200 * scale for scale in SCALES), []
    memory: dict[int, float] = {}  # by analyses done, at 1x, 3x and 10x of the first that was read
    with stack(place, 1, 100, model=False) as running:
        analysed(running, [report(100_000 + number) for number in range(100)])
        done = 0
        for size in sizes:
            rates = []
            for _ in range(runs if size < sizes[-1] else 1):
                rates.append(1000 * analysed(running, [report(done + number) for number in range(size)])[0] / size)
                done += size
                if len(memory) < len(SCALES) and done >= sizes[len(memory)]:
                    memory[done] = resident(running.pids[0])
            taken.append(median(rates))
    why = "the queue is a list of which both ends cost the same; a few reports also pay for the first and the last look"
    yield Growth("queue", "one worker, time for each waiting report", "reports", "ms", sizes, tuple(taken), why)
    why = "what it keeps in memory has a limit"
    yield Growth("worker", "memory of a worker of 100 threads", "analyses done", "MB", tuple(memory), tuple(memory.values()), why)


def of_report(_place: Path, runs: int) -> Iterator[Growth]:
    sizes = tuple(1_000 * scale for scale in SCALES)
    task_runs = [_task_run(number) for number in range(sizes[-1])]

    def made(count: int) -> None:
        page(report_of(task_runs[:count], NOW - timedelta(days=7), NOW, "bench"), "now")

    costs = tuple(_milliseconds(partial(made, size), max(runs, 5)) for size in sizes)
    why = "a page has the same number of charts and rows; only the counting grows"
    yield Growth("report", "`ddn report --html`", "analyses", "ms", sizes, costs, why)


def _task_run(number: int) -> TaskRun:
    queued = NOW - timedelta(seconds=55 * (number % 10_000) + 60)

    def after(seconds: float) -> str:
        return (queued + timedelta(seconds=seconds)).isoformat()

    return TaskRun(
        key=str(number),
        task_id=str(number),
        state=TaskState.FAILURE if number % 23 == 0 else TaskState.SUCCESS,
        project="bench",
        suite_name=f"Suite {number % 40}",
        test_name=f"Test {number % 400}",
        error_message=report(number % 500).error_message,
        error_type=("INFRA_ERROR", "TEST_ERROR", "CODE_ERROR")[number % 3],
        queued=after(0),
        started=after(1),
        finished=after(4),
        worker=f"celery@w{number % 4}",
        seconds=3.0,
        step_seconds={"condense": 0.002, "investigate": 2.5},
        model="bench-001",
        calls=1,
        tokens_in=900,
    )


def _milliseconds(work: Callable[[], object], times: int) -> float:
    """Return the median of the CPU time of one call; the first does not count."""
    work()
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - start))
    return median(taken)
