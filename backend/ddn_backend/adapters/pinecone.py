"""Learned documents on Pinecone: two indexes with integrated embedding and reranking, one namespace a project.

    <prefix>-knowledge-docs   runbooks; those for all projects in the default namespace
    <prefix>-error-library    past failures with confirmed causes

The SDK tries again by itself, on the data plane without a way to say how often, and its timeout is one attempt's. So each
call runs in a thread of its own, and after our deadline nobody waits for it any more; what it still does there is harmless,
because searching changes nothing and writing again writes the same.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import BackendError, PermanentError, SettingsError, TransientError
from ..ports import Document, Passage
from .pinecone_records import ALL_PROJECTS, namespace, passage, record

if TYPE_CHECKING:
    from pinecone import Index, Pinecone

DOCUMENTS, FAILURES = "knowledge-docs", "error-library"

EMBEDDING_MODEL = "llama-text-embed-v2"
RERANK_MODEL = "bge-reranker-v2-m3"
CALL_SECONDS = 3.0  # of one search, however many namespaces; of one small write
CHECK_SECONDS = 10.0  # of a look for a person, for which the SDK has to be imported first
WRITE_SECONDS = 30.0  # of a batch that has to be embedded, or of listing ids
CREATE_SECONDS = 120.0  # until a new index is ready
BATCH = 96  # the most records with text that Pinecone takes at once
PAGE = 100  # the most ids it lists at once
QUERY_CHARACTERS = 1_500  # the reranker reads 1024 tokens of query and document together
CANDIDATES = 4  # times as many as wanted go to the reranker
OTHER_PROJECTS = 8  # namespaces at most

_TRUNCATED = {"truncate": "END"}
_TRANSIENT_STATUS = (408, 425, 429)

T = TypeVar("T")
_Answer = tuple[Any, BaseException | None]


class PineconeShelves:
    """The shelves of an account; nothing is connected before they are used. One instance may be used by many threads."""

    def __init__(
        self,
        api_key: str,
        prefix: str = "ddn",
        *,
        host: str = "",
        cloud: str = "aws",
        region: str = "us-east-1",
        seconds: float = CALL_SECONDS,
    ):
        self._key, self._host = api_key, host
        self._cloud, self._region = cloud, region
        self._seconds = seconds
        self._lock = threading.Lock()
        self._client: Pinecone | None = None
        self._indexes: dict[str, Index] = {}
        self._opened_ever: list[Index] = []  # an index may be in use while another address takes its place
        self._is_closed = False
        self.documents = PineconeShelf(self, f"{prefix}-{DOCUMENTS}")
        self.failures = PineconeShelf(self, f"{prefix}-{FAILURES}")

    name = "pinecone"

    def search(self, query: str, project: str, limit: int = 5) -> tuple[Passage, ...]:
        """Return the best of the project's runbooks, of those for all projects, and of its past failures, by the reranker."""
        places = [(self.documents.name, ALL_PROJECTS)]
        if project:
            places += [(self.documents.name, namespace(project)), (self.failures.name, namespace(project))]
        return self._best(places, query, limit)

    def search_others(self, query: str, project: str, limit: int = 5) -> tuple[Passage, ...]:
        """Return the best of the past failures of other projects."""
        library = self.failures.name
        page = self.call("Listing namespaces of", library, lambda index: index.list_namespaces_paginated(limit=PAGE))
        names = [entry.name for entry in page.namespaces if entry.name not in (namespace(project), ALL_PROJECTS)]
        return self._best([(library, name) for name in sorted(names)[:OTHER_PROJECTS]], query, limit)

    def create(self) -> tuple[str, ...]:
        """Make the indexes that are missing, wait until they are ready, and return their names."""
        return tuple(name for name in (self.documents.name, self.failures.name) if self._created(name))

    def check(self) -> str:
        """Return how many documents each index has; an error of ours where one is missing or takes no text."""
        names = (self.documents.name, self.failures.name)
        counts = self._together("Looking up", [(name, self._count(name)) for name in names], max(self._seconds, CHECK_SECONDS))
        return ", ".join(f"{name}: {count} documents" for name, count in zip(names, counts, strict=True))

    def close(self) -> None:
        """Close all connections; those of calls that nobody waits for end with them."""
        with self._lock:
            clients: list[Index | Pinecone] = [*self._opened_ever, *([self._client] if self._client else [])]
            self._is_closed = True
        for client in clients:
            client.close()

    def call(self, doing: str, index: str, ask: "Callable[[Index], T]", seconds: float | None = None) -> T:
        """Return what `ask` gets from the index; every error is one of ours."""
        return self._together(doing, [(index, ask)], seconds or self._seconds)[0]

    def _best(self, places: Sequence[tuple[str, str]], query: str, limit: int) -> tuple[Passage, ...]:
        asked = [(index, _search(name, query[:QUERY_CHARACTERS], limit, self._seconds)) for index, name in places]
        hits = [hit for hits in self._together("Searching", asked, self._seconds) for hit in hits]
        return tuple(sorted(hits, key=lambda hit: -hit.score)[:limit])

    def _together(self, doing: str, asked: "Sequence[tuple[str, Callable[[Index], T]]]", seconds: float) -> list[T]:
        """Ask all indexes at the same time, under one deadline; the first error ends it."""
        answers = _answers([_bound(self._asked, index, ask) for index, ask in asked], seconds)
        for (index, _), (_, error) in zip(asked, answers, strict=True):
            if error is not None:
                raise self._ours(doing, index, error, seconds) from error
        return [result for result, _ in answers]

    def _asked(self, name: str, ask: "Callable[[Index], T]") -> T:
        from pinecone import NotFoundError, PineconeConnectionError

        index = self._opened(name)
        try:
            return ask(index)
        except (NotFoundError, PineconeConnectionError):
            with self._lock:
                self._indexes.pop(name, None)
            again = self._opened(name)  # says that the index is gone; made again, it has another address
            if again.host == index.host:
                raise
            return ask(again)

    def _count(self, name: str) -> "Callable[[Index], int]":
        def counted(index: "Index") -> int:
            if not self._connected().indexes.describe(name).embed:
                raise PermanentError(f"index '{name}' has no embedding of its own. Delete it; `ddn learn --create` makes it anew.")
            return int(index.describe_index_stats().total_vector_count or 0)

        return counted

    def _opened(self, name: str) -> "Index":
        with self._lock:
            index = self._indexes.get(name)
        return index or self._kept(name, self._connected().indexes.describe(name).host or "")

    def _kept(self, name: str, host: str) -> "Index":
        opened = self._connected().index(host=host)
        with self._lock:
            if self._is_closed or name in self._indexes:  # somebody was faster
                opened.close()
                return self._indexes.get(name, opened)
            self._opened_ever.append(opened)
            self._indexes[name] = opened
            return opened

    def _connected(self) -> "Pinecone":
        from pinecone import Pinecone, RetryConfig

        with self._lock:
            if self._client is None:
                retries = RetryConfig(max_retries=0)
                self._client = Pinecone(self._key, host=self._host or None, timeout=WRITE_SECONDS, retry_config=retries)
            return self._client

    def _created(self, name: str) -> bool:
        ((made, error),) = _answers([_bound(self._create, name)], CREATE_SECONDS)
        if error is not None:
            raise self._ours("Creating", name, error, CREATE_SECONDS) from error
        return bool(made)

    def _create(self, name: str) -> bool:
        from pinecone import ConflictError

        indexes = self._connected().indexes
        if indexes.exists(name):
            return False
        embed = {
            "model": EMBEDDING_MODEL,
            "field_map": {"text": "text"},
            "metric": "cosine",
            "read_parameters": {"input_type": "query", **_TRUNCATED},
            "write_parameters": {"input_type": "passage", **_TRUNCATED},
        }
        try:
            indexes.create_for_model(name=name, embed=embed, cloud=self._cloud, region=self._region, timeout=int(CREATE_SECONDS))
        except ConflictError:  # somebody else just made it
            return False
        return True

    def _ours(self, doing: str, index: str, error: BaseException, seconds: float) -> BaseException:
        from pinecone import (
            ApiError,
            ForbiddenError,
            NotFoundError,
            PineconeConnectionError,
            PineconeError,
            UnauthorizedError,
        )

        if isinstance(error, TimeoutError):  # the SDK's own is one, too
            return _failed(doing, index, f"timed out after {seconds:g} s", TransientError)
        if not isinstance(error, PineconeError):
            return error
        cause = " ".join(error.message.replace(self._key, "***").split())
        if isinstance(error, NotFoundError):
            return PermanentError(f"index '{index}' not found")
        if isinstance(error, (UnauthorizedError, ForbiddenError)):
            return _failed(doing, index, f"PINECONE_API_KEY was refused: {cause}", SettingsError)
        if isinstance(error, PineconeConnectionError):
            return _failed(doing, index, f"no connection: {cause}", TransientError)
        if isinstance(error, ApiError):
            transient = error.status_code >= 500 or error.status_code in _TRANSIENT_STATUS
            return _failed(doing, index, f"{error.status_code} {cause}", TransientError if transient else PermanentError)
        return _failed(doing, index, cause, PermanentError)


class PineconeShelf:
    """One of the two indexes."""

    def __init__(self, shelves: PineconeShelves, name: str):
        self._shelves = shelves
        self.name = name

    def ids(self, project: str, prefix: str = "") -> frozenset[str]:
        """Return the ids of the documents that start with `prefix`."""

        def listed(index: "Index") -> frozenset[str]:
            pages = index.list(prefix=prefix or None, namespace=namespace(project), limit=PAGE)
            return frozenset(item.id for page in pages for item in page.vectors if item.id)

        return self._shelves.call("Listing documents of", self.name, _or_empty(listed, frozenset()), WRITE_SECONDS)

    def put(self, project: str, documents: Sequence[Document]) -> None:
        """Add documents; one whose id is there is replaced. They are found some seconds later."""
        seconds = WRITE_SECONDS if len(documents) > 1 else None
        for start in range(0, len(documents), BATCH):

            def added(index: "Index", some: Sequence[Document] = documents[start : start + BATCH]) -> None:
                index.upsert_records(records=[record(document) for document in some], namespace=namespace(project))

            self._shelves.call("Adding documents to", self.name, added, seconds)

    def drop(self, project: str, ids: Collection[str]) -> None:
        """Remove documents; ids that are not there are ignored."""
        ordered = sorted(ids)
        for start in range(0, len(ordered), PAGE):

            def dropped(index: "Index", some: Sequence[str] = ordered[start : start + PAGE]) -> None:
                index.delete(ids=some, namespace=namespace(project))

            self._shelves.call("Removing documents from", self.name, _or_empty(dropped, None))


def _search(name: str, query: str, limit: int, seconds: float) -> "Callable[[Index], tuple[Passage, ...]]":
    rerank = {"model": RERANK_MODEL, "rank_fields": ["text"], "top_n": limit, "parameters": _TRUNCATED}

    def hits(index: "Index") -> tuple[Passage, ...]:
        found = index.search(
            namespace=name,
            inputs={"text": query},
            top_k=CANDIDATES * limit,
            fields=["text", "document"],
            rerank=rerank,
            timeout=seconds,  # of one attempt, so that what nobody waits for ends soon
        )
        read = [passage(hit.fields, hit.score, name) for hit in found.result.hits]
        return tuple(hit for hit in read if hit)

    return _or_empty(hits, ())


def _or_empty(ask: "Callable[[Index], T]", empty: T) -> "Callable[[Index], T]":
    """A namespace that nothing was put into yet is not found."""

    def asked(index: "Index") -> T:
        from pinecone import NotFoundError

        try:
            return ask(index)
        except NotFoundError:
            index.describe_index_stats()  # raises when it is the index that is gone
            return empty

    return asked


def _bound(function: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    return lambda: function(*arguments)


def _answers(calls: Sequence[Callable[[], Any]], seconds: float) -> list[_Answer]:
    """Make all calls at the same time and return result or error of each; of those that take longer, a TimeoutError."""
    done: SimpleQueue[tuple[int, _Answer]] = SimpleQueue()

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            done.put((place, (call(), None)))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            done.put((place, (None, error)))

    for place, call in enumerate(calls):
        threading.Thread(target=run, args=(place, call), name="pinecone", daemon=True).start()
    answers, end = dict[int, _Answer](), monotonic() + seconds
    with suppress(Empty):
        while len(answers) < len(calls):
            place, answer = done.get(timeout=max(0.0, end - monotonic()))
            answers[place] = answer
    return [answers.get(place, (None, TimeoutError())) for place in range(len(calls))]


def _failed(doing: str, index: str, cause: str, kind: type[BackendError | SettingsError]) -> BackendError | SettingsError:
    then = "It is tried again." if kind is TransientError else "Until that is mended the local index is used."
    return _noted(kind(f"{doing} index '{index}' failed: {cause.rstrip('.')}. {then}"), cause)


def _noted(error: BackendError | SettingsError, cause: str) -> BackendError | SettingsError:
    error.add_note(cause)  # for the reader's card, where the message is too long
    return error
