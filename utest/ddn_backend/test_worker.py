"""`celery -A ddn_backend worker` as an operator starts it, on a real Redis, with a client that knows nothing of this product."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from ddn_backend.app import command_line_app, create_app
from ddn_backend.errors import SettingsError
from ddn_backend.settings import load
from robot_ddn_listener.contract import (
    HEARTBEAT_KEY,
    HEARTBEAT_SECONDS,
    HISTORY_HOST_KEY,
    PAUSED_KEY,
    QUEUE,
    TASK_NAME,
    WORKERS_KEY,
    FailureReport,
    Run,
    encode,
    verdict_key,
)

REPORT = encode(
    FailureReport(
        id="r1",
        project="shop",
        fingerprint="f00d",
        run=Run("run"),
        suite_name="S",
        test_name="Pays by card",
        error_message="The gizmo was not amused.",
    )
)


@pytest.fixture
def start(redis_server: Any, tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Return a function that starts a worker with more arguments; what it says is in worker.log."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    environ = {**os.environ, "DDN_REDIS_URL": redis_server.url, "DDN_CONCURRENCY": "2", "DDN_HOME": str(home)}
    processes: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str) -> "subprocess.Popen[bytes]":
        with (tmp_path / "worker.log").open("ab") as log:
            command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker", *arguments]
            processes.append(subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=tmp_path))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def worker(start: Any, redis_server: Any, tmp_path: Path, wait_until: Any) -> "subprocess.Popen[bytes]":
    process: subprocess.Popen[bytes] = start()
    with redis_server.client() as client:
        wait_until(lambda: client.get(HEARTBEAT_KEY) or process.poll() is not None, "the heartbeat")
    assert process.poll() is None, (tmp_path / "worker.log").read_text()
    return process


def test_a_plain_celery_client_gets_a_result_and_a_verdict_and_the_operator_a_line(
    worker: Any, redis_server: Any, tmp_path: Path
) -> None:
    with Celery(broker=redis_server.url, backend=redis_server.url, set_as_current=False) as plain:
        result = plain.send_task(TASK_NAME, [REPORT], task_id="r1", queue=QUEUE).get(timeout=30)
        assert (result["test_name"], result["verdict"]) == ("Pays by card", "unknown")
        broken = plain.send_task(TASK_NAME, [{**REPORT, "id": "r2", "log": 7}], task_id="r2", queue=QUEUE)
        with pytest.raises(Exception, match="Reading the failure report failed"):
            broken.get(timeout=30)
        assert broken.state == "FAILURE"
    with redis_server.client() as client:
        assert client.exists(verdict_key("shop", "r1"), verdict_key("shop", "r2")) == 2
    [line] = [line for line in (tmp_path / "worker.log").read_text().splitlines() if "Pays by card: " in line]
    assert re.search(r"Pays by card: unknown, UNKNOWN, \d+\.\d\d s", line)


def test_the_heartbeat_is_short_lived_and_gone_when_the_worker_ends(worker: Any, redis_server: Any, wait_until: Any) -> None:
    with redis_server.client() as client:
        assert 0 < client.ttl(HEARTBEAT_KEY) <= HEARTBEAT_SECONDS
        name = client.get(HEARTBEAT_KEY)
        assert name.startswith(b"celery@")
        assert client.zrange(WORKERS_KEY, 0, -1) == [name]
        client.delete(HEARTBEAT_KEY)
        wait_until(lambda: client.get(HEARTBEAT_KEY), "the next beat")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert client.exists(HEARTBEAT_KEY, WORKERS_KEY, HISTORY_HOST_KEY) == 0


def test_a_worker_that_ends_leaves_the_heartbeat_while_another_lives(worker: Any, redis_server: Any) -> None:
    with redis_server.client() as client:
        other = f"other@{client.get(HISTORY_HOST_KEY).decode()}"
        client.zadd(WORKERS_KEY, {other: time.time()})
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert client.exists(HEARTBEAT_KEY, HISTORY_HOST_KEY) == 2
        assert client.zrange(WORKERS_KEY, 0, -1) == [other.encode()]


def test_a_paused_queue_is_left_alone_by_workers_that_start_and_worked_off_when_it_goes_on(
    start: Any, redis_server: Any, wait_until: Any
) -> None:
    with redis_server.client() as client, Celery(broker=redis_server.url, backend=redis_server.url, set_as_current=False) as plain:
        client.set(PAUSED_KEY, "upgrade")
        first = plain.send_task(TASK_NAME, [REPORT], task_id="r1", queue=QUEUE)
        start()
        wait_until(lambda: client.get(HEARTBEAT_KEY), "the heartbeat")
        beaten = client.zrange(WORKERS_KEY, 0, -1, withscores=True)
        wait_until(lambda: client.zrange(WORKERS_KEY, 0, -1, withscores=True) != beaten, "the next beat")
        assert client.llen(QUEUE) == 1
        client.delete(PAUSED_KEY)
        assert first.get(timeout=30)["report_id"] == "r1"

        client.set(PAUSED_KEY, "upgrade")
        wait_until(lambda: _is_left_in_the_queue(client, plain), "the queue to be left alone")
        client.delete(PAUSED_KEY)
        wait_until(lambda: not client.llen(QUEUE) and not client.hlen("unacked"), "the queue to be worked off")


def _is_left_in_the_queue(client: redis.Redis, plain: Celery) -> bool:
    """Send a task; return whether nobody took it while a worker that consumes would have."""
    plain.send_task("tasks.search", ["", ""], queue=QUEUE)
    client.blpop("ddn:never", 0.2)
    return bool(client.llen(QUEUE))


@pytest.mark.parametrize("told", ["history-host", "workers"])
def test_a_worker_on_another_machine_without_a_shared_history_does_not_start(
    told: str, start: Any, redis_server: Any, tmp_path: Path
) -> None:
    with redis_server.client() as client:
        if told == "workers":
            client.zadd(WORKERS_KEY, {"celery@alpha": time.time(), "celery@gone": time.time() - HEARTBEAT_SECONDS - 1})
        else:
            client.set(HISTORY_HOST_KEY, "alpha")
        assert start("-n", "celery@beta").wait(30) == 1
        assert client.zscore(WORKERS_KEY, "celery@beta") is None
    said = (tmp_path / "worker.log").read_text()
    assert "workers run on 'alpha', too, and SQLite is one machine's. Set DDN_MONGO_URL" in said
    assert "Traceback" not in said


def test_without_a_redis_url_the_operator_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DDN_REDIS_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="'DDN_REDIS_URL' failed: expected a URL such as redis://host:6379/0, got nothing"):
        command_line_app()


def test_an_app_accepts_json_only_and_connects_to_nothing_when_it_is_made() -> None:
    app = create_app(load().model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    assert (app.conf.accept_content, app.conf.task_default_queue, app.conf.task_acks_late) == (["json"], QUEUE, True)
    assert app.conf.broker_transport_options["visibility_timeout"] > load().task_seconds
    with pytest.raises(redis.ConnectionError):
        app.backend.client.ping()
