"""Files that version 1 wrote: reports and runs in the queue, in the spool, verdicts on Redis, the history. What comes later reads
them, and writes what those who wrote them can read. They are never made anew; what is added gets a file of its own."""

import base64
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.ports import FeedbackKind, State
from ddn_backend.ports.operations import TaskState, WantedRuns
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


def test_a_history_of_the_first_schemas_is_opened_and_read(history_file: Path) -> None:
    with closing(SqliteHistory(history_file)) as history:
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
        [run] = history.runs("shop", datetime(2026, 11, 1, tzinfo=UTC))
        assert [outcome.test for outcome in run.outcomes] == ["Shop.Till.Pays", "Shop.Till.Opens", "Shop.Till.Closes"]
        [task] = history.task_runs(WantedRuns(task_id=REPORT_ID))
        assert (task.state, task.worker, task.degraded) == (TaskState.SUCCESS, "celery@host", ("pinecone: timed out",))
