"""What all tests share: no way out of this machine, and real servers."""

import importlib.util
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PATIENCE_SECONDS = 30.0  # a hung test ends; nothing waits for this long when all is well


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Fail any test that tries to reach another machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            pytest.fail(f"A test tried to connect to {address}: tests must not leave loopback.")
        return connect(self, address)

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


def _wait_until(condition: Callable[[], object], what: str = "the condition") -> Any:
    """Return the first true value of `condition`; fail when there is none in PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"Waited {PATIENCE_SECONDS:g} s for {what} in vain.")
        time.sleep(0.01)
    return value


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """`wait_until(condition, what)` returns the first true value of `condition`, or fails the test."""
    return _wait_until


def missing(what: str) -> None:
    """Skip on a user's machine, fail in CI, where everything must be there."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{what} is not installed")


def is_running(pid: int) -> bool:
    """Return whether the process runs; one that is dead but not yet buried does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # gone since, or no Linux
        return not Path("/proc/self").exists()


@dataclass(frozen=True)
class RedisServer:
    """A real server, on loopback and on a unix socket."""

    port: int
    socket: Path
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        return f"redis+socket://{self.socket}"

    def client(self) -> Any:
        import redis

        return redis.Redis(unix_socket_path=str(self.socket))


@pytest.fixture(scope="session")
def redis_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests; use `redis_server` for an empty one."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if not binary:
        missing("redis-server")
    place = tmp_path_factory.mktemp("redis")
    port = _free_port()
    arguments = {"--port": str(port), "--bind": "127.0.0.1", "--unixsocket": str(place / "s"), "--dir": str(place), "--save": ""}
    process = subprocess.Popen([str(binary), *(word for pair in arguments.items() for word in pair)], stdout=subprocess.DEVNULL)
    server = RedisServer(port, place / "s", process)
    try:
        with server.client() as client:
            _wait_until(lambda: _answers(client), "the Redis server")
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


@pytest.fixture
def redis_server(redis_session: RedisServer) -> RedisServer:
    """A real server without any key, and without any connection that an earlier test left open."""
    with redis_session.client() as client:
        client.flushall()
        for kind in ("normal", "pubsub"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
    return redis_session


def _answers(client: Any) -> bool:
    import redis

    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class EmbeddedRuntimes:
    """Embedded runtimes below one DDN_HOME, and all processes that were seen to be theirs."""

    environ: dict[str, str]
    leases: list[Any] = field(default_factory=list)
    pids: set[int] = field(default_factory=set)

    @property
    def place(self) -> Path:
        from robot_ddn_listener import runtime

        return runtime.directory(self.environ)

    @property
    def endpoint(self) -> dict[str, Any]:
        """The endpoint file, empty while there is none."""
        try:
            return dict(json.loads((self.place / "endpoint.json").read_text()))
        except FileNotFoundError:
            return {}

    def acquire(self, seconds: float = PATIENCE_SECONDS) -> Any:
        """Return a lease; what it started is remembered."""
        from robot_ddn_listener import runtime

        lease = runtime.acquire(self.environ, seconds)
        self.leases.append(lease)
        with self.client() as client:
            self.pids |= {self.endpoint["pid"], client.info("server")["process_id"]}
        return lease

    def client(self) -> Any:
        """Return a client of the running runtime's server."""
        import redis

        return redis.Redis(unix_socket_path=self.endpoint["url"].removeprefix("redis+socket://"))

    def running(self) -> list[int]:
        return [pid for pid in self.pids if is_running(pid)]

    def is_gone(self, pid: int) -> bool:
        """Return whether the killed runtime is gone with all its threads: the last one of them gives up the lock."""
        return pid not in self.running() and self._is_unlocked("runtime.lock")

    def end(self) -> None:
        """Give all leases back and wait until every process has ended by itself."""
        for lease in self.leases:
            lease.close()
        try:
            _wait_until(
                lambda: not self.running() and self._is_unlocked("runtime.lock", "server.lock"), "the embedded runtime to end"
            )
        finally:
            for pid in self.running():
                os.kill(pid, signal.SIGKILL)

    def _is_unlocked(self, *names: str) -> bool:
        from robot_ddn_listener import runtime

        locks = [runtime.open_lock(self.place / name) for name in names]
        try:
            return all(map(runtime.try_lock, locks))
        finally:
            for lock in locks:
                os.close(lock)


@pytest.fixture
def runtimes(tmp_path: Path) -> Iterator[EmbeddedRuntimes]:
    """Embedded runtimes that end as soon as nobody needs them; none is left behind."""
    from robot_ddn_listener import runtime

    if sys.platform == "win32" or not runtime.backend_installed():
        missing("what the embedded runtime needs")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DDN_")}
    started = EmbeddedRuntimes({**kept, "DDN_HOME": str(tmp_path / "home"), "DDN_IDLE": "0"})
    yield started
    started.end()


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL, without a database, of a server that speaks MongoDB's protocol."""
    if not importlib.util.find_spec("nx_27017"):
        missing("nx-27017")
    place = tmp_path_factory.mktemp("mongo")
    port = _free_port()
    options = ["--data-dir", "memory", "--host", "127.0.0.1", "--port", str(port)]
    options += ["--log-file", str(place / "log"), "--pid-file", str(place / "pid")]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "nx_27017.nx_27017", *options],
        cwd=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"mongodb://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
