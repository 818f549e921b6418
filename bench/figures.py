"""The figures of docs/performance.md: what is wanted, and where the benchmarks tell what was measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, Mapping[str, Any]]  # what each benchmark told, by its name
Path = tuple[str, ...]  # a benchmark's name, and the way to a figure in what it told


@dataclass(frozen=True)
class Part:
    """Figures of a kind, shown one after the other in `form`, each at most or at least as much as given."""

    paths: tuple[Path, ...]
    form: str
    most: float | None = None
    least: float | None = None

    def shown(self, results: Results) -> str:
        """Return the figures in words; KeyError where a benchmark did not run."""
        return self.form.format(" / ".join(_short(value) for value in self._values(results)))

    def is_reached(self, results: Results) -> bool:
        return all(
            (self.most is None or value <= self.most) and (self.least is None or value >= self.least)
            for value in self._values(results)
        )

    def _values(self, results: Results) -> Iterator[float]:
        for path in self.paths:
            found: Any = results
            for step in path:
                found = found[step]
            yield from found if isinstance(found, list) else [found]


@dataclass(frozen=True)
class Figure:
    """A row: its parts, and the command that measures it. `sizes` tells how much was measured, of the first part's benchmark."""

    name: str
    wanted: str
    command: str
    parts: tuple[Part, ...]
    sizes: str = ""

    def measured(self, results: Results) -> str:
        """Return what was measured, in words; empty where the benchmark did not run."""
        try:
            told = results[self.parts[0].paths[0][0]]
            sizes = f" ({self.sizes.format_map(told)})" if self.sizes else ""
            return "; ".join(part.shown(results) for part in self.parts) + sizes
        except KeyError:
            return ""

    def reached(self, results: Results) -> str:
        """Return yes or no; nothing where nothing is wanted or measured."""
        if not self.measured(results) or all(part.most is None and part.least is None for part in self.parts):
            return ""
        return "yes" if all(part.is_reached(results) for part in self.parts) else "no"


def _short(value: float) -> str:
    """Return 3 digits or so, without a leading zero: .994, 12.3, 3,285."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 2 else 3
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"


def _of(benchmark: str, names: tuple[str, ...], what: str) -> tuple[Path, ...]:
    return tuple((benchmark, "variants", name, what) for name in names)


_STATES = ("Redis up", "refused", "hung")
_HELD = ("held, up", "held, refused", "held, hung")
_RECORDED = tuple(f"recorded, {name}" for name in ("no Redis", "up", "refused", "hung"))

RUN = (
    Figure(
        "2,000 passing tests, 40,000 keywords: user CPU against an empty listener, without / with a Redis URL",
        "at most 1.01",
        "listener.py --only passing",
        (Part(_of("passing", ("ours", "ours, Redis URL"), "user_ratio"), "{}", most=1.01),),
        "{tests:,} tests, {runs} runs",
    ),
    Figure(
        "the same with 200 failing tests of 7 causes, Redis up / refused / hung",
        "at most 1.03, plus 1 s a run",
        "listener.py --only failing",
        (
            Part(_of("failing", _STATES, "user_ratio"), "{}"),
            Part(_of("failing", _STATES, "user_above"), "above 1.03 {} s of CPU", most=1.0),
            Part(_of("failing", _STATES, "wall_above"), "{} s of wall clock", most=1.0),
        ),
        "{tests:,} tests, {runs} runs",
    ),
    Figure(
        "wall time added when no worker is online / the queue is paused",
        "at most 1 s",
        "listener.py --only nobody",
        (Part((("nobody there", "added_seconds", "no worker"), ("nobody there", "added_seconds", "paused")), "{} s", most=1.0),),
        "{runs} runs",
    ),
    Figure(
        "held on the test thread for each failing test, Redis up / refused / hung",
        "p50 at most 1 ms, p99 5 ms",
        "listener.py --only held",
        (
            Part(tuple((name, "p50_ms") for name in _HELD), "p50 {} ms", most=1.0),
            Part(tuple((name, "p99_ms") for name in _HELD), "p99 {} ms", most=5.0),
        ),
        "{runs} runs of {failing_tests} failures",
    ),
    Figure(
        "attach to an output file of 20 / 200 MB: CPU against rebot on the same file",
        "at most .15",
        "attaching.py",
        (Part((("attach 20 MB", "ratio"), ("attach 200 MB", "ratio")), "{}", most=0.15),),
    ),
    Figure(
        "the same: extra peak memory",
        "at most 32 MB",
        "attaching.py",
        (Part((("attach 20 MB", "memory_mb"), ("attach 200 MB", "memory_mb")), "{} MB", most=32.0),),
    ),
    Figure(
        "`output_file()` after the last test, all answers in",
        "at most .5 s at 20 MB",
        "listener.py --only end",
        (Part((("end", "seconds"),), "{} s", most=0.5),),
        "{megabytes} MB, {runs} runs",
    ),
    Figure(
        "a passing run: CPU and memory over robot alone",
        "at most 10 ms, 2 MB",
        "listener.py --only import",
        (Part((("import", "user_ms"),), "{} ms", most=10.0), Part((("import", "memory_mb"),), "{} MB", most=2.0)),
        "{runs} runs",
    ),
    Figure(
        "telling how 2,000 passing tests ended, without Redis / up / refused / hung",
        "",
        "recorded_runs.py",
        (Part(tuple((name, "held_ms") for name in _RECORDED), "{} ms"),),
        "{runs} runs",
    ),
)
BACKEND = (
    Figure(
        "500 failures of 7 causes: analyses that reach the model, calls of each",
        "at most 7, 8",
        "causes.py",
        (Part((("causes", "analyses"),), "{}", most=7), Part((("causes", "most_calls"),), "{} calls", most=8)),
    ),
    Figure(
        "analyses a minute, model of 2 to 5 s, one call each, all different",
        "at least 3,000",
        "throughput.py --only model",
        (Part((("model", "per_minute"),), "{}", least=3000),),
        "{rounds} rounds of {n:,}: {least:,} to {most:,}",
    ),
    Figure(
        "analyses a minute by rules alone",
        "at least 9,000",
        "throughput.py --only rules",
        (Part((("rules", "per_minute"),), "{}", least=9000),),
        "{rounds} rounds of {n:,}: {least:,} to {most:,}",
    ),
    Figure(
        "analyses a minute by reuse",
        "at least 9,000",
        "throughput.py --only reuse",
        (Part((("reuse", "per_minute"),), "{}", least=9000),),
        "{rounds} rounds of {n:,}: {least:,} to {most:,}",
    ),
    Figure(
        "one analysis at a time, model of 2 to 5 s: mean, p95 end to end",
        "at most 3.5 s, 5.3 s",
        "throughput.py --only one",
        (Part((("one at a time", "mean_s"),), "{} s", most=3.5), Part((("one at a time", "p95_s"),), "{} s", most=5.3)),
        "of {n}",
    ),
    Figure(
        "CPU of an analysis by rules, the worker's, Celery included, median",
        "at most 10 ms",
        "throughput.py --only rules",
        (Part((("rules", "cpu_ms"),), "{} ms", most=10.0), Part((("rules", "in_process_ms"),), "{} ms without Celery")),
        "{portions} portions of 100",
    ),
    Figure(
        "memory of a worker, 100 at once, after each tenth of 10,000 analyses by rules",
        "at most 250 MB, flat",
        "throughput.py --only steady",
        (
            Part((("steady", "memory_mb"),), "{} MB", most=250),
            Part((("steady", "late_mb"),), "{} MB in the second half", most=5),
        ),
        "{analyses:,} analyses",
    ),
    Figure(
        "our own time above a model of 1 s, 8 at once, p95",
        "at most .3 s",
        "throughput.py --only own",
        (Part((("own time", "p95_s"),), "{} s", most=0.3),),
        "of {n}",
    ),
    Figure(
        "200 reports, 20 kills of workers, 3 of Redis: not stored, concluded twice",
        "none",
        "kill.py",
        (Part((("kill", "lost"),), "{}", most=0), Part((("kill", "concluded_twice"),), "{} twice", most=0)),
        "{reports} reports, {kills} and {redis_kills} kills, {set_aside} set aside and sent again, {asked_again} asked again",
    ),
    Figure(
        "a new error among 50 MB of log survives 400 tokens, whole log / the product's way",
        "",
        "condense.py",
        (Part((("condense", "survived", "condensed as it is"), ("condense", "survived", "by the product's way")), "{}"),),
        "of {tries}, {megabytes} MB",
    ),
    Figure("fuzzing without a failure", "", "fuzz.py", (Part((("fuzz", "seconds"),), "{} s"),), "{examples:,} examples"),
)
SERVICE = (  # of docs/scaling.md: the part, its figure, without and with a model
    ("listener, CPU in the sender's thread", "{:.1f} ms", "waiting", "sender_cpu_ms", "size of the report (60 log lines here)"),
    ("Redis, CPU", "{:.2f} ms", "", "redis_cpu_ms", "the commands, not the size"),
    ("Redis, commands", "{:.0f}", "", "commands", "the steps that ask or tell Redis"),
    ("Redis, network", "{:.0f} kB", "", "network_kb", "size of the report"),
    ("Redis, memory while a report waits", "{:.0f} kB", "waiting", "waiting_kb", "size of the report: at most 256 kB"),
    ("Redis, memory for an hour after it", "{:.1f} kB", "", "kept_kb", "the answer"),
    ("worker, CPU", "{:.1f} ms", "", "worker_cpu_ms", "lines of the log"),
    ("worker, a thread, besides the model's time", "{:.0f} ms", "", "thread_ms", "how many are at it: this is one at a time"),
    ("history, SQLite with its indexes", "{:.1f} kB", "", "history_kb", "kept for `DDN_KEEP_DAYS`"),
    ("worker, from its start to its first beat", "{:.1f} s", "", "ready_s", "once, not for each analysis"),
)
