"""A worker, and who asks it, over Sentinel with a fail-over and over TLS with an authority of its own; both with passwords."""

import asyncio
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import flower.utils.broker
import pytest

from ddn_backend.app import create_app
from ddn_backend.celery_redis import celery_settings, celery_url
from ddn_backend.cli.asking import ask
from ddn_backend.errors import SettingsError
from ddn_backend.ops.running.redis_check import check_redis
from ddn_backend.ops.running.stack import command_for_testers
from ddn_backend.ops.steering.reach import reach
from ddn_backend.settings import load
from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import QUEUE, FailureReport, Run
from robot_ddn_listener.errors import BrokerError
from utest.conftest import missing
from utest.servers.certificates import Certificates, make_certificates
from utest.servers.sentinel import PASSWORD, QUOTED, SENTINEL_PASSWORD, binary, free_port, sentinels

WaitUntil = Callable[..., Any]
SECRETS = (PASSWORD, QUOTED, SENTINEL_PASSWORD, "sentinels%2Bown")


def report(report_id: str) -> FailureReport:
    return FailureReport(
        id=report_id, project="shop", fingerprint=report_id, run=Run("r"), suite_name="S", test_name="T", error_message="Odd."
    )


@contextmanager
def worker(url: str, place: Path) -> Iterator["subprocess.Popen[bytes]"]:
    home = place / "home"
    home.mkdir(mode=0o700)
    environ = {**os.environ, "DDN_REDIS_URL": url, "DDN_CONCURRENCY": "2", "DDN_HOME": str(home)}
    with (place / "worker.log").open("wb") as log:
        command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker", "--loglevel", "INFO", "--without-mingle"]
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=place)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def is_answered(broker: Broker) -> bool:
    with suppress(BrokerError):
        return not broker.idle_reason()
    return False


def finds(text: str, url: str) -> bool:
    """Tell whether the backend answers what a person asks; on a busy machine one question may be too slow."""
    try:
        return "searches" in ask("search", text, "shop", redis=url)
    except BrokerError:
        return False


def is_analysed(broker: Broker, report_id: str) -> bool:
    with suppress(BrokerError):
        return report_id in broker.verdicts("shop", [report_id])
    return False


def is_sent(broker: Broker, report_id: str) -> bool:
    with suppress(BrokerError):
        broker.submit(report(report_id))
        return True
    return False


def shown_configuration(url: str) -> str:
    """Return the configuration that Flower's page of a worker shows."""
    with reach(load().model_copy(update={"redis_url": url})) as backend:
        return str(backend.app.control.inspect(timeout=5, limit=1).conf())


def counted_queues(url: str) -> list[dict[str, Any]]:
    """Return what Flower's page of the broker shows."""
    with create_app(load().model_copy(update={"redis_url": url})) as app, app.connection() as connection:
        options = {"broker_options": app.conf.broker_transport_options, "broker_use_ssl": app.conf.broker_use_ssl}
        broker = flower.utils.broker.Broker(connection.as_uri(include_password=True), **options)
        return list(asyncio.run(broker.queues([QUEUE])))


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    if not shutil.which("openssl"):
        missing("openssl")
    return make_certificates(tmp_path)


@pytest.fixture
def program() -> str:
    return binary() or missing("redis-server") or ""


def test_worker_and_askers_follow_a_fail_over_of_sentinel_over_tls(
    tmp_path: Path, wait_until: WaitUntil, program: str, certificates: Certificates
) -> None:
    with ExitStack() as stack:
        servers = stack.enter_context(sentinels(program, tmp_path, wait_until, certificates))
        url = servers.url(f"127.0.0.1:{free_port()}")  # of two sentinels one is down, and named first
        process = stack.enter_context(worker(url, tmp_path))
        broker = stack.enter_context(closing(Broker(url)))
        wait_until(lambda: is_answered(broker) or process.poll() is not None, "the worker")
        wait_until(lambda: is_sent(broker, "r1"), "the report to be taken")
        wait_until(lambda: is_analysed(broker, "r1"), "the first analysis")
        check_redis(url)
        wait_until(lambda: finds("connection refused", url), "what the backend finds")
        assert not any(secret in shown_configuration(url) for secret in SECRETS)

        process.send_signal(signal.SIGSTOP)  # else it would rest for 4 s, as Celery does when it met nobody twice
        old = servers.master_port()
        servers.kill_master()
        wait_until(lambda: servers.master_port() != old, "the fail-over")
        with servers.master() as master:
            wait_until(lambda: master.info("replication")["role"] == "master", "the replica to be master")
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: is_sent(broker, "r2"), "the report to be taken")
        wait_until(lambda: is_analysed(broker, "r2"), "an analysis after the fail-over")
        wait_until(lambda: finds("connection refused", url), "what the backend finds")
        assert process.poll() is None
    said = (tmp_path / "worker.log").read_text()
    assert not any(secret in said for secret in SECRETS)


def test_worker_and_askers_trust_the_authority_that_the_url_names(
    tmp_path: Path, wait_until: WaitUntil, program: str, certificates: Certificates
) -> None:
    port = free_port()
    options = ["--port", "0", "--tls-port", str(port), *certificates.server_options, "--requirepass", PASSWORD, "--save", ""]
    place = f"rediss://:{QUOTED}@127.0.0.1:{port}/1"
    url = f"{place}?ssl_ca_certs={certificates.authority}"
    with ExitStack() as stack:
        server = stack.enter_context(subprocess.Popen([program, *options, "--dir", str(tmp_path)], stdout=subprocess.DEVNULL))
        stack.callback(server.kill)
        stack.enter_context(worker(url, tmp_path))
        broker = stack.enter_context(closing(Broker(url)))
        wait_until(lambda: is_answered(broker), "the worker")
        with pytest.raises(SettingsError, match=r"its certificate is not to be trusted. Name its authority: \?ssl_ca_certs=FILE"):
            check_redis(place)
        check_redis(url)
        wait_until(lambda: is_sent(broker, "r1"), "the report to be taken")
        wait_until(lambda: is_analysed(broker, "r1"), "the analysis")
        wait_until(lambda: finds("connection refused", url), "what the backend finds")
        assert counted_queues(url) == [{"name": QUEUE, "messages": 0}]
        assert not any(secret in shown_configuration(url) for secret in SECRETS)
    assert "insecure" not in (tmp_path / "worker.log").read_text()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://host", "redis://host:6379/0"),
        (
            "rediss://me:" + "a%40b@[::1]/2?ssl_cert_reqs=none",
            "rediss://me:" + "a%40b@[::1]:6379/2?ssl_cert_reqs=none&ssl_check_hostname=false",
        ),
        ("redis+socket:///run/s?virtual_host=1", "redis+socket:///run/s?virtual_host=1"),
        ("sentinel://:" + "x@a,b:7/3?master_name=m", "sentinel://:" + "x@a:26379/3;sentinel://:" + "x@b:7/3"),
    ],
)
def test_celery_gets_urls_as_it_reads_them(url: str, told: str) -> None:
    assert celery_url(url) == told
    app = create_app(load().model_copy(update={"redis_url": url}))
    assert (app.conf.broker_url, app.conf.result_backend) == (told, told)


@pytest.mark.parametrize(
    ("options", "verify"),
    [("", ("required", True)), ("?ssl_cert_reqs=none", ("none", False)), ("?ssl_check_hostname=false", ("required", False))],
)
def test_certificates_are_checked_unless_the_url_says_otherwise(options: str, verify: tuple[str, bool]) -> None:
    app = create_app(load().model_copy(update={"redis_url": f"rediss://host/0{options}"}))
    verified = ssl.CERT_REQUIRED if verify[0] == "required" else ssl.CERT_NONE
    with app.connection() as connection:
        assert connection.ssl == {"ssl_cert_reqs": verified, "ssl_check_hostname": verify[1]}
    of_results = app.backend.connparams
    assert (of_results["ssl_cert_reqs"], of_results["ssl_check_hostname"]) == (verified, verify[1])
    for_flower = app.conf.broker_use_ssl
    assert (for_flower["ssl_cert_reqs"], for_flower["ssl_check_hostname"]) == verify
    assert "broker_use_ssl" not in celery_settings("redis://host/0")


def test_testers_are_told_all_but_the_passwords() -> None:
    url = "sentinel://:" + "hunter2@a,b/3?master_name=m&sentinel_password=hunter3&ssl=true"
    assert command_for_testers(url) == (
        'robot --listener "robot_ddn_listener;redis=sentinel://***@a,b/3?master_name=m&sentinel_password=***&ssl=true" tests/'
    )
