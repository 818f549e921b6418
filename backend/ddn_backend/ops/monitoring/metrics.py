"""What the monitor serves to Prometheus: totals over all task runs that ended, and gauges of the latest snapshot.

Totals begin with what the history holds, so that they survive a restart of everything. Labels are bounded: a project, step or
part that is one too many counts as "other".
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from robot_ddn_listener.contract import ErrorType

from ...ports import ENDED, TaskRun, TaskState
from .snapshot import Snapshot

BUCKETS = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
    120,
    300,
)  # seconds; a step may take milliseconds, an analysis minutes
MAX_PROJECTS = 100
MAX_STEPS = 30
MAX_PARTS = 30
MAX_WORKERS = 200
MAX_COUNTED = 500_000  # keys of runs that were counted: more than end in a day
OTHER = "other"

Labelled = Counter[tuple[str, ...]]


@dataclass(slots=True)
class Seconds:
    """A histogram: how many values fell into each bucket (the last one has no upper bound), and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        bucket = next((index for index, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        self.counts[bucket] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return the cumulative counts as Prometheus wants them."""
        below, result = 0, []
        for bound, count in zip([*(str(float(bound)) for bound in BUCKETS), "+Inf"], self.counts, strict=True):
            below += count
            result.append((bound, float(below)))
        return result


class _Names:
    """Label values, at most so many different ones."""

    def __init__(self, most: int) -> None:
        self._most, self._seen = most, set[str]()

    def of(self, name: str) -> str:
        if name not in self._seen and len(self._seen) >= self._most:
            return OTHER
        self._seen.add(name)
        return name


class Metrics:
    """A collector of prometheus_client. May be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: OrderedDict[str, None] = OrderedDict()
        self._projects, self._steps, self._parts = _Names(MAX_PROJECTS), _Names(MAX_STEPS), _Names(MAX_PARTS)
        self._runs: Labelled = Counter()
        self._retries: Counter[str] = Counter()
        self._degraded: Labelled = Counter()
        self._degraded_runs: Counter[str] = Counter()
        self._tokens: Labelled = Counter()
        self._calls: Counter[str] = Counter()
        self._cost: dict[str, float] = {}
        self._by_type: dict[str, Seconds] = {}
        self._by_step: dict[str, Seconds] = {}
        self._own: Counter[str] = Counter()
        self._history_up, self._events_up = False, False
        self._snapshot = Snapshot(datetime.fromtimestamp(0, UTC), broker_problem="not looked at yet")
        self._unwritten = 0
        self._open: Counter[str] = Counter()

    def count(self, runs: Iterable[TaskRun]) -> None:
        """Add runs that ended to the totals, each once by its key."""
        with self._lock:
            for run in runs:
                if run.state in ENDED and run.key not in self._counted:
                    self._counted[run.key] = None
                    self._add(run)
            while len(self._counted) > MAX_COUNTED:
                self._counted.popitem(last=False)

    def show(
        self, snapshot: Snapshot, open_runs: Iterable[TaskRun], unwritten: int, *, has_history: bool, has_events: bool
    ) -> None:
        """Take over how things are; `open_runs` have not ended, `unwritten` task runs wait for the history."""
        with self._lock:
            self._open = Counter({state.value: 0 for state in TaskState if state not in ENDED})
            self._open.update(run.state.value for run in open_runs)
            self._snapshot, self._unwritten = snapshot, unwritten
            self._history_up, self._events_up = has_history, has_events

    def note(self, what: str, number: int = 1) -> None:
        """Count something of the monitor's own: events, lost, resent."""
        with self._lock:
            self._own[what] += number

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics, for prometheus_client."""
        with self._lock:
            yield from (*self._totals(), *self._histograms(), *self._gauges(), *self._of_workers(), *self._of_monitor())

    def _add(self, run: TaskRun) -> None:
        project, error_type = self._projects.of(run.project), ErrorType(run.error_type or "UNKNOWN").value
        if project not in self._retries:  # all series of a project begin together: Prometheus sees no increase in a first value
            self._runs.update({(state.value, kind.value, project): 0 for state in ENDED for kind in ErrorType})
        self._runs[run.state.value, error_type, project] += 1
        self._degraded_runs[project] += bool(run.degraded)
        self._retries[project] += run.retries
        for part in {note.partition(":")[0].strip().lower() for note in run.degraded}:
            self._degraded[self._parts.of(part), project] += 1
        self._tokens["in", project] += run.tokens_in
        self._tokens["out", project] += run.tokens_out
        self._calls[project] += run.calls
        self._cost[project] = self._cost.get(project, 0.0) + run.cost_usd
        if run.seconds > 0:
            self._by_type.setdefault(error_type, Seconds()).add(run.seconds)
        for step, seconds in run.step_seconds.items():
            self._by_step.setdefault(self._steps.of(step), Seconds()).add(seconds)

    def _totals(self) -> Iterator[Metric]:
        told = "Analyses that ended, by Celery's state."
        yield _counter("ddn_runs", told, ("state", "error_type", "project"), self._runs)
        yield _counter("ddn_retries", "Tries of analyses after their first.", ("project",), _keyed(self._retries))
        yield _counter("ddn_degraded_runs", "Analyses with a degraded answer.", ("project",), _keyed(self._degraded_runs))
        yield _counter("ddn_degraded", "Degraded answers by the part that failed.", ("part", "project"), self._degraded)
        yield _counter("ddn_model_tokens", "Tokens of the model.", ("direction", "project"), self._tokens)
        yield _counter("ddn_model_calls", "Calls of the model.", ("project",), _keyed(self._calls))
        yield _counter("ddn_model_cost_usd", "What the model cost, in US dollars.", ("project",), _keyed(self._cost))

    def _histograms(self) -> Iterator[Metric]:
        yield _histogram("ddn_analysis_seconds", "Seconds of the last try of an analysis.", "error_type", self._by_type)
        yield _histogram("ddn_step_seconds", "Seconds of one step of an analysis.", "step", self._by_step)

    def _gauges(self) -> Iterator[Metric]:
        now, is_up = self._snapshot, not self._snapshot.broker_problem
        yield _gauge("ddn_redis_up", "1 while Redis answers.", is_up)
        yield _gauge("ddn_history_up", "1 while the history takes what the monitor writes.", self._history_up)
        yield _gauge("ddn_events_up", "1 while the monitor receives Celery's events.", self._events_up)
        if is_up:  # else nothing is known, and an old figure would look like a new one
            yield _gauge("ddn_queue_depth", "Messages that wait.", now.waiting)
            yield _gauge("ddn_oldest_waiting_seconds", "Age of the oldest message that waits.", now.oldest_seconds)
            yield _gauge("ddn_in_hand", "Messages that workers have taken and not ended.", now.unacked)
            yield _gauge("ddn_workers_online", "Workers that beat.", now.workers_online)
            yield _gauge("ddn_busy_share", "Share of all workers' threads that are in an analysis.", _busy_share(now))
            yield _gauge("ddn_paused", "1 while the queue is paused.", now.paused is not None)
            yield _gauge("ddn_redis_memory_bytes", "Memory that Redis uses.", now.redis_bytes)
        used_up = GaugeMetricFamily("ddn_budget_used_up", "1 for a project whose budget of today is used up.", labels=("project",))
        for project in now.used_up:
            used_up.add_metric((self._projects.of(project),), 1)
        yield used_up

    def _of_workers(self) -> Iterator[Metric]:
        figures = (
            ("ddn_worker_busy_threads", "Analyses that a worker runs.", "busy"),
            ("ddn_worker_threads", "Analyses that a worker can run at a time.", "threads"),
            ("ddn_worker_cpu", "Share of one core that a worker takes.", "cpu"),
            ("ddn_worker_memory_bytes", "Resident memory of a worker.", "memory_bytes"),
            ("ddn_worker_beat_age_seconds", "Seconds since a worker's last beat.", "beat_seconds"),
        )
        for name, told, attribute in figures:
            family = GaugeMetricFamily(name, told, labels=("worker",))
            for worker in self._snapshot.workers[:MAX_WORKERS]:
                family.add_metric((worker.hostname,), float(getattr(worker, attribute)))
            yield family

    def _of_monitor(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("ddn_open_runs", "Analyses that have not ended, as far as events told.", labels=("state",))
        for state, number in sorted(self._open.items()):
            family.add_metric((state,), number)
        yield family
        yield _gauge("ddn_unwritten_runs", "Task runs that wait for the history.", self._unwritten)
        yield _counter("ddn_monitor_events", "Events that were read.", (), {(): self._own["events"]})
        yield _counter(
            "ddn_monitor_lost_runs", "Task runs that were dropped: the history was away too long.", (), {(): self._own["lost"]}
        )
        yield _counter(
            "ddn_monitor_resent", "Reports that were sent again because their message was lost.", (), {(): self._own["resent"]}
        )


def _busy_share(now: Snapshot) -> float:
    threads = sum(worker.threads for worker in now.workers)
    return sum(worker.busy for worker in now.workers) / threads if threads else 0.0


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=float(value))


def _counter(name: str, told: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = CounterMetricFamily(name, told, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _histogram(name: str, told: str, label: str, values: dict[str, Seconds]) -> Metric:
    family = HistogramMetricFamily(name, told, labels=(label,))
    for key, seconds in sorted(values.items()):
        family.add_metric((key,), seconds.buckets(), sum_value=seconds.total)
    return family


def _keyed(values: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(key,): value for key, value in values.items()}
