"""Celery's events as they come in, for as long as the monitor lives; where Redis goes and returns it is found again."""

import threading
from collections.abc import Callable
from logging import getLogger
from typing import Any

from celery import Celery
from celery.events.receiver import EventReceiver
from kombu.exceptions import KombuError
from redis import RedisError

from .task_runs import Event

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0

logger = getLogger(__name__)


class Events:
    """Calls `take` with each event, in a thread of its own from `start` to `close`. `is_up` while events are received;
    `times_up` counts how often that began: what was sent in between was missed."""

    def __init__(self, app: Celery, take: Callable[[Event], None]) -> None:
        self._app = app
        self._take = take
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ddn-events", daemon=True)
        self.is_up = False
        self.times_up = 0

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Receive no longer; wait for the event that is being taken."""
        self._stop.set()
        self._thread.join(LONGEST_PAUSE_SECONDS)

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            before = self.times_up
            try:
                self._receive()
            except (OSError, KombuError, RedisError) as error:
                if self.times_up > before:
                    pause = FIRST_PAUSE_SECONDS
                logger.warning("Receiving events failed: %s. It is tried again in %.1f s.", _cause(error), pause)
            self.is_up = False
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _receive(self) -> None:
        with self._app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, timeout=LONGEST_PAUSE_SECONDS)
            receiver = _Receiver(connection, handlers={"*": self._take}, app=self._app)
            receiver.ready, receiver.stop = self._now_up, self._stop
            receiver.capture(wakeup=False)

    def _now_up(self) -> None:
        self.times_up += 1
        self.is_up = True


class _Receiver(EventReceiver):  # type: ignore[misc]
    connect_max_retries = 1
    ready: Callable[[], None]
    stop: threading.Event

    def on_consume_ready(self, connection: Any, channel: Any, consumers: Any, **kwargs: Any) -> None:
        self.ready()

    def on_iteration(self) -> None:
        self.should_stop = self.stop.is_set()


def _cause(error: BaseException) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
