"""What the monitor sees of a real Redis, a history that goes and returns, and reports whose message is gone."""

import importlib.util
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from ddn_backend.adapters.mongo import MongoHistory
from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.app import create_app
from ddn_backend.ops.monitoring.broker_state import BrokerState
from ddn_backend.ops.monitoring.metrics import Metrics
from ddn_backend.ops.monitoring.monitor import Monitor, Outside, Pace, Writer
from ddn_backend.ops.monitoring.resend import MAX_TIMES, lost_reports, send_again
from ddn_backend.ops.monitoring.snapshot import Snapshot
from ddn_backend.ops.monitoring.task_runs import LiveRuns, iso
from ddn_backend.ops.running.addresses import free_port
from ddn_backend.ops.running.redis_check import operators_client
from ddn_backend.ports import TaskRun, TaskState, WantedRuns
from ddn_backend.settings import load
from ddn_backend.worker_load import Load, load_key
from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import PAUSED_KEY, QUEUE, TASK_NAME, WORKERS_KEY, FailureReport, Run, encode
from robot_ddn_listener.errors import BrokerError
from utest.conftest import missing

REPORT = FailureReport("r1", "shop", "f00d", Run("run"), "Checkout", "Pays by card", "gizmo dry")
MINUTE = timedelta(minutes=1)


def unknown(task_id: str) -> float:
    return 0.0


@pytest.fixture
def client(redis_server: Any) -> Iterator[Any]:
    with operators_client(redis_server.url) as opened:
        yield opened


@pytest.fixture
def broker(redis_server: Any) -> Iterator[Broker]:
    with closing(Broker(redis_server.url)) as opened:
        yield opened


def send_plainly(redis_server: Any, task_id: str, **options: Any) -> None:
    """As a client that knows nothing of this product does."""
    with Celery(broker=redis_server.url, set_as_current=False) as plain:
        plain.send_task(TASK_NAME, [encode(REPORT)], task_id=task_id, queue=QUEUE, **options)


def test_an_empty_broker_has_nothing_of_anything(client: Any) -> None:
    snapshot = BrokerState(client, unknown).look()
    assert (snapshot.waiting, snapshot.oldest_seconds, snapshot.unacked, snapshot.workers_online) == (0, 0.0, 0, 0)
    assert (snapshot.paused, snapshot.broker_problem) == (None, "")
    assert snapshot.redis_bytes > 100_000


def test_the_age_of_the_oldest_report_is_known_to_a_monitor_that_has_just_started(client: Any, broker: Broker) -> None:
    before = time.time()
    broker.submit(REPORT)
    sent_by = time.time()
    broker.submit(replace(REPORT, id="r2"))
    when = datetime.now(UTC) + MINUTE
    snapshot = BrokerState(client, unknown).look(when)
    assert snapshot.waiting == 2
    assert when.timestamp() - sent_by <= snapshot.oldest_seconds <= when.timestamp() - before


def test_the_age_of_another_clients_report_is_that_of_its_event_or_since_it_was_seen(redis_server: Any, client: Any) -> None:
    send_plainly(redis_server, "r1")
    when = datetime.now(UTC)
    state = BrokerState(client, unknown)
    assert state.look(when).oldest_seconds == 0
    assert state.look(when + MINUTE).oldest_seconds == 60
    assert BrokerState(client, lambda task_id: when.timestamp() - 9 if task_id == "r1" else 0).look(when).oldest_seconds == 9


def test_reports_of_every_priority_count(redis_server: Any, client: Any) -> None:
    for priority in (0, 4, 9):
        send_plainly(redis_server, f"r{priority}", priority=priority)
    assert BrokerState(client, unknown).look().waiting == 3


def test_workers_count_while_they_beat(client: Any) -> None:
    now = datetime.now(UTC)
    client.zadd(WORKERS_KEY, {"celery@one": now.timestamp() - 2, "celery@gone": now.timestamp() - 60})
    client.hset(load_key("celery@one"), mapping=Load().told(8))
    client.set(PAUSED_KEY, "Pinecone is down")
    snapshot = BrokerState(client, unknown).look(now)
    [worker] = snapshot.workers
    assert (worker.hostname, worker.threads, worker.busy) == ("celery@one", 8, 0)
    assert worker.memory_bytes > 10_000_000
    assert worker.beat_seconds == pytest.approx(2)
    assert snapshot.paused == "Pinecone is down"


def test_a_redis_that_does_not_answer_is_told() -> None:
    with operators_client("redis://127.0.0.1:1/0") as nowhere:
        assert "refused" in BrokerState(nowhere, unknown).look().broker_problem


# --- the history goes and returns ----------------------------------------------------------------------------------------


def test_task_runs_wait_for_a_history_that_is_away_and_are_counted_all_the_same(tmp_path: Path, wait_until: Any) -> None:
    if not importlib.util.find_spec("nx_27017"):
        missing("nx-27017")
    port, runs, metrics = free_port(), LiveRuns(), Metrics()
    options = ["--data-dir", "memory", "--host", "127.0.0.1", "--port", str(port)]
    options += ["--log-file", str(tmp_path / "log"), "--pid-file", str(tmp_path / "pid")]
    with closing(MongoHistory(f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=100")) as history:
        writer = Writer(history, runs, threading.Lock(), metrics)
        for kind, uuid in (("task-sent", "r1"), ("task-received", "r2")):
            runs.take({"type": kind, "uuid": uuid, "name": TASK_NAME, "timestamp": time.time(), "args": "{}"})
        runs.take({"type": "task-failed", "uuid": "r2", "timestamp": time.time(), "exception": "No()"})
        writer.write()
        assert (writer.is_up, writer.unwritten()) == (False, 2)
        assert failed(metrics) == 1
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "nx_27017.nx_27017", *options],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: writer.write() or writer.is_up, "the history")
            assert writer.unwritten() == 0
            assert {run.task_id: run.state for run in history.task_runs(WantedRuns())} == {"r1": "QUEUED", "r2": "FAILURE"}
            assert failed(metrics) == 1
        finally:
            process.terminate()
            process.wait(30)


def failed(metrics: Metrics) -> float:
    found = (sample for family in metrics.collect() for sample in family.samples)
    return sum(each.value for each in found if each.name == "ddn_runs_total" and each.labels["state"] == "FAILURE")


def told(runs: LiveRuns, kind: str, after: float = 0.0, **fields: Any) -> None:
    runs.take({"type": kind, "uuid": "r1", "timestamp": time.time() + after, "hostname": "celery@one", **fields})


def test_a_monitor_that_starts_again_follows_what_had_not_ended(history: SqliteHistory) -> None:
    history.record_task_runs((TaskRun("k", "r1", TaskState.STARTED, queued=iso(time.time() - 9), started=iso(time.time() - 5)),))
    runs, metrics = LiveRuns(), Metrics()
    writer = Writer(history, runs, threading.Lock(), metrics)
    writer.write()
    told(runs, "task-failed", exception="No()")  # an event that does not name its task
    writer.write()
    [run] = history.task_runs(WantedRuns())
    assert (run.key, run.state, run.error) == ("k", TaskState.FAILURE, "No()")
    assert failed(metrics) == 1


def test_a_run_that_another_made_of_the_answer_meanwhile_is_not_doubled(history: SqliteHistory) -> None:
    runs, metrics = LiveRuns(), Metrics()
    writer = Writer(history, runs, threading.Lock(), metrics)
    writer.write()
    told(runs, "task-sent", -3, name=TASK_NAME)
    told(runs, "task-started", -2)
    history.record_task_runs((TaskRun("k", "r1", TaskState.FAILURE, finished=iso(time.time() - 1)),))  # as `ddn tasks` does
    writer.write()
    told(runs, "task-failed", exception="No()")
    writer.write()
    [run] = history.task_runs(WantedRuns())
    assert (run.key, run.state, run.worker, run.error) == ("k", TaskState.FAILURE, "celery@one", "No()")
    assert failed(metrics) == 1


def test_of_too_many_runs_that_wait_for_the_history_the_oldest_are_dropped() -> None:
    runs = LiveRuns()
    for number in range(5):
        runs.take({"type": "task-sent", "uuid": f"r{number}", "name": TASK_NAME, "timestamp": float(number)})
    assert runs.drop_oldest(2) == 3
    assert [run.task_id for run, _ in runs.changed(9)] == ["r3", "r4"]


# --- messages that are gone ----------------------------------------------------------------------------------------------


@pytest.fixture
def history(tmp_path: Path) -> Iterator[SqliteHistory]:
    with closing(SqliteHistory(tmp_path / "history" / "history.sqlite")) as opened:
        yield opened


def begun(history: SqliteHistory, now: datetime, state: TaskState = TaskState.STARTED) -> None:
    history.keep(REPORT, now - 20 * MINUTE)
    history.record_task_runs((TaskRun("k", "r1", state, started=iso((now - 20 * MINUTE).timestamp())),))


def lost(history: SqliteHistory, client: Any, now: datetime, **options: Any) -> list[str]:
    return [report.id for report in lost_reports(history, client, now, 600, **options)]


def test_a_report_whose_worker_died_with_the_message_is_found_and_sent_again_three_times(
    history: SqliteHistory, client: Any, broker: Broker
) -> None:
    now = datetime.now(UTC)
    begun(history, now)
    assert lost(history, client, now - 15 * MINUTE) == []  # an analysis may take that long
    for _ in range(MAX_TIMES):
        found = lost_reports(history, client, now, 600)
        assert send_again(found, client, broker.submit) == 1
        assert lost(history, client, now) == []  # it waits
        client.delete(QUEUE)
    assert send_again(lost_reports(history, client, now, 600), client, broker.submit) == 0
    assert client.llen(QUEUE) == 0


@pytest.mark.parametrize("state", [TaskState.QUEUED, TaskState.REVOKED, TaskState.FAILURE])
def test_a_report_that_was_not_begun_or_has_ended_is_not_sent_again(history: SqliteHistory, client: Any, state: TaskState) -> None:
    now = datetime.now(UTC)
    begun(history, now, state)
    assert lost(history, client, now) == []


def test_a_report_that_celery_knows_to_have_ended_or_a_worker_has_in_hand_is_not_sent_again(
    history: SqliteHistory, client: Any, broker: Broker
) -> None:
    now = datetime.now(UTC)
    begun(history, now)
    assert lost(history, client, now, ended=lambda task_id: (TaskState.REVOKED, "", "")) == []
    broker.submit(REPORT)
    message = client.rpop(QUEUE)
    client.hset("unacked", "tag", b"[" + message + b', "", "ddn"]')
    assert lost(history, client, now) == []


def test_a_broker_that_takes_nothing_ends_sending_for_now(client: Any) -> None:
    def refuse(report: FailureReport) -> None:
        raise BrokerError("Sending failed: gone.")

    assert send_again((REPORT, replace(REPORT, id="r2")), client, refuse) == 0


# --- the whole monitor ---------------------------------------------------------------------------------------------------


def test_a_monitor_alerts_deletes_what_is_too_old_and_sends_again_what_was_lost(
    redis_server: Any, client: Any, broker: Broker, history: SqliteHistory, wait_until: Any
) -> None:
    now, snapshots, stop = datetime.now(UTC), list[Snapshot](), threading.Event()
    begun(history, now)
    spender = TaskRun("s", "s", TaskState.SUCCESS, project="shop", finished=iso(now.timestamp() - 60), calls=1)
    old = TaskRun("o", "o", TaskState.SUCCESS, finished=iso((now - timedelta(days=31)).timestamp()))
    history.record_task_runs((spender, old))
    metrics = Metrics()
    with create_app(load().model_copy(update={"redis_url": redis_server.url})) as app:
        outside = Outside(app, client, history, lambda project: project == "shop", broker.submit, snapshots.append)
        monitor = Monitor(outside, metrics, Pace(look=0.05), keep_days=30)
        thread = threading.Thread(target=monitor.run, args=(stop,))
        thread.start()
        try:
            wait_until(lambda: client.llen(QUEUE), "the lost report")
            wait_until(lambda: snapshots and snapshots[-1].waiting, "a snapshot with it")
            assert snapshots[-1].used_up == ("shop",)
            assert [run.key for run in snapshots[-1].runs if run.task_id == "s"] == ["s"]
            assert "o" not in [run.key for run in history.task_runs(WantedRuns())]
        finally:
            stop.set()
            thread.join()
