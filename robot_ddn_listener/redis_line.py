"""A connection to a Redis or a Sentinel over a plain socket, for what must not pay for importing Celery (.25 s) or redis-py.

All that a connection does, from the first packet to the last answer, has one deadline, however slowly the server drips.
The system's look-up of a host's name has limits of its own: who cannot wait for it connects from another thread.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from .errors import BrokerError

if TYPE_CHECKING:
    import ssl

    from .redis_url import RedisAddress

MAX_REPLY_BYTES = 4096  # all that is asked has a short answer


class Line:
    """A connection that is logged in. Its errors are BrokerErrors, and never show the password."""

    def __init__(self, address: "RedisAddress", connection: socket.socket, deadline: float):
        self.address = address
        self._connection = connection
        self._deadline = deadline
        self._unread = b""

    def log_in(self) -> None:
        address = self.address
        if address.username or address.password:
            self._call("AUTH", *([address.username] if address.username else []), address.password)
        if address.db:
            self._call("SELECT", str(address.db))

    def ask(self, *words: str | bytes) -> bytes:
        """Return the first line of the answer; BrokerError when the server refuses, or does not answer in time."""
        with mapped(self.address):
            return self._call(*words)

    def ask_for_texts(self, *words: str) -> list[str] | None:
        """Return an answer that is an array of texts; None when it is the empty one."""
        with mapped(self.address):
            count = int(self._call(*words).removeprefix(b"*"))
            return None if count < 0 else [self._read_text() for _ in range(count)]

    def _call(self, *words: str | bytes) -> bytes:
        parts = [word.encode() if isinstance(word, str) else word for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        self._connection.settimeout(_left(self._deadline))
        self._connection.sendall(request)
        answer = self._read_line()
        if answer.startswith(b"-"):
            raise ConnectionRefusedError(answer[1:].decode("utf-8", "replace"))
        return answer

    def _read_text(self) -> str:
        length = self._read_line()
        text = self._read_line()  # no text that is asked for has lines
        if length != b"$%d" % len(text):
            raise ConnectionAbortedError("the server's answer is none of Redis")
        return text.decode("utf-8", "replace")

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
def line_to(address: "RedisAddress", deadline: float) -> Iterator[Line]:
    """Give a connection to the host or socket of `address` that lasts until `deadline`; BrokerError when it cannot be had."""
    with mapped(address):
        connection = _connection(address, deadline)
    try:
        line = Line(address, connection, deadline)
        with mapped(address):
            line.log_in()
        yield line
    finally:
        with suppress(OSError):
            connection.close()


@contextmanager
def mapped(address: "RedisAddress") -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a name, certificate or number that cannot be used
        cause = address.without_password(str(error).strip().rstrip(".") or type(error).__name__)
        raise BrokerError(f"Sending to {address.where} failed: {cause}.") from error


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
