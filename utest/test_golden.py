"""Files that version 1 wrote: reports and runs in the queue, in the spool, verdicts on Redis, the history. What comes later reads
them, and writes what those who wrote them can read. They are never made anew; what is added gets a file of its own."""

import base64
import json
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from celery import Celery
from pymongo import MongoClient

from ddn_backend.adapters.mongo import MongoHistory
from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.app import create_app
from ddn_backend.errors import PermanentError
from ddn_backend.ports import FeedbackKind, History, State
from ddn_backend.ports.operations import TaskState, WantedRuns
from ddn_backend.settings import Settings
from ddn_backend.tasks import summary
from ddn_backend.verdicts import Verdicts
from robot_ddn_listener import kept_runs, run_message, runs, spool
from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import (
    QUEUE,
    RUN_TASK_NAME,
    TASK_NAME,
    Analysis,
    ErrorType,
    FailureReport,
    Novelty,
    Outcome,
    Phase,
    Run,
    RunRecord,
    Stage,
    Verdict,
    decode,
    encode,
    verdict_key,
)
from utest.conftest import RedisServer

GOLDEN = Path(__file__).parent / "golden"
REPORT_ID = "6ff4f3a0-2b2f-5a60-9a39-4d4b6a1d9f10"
LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
DRAWN = {"ddn_sent", "reply_to", "delivery_tag", "correlation_id", "origin", "body", "argsrepr", "stamps", "id", "root_id"}


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def spooled() -> FailureReport:
    return spool.read(GOLDEN / spool.SPOOL / f"{REPORT_ID}.json")


def still_says(new: Any, old: Any, place: str = "") -> None:
    """Fail where `new` lacks what `old` says; what it says besides is left alone."""
    if isinstance(old, dict):
        assert isinstance(new, dict), place
        for name, value in old.items():
            assert name in new, f"{place}.{name} is gone"
            still_says(new[name], value, f"{place}.{name}")
    elif isinstance(old, list):
        assert isinstance(new, list), place
        assert len(new) == len(old), place
        for number, (one, other) in enumerate(zip(new, old, strict=True)):
            still_says(one, other, f"{place}[{number}]")
    else:
        assert new == old, place


def test_a_spooled_report_is_read_in_full_and_written_as_it_was() -> None:
    report = spooled()
    assert (report.id, report.phase, report.error_type) == (REPORT_ID, Phase.SETUP, ErrorType.CODE_ERROR)
    assert report.exception
    assert (report.exception.causes[0].type, report.exception.frames[0].own) == ("KeyError", True)
    assert (report.run.ci.provider, report.run.git.dirty) == ("GitHub Actions", True)
    assert (report.truncated[0].from_, report.redactions) == (200_000, {"password": 2})
    still_says(encode(report), golden(f"{spool.SPOOL}/{REPORT_ID}.json"))


def test_a_spooled_report_is_replayed(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / spool.SPOOL, tmp_path / spool.SPOOL)
    taken: list[FailureReport] = []
    assert spool.replay(tmp_path, taken.append).sent == [REPORT_ID]
    assert taken == [spooled()]


def test_a_verdict_on_redis_is_read_by_listeners_and_workers(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.set(f"ddn:shop:verdict:{REPORT_ID}", (GOLDEN / "analysis.json").read_bytes())
        broker = Broker(redis_server.url)
        found = broker.verdicts("shop", [REPORT_ID])[REPORT_ID]
        broker.close()
        analysis = decode(Analysis, golden("analysis.json"))
        assert found == analysis
        assert (found.stage, found.verdict, found.novelty) == (Stage.FINAL, Verdict.DIAGNOSED, Novelty.REGRESSED)
        Verdicts(client).replace(analysis)
        still_says(json.loads(client.get(verdict_key("shop", REPORT_ID))), golden("analysis.json"))


def test_a_queued_report_is_one_that_is_sent_today(redis_server: RedisServer) -> None:
    old = golden("queued_report.json")
    assert old["headers"]["task"] == TASK_NAME
    [[message], _, _] = json.loads(base64.b64decode(old["body"]))
    report = decode(FailureReport, message)
    assert report == spooled()
    broker = Broker(redis_server.url)
    broker.submit(report)
    broker.close()
    with redis_server.client() as client:
        [new] = [json.loads(each) for each in client.lrange(QUEUE, 0, -1)]
    still_says(_comparable(new), _comparable(old))
    assert (new["headers"]["id"], set(new["headers"])) == (REPORT_ID, set(old["headers"]) | set(new["headers"]))
    still_says(json.loads(new["headers"]["argsrepr"]), json.loads(old["headers"]["argsrepr"]))


def _comparable(message: Any) -> Any:
    """Return an envelope without what is drawn anew for each, or is the sender's."""
    if isinstance(message, dict):
        return {name: _comparable(value) for name, value in message.items() if name not in DRAWN}
    return message


def test_a_recorded_run_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    message = golden("recorded_run.json")
    record = run_message.unpacked(message)
    assert isinstance(record, RunRecord)
    assert record.outcomes[0] == Outcome("Shop.Till.Pays", "FAIL", 0.25, "1f2e3d4c5b6a7988")
    assert [outcome.status for outcome in record.outcomes] == ["FAIL", "PASS", "NOT RUN"]
    rows = [(one.test, one.status, one.seconds, one.fingerprint) for one in record.outcomes]
    new = run_message.packed(record.project, record.run, record.when, rows)
    assert run_message.unpacked(new) == record
    still_says({**new, "outcomes": ""}, {**message, "outcomes": ""})
    kept = tmp_path / "run.json"
    kept.write_text(json.dumps(message), encoding="utf-8")
    assert kept_runs.read(kept) == message


def test_a_queued_run_is_one_that_is_sent_today() -> None:
    old = golden("queued_run.json")
    [[message], _, _] = json.loads(base64.b64decode(old["body"]))
    assert message == golden("recorded_run.json")
    new = json.loads(runs.envelope(message))
    assert new["headers"]["task"] == RUN_TASK_NAME
    still_says(_comparable(new), _comparable(old))


@pytest.fixture
def history_file(tmp_path: Path) -> Path:
    place = tmp_path / "history"
    place.mkdir(mode=0o700)
    with closing(sqlite3.connect(place / "history.sqlite")) as db:
        db.executescript((GOLDEN / "history.sql").read_text(encoding="utf-8"))
    (place / "history.sqlite").chmod(0o600)
    return place / "history.sqlite"


def reads_it_all(history: History) -> None:
    past = history.find(REPORT_ID)
    assert past
    assert (past.report, past.analysis) == (spooled(), decode(Analysis, golden("analysis.json")))
    assert (past.state, past.model, past.answered) == (
        State.DEGRADED,
        "google:gemini-x",
        datetime(2026, 11, 24, 10, tzinfo=UTC),
    )
    said = history.standing("shop", past.report.fingerprint)
    assert said
    assert (said.kind, said.who, said.root_cause) == (FeedbackKind.CORRECT, "ann", "The basket is empty.")
    run = history.runs("shop", datetime(2026, 11, 1, tzinfo=UTC))[-1]
    assert [outcome.test for outcome in run.outcomes] == ["Shop.Till.Pays", "Shop.Till.Opens", "Shop.Till.Closes"]
    [task] = history.task_runs(WantedRuns(task_id=REPORT_ID))
    assert (task.state, task.worker, task.degraded) == (TaskState.SUCCESS, "celery@host", ("pinecone: timed out",))


def test_a_history_of_the_first_schemas_is_opened_and_read(history_file: Path) -> None:
    with closing(SqliteHistory(history_file)) as history:
        reads_it_all(history)


def documents() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json_util.loads((GOLDEN / "mongo.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def database(mongo_server: str) -> Iterator[Any]:
    """Return an empty database, of which `url` leads to a history."""
    with MongoClient[dict[str, Any]](mongo_server) as client:
        client.drop_database("golden")
        yield client.golden
        client.drop_database("golden")


def test_documents_of_the_first_schemas_in_mongodb_are_read(database: Any, mongo_server: str) -> None:
    for name, found in documents().items():
        if found:
            database[name].insert_many(found)
    with closing(MongoHistory(f"{mongo_server}/golden?serverSelectionTimeoutMS=30000")) as history:
        reads_it_all(history)
        assert [one.status for one in history.outcomes("shop", "Shop.Till.Pays", LONG_AGO)] == ["FAIL"]
        passed = history.last_pass("shop", "Shop.Till.Opens")
        assert passed
        assert passed.branch == "main"


def test_documents_written_to_mongodb_today_say_what_the_first_ones_say(database: Any, mongo_server: str) -> None:
    for name, found in documents().items():
        if found:
            database[name].insert_many(found)
    url = f"{mongo_server}/golden?serverSelectionTimeoutMS=30000"
    with closing(MongoHistory(url)) as history:
        past, [said], runs, tasks = (
            history.find(REPORT_ID),
            history.confirmed("shop"),
            history.runs("shop", LONG_AGO),
            history.task_runs(WantedRuns(task_id=REPORT_ID)),
        )
    database.client.drop_database("golden")
    assert past
    assert past.analysis
    assert past.answered
    with closing(MongoHistory(url)) as history:
        history.settle(past.report, past.analysis, past.answered, past.model, past.problem)
        history.say(said)
        for run in runs:
            history.record_run(run)
        history.record_task_runs(tasks)
    records = {name: found for name, found in documents().items() if name != "ddn_schema"}  # which tells the version alone
    for name, old in records.items():
        new = list(database[name].find())
        still_says(sorted(map(_told, new), key=str), sorted(map(_told, old), key=str), name)


def _told(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with what is packed in it; without an id that is drawn, or made of the packed bytes."""
    drawn = document.get("_id") if {"record", "said"} & set(document) and "task_id" not in document else None
    return {
        name: json.loads(zlib.decompress(value)) if isinstance(value, bytes) and value else value
        for name, value in document.items()
        if name != "_id" or value != drawn
    }


@pytest.mark.parametrize("name", ["celery_result.json", "celery_result_failed.json"])
def test_what_a_worker_left_as_a_tasks_result_is_read(name: str, redis_server: RedisServer) -> None:
    old = golden(name)
    with redis_server.client() as client, Celery(backend=redis_server.url, set_as_current=False) as app:
        client.set(f"celery-task-meta-{REPORT_ID}", json.dumps(old))
        result = app.AsyncResult(REPORT_ID)
        assert result.state == old["status"]
        if result.successful():
            assert result.get(timeout=30) == old["result"]
        else:
            assert type(result.result).__name__ == old["result"]["exc_type"]
            assert old["result"]["exc_message"][0] in str(result.result)


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")  # Celery's
def test_what_a_worker_leaves_today_says_what_it_left(redis_server: RedisServer) -> None:
    problem = PermanentError(golden("celery_result_failed.json")["result"]["exc_message"][0])
    answer = summary(spooled(), decode(Analysis, golden("analysis.json")))
    app = create_app(Settings(redis_url=redis_server.url))
    for name, result in (("celery_result.json", answer), ("celery_result_failed.json", problem)):
        old = golden(name)
        app.backend.store_result(REPORT_ID, result, old["status"], traceback=old["traceback"])
        with redis_server.client() as client:
            new = json.loads(client.getdel(f"celery-task-meta-{REPORT_ID}"))  # Celery never replaces a success
        still_says({**new, "date_done": old["date_done"]}, old)
        assert isinstance(new["date_done"], str)
    app.close()


# What version 1 got after its golden files were made: a field that is added is named here, and stands in a golden file of its own.
ADDED: set[str] = set()


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (FailureReport("", "", "", Run(""), suite_name="", test_name="", error_message=""), f"{spool.SPOOL}/{REPORT_ID}.json"),
        (Analysis("", ""), "analysis.json"),
    ],
)
def test_a_reader_of_version_1_finds_every_field_with_the_type_that_it_knows(record: Any, name: str) -> None:
    """Also in the smallest record: fields are only ever added."""
    old = golden(name)
    assert list(misfits(encode(record), old)) == []
    assert set(unknown(encode(record), old)) <= ADDED
    assert not [field for field, value in old.items() if value in ([], {}, None)], "the golden file does not show what is in it"


def misfits(new: Any, old: Any, place: str = "") -> Iterator[str]:
    """Yield where `new` lacks a field of `old`, or has another JSON type there; None is no value of whatever type."""
    if new is None or (isinstance(new, list) and not new):
        return
    if _json_type(new) != _json_type(old):
        yield f"{place}: {_json_type(new)}, not {_json_type(old)}"
    elif isinstance(old, dict):
        for field, value in old.items() if new else ():
            yield from misfits(new[field], value, f"{place}.{field}") if field in new else [f"{place}.{field} is gone"]


def unknown(new: Any, old: Any, place: str = "") -> Iterator[str]:
    """Yield the fields of `new` that `old` has not."""
    if isinstance(new, dict) and isinstance(old, dict):
        for field, value in new.items():
            yield from unknown(value, old[field], f"{place}.{field}") if field in old else [f"{place}.{field}"]


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {int: "number", float: "number", str: "string", list: "array", dict: "object"}.get(type(value), "null")
