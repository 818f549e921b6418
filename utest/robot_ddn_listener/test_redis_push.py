"""One LPUSH against real servers, with passwords, databases, sockets and TLS, and against servers that keep one waiting."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection

from robot_ddn_listener.contract import QUEUE
from robot_ddn_listener.errors import BrokerError
from robot_ddn_listener.redis_push import connected, envelope
from robot_ddn_listener.redis_url import parse_redis_url
from utest.conftest import missing

SECRET = "open/sesame@with:letters"
TASK = envelope("tasks.x", "id-1", {"name": "ü \ud83d\ude00"}, "short")


def push(url: str, task: bytes = TASK, seconds: float = 5.0) -> None:
    with connected(parse_redis_url(url), seconds) as line:
        line.push(task)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Return a function that runs a server with these arguments until the test ends."""
    started = []

    def start(*arguments: str) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if not program:
            missing("redis-server")
        command = [str(program), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", "", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout
        assert any(b"eady to accept connections" in line for line in process.stdout)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_celerys_own_transport_reads_what_was_pushed(redis_server: Any) -> None:
    push(redis_server.url)
    with Connection(redis_server.url) as connection, connection.SimpleQueue(QUEUE) as queue:
        message = queue.get(timeout=5)
        message.ack()
    assert message.payload == [[{"name": "ü 😀"}], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    assert (message.headers["task"], message.headers["id"], message.headers["argsrepr"]) == ("tasks.x", "id-1", "short")


def test_tasks_are_taken_in_the_order_in_which_they_were_pushed(redis_server: Any) -> None:
    with connected(parse_redis_url(redis_server.url)) as line:
        line.push(TASK)
        line.push(envelope("tasks.x", "id-2", {}, ""))
    with redis_server.client() as client:
        taken = [json.loads(client.rpop(QUEUE))["headers"]["id"] for _ in range(2)]
    assert taken == ["id-1", "id-2"]


@pytest.mark.parametrize("place", ["redis://127.0.0.1:{0.port}/3", "redis+socket://{0.socket}?virtual_host=3"])
def test_it_lies_in_the_database_that_is_named(redis_server: Any, place: str) -> None:
    push(place.format(redis_server))
    with redis_server.client() as client:
        assert client.llen(QUEUE) == 0
        client.select(3)
        assert client.llen(QUEUE) == 1


def test_a_user_who_may_only_push_to_the_queue_is_enough(redis_server: Any) -> None:
    with redis_server.client() as client:
        client.acl_setuser("tester", enabled=True, passwords=["+" + SECRET], keys=[QUEUE], commands=["+lpush", "+select"])
        try:
            quoted = SECRET.replace("/", "%2F").replace("@", "%40").replace(":", "%3A")
            push(f"redis://tester:{quoted}@127.0.0.1:{redis_server.port}/1")
            with pytest.raises(BrokerError, match="WRONGPASS") as refused:
                push(f"redis://tester:{quoted}x@127.0.0.1:{redis_server.port}/1")
        finally:
            client.acl_deluser("tester")
        client.select(1)
        assert client.llen(QUEUE) == 1
    assert SECRET not in str(refused.value)


def test_a_password_without_a_user_is_enough(own_server: Any, tmp_path: Path) -> None:
    place = tmp_path / "s"
    own_server("--port", "0", "--unixsocket", str(place), "--requirepass", "sesame")
    push(f"redis+socket://:sesame@{place}")
    with pytest.raises(BrokerError, match="NOAUTH"):
        push(f"redis+socket://{place}")


def test_certificates_are_verified_as_the_url_says(own_server: Any, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        missing("openssl")
    certificate, key, port = tmp_path / "cert.pem", tmp_path / "key.pem", free_port()
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=ours", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, *files], check=True, capture_output=True)
    tls = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no"]
    own_server("--port", "0", "--tls-port", str(port), *tls)
    url = f"rediss://127.0.0.1:{port}/0"
    with pytest.raises(BrokerError, match="certificate verify failed"):
        push(url)
    with pytest.raises(BrokerError, match="match"):
        push(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}")
    push(f"{url}?ssl_ca_certs={certificate}")
    push(f"{url}?ssl_cert_reqs=none")
    push(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}&ssl_check_hostname=false")
    with redis.Redis(host="127.0.0.1", port=port, ssl=True, ssl_ca_certs=str(certificate)) as client:
        assert client.llen(QUEUE) == 3


@pytest.fixture
def strange_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Return a function that gives the URL of a server which does this to each connection."""
    opened: list[socket.socket] = []

    def start(serve: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    opened.append(connection)
                    serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}/0"

    yield start
    for each in opened:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def drip(connection: socket.socket) -> None:
    """Send a byte every now and then, none of which ends the answer."""
    with suppress(OSError):
        while True:
            connection.sendall(b":")
            threading.Event().wait(0.02)


def be_silent(connection: socket.socket) -> None:
    pass


@pytest.mark.parametrize("serve", [be_silent, drip])
@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_one_deadline_holds_for_all_that_a_connection_does(strange_server: Any, serve: Any, scheme: str) -> None:
    """It ends: no single answer would ever come. Dripping at a TLS client is an answer that is none."""
    with pytest.raises(BrokerError, match=r"timed out|SSL|handshake"):
        push(f"{scheme}://{strange_server(serve)}", seconds=0.2)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"+OK\r\n", "Expected a number"),
        (b"-LOADING the data set\r\n", "LOADING"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "Expected a number"),
        (b"x" * 10_000, "too long"),
        (b"", "closed"),
    ],
    ids=["no number", "an error", "no Redis", "a flood", "nothing"],
)
def test_only_the_length_of_the_queue_says_that_it_was_taken(strange_server: Any, answer: bytes, why: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)

    with pytest.raises(BrokerError, match=why):
        push(f"redis://{strange_server(serve)}")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis+socket:///not/there", "redis://host.invalid./0"])
def test_where_nobody_listens_it_is_said_at_once(url: str) -> None:
    with pytest.raises(BrokerError, match=r"Sending to redis at .* failed: .*\."):
        push(url)
