"""The history in one SQLite file, for the workers of one machine: WAL, mode 0600 in a directory of mode 0700.

One connection of a process writes, for one thread at a time; each reader has one of its own, which no writer holds up. Writers
wait for each other, and for those of other processes, for BUSY_SECONDS; after one waited in vain the next ones do not wait
for a while, so that a file which somebody keeps locked costs each analysis little. What is deleted is overwritten.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from robot_ddn_listener.contract import Analysis, FailureReport
from robot_ddn_listener.runtime import check_private

from ..errors import DdnError, SettingsError
from ..history import (
    FINAL,
    all_standing,
    answer_row,
    check_beginning,
    check_owner,
    chosen,
    chosen_runs,
    clean_outcomes,
    migrate,
    moment,
    only_one,
    packed,
    past,
    report_row,
    stamp,
    standing,
    task_run_row,
    told_time,
    unpacked,
)
from ..ports import (
    OUTCOME_DAYS,
    Earlier,
    Feedback,
    HistoryBrokenError,
    HistoryDownError,
    Past,
    PastOutcome,
    RunRecord,
    State,
    TaskRun,
    Wanted,
    WantedRuns,
)
from . import sqlite_task_runs

OPENING_SECONDS = 5.0  # that another process may take to bring the file to a new schema
BUSY_SECONDS = 0.5  # that a write may wait for others: an analysis has a second until its draft
TURN_SECONDS = 5.0  # that a write may wait for those of other threads
QUIET_SECONDS = 1.0  # that no write waits after one waited in vain
CHECKED_BYTES = 32 * 1024 * 1024  # a file up to this size is checked as a whole when it is opened: 0.1 s
AFTER_ALL_IDS = "\U0010ffff"

Migration = tuple[str, ...]
MIGRATIONS: tuple[Migration, ...] = (
    (
        """CREATE TABLE reports (
            id TEXT PRIMARY KEY, project TEXT NOT NULL, fingerprint TEXT NOT NULL, run_id TEXT NOT NULL, branch TEXT NOT NULL,
            seen TEXT NOT NULL, report BLOB NOT NULL, rank TEXT NOT NULL, written TEXT NOT NULL, state TEXT NOT NULL,
            reusable INTEGER NOT NULL, pipeline TEXT NOT NULL, model TEXT NOT NULL, parts TEXT NOT NULL, problem TEXT NOT NULL,
            analysis BLOB NOT NULL)""",
        "CREATE INDEX reports_of_a_failure ON reports (project, fingerprint, seen)",
        "CREATE INDEX reports_by_state ON reports (state, seen)",
        "CREATE INDEX reports_by_age ON reports (seen)",
        """CREATE TABLE runs (
            project TEXT NOT NULL, run_id TEXT NOT NULL, part TEXT NOT NULL, ended TEXT NOT NULL, record BLOB NOT NULL,
            PRIMARY KEY (project, run_id, part))""",
        "CREATE INDEX runs_by_age ON runs (project, ended)",
        """CREATE TABLE outcomes (
            project TEXT NOT NULL, test TEXT NOT NULL, ended TEXT NOT NULL, run_id TEXT NOT NULL, status TEXT NOT NULL,
            commit_id TEXT NOT NULL, branch TEXT NOT NULL,
            PRIMARY KEY (project, test, ended, run_id)) WITHOUT ROWID""",
        """CREATE TABLE passes (
            project TEXT NOT NULL, test TEXT NOT NULL, branch TEXT NOT NULL, ended TEXT NOT NULL, run_id TEXT NOT NULL,
            commit_id TEXT NOT NULL,
            PRIMARY KEY (project, test, branch)) WITHOUT ROWID""",
        """CREATE TABLE feedback (
            number INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, fingerprint TEXT NOT NULL, report_id TEXT NOT NULL,
            said TEXT NOT NULL, record BLOB NOT NULL)""",
        "CREATE INDEX feedback_on_a_failure ON feedback (project, fingerprint, said)",
    ),
    sqlite_task_runs.MIGRATION,
    (  # what is asked of a failure that came back thousands of times is read without its reports
        "DROP INDEX reports_of_a_failure",
        "CREATE INDEX reports_of_a_failure ON reports (project, fingerprint, seen, branch, run_id, id)",
        "CREATE INDEX reports_to_reuse ON reports (project, fingerprint, pipeline, model, written) WHERE reusable",
    ),
)
TABLES = ("reports", "runs", "outcomes", "passes", "feedback", "task_runs")

_KEEP = """INSERT INTO reports VALUES (:id, :project, :fingerprint, :run_id, :branch, :seen, :report, :rank, :written, :state,
    :reusable, :pipeline, :model, :parts, :problem, :analysis) ON CONFLICT DO NOTHING"""
_ANSWER = """UPDATE reports SET rank = :rank, written = :written, state = :state, reusable = :reusable, pipeline = :pipeline,
    model = :model, parts = :parts, problem = :problem, analysis = :analysis
    WHERE id = :id AND project = :project AND rank <= :rank"""
_REUSABLE = """SELECT * FROM reports WHERE project = ? AND fingerprint = ? AND reusable AND pipeline = ? AND model = ?
    AND written >= ? ORDER BY written DESC LIMIT 1"""
_EARLIER = """SELECT count(*) AS times, min(seen) AS first FROM reports
    WHERE project = :project AND fingerprint = :fingerprint AND seen <= :seen AND id != :id"""
_LAST = """SELECT seen, run_id FROM reports
    WHERE project = :project AND fingerprint = :fingerprint AND seen <= :seen AND id != :id AND branch = :branch
    ORDER BY seen DESC LIMIT 1"""
_LISTED = """SELECT * FROM reports WHERE (:project = '' OR project = :project) AND (:state = '' OR state = :state)
    AND (:part = '' OR instr(parts, ' ' || :part || ' ')) AND seen >= :since ORDER BY seen DESC, id"""
_ANSWERED = "SELECT id, written FROM reports WHERE written >= ? AND (rank >= ? OR state = ?) ORDER BY written, id"
_TAKE_IN = """INSERT INTO passes VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (project, test, branch) DO UPDATE
    SET ended = excluded.ended, run_id = excluded.run_id, commit_id = excluded.commit_id WHERE excluded.ended > ended"""
_LATEST = """SELECT *, 'PASS' AS status FROM passes WHERE project = :project AND test = :test
    AND (:branch IS NULL OR branch = :branch) ORDER BY ended DESC LIMIT 1"""


class SqliteHistory:
    """A History (see ports) at `path`, which is made where it does not exist. May be used by many threads."""

    def __init__(self, path: Path, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
        """Open the file and bring it to the newest schema; SettingsError where that cannot be done."""
        self._path = path
        self._lock = threading.Lock()
        self._locked_until = 0.0
        self._readers = ReadConnections(path)
        with _opening(path):
            _make_private(path)
            self._db = _connected(path, OPENING_SECONDS)
        try:
            with _opening(path):
                self._prepare(migrations)
        except BaseException:
            self._db.close()
            raise

    def keep(self, report: FailureReport, when: datetime) -> None:
        row = _flat(report_row(report, when))
        with self._writing(f"Keeping report '{report.id}'") as db:
            db.execute(_KEEP, row)

    def settle(self, report: FailureReport, analysis: Analysis, when: datetime, model: str = "", problem: str = "") -> None:
        answer = _flat({"id": report.id, "project": report.project, **answer_row(analysis, when, model, problem)})
        with self._writing(f"Keeping the analysis of report '{report.id}'") as db:
            if not db.execute(_ANSWER, answer).rowcount:
                db.execute(_KEEP, _flat(report_row(report, when)))
                if not db.execute(_ANSWER, answer).rowcount:
                    check_owner(report, db.execute("SELECT project FROM reports WHERE id = ?", (report.id,)).fetchone()["project"])

    def find(self, beginning: str, project: str = "") -> Past | None:
        check_beginning(beginning)
        query = "SELECT * FROM reports WHERE id >= ? AND id < ? AND ? IN ('', project) ORDER BY id LIMIT 2"
        rows = self._rows(f"Finding report '{beginning}'", query, (beginning, beginning + AFTER_ALL_IDS, project))
        return only_one(rows, beginning)

    def reusable(self, report: FailureReport, pipeline_version: str, model: str, since: datetime) -> Past | None:
        values = (report.project, report.fingerprint, pipeline_version, model, stamp(since))
        rows = self._rows(f"Looking for an analysis to reuse for report '{report.id}'", _REUSABLE, values)
        return past(rows[0]) if rows else None

    def earlier(self, report: FailureReport) -> Earlier:
        doing = f"Counting failures like report '{report.id}'"
        own = self._rows(doing, "SELECT seen FROM reports WHERE id = ?", (report.id,))
        values = {
            "project": report.project,
            "fingerprint": report.fingerprint,
            "id": report.id,
            "seen": own[0]["seen"] if own else AFTER_ALL_IDS,
            "branch": report.run.git.branch,
        }
        [count] = self._rows(doing, _EARLIER, values)
        if not count["times"]:
            return Earlier()
        last = [(moment(row["seen"]), row["run_id"]) for row in self._rows(doing, _LAST, values)]
        return Earlier(count["times"], moment(count["first"]), *(last[0] if last else ()))

    def listed(self, wanted: Wanted) -> tuple[Past, ...]:
        values = {
            "project": wanted.project,
            "state": wanted.state or "",
            "part": wanted.part.lower(),
            "since": stamp(wanted.since) if wanted.since else "",
        }
        with self._reading("Listing reports") as db:
            return chosen(db.execute(_LISTED, values), wanted)

    def failed(self) -> int:
        query = "SELECT count(*) AS number FROM reports WHERE state = ?"
        return int(self._rows("Counting failed analyses", query, (State.FAILED.value,))[0]["number"])

    def answered(self, since: datetime) -> tuple[tuple[str, datetime], ...]:
        rows = self._rows("Listing answers", _ANSWERED, (stamp(since), FINAL, State.FAILED.value))
        return tuple((row["id"], moment(row["written"])) for row in rows)

    def record_run(self, run: RunRecord) -> None:
        git, body = run.run.git, packed(run)
        ended = stamp(told_time(run.when, f"run '{run.run.id}'"))
        tests = [(outcome.test, outcome.status) for outcome in clean_outcomes(run)]
        with self._writing(f"Recording run '{run.run.id}'") as db:
            part = sha256(body).hexdigest()[:16]  # the processes of one pabot run tell of different tests under one id
            db.execute("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?)", (run.project, run.run.id, part, ended, body))
            db.executemany(
                "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((run.project, test, ended, run.run.id, status, git.commit, git.branch) for test, status in tests),
            )
            db.executemany(
                _TAKE_IN,
                ((run.project, test, git.branch, ended, run.run.id, git.commit) for test, status in tests if status == "PASS"),
            )

    def runs(self, project: str, since: datetime) -> tuple[RunRecord, ...]:
        query = "SELECT run_id, record FROM runs WHERE project = ? AND ended >= ? ORDER BY ended DESC, part"
        rows = self._rows("Reading runs", query, (project, stamp(since)))
        return tuple(unpacked(RunRecord, row["record"], row["run_id"]) for row in rows)

    def outcomes(self, project: str, test: str, since: datetime) -> tuple[PastOutcome, ...]:
        query = "SELECT * FROM outcomes WHERE project = ? AND test = ? AND ended >= ? ORDER BY ended DESC"
        return tuple(map(_outcome, self._rows(f"Reading outcomes of test '{test}'", query, (project, test, stamp(since)))))

    def last_pass(self, project: str, test: str, branch: str | None = None) -> PastOutcome | None:
        values = {"project": project, "test": test, "branch": branch}
        rows = self._rows(f"Looking for the last pass of test '{test}'", _LATEST, values)
        return _outcome(rows[0]) if rows else None

    def say(self, feedback: Feedback) -> None:
        said = stamp(told_time(feedback.when, f"feedback on report '{feedback.report_id}'"))
        values = (feedback.project, feedback.fingerprint, feedback.report_id, said, packed(feedback))
        with self._writing(f"Keeping feedback on report '{feedback.report_id}'") as db:
            db.execute("INSERT INTO feedback (project, fingerprint, report_id, said, record) VALUES (?, ?, ?, ?, ?)", values)

    def standing(self, project: str, fingerprint: str) -> Feedback | None:
        query = "SELECT * FROM feedback WHERE project = ? AND fingerprint = ? ORDER BY said, number"
        return standing(self._said(query, (project, fingerprint)))

    def confirmed(self, project: str) -> tuple[Feedback, ...]:
        query = "SELECT * FROM feedback WHERE ? IN ('', project) ORDER BY said, number"
        return all_standing(self._said(query, (project,)))

    def record_task_runs(self, runs: tuple[TaskRun, ...]) -> None:
        rows = list(map(task_run_row, runs))
        with self._writing("Recording task runs") as db:
            db.executemany(sqlite_task_runs.RECORD, rows)

    def task_runs(self, wanted: WantedRuns) -> tuple[TaskRun, ...]:
        return chosen_runs(self._rows("Reading task runs", *sqlite_task_runs.query(wanted)), wanted)

    def forget(self, report_id: str) -> int:
        with self._writing(f"Forgetting report '{report_id}'") as db:
            count = _deleted(db, "reports", "id = ?", report_id) + _deleted(db, "feedback", "report_id = ?", report_id)
            count += _deleted(db, "task_runs", "task_id = ?", report_id)
        self._truncate_log()
        return count

    def forget_project(self, project: str) -> int:
        with self._writing(f"Forgetting project '{project}'") as db:
            count = sum(_deleted(db, table, "project = ?", project) for table in TABLES)
        self._truncate_log()
        return count

    def prune(self, now: datetime, days: int) -> int:
        oldest = stamp(now - timedelta(days=days))
        oldest_outcome = stamp(now - timedelta(days=min(days, OUTCOME_DAYS)))
        with self._writing("Deleting what is too old") as db:
            count = _deleted(db, "reports", "seen < ?", oldest)
            count += _deleted(db, "outcomes", "ended < ?", oldest_outcome)
            count += _deleted(db, "task_runs", "latest < ?", oldest)
            return count + sum(_deleted(db, table, "ended < ?", oldest) for table in ("runs", "passes"))

    def close(self) -> None:
        self._readers.close()
        with self._lock:
            self._db.close()

    def _prepare(self, migrations: tuple[Migration, ...]) -> None:
        db = self._db
        _check(db, self._path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("BEGIN IMMEDIATE")  # so that one process migrates while the others wait
        with db:
            [(version,)] = db.execute("PRAGMA user_version").fetchall()
            migrate(str(self._path), version, migrations, self._run_migration)

    def _run_migration(self, number: int, statements: Migration) -> None:
        for statement in statements:
            self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version = {number}")

    def _rows(self, doing: str, query: str, values: Any) -> list[Mapping[str, Any]]:
        with self._reading(doing) as db:
            return db.execute(query, values).fetchall()

    def _said(self, query: str, values: tuple[str, ...]) -> Iterable[Feedback]:
        for row in self._rows("Reading feedback", query, values):
            yield unpacked(Feedback, row["record"], row["report_id"])

    @contextmanager
    def _reading(self, doing: str) -> Iterator[sqlite3.Connection]:
        with _mapped(doing), self._readers.one() as db:
            yield db

    @contextmanager
    def _writing(self, doing: str) -> Iterator[sqlite3.Connection]:
        with _mapped(doing), self._turn():
            self._begin()
            with self._db as db:
                yield db

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the writing connection. Who has it writes, in milliseconds; only the first one waits for other processes."""
        if not self._lock.acquire(timeout=TURN_SECONDS):
            raise sqlite3.OperationalError("database is locked")
        try:
            yield
        finally:
            self._lock.release()

    def _begin(self) -> None:
        seconds = BUSY_SECONDS if monotonic() >= self._locked_until else 0.0
        self._db.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self._locked_until = monotonic() + QUIET_SECONDS
            raise

    def _truncate_log(self) -> None:
        """What was deleted still stands in the write-ahead log, until it is emptied."""
        with _mapped("Emptying the write-ahead log"), self._turn():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


class ReadConnections:
    """As many connections as there are readers at a time; they are used again. May be used by many threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._is_closed = False

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """Give one, for a single reader."""
        if self._is_closed:
            raise sqlite3.ProgrammingError("Cannot operate on a closed database")
        try:
            db = self._free.get_nowait()
        except Empty:
            db = _connected(self._path, BUSY_SECONDS)
        try:
            yield db
        finally:
            self._free.put(db)
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Close those that nobody reads with; the others are closed when they are given back."""
        self._is_closed = True
        with suppress(Empty):
            while True:
                self._free.get_nowait().close()


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, which would make it readable for others; its side files get the file's mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        check_private(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


def _connected(path: Path, seconds: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=seconds, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    return db


def _check(db: sqlite3.Connection, path: Path) -> None:
    db.execute("SELECT count(*) FROM sqlite_master")
    if path.stat().st_size <= CHECKED_BYTES:
        [(found,)] = db.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise sqlite3.DatabaseError(found.splitlines()[0])


def _deleted(db: sqlite3.Connection, table: str, condition: str, value: str) -> int:
    return db.execute(f"DELETE FROM {table} WHERE {condition}", (value,)).rowcount  # noqa: S608 - both are ours


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "parts": " ".join(["", *row["parts"], ""])}


def _outcome(row: Mapping[str, Any]) -> PastOutcome:
    return PastOutcome(row["status"], row["run_id"], row["commit_id"], row["branch"], moment(row["ended"]))


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        cause = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"Opening history '{path}' failed: {cause}. The backend does not start. "
            "Move the file away to begin with an empty history, or set DDN_HOME to another directory."
        ) from error


@contextmanager
def _mapped(doing: str) -> Iterator[None]:
    try:
        yield
    except DdnError:
        raise
    except (sqlite3.OperationalError, sqlite3.InterfaceError) as error:  # locked, disk full, not readable
        raise HistoryDownError(f"{doing} in the history failed: {error}. It is tried again.", str(error)) from error
    except sqlite3.Error as error:  # damaged, or closed
        raise HistoryBrokenError(f"{doing} in the history failed: {error}. It is not tried again.", str(error)) from error
