"""The runtime of one machine: `python -m ddn_backend.embedded DIRECTORY`, started by robot_ddn_listener.runtime at need.

    lock the directory -> Valkey -> recorded runs -> worker -> endpoint file -> ... nobody holds a lease for a while ... -> ends

It ends when it could take the clients' lock for DDN_IDLE seconds, removing the endpoint under that lock, so that a client
either finds a runtime that stays or none. Reports that still wait are worked off first, for a while; what is left then
waits in Valkey's append-only file for the next runtime. Killed at any moment it leaves nothing that blocks the next one.
"""

import json
import logging
import os
import platform
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TextIO

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from celery.worker import state
from redis import RedisError

from robot_ddn_listener import kept_runs
from robot_ddn_listener.contract import QUEUE
from robot_ddn_listener.errors import DdnError, RuntimeStartError
from robot_ddn_listener.runtime import (
    CLIENTS_LOCK,
    ENDPOINT,
    LOG,
    RUNTIME_LOCK,
    check_private,
    has_guest,
    open_lock,
    read_endpoint,
    try_lock,
    unlock,
)
from robot_ddn_listener.version import VERSION

from . import bootstrap
from .app import create_app
from .recorded_runs import Intake
from .settings import Settings, load
from .unused_runtimes import remove_unused
from .valkey_server import ValkeyServer, take_back_unfinished

MAX_LOG_BYTES = 1024 * 1024
PREDECESSOR_SECONDS = 20.0  # that a runtime which is about to end may take for it
LOOK_SECONDS = 0.25  # between two looks at the clients' lock
INTAKE_SECONDS = 1.0  # that recorded runs may hold up the first analysis, which needs to know of them
DRAIN_SECONDS = 30.0  # that reports which still wait may keep a runtime up that nobody uses any more
GOODBYE_SECONDS = 20.0  # that the worker may take to stop

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Run the runtime of the directory in `arguments` until nobody needs it; return the exit code."""
    if len(arguments) != 1:
        print(f"Expected one argument, the runtime's directory, got {len(arguments)}.", file=sys.stderr)
        return 2
    place = Path(arguments[0]).absolute()
    os.umask(0o077)
    try:
        check_private(place)
        _log_to(place / LOG)
        with _alone(place) as is_alone:
            if is_alone:
                remove_unused(place.parent)
                Runtime(place, load()).run()
    except (DdnError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


class Runtime:
    """Valkey, a worker, and the watch that ends both."""

    def __init__(self, place: Path, settings: Settings):
        self._place = place
        self._settings = settings
        self._server = ValkeyServer(place)
        self._stopped = threading.Event()
        runs = place.parent / kept_runs.RUNS / kept_runs.of_embedded(settings.mongo_url)
        self._intake = Intake(runs, lambda: bootstrap.history(settings))

    def run(self) -> None:
        """Start all, work, and return when all is stopped."""
        self._server.start()
        self._intake.start()
        try:
            self._work()
        finally:
            self._intake.stop()
            self._withdraw()
            self._server.stop()
            logger.info("Ended.")

    def _work(self) -> None:
        worker, app = self._worker()
        threading.Thread(target=self._watch, args=(app,), name="ddn-watch", daemon=True).start()
        try:
            worker.start()
        finally:
            self._stopped.set()

    def _worker(self) -> tuple[Any, Celery]:
        app = create_app(self._settings.model_copy(update={"redis_url": self._server.url}))
        take_back_unfinished(app.backend.client)
        signals.setup_logging.connect(_keep_logging, weak=False)
        signals.worker_ready.connect(self._announce)
        signals.worker_shutting_down.connect(self._withdraw)
        worker = app.Worker(
            hostname=f"embedded-{os.getpid()}@{platform.node()}",
            loglevel=self._settings.log_level,
            quiet=True,
            without_gossip=True,  # there are no other workers to know of
            without_mingle=True,
        )
        return worker, app

    def _announce(self, **signal_arguments: Any) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # Celery would start itself again, without us
        self._intake.wait(INTAKE_SECONDS)
        new = self._place / f"{ENDPOINT}.new"
        new.write_text(json.dumps({"url": self._server.url, "pid": os.getpid(), "version": VERSION}), encoding="utf-8")
        new.replace(self._place / ENDPOINT)
        logger.info("Ready at %s.", self._server.url)

    def _withdraw(self, **signal_arguments: Any) -> None:
        (self._place / ENDPOINT).unlink(missing_ok=True)

    def _watch(self, app: Celery) -> None:
        try:
            self._wait_until_unneeded(app)
        finally:
            state.should_stop = 0  # the worker's warm shutdown, with exit code 0
            if self._server.is_alive():
                app.control.shutdown()  # the same, but it need not wait for the next message to see it
            if not self._stopped.wait(GOODBYE_SECONDS):
                logger.error("The worker did not stop within %g s. It is left behind.", GOODBYE_SECONDS)
                self._server.stop()
                os._exit(1)

    def _wait_until_unneeded(self, app: Celery) -> None:
        """Return when no client is left or the server is gone; the endpoint is removed by then."""
        clients = open_lock(self._place / CLIENTS_LOCK)
        last_use, touched = monotonic(), 0
        while self._server.is_alive():
            is_free, before, touched = try_lock(clients), touched, os.fstat(clients).st_mtime_ns
            # Leases that came and went between two looks have touched the file.
            if not is_free or touched != before or has_guest(self._place):
                last_use = monotonic()
            elif self._is_enough(monotonic() - last_use, app):
                break
            if is_free:
                unlock(clients)
            sleep(LOOK_SECONDS)
        self._withdraw()
        os.close(clients)
        logger.info("No client is left." if self._server.is_alive() else "The server is gone.")

    def _is_enough(self, idle: float, app: Celery) -> bool:
        return idle >= self._settings.idle_seconds and (idle >= DRAIN_SECONDS or not _pending(app))


def _pending(app: Celery) -> bool:
    try:
        return bool(app.backend.client.llen(QUEUE) or app.backend.client.hlen("unacked"))
    except RedisError as error:  # nobody can work off what a server that does not answer holds
        logger.warning("Counting waiting reports failed: %s.", error)
        return False


@contextmanager
def _alone(place: Path) -> Iterator[bool]:
    """Give whether this is the one runtime of `place`; one that is about to end is waited for."""
    lock = open_lock(place / RUNTIME_LOCK)
    deadline = monotonic() + PREDECESSOR_SECONDS
    try:
        while not try_lock(lock):
            if read_endpoint(place):
                yield False
                return
            if monotonic() > deadline:
                raise RuntimeStartError(
                    f"Locking '{place / RUNTIME_LOCK}' failed: another runtime holds it and does not get ready."
                )
            sleep(LOOK_SECONDS / 10)
        (place / ENDPOINT).unlink(missing_ok=True)
        yield True
    finally:
        os.close(lock)


class BoundedLog(logging.StreamHandler[TextIO]):
    """Appends to a file that others append to as well, and starts it over when it is full."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("a", encoding="utf-8"))

    def emit(self, record: logging.LogRecord) -> None:
        if os.fstat(self.stream.fileno()).st_size > MAX_LOG_BYTES:
            self.stream.truncate(0)
        super().emit(record)


def _log_to(path: Path) -> None:
    """Write everything to the log at `path`; nothing is read from, or written to, whoever started us."""
    log = BoundedLog(path)
    log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[log])
    warnings.filterwarnings("ignore", category=SecurityWarning)  # of running as root: only JSON is accepted
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    for stream in (1, 2):
        os.dup2(log.stream.fileno(), stream)


def _keep_logging(**signal_arguments: Any) -> None:
    """Celery leaves logging alone when somebody listens to its signal."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
