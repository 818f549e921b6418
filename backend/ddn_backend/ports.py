"""What the pipeline needs from the outside, as small Protocols and their records. Adapters implement them, one technology each."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from robot_ddn_listener.contract import VERSION, Analysis, ErrorType, Evidence, FailureReport, Run, Similar, Step

from .errors import BackendError, PermanentError, TransientError

T = TypeVar("T")


class DocumentKind(StrEnum):
    """Who vouches for a document: this project, the user, or a person who confirmed the cause of one failure."""

    KNOWN_CAUSE = "known cause"
    RUNBOOK = "runbook"
    PAST_FAILURE = "past failure"


@dataclass(frozen=True, slots=True)
class Document:
    """One known cause of failures: what it looks like, why it happens, what helps. `symptoms` are texts as they stand in logs.

    `project` is empty for what holds for all; `past` tells which failure it was, for past failures only.
    """

    id: str
    title: str
    error_type: ErrorType
    cause: str
    remedy: str
    symptoms: tuple[str, ...] = ()
    text: str = ""
    urls: tuple[str, ...] = ()
    kind: DocumentKind = DocumentKind.KNOWN_CAUSE
    project: str = ""
    past: Similar | None = None


class Standing(StrEnum):
    """What an evaluator's grade means, by the thresholds fitted for that evaluator."""

    UNGRADED = ""
    IRRELEVANT = "irrelevant"
    UNSURE = "unsure"
    RELEVANT = "relevant"


@dataclass(frozen=True, slots=True)
class Passage:
    """A document that a search found. `score` is comparable between searches of one knowledge base, higher is better, 0..1.

    `grade` (0..1, by the evaluator `graded_by`) says how relevant it is to the failure, None before it is graded. `text` is what
    of the document is relevant, put together from its strips; empty before that.
    """

    document: Document
    score: float
    grade: float | None = None
    graded_by: str = ""
    standing: Standing = Standing.UNGRADED
    text: str = ""


class KnowledgeBase(Protocol):
    """Documents that can be searched by what a failure looks like."""

    def search(self, query: str, limit: int = 5) -> tuple[Passage, ...]:
        """Return the best documents for `query`, best first; empty when nothing matches."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What asking a model took. `cost_usd` is 0 where the price is not known."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.calls + other.calls,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.cost_usd + other.cost_usd,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What one analysis may take of a model. The call that goes beyond tokens or cost is the last one."""

    calls: int = 8
    tokens: int = 60_000
    seconds: float = 120.0
    cost_usd: float = 0.25


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A model's answer, typed but not yet verified."""

    error_type: ErrorType
    root_cause: str
    recommendation: str
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """Something a model may ask for. Name, docstring and type hints of `ask` are what the model knows of it; it only reads."""

    ask: Callable[..., str]

    @property
    def name(self) -> str:
        return str(getattr(self.ask, "__name__", ""))


def _never_objects(conclusion: Conclusion) -> str:
    return ""


def _never_stops(seconds: float) -> str:
    return ""


def _not_counted(usage: Usage) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What a model is asked: our `instructions`, the `material` (data, never instructions) and the tools it may use.

    `objections` to a conclusion go back to the model, an empty text accepts it. `before_call` gets the seconds that are left, may
    wait, and returns why the model must not be called, or nothing; `after_call` gets what each call took.
    """

    instructions: str
    material: str
    tools: tuple[Tool, ...] = ()
    limits: Limits = Limits()
    objections: Callable[[Conclusion], str] = _never_objects
    before_call: Callable[[float], str] = _never_stops
    after_call: Callable[[Usage], None] = _not_counted


@dataclass(frozen=True, slots=True)
class Reply:
    """`conclusion` is missing where a limit came first: `stopped` says which. `model` is the id that answered."""

    conclusion: Conclusion | None
    model: str = ""
    stopped: str = ""
    usage: Usage = Usage()
    trace: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


class LanguageModel(Protocol):
    """A model that investigates with tools. `name` is what a reader is told: gemini, openai, ..."""

    name: str

    def conclude(self, inquiry: Inquiry) -> Reply:
        """Return the model's conclusion; TransientError or PermanentError when it cannot be had."""


class Budget(Protocol):
    """What projects may take of a model, over all workers."""

    def admit(self, project: str, run_id: str, report_id: str) -> str:
        """Return why the model must not be asked about this report, or nothing; the same report is counted once."""

    def before_call(self, project: str, run_id: str, seconds: float) -> str:
        """Wait for a turn, at most `seconds`; return why the model must not be called, or nothing."""

    def after_call(self, project: str, run_id: str, usage: Usage) -> None:
        """Count what a call took."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. `message` is the error message's part of `text`: all that may leave the machine when logs may not."""

    text: str
    project: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A part that is configured but failed: `note` for the reader's `degraded`, `error` for the operator's task state."""

    note: str
    error: Exception


@dataclass(frozen=True, slots=True)
class Found:
    """`sent_to` says which services saw what of the failure, in words."""

    passages: tuple[Passage, ...] = ()
    problems: tuple[Problem, ...] = ()
    sent_to: tuple[str, ...] = ()


class Source(Protocol):
    """A place to look for passages. It never raises for a service that failed: that is a problem beside what else was found."""

    @property
    def name(self) -> str: ...

    def find(self, query: Query, limit: int = 5) -> Found: ...


class Library(Source, Protocol):
    """All that is known: the shipped causes, the users' runbooks and the error library, each project's own."""

    def remember(self, failure: Document) -> None:
        """Put a past failure with its confirmed cause into its project's error library; the same id again replaces it."""

    def forget(self, project: str, report_id: str) -> None:
        """Take it out again; nothing happens when it is not there."""


@dataclass(frozen=True, slots=True)
class Grades:
    """How relevant each passage is to the failure, 0..1, in the order asked; no values where the evaluator failed."""

    values: tuple[float, ...] = ()
    problems: tuple[Problem, ...] = ()
    sent_to: tuple[str, ...] = ()


class Grader(Protocol):
    """An evaluator that reads the failure and the passages, such as a model. Like a Source it never raises for its failure."""

    @property
    def name(self) -> str:
        """Thresholds are fitted under this name."""

    def grade(self, query: Query, passages: Sequence[Passage]) -> Grades: ...


class Shelf(Protocol):
    """A set of learned documents, apart by project (empty: for all projects)."""

    @property
    def name(self) -> str: ...

    def ids(self, project: str, prefix: str = "") -> frozenset[str]:
        """Return the ids of the documents that start with `prefix`."""

    def put(self, project: str, documents: Sequence[Document]) -> None:
        """Add documents; one whose id is there is replaced."""

    def drop(self, project: str, ids: Collection[str]) -> None:
        """Remove documents; ids that are not there are ignored."""


class Shelves(Protocol):
    """Where learned documents are kept and searched. All methods, and those of the shelves, may raise BackendErrors."""

    @property
    def documents(self) -> Shelf: ...

    @property
    def failures(self) -> Shelf: ...

    def search(self, query: str, project: str, limit: int = 5) -> tuple[Passage, ...]:
        """Return the best of the project's documents, of those for all projects, and of its past failures, best first."""

    def search_others(self, query: str, project: str, limit: int = 5) -> tuple[Passage, ...]:
        """Return the best of the past failures of all other projects."""

    def create(self) -> tuple[str, ...]:
        """Make the shelves that are missing and return their names."""


@dataclass(frozen=True, slots=True)
class SourceLines:
    """Lines of a project's file; `first` is the number of the first one. `commit` is empty where they are the work tree's."""

    file: str
    first: int
    lines: tuple[str, ...]
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """`files` are those of the paths asked for that it touches. `when` is ISO 8601. Names of people are left out on purpose."""

    id: str
    subject: str = ""
    when: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileChange:
    """`patch` holds the hunks of a unified diff, empty for a binary file; `before` is the file's name before it was renamed."""

    file: str
    patch: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class CommitDiff:
    """What a commit changed against its first parent; `cut` says in words what was left out."""

    commit: str
    subject: str = ""
    changes: tuple[FileChange, ...] = ()
    cut: tuple[str, ...] = ()


class CodeHostError(BackendError):
    """A code host did not answer. `cause` is what the reader of an answer is told: "rate limited until 12:30 UTC".

    `delay` is the number of seconds after which asking again may help, 0 where it is not known.
    """

    def __init__(self, message: str, cause: str = "", delay: float = 0.0):
        super().__init__(message)  # Celery makes errors again from their arguments: the message must be enough
        self.cause = cause
        self.delay = delay


class CodeHostDownError(CodeHostError, TransientError):
    """Asking again may help."""


class CodeHostRefusedError(CodeHostError, PermanentError):
    """Asking again cannot help before a setting was changed."""


class CodeHost(Protocol):
    """Where a project's code and its history can be read, and nothing else. Paths are relative to the project's root.

    Every method raises CodeHostError where the host fails; None means that it works and has no such file or commit.
    """

    @property
    def name(self) -> str:
        """What readers know it by."""

    @property
    def sees(self) -> str:
        """What another machine sees when it is asked, in words; empty where nothing leaves this one."""

    def source(self, file: str, first: int, last: int, commit: str = "") -> SourceLines | None:
        """Return lines `first` to `last` of `file` as of `commit`, fewer at the file's end."""

    def commits(self, paths: Sequence[str], until: str, since: str = "", limit: int = 20) -> tuple[Commit, ...] | None:
        """Return commits that touch one of `paths` (files, or folders with a slash at the end), the newest first, no merges.

        They are those up to and with `until` (a commit or branch) that are not in the history of the commit `since`, or not
        before `since` where that is an ISO 8601 date; at most the `limit` newest. Without `since` only the `limit` newest
        commits of the history are looked at, whatever they touch. None: `until` or `since` is not known here.
        """

    def diff(self, commit: str, paths: Sequence[str] = ()) -> CommitDiff | None:
        """Return what `commit` changed, in `paths` only if any are named."""


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
class Outcome:
    """How one test ended in one run. `test` is its full name, `fingerprint` that of its failure, if it has one."""

    test: str
    status: str
    seconds: float = 0.0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run (of pabot: what one of its processes ran) that ended at `when`, ISO 8601. It travels as contract.encode makes it."""

    project: str
    run: Run
    when: str
    outcomes: tuple[Outcome, ...] = ()
    version: int = VERSION


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


class History(Protocol):
    """Reports, answers, runs and feedback of all projects. Saying the same again changes nothing, except for `say`.

    Every method raises HistoryError where the history fails, and PermanentError for what nobody could keep or find.
    """

    def keep(self, report: FailureReport, when: datetime) -> None:
        """Keep a report; the time when it was first seen stays."""

    def settle(self, report: FailureReport, analysis: Analysis, when: datetime, model: str = "", problem: str = "") -> None:
        """Keep the latest answer to a report, and the report. An interim answer never replaces a final one, nor an older a newer.

        `model` is the one that was asked for, as configured; `problem` says why the analysis failed for good.
        """

    def find(self, beginning: str) -> Past | None:
        """Return the report whose id begins like that; PermanentError where several do."""

    def reusable(self, report: FailureReport, pipeline_version: str, model: str, since: datetime) -> Past | None:
        """Return the latest diagnosis of the same failure in its project by that pipeline and model: final, not degraded, not
        itself reused, and answered after `since`."""

    def earlier(self, report: FailureReport) -> Earlier:
        """Return how often the failure of `report` was seen before."""

    def listed(self, wanted: Wanted) -> tuple[Past, ...]:
        """Return the reports that are wanted, newest first."""

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
        """Delete a report, its answer and what was said of it; return how many records that were."""

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
