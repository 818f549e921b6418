"""Learned documents on this machine: runbooks and the error library in one SQLite file, searched like the shipped ones.

Several processes share the file (workers, `ddn learn`). Each indexes what a project may see in memory, with FTS5, when it is
first searched and again when the file has changed; so learned and shipped documents get comparable scores.
"""

import json
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from robot_ddn_listener.contract import decode, encode
from robot_ddn_listener.errors import ContractError

from ..errors import PermanentError, TransientError
from ..ports import Document, Passage
from .fts import FtsKnowledgeBase

DOCUMENTS, FAILURES = "knowledge-docs", "error-library"
BUSY_SECONDS = 3.0  # how long to wait for another process that writes
INDEXES = 32  # kept in memory, one a project: the one used longest ago goes
_SCHEMA = """
CREATE TABLE IF NOT EXISTS learned (
    shelf TEXT NOT NULL, project TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (shelf, project, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (number INTEGER NOT NULL);
INSERT INTO changes SELECT 0 WHERE NOT EXISTS (SELECT * FROM changes);
PRAGMA user_version = 1;
"""
_VERSION = 1

_Rows = Callable[[], list[tuple[str]]]


class LearnedFile:
    """The shelves in `path`; `shipped` tells which words are common. One instance may be used by many threads."""

    def __init__(self, path: Path, shipped: FtsKnowledgeBase):
        self._path = path
        self._shipped = shipped
        self._lock = threading.Lock()
        self._indexes: OrderedDict[tuple[str, str], tuple[int, FtsKnowledgeBase]] = OrderedDict()
        self.documents = FileShelf(self, DOCUMENTS)
        self.failures = FileShelf(self, FAILURES)

    def search(self, query: str, project: str, limit: int = 5) -> tuple[Passage, ...]:
        """Return the best of the project's runbooks, of those for all projects, and of its past failures, best first."""
        sql = "SELECT document FROM learned WHERE project = ? OR (project = '' AND shelf = ?) ORDER BY project, id"
        return self._search(("own", project), sql, (project, DOCUMENTS), query, limit)

    def search_others(self, query: str, project: str, limit: int = 5) -> tuple[Passage, ...]:
        """Return the best of the past failures of all other projects."""
        sql = "SELECT document FROM learned WHERE project <> ? AND shelf = ? ORDER BY project, id"
        return self._search(("others", project), sql, (project, FAILURES), query, limit)

    def create(self) -> tuple[str, ...]:
        """The file is made when something is learned."""
        return ()

    def close(self) -> None:
        """Give the memory of the indexes back."""
        with self._lock:
            while self._indexes:
                self._indexes.popitem()[1][1].close()

    @contextmanager
    def opened(self, doing: str, writing: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield a connection; what SQLite refuses is a TransientError while another process writes, else a PermanentError."""
        try:
            connection = _connect(self._path, writing)
            try:
                with connection:
                    yield connection
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            busy = getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            kind = TransientError if busy else PermanentError
            raise kind(f"{doing} '{self._path}' failed: {error}. Nothing was changed.") from error

    def _search(self, key: tuple[str, str], sql: str, values: tuple[str, ...], query: str, limit: int) -> tuple[Passage, ...]:
        if not self._path.exists():
            return ()
        with self._lock, self.opened("Searching learned documents in") as connection:
            (change,) = connection.execute("SELECT number FROM changes").fetchone()
            index = self._index(key, change, lambda: connection.execute(sql, values).fetchall())
        return index.search(query, limit)

    def _index(self, key: tuple[str, str], change: int, rows: _Rows) -> FtsKnowledgeBase:
        kept = self._indexes.pop(key, None)
        if kept is None or kept[0] != change:  # a replaced index ends with its last search: another thread may be in it
            kept = change, FtsKnowledgeBase(_documents(rows()), self._shipped)
        self._indexes[key] = kept
        if len(self._indexes) > INDEXES:
            self._indexes.popitem(last=False)
        return kept[1]


@dataclass(frozen=True, slots=True)
class FileShelf:
    """One of the sets of documents in the file."""

    file: LearnedFile
    name: str

    def ids(self, project: str, prefix: str = "") -> frozenset[str]:
        """Return the ids of the documents that start with `prefix`."""
        with self.file.opened("Reading learned documents in", writing=True) as connection:
            found = connection.execute("SELECT id FROM learned WHERE shelf = ? AND project = ?", (self.name, project))
            return frozenset(name for (name,) in found if name.startswith(prefix))

    def put(self, project: str, documents: Sequence[Document]) -> None:
        """Add documents; one whose id is there is replaced."""
        rows = [(self.name, project, document.id, json.dumps(encode(document))) for document in documents]
        with self.file.opened("Adding to learned documents in", writing=True) as connection:
            connection.executemany("INSERT OR REPLACE INTO learned VALUES (?, ?, ?, ?)", rows)
            _changed(connection)

    def drop(self, project: str, ids: Collection[str]) -> None:
        """Remove documents; ids that are not there are ignored."""
        rows = [(self.name, project, name) for name in ids]
        with self.file.opened("Removing from learned documents in", writing=True) as connection:
            connection.executemany("DELETE FROM learned WHERE shelf = ? AND project = ? AND id = ?", rows)
            _changed(connection)


def _connect(path: Path, writing: bool) -> sqlite3.Connection:
    if writing and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # past failures are texts of somebody's logs
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        _prepare(connection, path)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise sqlite3.DatabaseError(f"it is of version {version}, this program knows {_VERSION}; expected a newer program")
    if version < _VERSION:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)


def _changed(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE changes SET number = number + 1")


def _documents(rows: Collection[tuple[str]]) -> Iterator[Document]:
    for (text,) in rows:
        try:
            yield decode(Document, json.loads(text))
        except (ContractError, ValueError):  # of a newer version that knows more: the others are still found
            continue
