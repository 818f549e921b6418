"""What is kept of reports, answers, runs and what people said; and equal failures that share one answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from robot_ddn_listener.contract import Analysis, ErrorType, FailureReport, RunRecord

from ..errors import BackendError, PermanentError, TransientError
from .operations import TaskRuns

T = TypeVar("T")


class HistoryError(BackendError):
    """The history did not take or give something. `cause` is what the reader of an answer is told: "timed out"."""

    def __init__(self, message: str, cause: str = ""):
        super().__init__(message)  # Celery makes errors again from their arguments: the message must be enough
        self.cause = cause


class HistoryDownError(HistoryError, TransientError):
    """Asking again may help."""


class HistoryBrokenError(HistoryError, PermanentError):
    """Asking again cannot help before someone has seen to it."""


class State(StrEnum):
    """How far the analysis of a kept report got. Failed: its task ended with an error after its last retry."""

    PENDING = "pending"
    ANSWERED = "answered"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Past:
    """A kept report with its best answer. `model` is the one that was asked for, `problem` why the analysis failed."""

    report: FailureReport
    seen: datetime
    analysis: Analysis | None = None
    answered: datetime | None = None
    state: State = State.PENDING
    model: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which kept reports to list, newest first. `part` is the name before the colon of a degraded note, such as pinecone;
    `text` stands in the error message, the problem or a degraded note; `since` is compared with when the report was seen."""

    project: str = ""
    state: State | None = None
    part: str = ""
    since: datetime | None = None
    text: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Earlier:
    """The reports of the same failure in the same project that were seen before this one.

    `last` and `last_run` are of the latest one on the same branch; times are None where there is none.
    """

    times: int = 0
    first: datetime | None = None
    last: datetime | None = None
    last_run: str = ""


@dataclass(frozen=True, slots=True)
class PastOutcome:
    """How a test ended (PASS or FAIL) at a commit without changes of its own."""

    status: str
    run_id: str
    commit: str
    branch: str
    when: datetime


class FeedbackKind(StrEnum):
    """An undo takes back the last word that stands for the failure."""

    CONFIRM = "confirm"
    CORRECT = "correct"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said of one failure, at `when`, ISO 8601. It travels as contract.encode makes it.

    Error type, root cause and recommendation are told in full, of a confirmed analysis too, and `symptom` is the report's
    error message: the error library can be made of these records alone.
    """

    kind: FeedbackKind
    report_id: str
    project: str
    fingerprint: str
    who: str
    when: str
    error_type: ErrorType = ErrorType.UNKNOWN
    root_cause: str = ""
    recommendation: str = ""
    ticket: str = ""
    symptom: str = ""


class History(TaskRuns, Protocol):
    """Reports, answers, runs, feedback and task runs of all projects. Saying the same again changes nothing, except for `say`.

    Every method raises HistoryError where the history fails, and PermanentError for what nobody could keep or find.
    """

    def keep(self, report: FailureReport, when: datetime) -> None:
        """Keep a report; the time when it was first seen stays."""

    def settle(self, report: FailureReport, analysis: Analysis, when: datetime, model: str = "", problem: str = "") -> None:
        """Keep the latest answer to a report, and the report. An interim answer never replaces a final one, nor an older a newer.

        `model` is the one that was asked for, as configured; `problem` says why the analysis failed for good. PermanentError
        where the id is that of another project's report.
        """

    def find(self, beginning: str, project: str = "") -> Past | None:
        """Return the report whose id begins like that, of `project` where one is named; PermanentError where several do."""

    def reusable(self, report: FailureReport, pipeline_version: str, model: str, since: datetime) -> Past | None:
        """Return the latest diagnosis of the same failure in its project by that pipeline and model: final, not degraded, not
        itself reused, and answered after `since`."""

    def earlier(self, report: FailureReport) -> Earlier:
        """Return how often the failure of `report` was seen before."""

    def listed(self, wanted: Wanted) -> tuple[Past, ...]:
        """Return the reports that are wanted, newest first."""

    def failed(self) -> int:
        """Return how many reports there are whose analysis failed for good. It costs little, whatever their size."""

    def answered(self, since: datetime) -> tuple[tuple[str, datetime], ...]:
        """Return the ids of the reports whose final answer came after `since`, or whose analysis failed for good, and when;
        the oldest first. It costs little, whatever the size of the reports."""

    def record_run(self, run: RunRecord) -> None:
        """Keep how the tests of a run ended."""

    def runs(self, project: str, since: datetime) -> tuple[RunRecord, ...]:
        """Return the runs that ended after `since`, newest first."""

    def outcomes(self, project: str, test: str, since: datetime) -> tuple[PastOutcome, ...]:
        """Return how the test ended lately, newest first, as far as single outcomes are kept: OUTCOME_DAYS."""

    def last_pass(self, project: str, test: str, branch: str | None = None) -> PastOutcome | None:
        """Return when the test last passed (on that branch), with the commit."""

    def say(self, feedback: Feedback) -> None:
        """Keep what a person said."""

    def standing(self, project: str, fingerprint: str) -> Feedback | None:
        """Return the word that stands for a failure."""

    def confirmed(self, project: str) -> tuple[Feedback, ...]:
        """Return the words that stand for the failures of a project; of all projects where it is empty."""

    def forget(self, report_id: str) -> int:
        """Delete a report, its answer, its task runs and what was said of it; return how many records that were."""

    def forget_project(self, project: str) -> int:
        """Delete all that is kept of a project; return how many records that were."""

    def prune(self, now: datetime, days: int) -> int:
        """Delete what is older than `days`, except for feedback; return how many records that were."""

    def close(self) -> None:
        """Give all connections back."""


OUTCOME_DAYS = 14  # that the outcome of each single test stays: a test that is flaky shows it within that time


class SingleFlight(Protocol):
    """Over all workers, one at a time finds the result of a key; the others wait and take it."""

    def fly(self, key: str, compute: Callable[[], T], dump: Callable[[T], str], load: Callable[[str], T | None]) -> T:
        """Return what another found for `key` where `load` can take it, else `compute()`.

        `dump` makes the text that others load; an empty one is not shared.
        """
