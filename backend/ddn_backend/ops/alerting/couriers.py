"""Brings messages to their targets, one thread each: a target that fails or hangs delays nobody else, least of all the monitor."""

import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from logging import getLogger

from ...ports import Notice, Notifier, NotifyError

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
MOST_KEPT = 100  # messages a target; the oldest goes first
CLOSE_SECONDS = 3.0  # that all of them have to end: what was not sent is sent after the next start

Told = Callable[[str, Notice], None]

logger = getLogger(__name__)


class Couriers:
    """`told(target, notice)` is called in a courier's thread after a message was taken."""

    def __init__(self, notifier: Notifier, told: Told, first_pause_seconds: float = FIRST_PAUSE_SECONDS):
        self._couriers = {target: _Courier(target, notifier, told, first_pause_seconds) for target in notifier.targets}

    def bring(self, targets: Iterable[str], notice: Notice) -> None:
        """Have the message sent, as soon as it can be; a later one of the same incident takes the place of an earlier."""
        for target in targets:
            if courier := self._couriers.get(target):
                courier.bring(notice)

    def close(self) -> None:
        for courier in self._couriers.values():
            courier.stop()
        for courier in self._couriers.values():
            courier.join(CLOSE_SECONDS / len(self._couriers))


class _Courier(threading.Thread):
    def __init__(self, target: str, notifier: Notifier, told: Told, first_pause_seconds: float):
        super().__init__(name=f"alerts to {target}", daemon=True)
        self._target = target
        self._notifier = notifier
        self._told = told
        self._first_pause_seconds = first_pause_seconds
        self._changed = threading.Condition()
        self._notices: OrderedDict[str, Notice] = OrderedDict()
        self._is_stopped = False

    def bring(self, notice: Notice) -> None:
        with self._changed:
            self._notices[notice.incident] = notice
            if len(self._notices) > MOST_KEPT:
                incident, _ = self._notices.popitem(last=False)
                logger.warning(
                    "Telling '%s' of '%s' failed: %d messages wait for it. It is not told.", self._target, incident, MOST_KEPT
                )
            if not self.ident:
                self.start()
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._is_stopped = True
            self._changed.notify()

    def join(self, timeout: float | None = None) -> None:
        if self.ident:
            super().join(timeout)

    def run(self) -> None:
        failures = 0
        while notice := self._next(self._pause_seconds(failures)):
            try:
                self._notifier.send(self._target, notice)
            except NotifyError as error:
                failures += 1
                logger.warning("%s It is tried again in %.0f s at most.", error, self._pause_seconds(failures))
                continue
            failures = 0
            self._take(notice)
            self._told(self._target, notice)

    def _pause_seconds(self, failures: int) -> float:
        return min(LONGEST_PAUSE_SECONDS, self._first_pause_seconds * 2 ** (failures - 1)) if failures else 0.0

    def _next(self, pause_seconds: float) -> Notice | None:
        """Return the message that is next, after a pause with jitter; None at the end."""
        with self._changed:
            if pause_seconds:
                self._changed.wait_for(lambda: self._is_stopped, pause_seconds * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load
            self._changed.wait_for(lambda: self._is_stopped or self._notices)
            return None if self._is_stopped else next(iter(self._notices.values()))

    def _take(self, notice: Notice) -> None:
        with self._changed:
            if self._notices.get(notice.incident) is notice:
                del self._notices[notice.incident]
