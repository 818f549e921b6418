"""What operators look back on: every run of an analysis task, from the queue to its end."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from robot_ddn_listener.contract import VERSION

ANALYSED_EVENT = "ddn-analysed"  # tells of each answer; not a task- event, so that Celery's and Flower's view of states stays


class TaskState(StrEnum):
    """Celery's names. QUEUED: sent, and no worker has taken it yet."""

    QUEUED = "QUEUED"
    STARTED = "STARTED"
    RETRY = "RETRY"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    REVOKED = "REVOKED"


ENDED = (TaskState.SUCCESS, TaskState.FAILURE, TaskState.REVOKED)


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One sending of an analysis until its end; one that is sent again, such as by `ddn requeue`, is another run.

    `key` is unique: the task's id (which is the report's) and when it was queued. Times are ISO 8601 in UTC, empty where not
    known; `seconds` from start to end of its last try, `retries` how many tries came before. `error_type` is the answer's,
    before that the rules'. `degraded` holds the notes of the answer ("pinecone: timed out"), `error` a failed task's exception.
    """

    key: str
    task_id: str
    state: TaskState
    project: str = ""
    suite_name: str = ""
    test_name: str = ""
    error_message: str = ""
    error_type: str = ""
    queued: str = ""
    started: str = ""
    finished: str = ""
    worker: str = ""
    retries: int = 0
    seconds: float = 0.0
    step_seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""
    traceback: str = ""
    verdict: str = ""
    confidence: float = 0.0
    rule_id: str = ""
    model: str = ""
    reused: bool = False
    degraded: tuple[str, ...] = ()
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class WantedRuns:
    """Which task runs to list. `since` and `until` are compared with the latest time that is known of a run;
    `text` stands in test, suite, error message, error or a degraded note, whatever the case."""

    project: str = ""
    states: tuple[TaskState, ...] = ()
    error_type: str = ""
    worker: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    task_id: str = ""
    limit: int = 100_000


class TaskRuns(Protocol):
    """The task runs of all projects; a part of the History. Every method raises HistoryError where it fails."""

    def record_task_runs(self, runs: tuple[TaskRun, ...]) -> None:
        """Keep the runs; one with a key that is known is replaced."""

    def task_runs(self, wanted: WantedRuns) -> tuple[TaskRun, ...]:
        """Return the runs that are wanted, the one with the latest time first."""
