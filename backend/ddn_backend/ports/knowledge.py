"""What the pipeline knows of causes: documents, how they are found and graded, and where learned ones are kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from robot_ddn_listener.contract import ErrorType, Similar


class DocumentKind(StrEnum):
    """Who vouches for a document: this project, the user, a person who confirmed the cause of one failure; for code and pages of
    the web nobody does."""

    KNOWN_CAUSE = "known cause"
    RUNBOOK = "runbook"
    PAST_FAILURE = "past failure"
    CODE = "code"
    WEB_PAGE = "web page"


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
    """How relevant each passage is to the failure, 0..1, in the order asked; no values where the evaluator failed.

    None: this one must not be shown to it, or it does not say.
    """

    values: tuple[float | None, ...] = ()
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
