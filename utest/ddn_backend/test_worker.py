"""`celery -A ddn_backend worker` as an operator starts it, on a real Redis, with a client that knows nothing of this product."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from ddn_backend.app import command_line_app, create_app
from ddn_backend.errors import SettingsError
from ddn_backend.settings import load
from robot_ddn_listener.contract import HEARTBEAT_KEY, HEARTBEAT_SECONDS, QUEUE, TASK_NAME, FailureReport, Run, encode, verdict_key

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
def worker(redis_server: Any, tmp_path: Path, wait_until: Any) -> Iterator["subprocess.Popen[bytes]"]:
    environ = {**os.environ, "DDN_REDIS_URL": redis_server.url, "DDN_CONCURRENCY": "2"}
    log = (tmp_path / "worker.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker"], env=environ, stdout=log, stderr=log, cwd=tmp_path
    )
    try:
        with redis_server.client() as client:
            wait_until(lambda: client.get(HEARTBEAT_KEY) or process.poll() is not None, "the heartbeat")
        assert process.poll() is None, (tmp_path / "worker.log").read_text()
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


def test_a_plain_celery_client_gets_a_result_and_a_verdict(worker: Any, redis_server: Any) -> None:
    with Celery(broker=redis_server.url, backend=redis_server.url, set_as_current=False) as plain:
        result = plain.send_task(TASK_NAME, [REPORT], task_id="r1", queue=QUEUE).get(timeout=30)
        assert (result["test_name"], result["verdict"]) == ("Pays by card", "unknown")
        broken = plain.send_task(TASK_NAME, [{**REPORT, "id": "r2", "log": 7}], task_id="r2", queue=QUEUE)
        with pytest.raises(Exception, match="Reading the failure report failed"):
            broken.get(timeout=30)
        assert broken.state == "FAILURE"
    with redis_server.client() as client:
        assert client.exists(verdict_key("shop", "r1"), verdict_key("shop", "r2")) == 2


def test_the_heartbeat_is_short_lived_and_gone_when_the_worker_ends(worker: Any, redis_server: Any, wait_until: Any) -> None:
    with redis_server.client() as client:
        assert 0 < client.ttl(HEARTBEAT_KEY) <= HEARTBEAT_SECONDS
        assert client.get(HEARTBEAT_KEY).startswith(b"celery@")
        client.delete(HEARTBEAT_KEY)
        wait_until(lambda: client.get(HEARTBEAT_KEY), "the next beat")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert client.get(HEARTBEAT_KEY) is None


def test_a_worker_that_ends_leaves_the_heartbeat_of_another(worker: Any, redis_server: Any, wait_until: Any) -> None:
    with redis_server.client() as client:
        client.set(HEARTBEAT_KEY, "another@host", ex=60)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert client.get(HEARTBEAT_KEY) == b"another@host"


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


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("rediss://host:6379/0", "rediss://host:6379/0?ssl_cert_reqs=required"),
        ("rediss://host/0?ssl_cert_reqs=none", "rediss://host/0?ssl_cert_reqs=none"),
        ("rediss://host/0?ssl_ca_certs=ca.pem", "rediss://host/0?ssl_ca_certs=ca.pem&ssl_cert_reqs=required"),
    ],
)
def test_certificates_are_checked_unless_the_url_says_otherwise(url: str, used: str) -> None:
    assert create_app(load().model_copy(update={"redis_url": url})).conf.broker_url == used
