"""Puts a task into the queue over a plain socket: a run without failures must not pay for Celery's import (.25 s) or redis-py's.

What is pushed is kombu's envelope of a task of Celery's protocol 2, as a worker takes it from the list that is its queue. All that
a connection does, from the first packet to the last answer, has one deadline, however slowly the server drips.
The system's look-up of a host's name has limits of its own: who cannot wait for it pushes from another thread.
"""

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from .errors import BrokerError
from .run import QUEUE

if TYPE_CHECKING:
    import ssl

    from .redis_url import RedisAddress

SECONDS = 0.5  # from connecting to the last answer: all that a server which hangs may cost a run
MAX_REPLY_BYTES = 4096  # AUTH, SELECT and LPUSH answer with a short line


class Line:
    """A connection that is logged in. Its errors are BrokerErrors, and never show the password."""

    def __init__(self, address: "RedisAddress", connection: socket.socket, deadline: float):
        self._address = address
        self._connection = connection
        self._deadline = deadline
        self._unread = b""

    def log_in(self) -> None:
        address = self._address
        if address.username or address.password:
            self._call("AUTH", *([address.username] if address.username else []), address.password)
        if address.db:
            self._call("SELECT", str(address.db))

    def push(self, envelope: bytes) -> None:
        """Put one task at the end of the queue; BrokerError when the server did not say that it has it."""
        with _mapped(self._address):
            answer = self._call("LPUSH", QUEUE, envelope)
        if not answer.startswith(b":"):
            raise BrokerError(f"Sending to {self._address.where} failed: Expected a number, got {answer!r:.80}.")

    def _call(self, *words: str | bytes) -> bytes:
        parts = [word.encode() if isinstance(word, str) else word for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        self._connection.settimeout(_left(self._deadline))
        self._connection.sendall(request)
        answer = self._read_line()
        if answer.startswith(b"-"):
            raise ConnectionRefusedError(answer[1:].decode("utf-8", "replace"))
        return answer

    def _read_line(self) -> bytes:
        while b"\r\n" not in self._unread:
            self._connection.settimeout(_left(self._deadline))
            received = self._connection.recv(MAX_REPLY_BYTES)
            if not received:
                raise ConnectionResetError("the server closed the connection")
            self._unread += received
            if len(self._unread) > MAX_REPLY_BYTES:
                raise ConnectionAbortedError("the server's answer is too long for one of Redis")
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line


@contextmanager
def connected(address: "RedisAddress", seconds: float = SECONDS) -> Iterator[Line]:
    """Give a connection to `address` that lasts for `seconds` in all; BrokerError when it cannot be had."""
    deadline = monotonic() + seconds
    with _mapped(address):
        connection = _connection(address, deadline)
    try:
        line = Line(address, connection, deadline)
        with _mapped(address):
            line.log_in()
        yield line
    finally:
        with suppress(OSError):
            connection.close()


def envelope(task: str, task_id: str, argument: Mapping[str, Any], argsrepr: str) -> bytes:
    """Return the message that makes a Celery worker call `task` with one argument, as it lies in Redis. Its result is not kept."""
    body = json.dumps([[argument], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    headers = {
        "lang": "py",
        "task": task,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "argsrepr": argsrepr,
        "kwargsrepr": "{}",
        "origin": "robot_ddn_listener",
        "ignore_result": True,
    }
    properties = {
        "correlation_id": task_id,
        "reply_to": "",
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": task_id,
    }
    message = {
        "body": base64.b64encode(body.encode("utf-8")).decode("ascii"),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": headers,
        "properties": properties,
    }
    return json.dumps(message).encode("ascii")


def _connection(address: "RedisAddress", deadline: float) -> socket.socket:
    if address.path:
        return _opened(socket.AF_UNIX, address.path, deadline)
    problem: OSError = ConnectionRefusedError("its name has no address")
    for family, _, _, _, place in socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM):
        try:
            connection = _opened(family, place, deadline)
            break
        except OSError as error:
            problem = error
    else:
        raise problem
    return _encrypted(address, connection, deadline) if address.tls else connection


def _opened(family: int, place: Any, deadline: float) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(_left(deadline))
        connection.connect(place)
    except BaseException:
        connection.close()
        raise
    return connection


def _encrypted(address: "RedisAddress", connection: socket.socket, deadline: float) -> "ssl.SSLSocket":
    assert address.tls is not None
    try:
        context = _tls_context(address.tls)
        connection.settimeout(_left(deadline))
        return context.wrap_socket(connection, server_hostname=address.host)
    except BaseException:
        connection.close()
        raise


def _tls_context(tls: Mapping[str, str | bool]) -> "ssl.SSLContext":
    """Return what verifies a server as redis-py does for the same settings."""
    import ssl

    verify = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}
    context = ssl.create_default_context()
    context.check_hostname = bool(tls.get("ssl_check_hostname", True))
    context.verify_mode = verify[str(tls.get("ssl_cert_reqs", "required"))]
    if tls.get("ssl_certfile"):
        context.load_cert_chain(str(tls["ssl_certfile"]), str(tls["ssl_keyfile"]) if tls.get("ssl_keyfile") else None)
    if tls.get("ssl_ca_certs"):
        context.load_verify_locations(str(tls["ssl_ca_certs"]))
    return context


def _left(deadline: float) -> float:
    """Return the seconds that are left; a timeout of 0 would mean not to wait for what is there."""
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


@contextmanager
def _mapped(address: "RedisAddress") -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a name or certificate that cannot be used
        cause = address.without_password(str(error).strip().rstrip(".") or type(error).__name__)
        raise BrokerError(f"Sending to {address.where} failed: {cause}.") from error
