"""How cost grows: the main figures at 1x, 3x and 10x, with the law they follow: `python bench/growth.py [--to growth.svg]`.

    run         seconds of CPU that the listener adds to a run over an empty one, by failing tests of 7 causes (20 to 200)
    attach      seconds of CPU for one output file, by its size (6.5 MB to 65 MB), every tenth test failed
    condense    milliseconds for one log, by its lines (200 to 2,000: the most that are looked at closely)
    rules       milliseconds for one report, by the lines of its log (40 to 400)
    analysis    milliseconds for one analysis without a model, by what the history already holds (500 to 5,000 reports)
    report      milliseconds for `ddn report --html`, by the analyses of its time (1,000 to 10,000)

The law is the exponent between 1x and 10x: cost grows as size to that power. 1 is linear, 0 does not grow.
"""

import argparse
import json
import math
import random
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import attaching
import condense as logs
from listener import EMPTY, robot, written
from throughput import report
from timing import environment, median, python, told

from ddn_backend.adapters.fts import FtsKnowledgeBase
from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.knowledge import load as load_knowledge
from ddn_backend.ops.reporting.report import report as report_of
from ddn_backend.ops.reporting.report_html import page
from ddn_backend.pipeline import Parts, Pipeline, thresholds
from ddn_backend.pipeline.condense import condense
from ddn_backend.pipeline.retrieve import Shipped
from ddn_backend.ports.operations import TaskRun, TaskState
from robot_ddn_listener.contract import LogLine
from robot_ddn_listener.rules import first_verdict

SCALES = (1, 3, 10)
NOW = datetime(2026, 1, 8, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Growth:
    """`sizes` in `unit`, `costs` in `of`."""

    name: str
    unit: str
    of: str
    sizes: tuple[float, ...]
    costs: tuple[float, ...]

    @property
    def exponent(self) -> float:
        return math.log(max(self.costs[-1], 1e-9) / max(self.costs[0], 1e-9)) / math.log(self.sizes[-1] / self.sizes[0])

    @property
    def law(self) -> str:
        """Say it in words; what lies between is named by its exponent."""
        if self.exponent < 0.15:
            return "does not grow"
        fixed = ", a fixed part" if 0.15 <= self.exponent < 0.85 else ""
        return "linear" if 0.85 <= self.exponent <= 1.15 else f"size^{self.exponent:.2f}{fixed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, help="Write the plot, an SVG, there.")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    found = []
    for measure in (of_run, of_attach, of_condense, of_rules, of_analysis, of_report):
        with TemporaryDirectory(prefix="ddn-bench-") as folder:
            growth = measure(Path(folder), options.runs)
        steps = ", ".join(
            f"{size:g} {growth.unit}: {cost:.3g} {growth.of}" for size, cost in zip(growth.sizes, growth.costs, strict=True)
        )
        print(f"{growth.name:9} {steps}; {growth.law}")
        told(f"growth {growth.name}", {"sizes": growth.sizes, "costs": growth.costs, "exponent": round(growth.exponent, 2)})
        found.append(growth)
    if options.to:
        options.to.write_text(plotted(found), encoding="utf-8")


def of_run(place: Path, runs: int) -> Growth:
    sizes, costs = tuple(20 * scale for scale in SCALES), []
    for failing in sizes:
        suite = written(place / f"run{failing}", failing, failing=failing)
        added = []
        for _ in range(runs):
            empty = robot(place, suite, EMPTY).user
            added.append(robot(place, suite, "robot_ddn_listener;wait=0", redis="redis://127.0.0.1:1/0").user - empty)
        costs.append(median(added))
    return Growth("run", "failing tests", "s", sizes, tuple(costs))


def of_attach(place: Path, runs: int) -> Growth:
    sizes, costs = [], []
    for scale in SCALES:
        file = attaching.written(place, 500 * scale)
        ids = place / "ids.json"
        ids.write_text(json.dumps(attaching.failed_tests(file)))
        taken = []
        for _ in range(runs):
            copy = place / "copy.xml"
            copy.write_bytes(file.read_bytes())
            command = python("-c", attaching.ATTACH, str(copy), str(ids))
            taken.append(json.loads(subprocess.run(command, env=environment(), capture_output=True, check=True).stdout)[0])
        sizes.append(round(file.stat().st_size / 1e6, 1))
        costs.append(median(taken))
    return Growth("attach", "MB", "s", tuple(sizes), tuple(costs))


def of_condense(_place: Path, runs: int) -> Growth:
    texts = list(logs._lines(random.Random(1), 200 * SCALES[-1] * 100))
    sizes = tuple(200 * scale for scale in SCALES)
    cases = [logs._case(tuple(LogLine(text) for text in texts[:size])) for size in sizes]
    return Growth("condense", "lines", "ms", sizes, tuple(_milliseconds(lambda case=case: condense(case), runs) for case in cases))


def of_rules(_place: Path, runs: int) -> Growth:
    texts = list(logs._lines(random.Random(1), 400 * 100))
    sizes = tuple(40 * scale for scale in SCALES)
    reports = [replace(report(1), log=tuple(LogLine(text) for text in texts[:size])) for size in sizes]
    return Growth(
        "rules", "log lines", "ms", sizes, tuple(_milliseconds(lambda one=one: first_verdict(one), 10 * runs) for one in reports)
    )


def of_analysis(place: Path, runs: int) -> Growth:
    history = SqliteHistory(place / "history.sqlite")
    pipeline = Pipeline(Parts(Shipped(FtsKnowledgeBase(load_knowledge())), thresholds.load(), history=history))
    sizes, costs, done = tuple(500 * scale for scale in SCALES), [], 0
    for size in sizes:
        for number in range(done, size):
            pipeline.analyze(report(number))
        done = size
        fresh = iter([replace(report(number), id=str(uuid.uuid4())) for number in range(50_000, 50_000 + 20 * runs)])
        costs.append(_milliseconds(lambda fresh=fresh: pipeline.analyze(next(fresh)), 20 * runs))
    history.close()
    return Growth("analysis", "reports kept", "ms", sizes, tuple(costs))


def of_report(_place: Path, runs: int) -> Growth:
    sizes = tuple(1_000 * scale for scale in SCALES)
    task_runs = [_task_run(number) for number in range(sizes[-1])]

    def made(count: int) -> None:
        page(report_of(task_runs[:count], NOW - timedelta(days=7), NOW, "bench"), "now")

    return Growth("report", "analyses", "ms", sizes, tuple(_milliseconds(lambda size=size: made(size), runs) for size in sizes))


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
    for _ in range(times - 1 or 1):
        start = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - start))
    return median(taken)


WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720.0, 420.0, 64.0, 230.0, 44.0, 48.0
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2")
MOST = 20.0  # of the vertical axis: twice what is linear


def plotted(found: Sequence[Growth]) -> str:
    """Return both axes logarithmic: size and cost as multiples of those at 1x; a linear law is the dashed diagonal."""

    def at(size: float, cost: float) -> str:
        x = LEFT + (WIDTH - LEFT - RIGHT) * math.log10(max(size, 1.0))
        share = min(max(math.log(max(cost, 1e-9) / 0.5) / math.log(MOST / 0.5), 0.0), 1.0)
        return f"{x:.1f},{HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        'font-family="sans-serif" font-size="13">',
        "<title>How cost grows with size</title>",
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#ffffff"/>',
        f'<text x="{LEFT:g}" y="22" font-size="15" font-weight="bold">Cost by size, both as multiples of the smallest</text>',
    ]
    for multiple in (0.5, 1, 2, 5, 10, 20):
        y = at(1, multiple).split(",")[1]
        parts.append(f'<line x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y}" y2="{y}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{LEFT - 8:g}" y="{float(y) + 4:.1f}" text-anchor="end" fill="#4b5563">{multiple:g}x</text>')
    for scale in SCALES:
        x = at(scale, 1).split(",")[0]
        parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 20:g}" text-anchor="middle" fill="#4b5563">{scale}x</text>')
    parts.append(f'<polyline points="{at(1, 1)} {at(10, 10)}" fill="none" stroke="#9ca3af" stroke-dasharray="5 4"/>')
    for number, (growth, colour) in enumerate(zip(found, COLOURS, strict=True)):
        points = [at(s / growth.sizes[0], c / growth.costs[0]) for s, c in zip(growth.sizes, growth.costs, strict=True)]
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += ['<circle cx="{}" cy="{}" r="3" fill="{}"/>'.format(*point.split(","), colour) for point in points]
        y = TOP + 14 + 46 * number
        x = WIDTH - RIGHT + 18
        parts.append(f'<rect x="{x:g}" y="{y - 9:g}" width="12" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18:g}" y="{y - 2:g}">{growth.name}: {growth.law}</text>')
        told_sizes = f"{growth.sizes[0]:g} to {growth.sizes[-1]:g} {growth.unit}"
        parts.append(f'<text x="{x + 18:g}" y="{y + 14:g}" font-size="11" fill="#4b5563">{told_sizes}</text>')
        told_costs = f"{growth.costs[0]:.3g} to {growth.costs[-1]:.3g} {growth.of}"
        parts.append(f'<text x="{x + 18:g}" y="{y + 27:g}" font-size="11" fill="#4b5563">{told_costs}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    main()
