"""The monitor: what Celery's events and the broker tell goes into the history, to Prometheus and to alerts.

    events -> LiveRuns -> the history, each second            (buffered while the history is away)
    broker -> Snapshot -> metrics and alerts, each few seconds
    history -> catch_up: answers whose events nobody read; resend: reports whose message is gone

Nothing depends on the monitor: analyses go on without it, and what it missed it reads in the history.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from logging import getLogger
from typing import Any

from celery import Celery
from redis import Redis, RedisError

from robot_ddn_listener.contract import FailureReport

from ...errors import TransientError
from ...ports import ENDED, History, HistoryError, TaskRun, TaskState, WantedRuns
from .broker_state import BrokerState
from .catch_up import ALL, catch_up
from .events import Events
from .metrics import Metrics
from .resend import lost_reports, send_again
from .revoked_runs import catch_up_revoked
from .snapshot import RECENT, Snapshot
from .task_runs import Event, LiveRuns, are_one, latest, united, unix

WRITE_SECONDS = 1.0
BATCH = 500  # task runs in one write
MAX_UNWRITTEN = 100_000  # task runs that wait for the history: some hundred megabytes, and hours of a busy backend
REMEMBERED = 2 * RECENT  # how long a run that ended is followed
OPEN_SINCE = timedelta(days=7)  # a run that is older and did not end is not followed
CAUGHT_UP_AT_START = timedelta(days=7)
CAUGHT_UP_LATER = timedelta(minutes=30)
CAUGHT_UP_AFTER_A_GAP = timedelta(days=1)
PRUNED_EVERY_SECONDS = 24 * 3600.0
MAX_PROJECTS = 1000  # whose budget is looked at

logger = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks at the broker and between two at the history, and after how many a report without an answer
    is lost."""

    look: float = 5.0
    catch_up: float = 60.0
    lost: float = 600.0


@dataclass(frozen=True, slots=True)
class Outside:
    """What a monitor talks to. `client` never waits long; `used_up` tells of a project's budget; `send` gives a report back to
    the queue (BrokerError where that fails); `alert` is shown each snapshot."""

    app: Celery
    client: "Redis"
    history: History
    used_up: Callable[[str], bool]
    send: Callable[[FailureReport], None]
    alert: Callable[[Snapshot], None]


class Monitor:
    """Runs in the thread that calls `run`, with one more for events."""

    def __init__(self, outside: Outside, metrics: Metrics, pace: Pace = Pace(), keep_days: int = 90) -> None:
        self._outside, self._metrics, self._pace = outside, metrics, pace
        self._runs, self._lock = LiveRuns(), threading.Lock()
        self._events = Events(outside.app, self._take)
        self._broker = BrokerState(outside.client, self._sent_at)
        self._writer = Writer(outside.history, self._runs, self._lock, metrics, keep_days)
        self._keep_days, self._pruned = keep_days, float("-inf")
        self._projects: dict[str, None] = {}
        self._is_redis_up = False
        self._gaps_seen = 0

    def run(self, stop: threading.Event) -> None:
        """Monitor until `stop` is set."""
        self._events.start()
        looked = caught_up = float("-inf")
        try:
            while not stop.is_set():
                self._writer.write()
                if time.monotonic() - looked >= self._pace.look:
                    looked = time.monotonic()
                    self._look()
                if (self._may_catch_up() and time.monotonic() - caught_up >= self._pace.catch_up) or self._has_gap():
                    caught_up = time.monotonic()
                    self._catch_up()
                stop.wait(min(WRITE_SECONDS, self._pace.look))
        finally:
            self._events.close()
            self._writer.write()

    def health(self) -> dict[str, bool]:
        """Return which of the parts are up that a monitor needs."""
        return {"events": self._events.is_up, "history": self._writer.is_up, "redis": self._is_redis_up}

    def _take(self, event: Event) -> None:
        self._metrics.note("events")
        try:
            with self._lock:
                self._runs.take(event)
        except (ValueError, TypeError, ArithmeticError, AttributeError, OSError) as error:  # any client may send any event
            logger.warning("Reading event '%s' failed: %s. It is left out.", event.get("type"), error)

    def _sent_at(self, task_id: str) -> float:
        with self._lock:
            run = self._runs.find(task_id)
        return unix(run.queued) if run else 0.0

    def _look(self) -> None:
        now = datetime.now(UTC)
        with self._lock:
            recent, open_runs = self._runs.recent((now - RECENT).timestamp()), self._runs.open()
            self._runs.let_go((now - REMEMBERED).timestamp())
        snapshot = replace(self._broker.look(now), runs=recent)
        if snapshot.broker_problem and self._is_redis_up:
            logger.warning("Asking Redis failed: %s. It is asked again.", snapshot.broker_problem)
        self._is_redis_up = not snapshot.broker_problem
        if self._is_redis_up:
            snapshot = replace(snapshot, used_up=self._used_up(recent))
        self._metrics.show(
            snapshot, open_runs, self._writer.unwritten(), has_history=self._writer.is_up, has_events=self._events.is_up
        )
        self._outside.alert(snapshot)

    def _used_up(self, recent: tuple[TaskRun, ...]) -> tuple[str, ...]:
        for project in {run.project for run in recent if run.calls}:  # others spend nothing
            self._projects[project] = None
        while len(self._projects) > MAX_PROJECTS:
            del self._projects[next(iter(self._projects))]
        try:
            return tuple(sorted(filter(self._outside.used_up, self._projects)))
        except TransientError as error:
            logger.warning("%s", error)
            return ()

    def _may_catch_up(self) -> bool:
        return self._writer.is_up and self._is_redis_up

    def _has_gap(self) -> bool:
        """Tell whether events were missed since the last look: then what was answered meanwhile is read at once."""
        return self._may_catch_up() and self._events.times_up > max(1, self._gaps_seen)

    def _catch_up(self) -> None:
        is_first = not self._gaps_seen
        since = CAUGHT_UP_AT_START if is_first else CAUGHT_UP_AFTER_A_GAP if self._has_gap() else CAUGHT_UP_LATER
        self._gaps_seen = max(1, self._events.times_up)
        now = datetime.now(UTC)
        try:
            missed = catch_up(
                self._outside.history, now - since, self._ended, now, grace_seconds=0
            )  # `_adopted` sorts out what crosses
            missed += catch_up_revoked(self._outside.history, self._outside.client, now - since)
            # Others look, too, such as `ddn tasks`: what they took in is counted here.
            told = WantedRuns(states=ENDED, since=now - CAUGHT_UP_LATER, limit=ALL)
            self._metrics.count((*missed, *self._outside.history.task_runs(told)))
            with self._lock:
                self._runs.know(run for run in missed if unix(run.finished) >= (now - RECENT).timestamp())
            self._prune(now)
            lost = lost_reports(self._outside.history, self._outside.client, now, self._pace.lost, self._ended)
        except (HistoryError, RedisError) as error:
            logger.warning("Catching up failed: %s It is tried again.", error)
            return
        if missed:
            logger.info("%d task runs were taken from the history.", len(missed))
        self._metrics.note("resent", send_again(lost, self._outside.client, self._outside.send))

    def _prune(self, now: datetime) -> None:
        """Delete what is too old once a day; a worker does it when it starts, and may run for months."""
        if time.monotonic() - self._pruned >= PRUNED_EVERY_SECONDS:
            self._outside.history.prune(now, self._keep_days)
            self._pruned = time.monotonic()

    def _ended(self, task_id: str) -> tuple[TaskState, str, str] | None:
        """Return how Celery ended the task, as its result backend knows for an hour."""
        try:
            meta: dict[str, Any] = self._outside.app.backend.get_task_meta(task_id)
        except (RedisError, OSError, RuntimeError, ValueError):  # the history decides
            return None
        status = str(meta.get("status"))
        if status not in TaskState.__members__:
            return None
        error = repr(meta.get("result")) if status == TaskState.FAILURE else ""
        return TaskState(status), error, str(meta.get("traceback") or "")


class Writer:
    """Brings what changed into the history, and what the history has into the totals before that."""

    def __init__(self, history: History, runs: LiveRuns, lock: threading.Lock, metrics: Metrics, keep_days: int = 90) -> None:
        self._history, self._runs, self._lock, self._metrics = history, runs, lock, metrics
        self._keep_days = keep_days
        self._is_loaded = False
        self.is_up = False

    def write(self) -> None:
        """Write all that changed; where the history is away it is kept for the next time."""
        try:
            if not self._is_loaded:
                self._load()
            while batch := self._changed():
                self._write(batch)
        except HistoryError as error:
            self._go_down(error)
        else:
            self.is_up = True

    def unwritten(self) -> int:
        """Return how many task runs wait for the history."""
        with self._lock:
            return len(self._runs.changed(MAX_UNWRITTEN))

    def _load(self) -> None:
        """Count what ended before, and follow what had not ended."""
        now, followed = datetime.now(UTC), list[TaskRun]()
        recent, oldest = (now - RECENT).timestamp(), (now - OPEN_SINCE).timestamp()
        for day in range(self._keep_days, -1, -1):  # one at a time, not all in memory at once; the latest must stay known
            runs = self._history.task_runs(WantedRuns(since=now - timedelta(day + 1), until=now - timedelta(day), limit=ALL))
            self._metrics.count(runs)
            followed += [run for run in runs if latest(run) >= (recent if run.state in ENDED else oldest)]
        with self._lock:
            self._runs.know(followed)
        self._is_loaded = True

    def _changed(self) -> tuple[tuple[TaskRun, bool], ...]:
        with self._lock:
            return self._runs.changed(BATCH)

    def _write(self, batch: tuple[tuple[TaskRun, bool], ...]) -> None:
        kept = [run if is_stored else self._adopted(run) for run, is_stored in batch]
        self._history.record_task_runs(tuple(kept))
        with self._lock:
            for (told, _), run in zip(batch, kept, strict=True):
                self._runs.stored(told, run)
        self._metrics.count(kept)

    def _adopted(self, told: TaskRun) -> TaskRun:
        """Return the run under the key that the history has for it, where another has written of it before."""
        for known in self._history.task_runs(WantedRuns(task_id=told.task_id)):
            if known.key == told.key:
                return told
            if are_one(known, told):
                return united(known, told)
        return told

    def _go_down(self, error: HistoryError) -> None:
        with self._lock:
            lost = self._runs.drop_oldest(MAX_UNWRITTEN)
            waiting = self._runs.changed(MAX_UNWRITTEN)
        if self.is_up or not self._is_loaded:
            logger.warning("%s %d task runs wait for it.", error, len(waiting))
        if lost:
            logger.error("The history is away too long: %d task runs were dropped. Answers are read in the history later.", lost)
            self._metrics.note("lost", lost)
        self.is_up = False
        self._metrics.count(run for run, _ in waiting)
