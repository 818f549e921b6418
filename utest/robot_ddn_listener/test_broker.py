"""The broker against real servers: up, refused, hung, black-holed, restarted, on TCP, TLS and unix sockets."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis

from robot_ddn_listener.broker import MAX_VERDICT_BYTES, Broker
from robot_ddn_listener.contract import (
    HEARTBEAT_KEY,
    PAUSED_KEY,
    QUEUE,
    TASK_NAME,
    Analysis,
    ErrorType,
    FailureReport,
    LogLine,
    Run,
    Stage,
    decode,
    encode,
    verdict_key,
)
from robot_ddn_listener.errors import BrokerError, SettingsError

pytestmark = pytest.mark.timeout(30)

ROOT = Path(__file__).parents[2]
PASSWORD = "pass" + "word/with@odd:letters"
REPORT = FailureReport(
    id="0b0f5b4e-3f4c-5a39-9d2e-6a1f6f7e9c01",
    project="shop",
    fingerprint="f00d",
    run=Run("r1"),
    suite_name="Checkout",
    test_name="Pays by card",
    error_message="Bezahlen schlug fehl: " + "ü" * 300,
    error_type=ErrorType.CODE_ERROR,
    log=(LogLine("broken \udcff surrogate"),),
)


def missing(what: str) -> None:
    """Skip on a user's machine, fail in CI, where everything must be there."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{what} is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when `condition` holds; the time limit of the test bounds it."""
    while not condition():
        time.sleep(0.005)


class Server:
    """A redis-server of our own, restartable on the same place."""

    def __init__(self, folder: Path, *arguments: str, port: int | None = None):
        self.port = free_port() if port is None else port
        self.arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *arguments]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "Server":
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if not program:
            missing("redis-server")
        self.process = subprocess.Popen([str(program), *self.arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self.process.stdout
        for line in self.process.stdout:
            if b"eady to accept connections" in line:
                return self
        raise AssertionError("the server did not start")

    def signal(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process and self.process.stdout:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers = []

    def start(*arguments: str, port: int | None = None) -> Server:
        servers.append(Server(tmp_path, *arguments, port=port))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def connect() -> Iterator[Callable[[str], Broker]]:
    brokers = []

    def create(url: str) -> Broker:
        brokers.append(Broker(url))
        return brokers[-1]

    yield create
    for broker in brokers:
        broker.close()


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address whose system drops every further attempt to connect: a listener that never accepts, with a full backlog."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        callers = []
        for _ in range(8):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(address)
            callers.append(caller)
        yield f"redis://{address[0]}:{address[1]}/0"
        for caller in callers:
            caller.close()


def queued(client: redis.Redis) -> list[dict[str, Any]]:
    """Return the messages in the queue, oldest first, the body decoded."""
    messages: Any = client.lrange(QUEUE, 0, -1)
    return [with_body(json.loads(message)) for message in reversed(messages)]


def with_body(message: dict[str, Any]) -> dict[str, Any]:
    assert message["properties"]["body_encoding"] == "base64"
    return message | {"body": json.loads(base64.b64decode(message["body"]))}


def queued_ids(client: redis.Redis) -> list[str]:
    return [message["headers"]["id"] for message in queued(client)]


def report(number: int) -> FailureReport:
    return FailureReport(
        id=f"report-{number}", project="shop", fingerprint="f", run=Run("r"), suite_name="S", test_name="T", error_message="boom"
    )


def publish(server: Any, report_id: str, value: str | bytes) -> None:
    with server.client() as client:
        client.set(verdict_key("shop", report_id), value)


# --- sending -----------------------------------------------------------------------------------------------------------


def test_a_report_is_queued_as_a_json_task_of_that_name_with_its_own_id(
    redis_server: Any, connect: Callable[[str], Broker]
) -> None:
    connect(redis_server.url).submit(REPORT)
    with redis_server.client() as client:
        (message,) = queued(client)
    assert (message["headers"]["task"], message["headers"]["id"]) == (TASK_NAME, REPORT.id)
    assert (message["content-type"], message["content-encoding"]) == ("application/json", "utf-8")
    assert not message["headers"]["ignore_result"]  # Flower shows the result, so the worker must store it
    arguments, keywords, _ = message["body"]
    assert (len(arguments), keywords) == (1, {})
    assert encode(decode(FailureReport, arguments[0])) == encode(REPORT)


def test_flower_sees_five_short_fields_as_compact_json(redis_server: Any, connect: Callable[[str], Broker]) -> None:
    connect(redis_server.url).submit(REPORT)
    with redis_server.client() as client:
        shown = queued(client)[0]["headers"]["argsrepr"]
    assert json.loads(shown) == {
        "project": "shop",
        "suite_name": "Checkout",
        "test_name": "Pays by card",
        "error_message": REPORT.error_message[:200],
        "error_type": "CODE_ERROR",
    }
    assert '": ' not in shown
    assert "ü" in shown


def test_a_sent_task_is_announced_to_flower_whatever_broker_the_environment_names(
    redis_server: Any, connect: Callable[[str], Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://127.0.0.1//")  # events of other transports are not sent where Flower listens
    with redis_server.client() as client, client.pubsub() as listening:
        listening.psubscribe("*celeryev*")
        assert listening.get_message(timeout=5)["type"] == "psubscribe"
        connect(redis_server.url).submit(REPORT)
        event = with_body(json.loads(listening.get_message(timeout=5)["data"]))["body"]
    assert (event["type"], event["uuid"], event["queue"]) == ("task-sent", REPORT.id, QUEUE)


def test_the_database_of_the_url_is_used(redis_server: Any, connect: Callable[[str], Broker]) -> None:
    broker = connect(redis_server.url.removesuffix("0") + "3")
    broker.submit(REPORT)
    with redis.Redis(port=redis_server.port, db=3) as client:
        assert queued_ids(client) == [REPORT.id]
        client.set(HEARTBEAT_KEY, "w1")
    assert broker.idle_reason() == ""


def test_a_unix_socket_serves_as_well(own_server: Callable[..., Server], connect: Callable[[str], Broker], tmp_path: Path) -> None:
    path = tmp_path / "a b?#%41.sock"
    own_server("--unixsocket", str(path), port=0)
    broker = connect(f"redis+socket://{quote(str(path))}?virtual_host=2")
    broker.submit(REPORT)
    assert broker.idle_reason() == "no worker is online"
    assert broker.where == f"redis at {path} (database 2)"
    with redis.Redis(unix_socket_path=str(path), db=2) as client:
        assert queued_ids(client) == [REPORT.id]


def test_twenty_threads_lose_nothing_over_the_connections_of_one(redis_server: Any, connect: Callable[[str], Broker]) -> None:
    broker = connect(redis_server.url)

    def send(first: int) -> None:
        for number in range(first, first + 5):
            broker.submit(report(number))

    threads = [threading.Thread(target=send, args=(first,)) for first in range(0, 100, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with redis_server.client() as client:
        assert sorted(queued_ids(client)) == sorted(report(number).id for number in range(100))
        assert len(client.client_list()) <= 3  # kombu's two, and this one


def test_a_closed_broker_connects_again(redis_server: Any, connect: Callable[[str], Broker]) -> None:
    broker = connect(redis_server.url)
    broker.submit(report(1))
    broker.idle_reason()
    broker.close()
    with redis_server.client() as client:
        wait_until(lambda: len(client.client_list()) == 1)
    broker.submit(report(2))
    assert broker.idle_reason() == "no worker is online"
    with redis_server.client() as client:
        assert queued_ids(client) == ["report-1", "report-2"]


# --- servers that do not answer ------------------------------------------------------------------------------------------


def every_call_fails(broker: Broker, cause: str) -> None:
    for _ in range(2):
        with pytest.raises(BrokerError, match=rf"^Sending to {broker.where} failed: .*{cause}.*\.$"):
            broker.submit(REPORT)
    with pytest.raises(BrokerError, match=rf"^Reading verdicts from {broker.where} failed: .*{cause}.*\.$"):
        broker.verdicts("shop", [REPORT.id])
    with pytest.raises(BrokerError, match=rf"^Reading the state of the backend from {broker.where} failed: .*{cause}.*\.$"):
        broker.idle_reason()
    broker.close()


@pytest.mark.timeout(10)
def test_a_refused_connection_is_a_broker_error_with_its_cause(connect: Callable[[str], Broker]) -> None:
    every_call_fails(connect(f"redis://127.0.0.1:{free_port()}"), "refused")


@pytest.mark.timeout(10)
def test_a_black_hole_is_a_broker_error_with_its_cause(black_hole: str, connect: Callable[[str], Broker]) -> None:
    every_call_fails(connect(black_hole), "[Tt]imeout")


@pytest.mark.timeout(10)
def test_a_server_that_hangs_from_the_start_is_a_broker_error(
    own_server: Callable[..., Server], connect: Callable[[str], Broker]
) -> None:
    server = own_server()
    server.signal(signal.SIGSTOP)
    try:
        every_call_fails(connect(server.url), "[Tt]imeout")
    finally:
        server.signal(signal.SIGCONT)


@pytest.mark.timeout(10)
def test_a_server_that_hangs_between_two_sends_fails_the_second_and_takes_the_third(
    own_server: Callable[..., Server], connect: Callable[[str], Broker]
) -> None:
    server = own_server()
    broker = connect(server.url)
    broker.submit(report(1))
    server.signal(signal.SIGSTOP)
    try:
        with pytest.raises(BrokerError, match="Timeout"):
            broker.submit(report(2))
        broker.close()
    finally:
        server.signal(signal.SIGCONT)
    broker.submit(report(3))
    with server.client() as client:
        assert {"report-1", "report-3"} <= set(queued_ids(client))


def test_a_restarted_server_is_found_again_at_the_next_call(
    own_server: Callable[..., Server], connect: Callable[[str], Broker]
) -> None:
    server = own_server()
    broker = connect(server.url)
    broker.submit(report(1))
    assert broker.idle_reason()
    server.stop()
    server.start()
    broker.submit(report(2))
    assert broker.idle_reason()
    server.stop()
    with pytest.raises(BrokerError):
        broker.submit(report(3))
    server.start()
    broker.submit(report(4))
    with server.client() as client:
        assert queued_ids(client) == ["report-4"]


def test_a_server_that_hangs_up_is_tried_once_a_call(connect: Callable[[str], Broker]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        calls = []

        def hang_up() -> None:
            while True:
                try:
                    caller, _ = listener.accept()
                except OSError:  # shut down below
                    return
                calls.append(caller.getpeername())
                caller.close()

        answering = threading.Thread(target=hang_up)
        answering.start()
        broker = connect(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        counts = []
        for call in (lambda: broker.submit(REPORT), broker.idle_reason):
            with pytest.raises(BrokerError):
                call()
            counts.append(len(calls))
        listener.shutdown(socket.SHUT_RDWR)
        answering.join()
    assert counts == [1, 2]


def test_a_server_that_is_full_refuses_with_its_own_words(
    own_server: Callable[..., Server], connect: Callable[[str], Broker]
) -> None:
    server = own_server("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    broker = connect(server.url)
    with pytest.raises(BrokerError, match="maxmemory"):
        broker.submit(REPORT)
    with server.client() as client:
        wait_until(lambda: len(client.client_list()) == 1)  # the broker hung up: after a fail-over it finds the new host


def test_a_wrong_password_is_named_as_the_cause_and_never_shown(
    own_server: Callable[..., Server], connect: Callable[[str], Broker]
) -> None:
    server = own_server("--requirepass", PASSWORD)
    quoted = "wrong" + "%2Fsecret"
    broker = connect(f"redis://:{quoted}@127.0.0.1:{server.port}/0")
    for call in (lambda: broker.submit(REPORT), broker.idle_reason):
        with pytest.raises(BrokerError, match="password") as caught:
            call()
        assert "secret" not in str(caught.value)


def test_a_percent_encoded_password_opens_the_server(own_server: Callable[..., Server], connect: Callable[[str], Broker]) -> None:
    server = own_server("--requirepass", PASSWORD)
    broker = connect(f"redis://:{PASSWORD.replace('/', '%2F').replace('@', '%40').replace(':', '%3A')}@127.0.0.1:{server.port}/0")
    broker.submit(REPORT)
    assert broker.idle_reason() == "no worker is online"
    with redis.Redis(port=server.port, password=PASSWORD) as client:
        assert queued_ids(client) == [REPORT.id]


# --- TLS -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tls_server(own_server: Callable[..., Server], tmp_path: Path) -> Server:
    """A server with a certificate that nobody but its own file vouches for (``cert.pem`` in the test's folder)."""
    if not shutil.which("openssl"):
        missing("openssl")
    certificate, key, port = tmp_path / "cert.pem", tmp_path / "key.pem", free_port()
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make, *files, "-subj", "/CN=ours", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    tls = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no"]
    server = own_server("--tls-port", str(port), *tls, port=0)
    server.port = port
    return server


def test_tls_certificates_are_verified_by_default(tls_server: Server, connect: Callable[[str], Broker]) -> None:
    broker = connect(f"rediss://127.0.0.1:{tls_server.port}/0")
    assert broker.where == f"redis at 127.0.0.1:{tls_server.port}/0 (TLS)"
    for call in (lambda: broker.submit(REPORT), broker.idle_reason):
        with pytest.raises(BrokerError, match=r"certificate verify failed"):
            call()


@pytest.mark.parametrize("option", ["ssl_ca_certs={}", "ssl_cert_reqs=none", "ssl_cert_reqs=CERT_NONE"])
def test_tls_works_with_a_named_authority_or_explicitly_without(
    tls_server: Server, connect: Callable[[str], Broker], tmp_path: Path, option: str
) -> None:
    broker = connect(f"rediss://127.0.0.1:{tls_server.port}/0?{option.format(tmp_path / 'cert.pem')}")
    broker.submit(REPORT)
    assert broker.idle_reason() == "no worker is online"


def test_tls_works_with_the_authorities_of_the_system(
    tls_server: Server, connect: Callable[[str], Broker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    connect(f"rediss://127.0.0.1:{tls_server.port}/0").submit(REPORT)


# --- reading -------------------------------------------------------------------------------------------------------------


def test_verdicts_come_back_by_report_id_and_missing_ones_are_left_out(redis_server: Any, connect: Callable[[str], Broker]) -> None:
    analysis = Analysis(report_id="a", project="shop", stage=Stage.FINAL, root_cause="The card service was down.")
    publish(redis_server, "a", json.dumps(encode(analysis)))
    broker = connect(redis_server.url)
    assert broker.verdicts("shop", ["a", "b", "a"]) == {"a": analysis}
    assert broker.verdicts("other project", ["a"]) == {}
    assert broker.unreadable == {}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"\xff not JSON", "Expected JSON"),
        (b"[" * 200_000, "Expected JSON"),
        (b"[]", "Expected dict"),
        (b'{"report_id": 1}', "Expected str"),
        (b'{"report_id": "b"}', "Expected the verdict of this report, got that of 'b'"),
        (b'"' + b"x" * MAX_VERDICT_BYTES + b'"', f"Expected at most {MAX_VERDICT_BYTES} bytes"),
    ],
)
def test_an_unreadable_verdict_is_told_of_and_does_not_hide_the_others(
    redis_server: Any, connect: Callable[[str], Broker], value: bytes, why: str
) -> None:
    publish(redis_server, "bad", value)
    publish(redis_server, "good", json.dumps(encode(Analysis(report_id="good"))))
    broker = connect(redis_server.url)
    assert list(broker.verdicts("shop", ["bad", "good"])) == ["good"]
    assert list(broker.unreadable) == ["bad"]
    assert why in broker.unreadable["bad"]
    broker.verdicts("shop", ["good"])
    assert broker.unreadable == {}


def test_no_verdicts_are_asked_of_nobody(connect: Callable[[str], Broker]) -> None:
    assert connect(f"redis://127.0.0.1:{free_port()}").verdicts("shop", []) == {}


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, "no worker is online"),
        ({HEARTBEAT_KEY: "w1@host"}, ""),
        ({HEARTBEAT_KEY: "w1@host", PAUSED_KEY: "upgrade\n until \x1b 3 pm"}, "the queue is paused: upgrade until 3 pm"),
        ({PAUSED_KEY: ""}, "the queue is paused"),
        ({PAUSED_KEY: b"\xff" + b"x" * 999}, "the queue is paused: \ufffd" + "x" * 199),
    ],
)
def test_the_reason_for_not_waiting_is_one_short_clause(
    redis_server: Any, connect: Callable[[str], Broker], keys: dict[str, str | bytes], reason: str
) -> None:
    with redis_server.client() as client:
        for key, value in keys.items():
            client.set(key, value)
    assert connect(redis_server.url).idle_reason() == reason


# --- URLs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://", "redis at localhost:6379/0"),
        (" REDIS://Example:7000/4\n", "redis at example:7000/4"),
        ("redis://user:" + "pw@[::1]:7000", "redis at [::1]:7000/0"),
        ("rediss://cache/1?ssl_cert_reqs=optional", "redis at cache:6379/1 (TLS)"),
        ("redis+socket:///run/ddn/redis.sock", "redis at /run/ddn/redis.sock"),
    ],
)
def test_a_url_is_shown_as_a_place(url: str, where: str) -> None:
    assert Broker(url).where == where


@pytest.mark.parametrize(
    ("url", "shown", "got"),
    [
        ("", "", "got no such scheme"),
        ("localhost:6379", "localhost:6379", "got no such scheme"),
        ("amqp://me:{}@host:1/x", "amqp://***@host:1/x", "got the scheme 'amqp'"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock", "got the scheme 'unix'"),
        ("sentinel://:{}@a:26379;sentinel://:{}@b:26379", "***", "separated by ';': write ','"),
        ("redis://:{}@a;redis://b", "***", "got several servers"),
        ("redis://host:port", "redis://***", "cannot be split"),
        ("redis://[::1", "redis://***", "cannot be split"),
        ("redis://host/main", "redis://host/main", "got a database that is not a number"),
        ("redis://host/-1", "redis://host/-1", "got a database that is not a number"),
        ("redis://host/0?password={}", "redis://host/0", "got the option 'password'"),
        ("redis://host/0?password={}@x", "redis://***", "got an unknown option"),
        ("redis://host/0?ssl_ca_certs=x", "redis://host/0", "got the option 'ssl_ca_certs'"),
        ("rediss://host/0?ssl_cert_reqs=maybe", "rediss://host/0", "got an 'ssl_cert_reqs' other than"),
        ("redis+socket://host/x", "redis+socket://host/x", "got a host"),
        ("redis+socket://", "redis+socket://", "got no path"),
        ("redis+socket:///x?db=1", "redis+socket:///x", "got the option 'db'"),
        ("redis://:{}/more@host/0", "redis://***@host/0", "cannot be split"),
        ("redis://:{}?more@host/0", "redis://***", "got an unknown option"),
        ("redis://:a?{}=@host/0", "redis://***", "got an unknown option"),
        ("redis://me:{}", "redis://***", "cannot be split"),
        ("://:{}@host", "***", "got no such scheme"),
        (":{}@host", "***@host", "got no such scheme"),
    ],
)
def test_an_unusable_url_is_refused_without_showing_its_password(url: str, shown: str, got: str) -> None:
    secret = "hun" + "ter"
    with pytest.raises(SettingsError) as caught:
        Broker(url.replace("{}", secret))
    assert str(caught.value).startswith(f"Reading Redis URL '{shown}' failed: Expected redis://HOST:PORT/DB, ")
    assert got in str(caught.value)
    assert secret not in f"{caught.value} {caught.value.__cause__}"


# --- the process around it -----------------------------------------------------------------------------------------------

PRELUDE = f"""
import logging, os, signal, sys, threading
sys.path.insert(0, {str(ROOT)!r})
from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import FailureReport, Run
from robot_ddn_listener.errors import BrokerError
REPORT = FailureReport(id="one", project="p", fingerprint="f", run=Run("r"), suite_name="S", test_name="T", error_message="boom")
"""


def python(code: str, *arguments: str, **environment: str) -> str:
    """Run `code` in a Python of its own, which must be silent on stderr and end by itself; return its stdout."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.strip()


def test_nothing_is_imported_before_the_first_call() -> None:
    heavy = python(
        "broker = Broker('redis://localhost/0'); broker.where; broker.close()\n"
        "print([name for name in ('celery', 'kombu', 'redis', 'billiard', 'amqp', 'ssl') if name in sys.modules])"
    )
    assert heavy == "[]"


TALK = """
logging.basicConfig(level=logging.INFO)
for url in sys.argv[1:]:
    broker = Broker(url)
    for call in (lambda: broker.submit(REPORT), broker.idle_reason, lambda: broker.verdicts("p", ["one"])):
        try:
            call()
            print("ok")
        except BrokerError:
            print("BrokerError")
"""


def test_a_process_logs_nothing_whatever_redis_does_and_ends_without_closing(
    redis_server: Any, own_server: Callable[..., Server], black_hole: str
) -> None:
    hung = own_server()
    hung.signal(signal.SIGSTOP)
    try:
        refused, tls = f"redis://127.0.0.1:{free_port()}/0", f"rediss://127.0.0.1:{redis_server.port}/0"
        said = python(TALK, redis_server.url, refused, hung.url, black_hole, tls)
    finally:
        hung.signal(signal.SIGCONT)
    assert said.split() == ["ok"] * 3 + ["BrokerError"] * 12


def test_a_process_whose_server_hangs_after_a_send_ends_at_once(own_server: Callable[..., Server]) -> None:
    server = own_server()
    pid = str(server.process.pid if server.process else "")
    try:
        python("broker = Broker(sys.argv[1]); broker.submit(REPORT); os.kill(int(sys.argv[2]), signal.SIGSTOP)", server.url, pid)
    finally:
        server.signal(signal.SIGCONT)


def test_the_environment_of_the_users_own_celery_changes_nothing(redis_server: Any, tmp_path: Path) -> None:
    elsewhere = f"redis://127.0.0.1:{free_port()}/0"
    (tmp_path / "celeryconfig.py").write_text("raise SystemExit('the configuration of the user was imported')")
    python(
        "Broker(sys.argv[1]).submit(REPORT)",
        redis_server.url,
        CELERY_BROKER_URL=elsewhere,
        CELERY_BROKER_WRITE_URL=elsewhere,
        CELERY_BROKER_READ_URL=elsewhere,
        CELERY_RESULT_BACKEND=elsewhere,
        CELERY_CONFIG_MODULE="celeryconfig",
        CELERY_LOADER="celeryconfig",
        DJANGO_SETTINGS_MODULE="celeryconfig",
        PYTHONPATH=str(tmp_path),
    )
    with redis_server.client() as client:
        (message,) = queued(client)
    assert message["content-type"] == "application/json"


def test_the_users_own_celery_is_left_alone(redis_server: Any) -> None:
    code = """
def state():
    return [signal.getsignal(number) for number in signal.valid_signals()], logging.root.handlers[:], dict(os.environ)
before = state()
Broker(sys.argv[1]).submit(REPORT)
import celery
print(celery._state.default_app, celery._state._tls.current_app, state() == before, threading.active_count())
theirs = celery.Celery("theirs", broker="memory://")
Broker(sys.argv[1]).submit(REPORT)
print(celery.current_app == theirs)
"""
    assert python(code, redis_server.url).splitlines() == ["None None True 1", "True"]


def test_a_broken_celery_is_a_broker_error(tmp_path: Path) -> None:
    (tmp_path / "celery.py").write_text("raise SystemExit('not the Celery you were looking for')")
    code = """
try:
    Broker("redis://localhost/0").submit(REPORT)
except BrokerError as error:
    print(error)
"""
    said = python(code, PYTHONPATH=str(tmp_path))
    assert said.endswith("failed: not the Celery you were looking for.")


@pytest.fixture
def dripping() -> Iterator[tuple[str, threading.Event]]:
    """A server that always has one more byte for its answer, so that no time limit for one read ends it; set when it was called."""
    called, ended = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            caller, _ = listener.accept()
            with caller:
                called.set()
                while not ended.wait(0.05):
                    caller.send(b"+")

        thread = threading.Thread(target=drip)
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0", called
        ended.set()
        thread.join()


def test_closing_does_not_wait_for_a_send_that_hangs(dripping: tuple[str, threading.Event]) -> None:
    url, called = dripping
    broker = Broker(url)
    outcome: list[object] = []

    def send() -> None:
        try:
            broker.submit(REPORT)
        except BrokerError as error:
            outcome.append(error)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    assert called.wait(20)
    broker.close()
    assert sender.is_alive()
    assert outcome == []
