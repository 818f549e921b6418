"""All that is known, as one source: the shipped causes, the users' runbooks and each project's error library.

Learned documents are kept on this machine always, and on a remote service too where one is configured: it is searched first,
and when it fails the local ones answer and the failure is told beside them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

from ..errors import BackendError, SettingsError, TransientError
from ..ports import Document, Found, KnowledgeBase, Passage, Problem, Query, Shelf, Shelves

SHIPPED = "shipped/"
PAST = "past/"
QUIET_SECONDS = 1.0  # a remote service that failed is not asked by the next searches of the same analysis

_Search = Callable[[Shelves, str], tuple[Passage, ...]]


@dataclass(frozen=True, slots=True)
class RemoteShelves:
    """A service that keeps the documents as well. `messages_only` when no log line may be sent to it."""

    name: str
    shelves: Shelves
    messages_only: bool = False


class ProjectLibrary:
    """The library of a backend. What fails is a problem beside what the others found. May be used by many threads."""

    name = "knowledge base"

    def __init__(self, shipped: KnowledgeBase, local: Shelves, remote: RemoteShelves | None = None):
        self._shipped = shipped
        self._local = local
        self._remote = remote
        self._failed: Exception | None = None
        self._ask_again = 0.0

    def find(self, query: Query, limit: int = 5) -> Found:
        """Return the best `limit` shipped causes and the best `limit` learned documents."""
        shipped = self._shipped.search(query.text, limit)
        learned = self._learned(query, lambda shelves, text: shelves.search(text, query.project, limit))
        return replace(learned, passages=_united(shipped, learned.passages))

    @property
    def local(self) -> "ProjectLibrary":
        """What of it is on this machine."""
        return ProjectLibrary(self._shipped, self._local)

    def find_elsewhere(self, query: Query, limit: int = 5) -> Found:
        """Return the best past failures of other projects."""
        return self._learned(query, lambda shelves, text: shelves.search_others(text, query.project, limit))

    def remember(self, failure: Document) -> None:
        """Put a past failure with its confirmed cause into its project's error library; the same id again replaces it."""
        for shelves in self._all():
            shelves.failures.put(failure.project, [failure])

    def forget(self, project: str, report_id: str) -> None:
        """Take it out again; nothing happens when it is not there."""
        for shelves in self._all():
            shelves.failures.drop(project, [past_id(report_id)])

    @property
    def document_shelves(self) -> tuple[Shelf, ...]:
        """The places where runbooks are kept, each whole."""
        return tuple(shelves.documents for shelves in self._all())

    @property
    def failure_shelves(self) -> tuple[Shelf, ...]:
        """The places where the error library is kept, each whole."""
        return tuple(shelves.failures for shelves in self._all())

    def create(self) -> tuple[str, ...]:
        """Make the shelves that are missing and return their names."""
        return tuple(name for shelves in self._all() for name in shelves.create())

    def _all(self) -> tuple[Shelves, ...]:
        return (self._local, self._remote.shelves) if self._remote else (self._local,)

    def _learned(self, query: Query, search: _Search) -> Found:
        if self._remote is None:
            return self._from_local(query, search)
        text, what = _what_may_be_sent(query, self._remote)
        if self._failed and monotonic() < self._ask_again:
            return self._instead(self._failed, query, search)
        sent_to = (f"{self._remote.name}: {what}",)
        try:
            return Found(search(self._remote.shelves, text), sent_to=sent_to)
        except (BackendError, SettingsError) as error:
            if isinstance(error, TransientError):  # others are told at once, and may be mended at any moment
                self._failed, self._ask_again = error, monotonic() + QUIET_SECONDS
            return replace(self._instead(error, query, search), sent_to=sent_to)

    def _instead(self, error: Exception, query: Query, search: _Search) -> Found:
        name = self._remote.name if self._remote else ""
        problem = Problem(f"{name}: {_cause(error)}, local index used", error)
        local = self._from_local(query, search)
        return replace(local, problems=(problem, *local.problems))

    def _from_local(self, query: Query, search: _Search) -> Found:
        try:
            return Found(search(self._local, query.text))
        except BackendError as error:
            return Found(problems=(Problem(f"learned documents: {_cause(error)}", error),))


class OtherProjects:
    """The confirmed causes of other projects, as a source of its own: only to be asked where they may be shared."""

    name = "confirmed causes of other projects"

    def __init__(self, library: ProjectLibrary):
        self._library = library

    def find(self, query: Query, limit: int = 5) -> Found:
        """Return the best past failures of other projects."""
        return self._library.find_elsewhere(query, limit)


def past_id(report_id: str) -> str:
    """Return the id of the document about a past failure."""
    return f"{PAST}{report_id}"


def shipped_id(name: str, content: str) -> str:
    """Return the id under which a service keeps the shipped document called `name`."""
    return f"{SHIPPED}{name}@{content}"


def shipped_name(kept_id: str) -> str:
    """Return the name of a shipped document; other ids as they are."""
    return kept_id.removeprefix(SHIPPED).partition("@")[0] if kept_id.startswith(SHIPPED) else kept_id


def _what_may_be_sent(query: Query, remote: RemoteShelves) -> tuple[str, str]:
    if remote.messages_only:
        return query.message, "the error message"
    return query.text, "the error message and error lines of the log"


def _cause(error: Exception) -> str:
    return next(iter(getattr(error, "__notes__", ())), str(error))


def _united(shipped: tuple[Passage, ...], learned: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """A shipped cause that a remote service found as well keeps that service's grade."""
    graded = {shipped_name(passage.document.id): passage for passage in learned}
    merged = [_with_grade_of(graded.pop(passage.document.id, passage), passage) for passage in shipped]
    return (*merged, *graded.values())


def _with_grade_of(remote: Passage, passage: Passage) -> Passage:
    return replace(passage, grade=remote.grade, graded_by=remote.graded_by)
