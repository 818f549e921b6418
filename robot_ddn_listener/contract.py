"""What travels between the robot process and the backend: FailureReport one way, Analysis the other.

Both are frozen records with one JSON form. `encode` gives plain JSON types; `decode` ignores fields it does not know and
reads enum values of newer versions as the enum's fallback, so old listeners work with new workers and the other way round.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from .json_form import decode as decode
from .json_form import encode as encode
from .run import QUEUE as QUEUE
from .run import RUN_TASK_NAME as RUN_TASK_NAME
from .run import Ci as Ci
from .run import Git as Git
from .run import Run as Run

VERSION = 1
CAUGHT_LEVEL = "CAUGHT"
TASK_NAME = "tasks.analyze_test_failure"
MAX_REPORT_BYTES = 256 * 1024
MAX_EVIDENCE = 3
MAX_QUOTE_CHARACTERS = 200

HEARTBEAT_KEY = "ddn:heartbeat"  # exists while a worker lives: each worker sets it, with its name, for HEARTBEAT_SECONDS
HEARTBEAT_SECONDS = 15
PAUSED_KEY = "ddn:paused"  # exists while an operator has paused the queue; the value is the reason
WORKERS_KEY = "ddn:workers"  # a sorted set: the names of workers, celery@host, with the Unix time of their last beat
SENT_HEADER = "ddn_sent"  # header of a report's message: the Unix time at which the listener sent it
HISTORY_HOST_KEY = "ddn:history-host"  # exists while workers keep the history in SQLite: the machine they run on
VERDICT_SECONDS = 3600


def verdict_key(project: str, report_id: str) -> str:
    """Return the Redis key that holds the best verdict so far, as JSON of an Analysis, for VERDICT_SECONDS."""
    return f"ddn:{project}:verdict:{report_id}"


class _TolerantEnum(StrEnum):
    """An enum that reads values it does not know as its last member, the fallback."""

    @classmethod
    def _missing_(cls, value: object) -> "_TolerantEnum":
        return list(cls)[-1]


class ErrorType(_TolerantEnum):
    """Where the cause lies. Closed list; UNKNOWN is also the fallback."""

    CODE_ERROR = "CODE_ERROR"
    TEST_ERROR = "TEST_ERROR"
    INFRA_ERROR = "INFRA_ERROR"
    CONFIG_ERROR = "CONFIG_ERROR"
    DEPENDENCY_ERROR = "DEPENDENCY_ERROR"
    UNKNOWN = "UNKNOWN"


class Stage(_TolerantEnum):
    """A final verdict is never replaced by an interim one."""

    FINAL = "final"
    INTERIM = "interim"


class Verdict(_TolerantEnum):
    """diagnosed: a cause is named. unknown: looked, not found. not-analysed: there was nothing to find or no right to look."""

    DIAGNOSED = "diagnosed"
    NOT_ANALYSED = "not-analysed"
    UNKNOWN = "unknown"


class Phase(_TolerantEnum):
    """The part of the test or suite that failed."""

    SETUP = "setup"
    TEARDOWN = "teardown"
    SUITE_SETUP = "suite-setup"
    SUITE_TEARDOWN = "suite-teardown"
    TEST = "test"


class Novelty(_TolerantEnum):
    """Has this failure been seen before in this project."""

    NEW = "new"
    KNOWN = "known"
    REGRESSED = "regressed"
    FLAKY = "flaky"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class KeywordCall:
    """One step on the path to the failing keyword, outermost first. `type` is Robot's: KEYWORD, SETUP, FOR, ITERATION, TRY...

    `status` is Robot's. `args` as written in the data, `name` without owner, `source` relative to the project's root.
    """

    name: str
    owner: str = ""
    type: str = "KEYWORD"
    args: tuple[str, ...] = ()
    source: str = ""
    lineno: int = 0
    status: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


@dataclass(frozen=True, slots=True)
class LogLine:
    """A log message (level TRACE..FAIL) or, with level KEYWORD, the start of a keyword: ``text`` is then its name and arguments.

    Level CAUGHT has what was logged below a failure that a passing keyword then caught: the test went on after it.

    `time` is ISO 8601 or empty. Lines are in the order of the log.
    """

    text: str
    level: str = "INFO"
    time: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One traceback frame, outermost first.

    `code` holds a few source lines, each ``<lineno>: <line>``, the failing one after ``>``. `own` tells that the file belongs
    to the project, not to an installed package or the standard library.
    """

    file: str
    line: int = 0
    function: str = ""
    code: tuple[str, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class ExceptionInfo:
    """The exception behind the failure. `causes` are its chain, the nearest first."""

    type: str
    message: str = ""
    frames: tuple[Frame, ...] = ()
    causes: tuple["ExceptionInfo", ...] = ()


@dataclass(frozen=True, slots=True)
class ExecutionError:
    """A WARN or ERROR of Robot itself, such as a failed import; often the real cause of a later failure."""

    text: str
    level: str = "ERROR"
    time: str = ""


@dataclass(frozen=True, slots=True)
class Truncation:
    """`what` (e.g. ``log``) was cut `from_` a size `to` a size, both in characters (or in lines where `what` says so)."""

    what: str
    from_: int
    to: int


@dataclass(frozen=True, slots=True)
class FailureReport:
    """All that is known of one failure (one per group of equal failures). `source` is relative to the project's root."""

    id: str
    project: str
    fingerprint: str
    run: Run
    suite_name: str
    test_name: str
    error_message: str
    full_name: str = ""
    source: str = ""
    lineno: int = 0
    tags: tuple[str, ...] = ()
    phase: Phase = Phase.TEST
    error_type: ErrorType = ErrorType.UNKNOWN
    keywords: tuple[KeywordCall, ...] = ()
    log: tuple[LogLine, ...] = ()
    truncated: tuple[Truncation, ...] = ()
    exception: ExceptionInfo | None = None
    execution_errors: tuple[ExecutionError, ...] = ()
    attachments: tuple[str, ...] = ()
    redactions: dict[str, int] = field(default_factory=dict)
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage that stands in the report word for word (white space folded).

    `where`: error message, log, exception, execution errors, code.
    """

    quote: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Similar:
    """An earlier failure that looks alike."""

    report_id: str
    when: str = ""
    root_cause: str = ""
    confirmed_by: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    commit: str
    file: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """What produced the analysis, and at what cost. Seconds by step; cost in US dollars."""

    rule_id: str = ""
    model: str = ""
    pipeline_version: str = ""
    crag_action: str = ""
    step_seconds: dict[str, float] = field(default_factory=dict)
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the agent, each text short."""

    thought: str = ""
    action: str = ""
    observation: str = ""


@dataclass(frozen=True, slots=True)
class Analysis:
    """The answer to one report. `confidence` is 0..1 and only a probability where `calibrated`.

    `shadow` is what a model on trial said: it is kept in the history and never shown as the answer.
    """

    report_id: str
    project: str = ""
    fingerprint: str = ""
    stage: Stage = Stage.INTERIM
    verdict: Verdict = Verdict.UNKNOWN
    error_type: ErrorType = ErrorType.UNKNOWN
    root_cause: str = ""
    recommendation: str = ""
    confidence: float = 0.0
    calibrated: bool = False
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    similar: tuple[Similar, ...] = ()
    novelty: Novelty = Novelty.UNKNOWN
    first_seen: str = ""
    times_seen: int = 0
    reused_from: str = ""
    confirmed_by: str = ""
    suspects: tuple[Suspect, ...] = ()
    engine: Engine = Engine()
    degraded: tuple[str, ...] = ()
    sent_to: tuple[str, ...] = ()
    trace: tuple[Step, ...] = ()
    shadow: "Analysis | None" = None
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test (or suite setup or teardown) ended in one run: PASS, FAIL, SKIP or NOT RUN.

    `test` is called as a failure report's `full_name`, `fingerprint` is that of its failure, if it has one.
    """

    test: str
    status: str
    seconds: float = 0.0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run (of pabot: what one of its processes ran) that ended at `when`, ISO 8601. `run_message` makes it small for the way."""

    project: str
    run: Run
    when: str
    outcomes: tuple[Outcome, ...] = ()
    version: int = VERSION
