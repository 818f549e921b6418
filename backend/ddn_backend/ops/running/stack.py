"""What `ddn up` runs on one machine: its Redis, and the parts above it.

Without a Redis URL a Valkey of our own listens on 127.0.0.1. Its append-only file is in DDN_HOME, so that nothing is lost over
restarts; a lock there keeps a second `ddn up` away from it.
"""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from redis import RedisError

from robot_ddn_listener.contract import HEARTBEAT_SECONDS, WORKERS_KEY
from robot_ddn_listener.errors import RuntimeStartError
from robot_ddn_listener.redis_url import parse_redis_url, shown_url
from robot_ddn_listener.runtime import check_private, open_lock, try_lock

from ...errors import SettingsError
from ...settings import Settings
from ...valkey_server import LOOPBACK, ValkeyServer, take_back_unfinished
from . import addresses
from .console import Console
from .endpoint import FOLDER
from .redis_check import check_redis, operators_client
from .supervisor import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, OURS, Part

LOCK = "up.lock"
DDN = "ddn_backend.cli.main"  # the module that is `ddn`
OTHER_PORT = "Name another port with --port, or name the Redis that listens there with DDN_REDIS_URL."


@dataclass(frozen=True, slots=True)
class Redis:
    """The Redis of this stack. `look` starts it again when it is ours and has died; one of ours only this machine reaches."""

    url: str
    is_ours: bool = False
    look: Callable[[], None] = lambda: None


@contextmanager
def redis_of(settings: Settings, port: int, console: Console) -> Iterator[Redis]:
    """Give the Redis that the settings name, checked, or one of our own on `port` (0: any) that ends with the `with` block."""
    if settings.redis_url:
        check_redis(settings.redis_url)
        yield Redis(settings.redis_url)
        return
    place = _place(settings.home_folder)
    with _alone(place):
        port = port or addresses.free_port()
        addresses.check_free(LOOPBACK, port, "Redis", OTHER_PORT)
        server = _OwnServer(ValkeyServer(place, port, lambda stream: console.follow("redis", stream)), console)
        server.start()
        try:
            url = f"redis://{LOOPBACK}:{port}/0"
            with operators_client(url) as client:
                take_back_unfinished(client)
            yield Redis(url, is_ours=True, look=server.look)
        finally:
            server.stop()


def parts(settings: Settings, workers: int, *, with_monitor: bool) -> tuple[Part, ...]:
    """Return what to run above the Redis of `settings`; a worker that beats there under one of our names gets another name."""
    host = platform.node()
    taken = _living(settings.redis_url)
    names = [f"worker{number}" for number in range(1, workers + 1)]
    if any(f"{name}@{host}" in taken for name in names):
        names = [f"{name}-{os.getpid()}" for name in names]
    above = [
        Part(f"worker{number}", DDN, ("worker", "--name", f"{name}@{host}"), beats_as=f"{name}@{host}")
        for number, name in enumerate(names, 1)
    ]
    if with_monitor:
        above.append(Part("monitor", DDN, ("monitor",)))
    return (*above, Part("flower", DDN, ("flower",)))


def beats(url: str) -> Mapping[str, float] | None:
    """Return the Unix time of each worker's last beat, by its name; None when Redis does not answer."""
    try:
        with operators_client(url) as client:
            return {name.decode("utf-8", "replace"): when for name, when in client.zrange(WORKERS_KEY, 0, -1, withscores=True)}
    except (RedisError, OSError):
        return None


def command_for_testers(url: str) -> str:
    """Return the command that a tester needs, without the password of `url`."""
    return f'robot --listener "robot_ddn_listener;redis={shown_url(url)}" tests/'


def has_password(url: str) -> bool:
    return bool(parse_redis_url(url).password)


class _OwnServer:
    """A Valkey that is started again when it dies, after pauses like those of the parts."""

    def __init__(self, server: ValkeyServer, console: Console) -> None:
        self._server = server
        self._console = console
        self._pause = FIRST_PAUSE_SECONDS
        self._due = 0.0

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def look(self) -> None:
        if self._server.is_alive() or monotonic() < self._due:
            return
        self._console.say(OURS, "redis ended. It is started again.")
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        self._due = monotonic() + self._pause
        try:
            self._server.start()
        except (RuntimeStartError, OSError) as error:
            self._console.say(OURS, f"{error} It is tried again in {self._pause:g} s.")


def _living(url: str) -> set[str]:
    return {name for name, when in (beats(url) or {}).items() if when > time.time() - HEARTBEAT_SECONDS}


def _place(home: Path) -> Path:
    if sys.platform == "win32":
        raise SettingsError("Starting a Valkey server failed: there is none for native Windows. Set DDN_REDIS_URL.")
    place = home / FOLDER
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_private(place)
    except OSError as error:
        raise SettingsError(f"Making folder '{place}' failed: {error.strerror or error}. Set DDN_HOME to another one.") from error
    return place


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    lock = open_lock(place / LOCK)
    try:
        if not try_lock(lock):
            raise SettingsError(
                f"Locking '{place / LOCK}' failed: another `ddn up` runs with this DDN_HOME. Use it, or end it first."
            )
        yield
    finally:
        os.close(lock)
