"""The history in MongoDB, through pymongo, for workers on any number of machines.

Nothing is connected before the first call, and a call that fails leaves everything as it was for the next: a database that
is down when the worker starts, or goes away later, costs each call a second and no more. Every change is one atomic
operation that may be done twice; there are no transactions, which a single server does not have.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from robot_ddn_listener.contract import Analysis, FailureReport

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
from . import mongo_task_runs

if TYPE_CHECKING:
    from pymongo import MongoClient, UpdateOne
    from pymongo.collection import Collection
    from pymongo.database import Database

    Document = dict[str, Any]

DATABASE = "ddn"  # where the URL names none
AFTER_ALL_IDS = "\U0010ffff"
MAX_CAUSE_CHARACTERS = 200  # pymongo tells the state of every server it knows
SECONDS = {"serverSelectionTimeoutMS": 1.0, "connectTimeoutMS": 1.0, "socketTimeoutMS": 5.0}  # unless the URL says otherwise

_NOT_ALLOWED = {13, 18, 8000}  # server codes: Unauthorized, AuthenticationFailed, and Atlas' own of the latter

_SEEN = {"seen": 1, "run_id": 1}  # not the report itself, which is large
_NEWEST_FIRST = [("seen", -1), ("_id", 1)]
_IN_ORDER = [("said", 1), ("_id", 1)]
COLLECTIONS = ("ddn_reports", "ddn_runs", "ddn_outcomes", "ddn_passes", "ddn_feedback", "ddn_task_runs")
_SCHEMA = "ddn_schema"
_VERSION = {"_id": "history"}

Migration = Callable[["Database[Document]"], object]


def _create_indexes(db: "Database[Document]") -> None:
    db.ddn_reports.create_index([("project", 1), ("fingerprint", 1), ("seen", 1)])
    db.ddn_reports.create_index([("state", 1), ("seen", -1)])
    db.ddn_reports.create_index([("seen", -1)])
    db.ddn_runs.create_index([("project", 1), ("ended", -1)])
    db.ddn_outcomes.create_index([("project", 1), ("test", 1), ("ended", -1)])
    db.ddn_outcomes.create_index([("ended", 1)])
    db.ddn_passes.create_index([("project", 1), ("test", 1)])
    db.ddn_feedback.create_index([("project", 1), ("fingerprint", 1), ("said", 1)])
    db.ddn_feedback.create_index([("report_id", 1)])


# Each may run twice, or on two machines at a time.
def _index_answers(db: "Database[Document]") -> None:
    """The answer to a failure that came back thousands of times is found at once."""
    db.ddn_reports.create_index([("project", 1), ("fingerprint", 1), ("reusable", 1), ("written", -1)])


MIGRATIONS: tuple[Migration, ...] = (_create_indexes, mongo_task_runs.create_indexes, _index_answers)


class MongoHistory:
    """A History (see ports) in the database that `url` names. May be used by many threads."""

    def __init__(self, url: str, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
        """Take a mongodb:// or mongodb+srv:// URL; SettingsError for any other."""
        self.where = _shown(url)
        _check(url, self.where)
        self._url = url
        self._migrations = migrations
        self._lock = threading.Lock()
        self._client: MongoClient[Document] | None = None
        self._ready: Database[Document] | None = None

    def keep(self, report: FailureReport, when: datetime) -> None:
        with self._using(f"Keeping report '{report.id}'") as db:
            _keep(db, report, when)

    def settle(self, report: FailureReport, analysis: Analysis, when: datetime, model: str = "", problem: str = "") -> None:
        answer = answer_row(analysis, when, model, problem)
        is_better = {"_id": report.id, "project": report.project, "rank": {"$lte": answer["rank"]}}
        with self._using(f"Keeping the analysis of report '{report.id}'") as db:
            if not db.ddn_reports.update_one(is_better, {"$set": answer}).matched_count:
                _keep(db, report, when)
                if not db.ddn_reports.update_one(is_better, {"$set": answer}).matched_count:
                    kept = db.ddn_reports.find_one({"_id": report.id}, {"project": 1}) or {}  # forgotten in the meantime
                    check_owner(report, kept.get("project", report.project))

    def find(self, beginning: str, project: str = "") -> Past | None:
        check_beginning(beginning)
        wanted = {"_id": {"$gte": beginning, "$lt": beginning + AFTER_ALL_IDS}, **({"project": project} if project else {})}
        with self._using(f"Finding report '{beginning}'") as db:
            found = db.ddn_reports.find(wanted).sort("_id", 1).limit(2)
            return only_one([_row(document) for document in found], beginning)

    def reusable(self, report: FailureReport, pipeline_version: str, model: str, since: datetime) -> Past | None:
        fitting = {"reusable": 1, "pipeline": pipeline_version, "model": model, "written": {"$gte": stamp(since)}}
        with self._using(f"Looking for an analysis to reuse for report '{report.id}'") as db:
            found = _one(db.ddn_reports, {**_failure(report), **fitting}, [("written", -1)])
            return past(_row(found)) if found else None

    def earlier(self, report: FailureReport) -> Earlier:
        with self._using(f"Counting failures like report '{report.id}'") as db:
            own = db.ddn_reports.find_one({**_failure(report), "_id": report.id}, {"seen": 1})
            until = {**_failure(report), "seen": {"$lte": own["seen"] if own else AFTER_ALL_IDS}}
            before = {**until, "_id": {"$ne": report.id}}
            first = _one(db.ddn_reports, before, [("seen", 1)], _SEEN)
            if not first:
                return Earlier()
            times = db.ddn_reports.count_documents(until) - bool(own)  # counted in the index; with the id it would read them all
            last = _one(db.ddn_reports, {**before, "branch": report.run.git.branch}, [("seen", -1)], _SEEN)
        return Earlier(times, moment(first["seen"]), *((moment(last["seen"]), last["run_id"]) if last else ()))

    def listed(self, wanted: Wanted) -> tuple[Past, ...]:
        conditions = {
            "project": wanted.project,
            "state": wanted.state and wanted.state.value,
            "parts": wanted.part.lower(),
            "seen": wanted.since and {"$gte": stamp(wanted.since)},
        }
        with self._using("Listing reports") as db:
            found = db.ddn_reports.find(_given(conditions)).sort(_NEWEST_FIRST)
            return chosen(map(_row, found), wanted)

    def failed(self) -> int:
        with self._using("Counting failed analyses") as db:
            return int(db.ddn_reports.count_documents({"state": State.FAILED.value}))

    def answered(self, since: datetime) -> tuple[tuple[str, datetime], ...]:
        is_over = {"$or": [{"rank": {"$gte": FINAL}}, {"state": State.FAILED.value}]}
        with self._using("Listing answers") as db:
            found = db.ddn_reports.find({"written": {"$gte": stamp(since)}, **is_over}, {"written": 1})
            return tuple((document["_id"], moment(document["written"])) for document in found.sort([("written", 1), ("_id", 1)]))

    def record_run(self, run: RunRecord) -> None:
        body = packed(run)
        ended = stamp(told_time(run.when, f"run '{run.run.id}'"))
        where = {"project": run.project, "run_id": run.run.id, "ended": ended}
        tests = [(outcome.test, outcome.status) for outcome in clean_outcomes(run)]
        with self._using(f"Recording run '{run.run.id}'") as db:
            _write(db.ddn_outcomes, (_outcome_update(run, ended, test, status) for test, status in tests))
            _write(db.ddn_passes, (_pass_update(run, ended, test) for test, status in tests if status == "PASS"))
            # The processes of one pabot run tell of different tests under one id.
            _write(db.ddn_runs, [_update(_id(run.project, run.run.id, body), {"$set": {**where, "record": body}})])

    def runs(self, project: str, since: datetime) -> tuple[RunRecord, ...]:
        with self._using("Reading runs") as db:
            found = db.ddn_runs.find({"project": project, "ended": {"$gte": stamp(since)}}).sort([("ended", -1), ("_id", 1)])
            return tuple(unpacked(RunRecord, document["record"], document["run_id"]) for document in found)

    def outcomes(self, project: str, test: str, since: datetime) -> tuple[PastOutcome, ...]:
        with self._using(f"Reading outcomes of test '{test}'") as db:
            conditions = {"project": project, "test": test, "ended": {"$gte": stamp(since)}}
            found = db.ddn_outcomes.find(conditions).sort("ended", -1)
            return tuple(
                PastOutcome(each["status"], each["run_id"], each["commit"], each["branch"], moment(each["ended"])) for each in found
            )

    def last_pass(self, project: str, test: str, branch: str | None = None) -> PastOutcome | None:
        conditions = {"project": project, "test": test, **({} if branch is None else {"branch": branch})}
        with self._using(f"Looking for the last pass of test '{test}'") as db:
            found = _one(db.ddn_passes, conditions, [("latest", -1)])
        if not found:
            return None
        ended, commit, run_id = found["latest"].split(" ", 2)
        return PastOutcome("PASS", run_id, commit, found["branch"], moment(ended))

    def say(self, feedback: Feedback) -> None:
        document = {
            "project": feedback.project,
            "fingerprint": feedback.fingerprint,
            "report_id": feedback.report_id,
            "said": stamp(told_time(feedback.when, f"feedback on report '{feedback.report_id}'")),
            "record": packed(feedback),
        }
        with self._using(f"Keeping feedback on report '{feedback.report_id}'") as db:
            db.ddn_feedback.insert_one(document)

    def standing(self, project: str, fingerprint: str) -> Feedback | None:
        with self._using("Reading feedback") as db:
            return standing(_said(db.ddn_feedback.find({"project": project, "fingerprint": fingerprint}).sort(_IN_ORDER)))

    def confirmed(self, project: str) -> tuple[Feedback, ...]:
        with self._using("Reading feedback") as db:
            return all_standing(_said(db.ddn_feedback.find({"project": project} if project else {}).sort(_IN_ORDER)))

    def record_task_runs(self, runs: tuple[TaskRun, ...]) -> None:
        rows = list(map(task_run_row, runs))
        with self._using("Recording task runs") as db:
            _write(db.ddn_task_runs, (_update(row.pop("key"), {"$set": row}) for row in rows))

    def task_runs(self, wanted: WantedRuns) -> tuple[TaskRun, ...]:
        with self._using("Reading task runs") as db:
            return chosen_runs(mongo_task_runs.found(db, wanted), wanted)

    def forget(self, report_id: str) -> int:
        with self._using(f"Forgetting report '{report_id}'") as db:
            count = db.ddn_reports.delete_many({"_id": report_id}).deleted_count
            count += db.ddn_task_runs.delete_many({"task_id": report_id}).deleted_count
            return count + db.ddn_feedback.delete_many({"report_id": report_id}).deleted_count

    def forget_project(self, project: str) -> int:
        with self._using(f"Forgetting project '{project}'") as db:
            return sum(db[name].delete_many({"project": project}).deleted_count for name in COLLECTIONS)

    def prune(self, now: datetime, days: int) -> int:
        oldest = stamp(now - timedelta(days=days))
        oldest_outcome = stamp(now - timedelta(days=min(days, OUTCOME_DAYS)))
        with self._using("Deleting what is too old") as db:
            count = db.ddn_reports.delete_many({"seen": {"$lt": oldest}}).deleted_count
            count += db.ddn_outcomes.delete_many({"ended": {"$lt": oldest_outcome}}).deleted_count
            count += db.ddn_task_runs.delete_many({"latest": {"$lt": oldest}}).deleted_count
            return count + sum(
                db[name].delete_many({"ended": {"$lt": oldest}}).deleted_count for name in ("ddn_runs", "ddn_passes")
            )

    def close(self) -> None:
        with self._lock:
            client, self._client, self._ready = self._client, None, None
        if client is not None:
            client.close()

    @contextmanager
    def _using(self, doing: str) -> "Iterator[Database[Document]]":
        with _mapped(f"{doing} in MongoDB '{self.where}'"):
            yield self._database()

    def _database(self) -> "Database[Document]":
        if self._ready is None:
            db = self._connected().get_default_database(DATABASE)
            _bring_up_to_date(db, self.where, self._migrations)  # not under the lock: threads must not queue up for a dead server
            self._ready = db
        return self._ready

    def _connected(self) -> "MongoClient[Document]":
        from pymongo import MongoClient

        with self._lock:
            if self._client is None:
                self._client = MongoClient(self._url, **_timeouts(self._url))
            return self._client


def _keep(db: "Database[Document]", report: FailureReport, when: datetime) -> None:
    from pymongo.errors import DuplicateKeyError

    row = report_row(report, when)
    with suppress(DuplicateKeyError):  # it is there, with the time when it was first seen
        db.ddn_reports.insert_one({"_id": row.pop("id"), **row})


def _given(conditions: "Document") -> "Document":
    return {name: value for name, value in conditions.items() if value}


def _row(document: "Document") -> dict[str, Any]:
    return {**document, "id": document["_id"]}


def _failure(report: FailureReport) -> "Document":
    return {"project": report.project, "fingerprint": report.fingerprint}


def _one(
    collection: "Collection[Document]", conditions: "Document", order: list[tuple[str, int]], fields: "Document | None" = None
) -> "Document | None":
    return next(iter(collection.find(conditions, fields).sort(order).limit(1)), None)


def _said(found: "Iterable[Document]") -> Iterator[Feedback]:
    return (unpacked(Feedback, document["record"], document["report_id"]) for document in found)


def _id(*parts: str | bytes) -> str:
    """Return one id for all parts; they may hold any character."""
    texts = [part if isinstance(part, bytes) else part.encode("utf-8", "replace") for part in parts]
    return sha256(b"".join(len(text).to_bytes(8) + text for text in texts)).hexdigest()[:32]


def _outcome_update(run: RunRecord, ended: str, test: str, status: str) -> "UpdateOne":
    git = run.run.git
    document = {
        "project": run.project,
        "test": test,
        "ended": ended,
        "run_id": run.run.id,
        "status": status,
        "commit": git.commit,
        "branch": git.branch,
    }
    return _update(_id(run.project, test, ended, run.run.id), {"$set": document})


def _pass_update(run: RunRecord, ended: str, test: str) -> "UpdateOne":
    """The latest pass is the greatest text of time, commit and run: one atomic step, whatever the order runs arrive in."""
    git = run.run.git
    about = {"project": run.project, "test": test, "branch": git.branch}
    latest = f"{ended} {git.commit} {run.run.id}"
    return _update(_id(run.project, test, git.branch), {"$max": {"latest": latest, "ended": ended}, "$setOnInsert": about})


def _update(identity: str, change: Mapping[str, Any]) -> "UpdateOne":
    from pymongo import UpdateOne

    return UpdateOne({"_id": identity}, change, upsert=True)


def _write(collection: "Collection[Document]", updates: "Iterable[UpdateOne]") -> None:
    if wanted := list(updates):
        collection.bulk_write(wanted, ordered=False)


def _bring_up_to_date(db: "Database[Document]", where: str, migrations: tuple[Migration, ...]) -> None:
    from pymongo.errors import DuplicateKeyError

    schema = db[_SCHEMA]
    found = schema.find_one(_VERSION)
    if not found:
        with suppress(DuplicateKeyError):  # another worker was faster
            schema.insert_one({**_VERSION, "version": 0})

    def run(number: int, migration: Migration) -> None:
        migration(db)
        schema.update_one(_VERSION, {"$max": {"version": number}})

    migrate(where, found["version"] if found else 0, migrations, run)


def _timeouts(url: str) -> dict[str, Any]:
    return {name: round(seconds * 1000) for name, seconds in SECONDS.items() if name.lower() not in url.lower()}


def _check(url: str, where: str) -> None:
    """Refuse at the start what can be seen without asking a name server. pymongo's own messages may quote the password."""
    from pymongo.errors import PyMongoError
    from pymongo.uri_parser import parse_uri

    try:
        if url.startswith("mongodb+srv://"):
            return
        parse_uri(url)
    except (PyMongoError, ValueError):
        raise SettingsError(
            f"Reading setting 'DDN_MONGO_URL' failed: expected a URL such as mongodb://user:password@host:27017/ddn, "
            f"got one of '{where}' that cannot be used (characters such as : / @ in a password must be percent-encoded). "
            "The backend does not start."
        ) from None


def _shown(url: str) -> str:
    """Return the hosts of `url`, and nothing of what may be a secret."""
    return url.partition("://")[2].partition("?")[0].rpartition("@")[2].partition("/")[0] or "no host"


@contextmanager
def _mapped(doing: str) -> Iterator[None]:
    from bson.errors import BSONError
    from pymongo import errors

    try:
        yield
    except SettingsError as error:
        raise HistoryBrokenError(str(error), "its schema is newer") from error
    except DdnError:
        raise
    except errors.InvalidURI:  # its message may quote the password
        raise HistoryBrokenError(f"{doing} failed: the URL cannot be used. Check DDN_MONGO_URL.", "wrong URL") from None
    except errors.OperationFailure as error:
        if error.code in _NOT_ALLOWED:
            raise _broken(doing, error, "Check the user and password of DDN_MONGO_URL.") from error
        raise _down(doing, error) from error
    except errors.ConfigurationError as error:
        raise _broken(doing, error, "Check DDN_MONGO_URL.") from error
    except (errors.InvalidOperation, BSONError) as error:
        raise _broken(doing, error, "It is not tried again.") from error
    except errors.PyMongoError as error:  # refused, timed out, no primary, ...
        raise _down(doing, error) from error


def _broken(doing: str, error: Exception, remedy: str) -> HistoryBrokenError:
    return HistoryBrokenError(f"{doing} failed: {_cause(error)}. {remedy}", _cause(error))


def _down(doing: str, error: Exception) -> HistoryDownError:
    return HistoryDownError(f"{doing} failed: {_cause(error)}. It is tried again.", _cause(error))


def _cause(error: Exception) -> str:
    text = str(error).partition(", Timeout:")[0]  # then comes the state of every server
    return " ".join(text.split())[:MAX_CAUSE_CHARACTERS].rstrip(".") or type(error).__name__
