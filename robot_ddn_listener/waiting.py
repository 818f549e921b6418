"""Waiting for answers without holding anybody: signals end the wait, a terminal sees how far it is."""

import signal
import sys
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal:
    """While open, SIGINT and SIGTERM set an event instead of ending the process; Robot then still writes log and report."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> threading.Event:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._stop) for number in _SIGNALS}
        return self._event

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for number, previous in self._previous.items():
            # None: it was not installed from Python and cannot be put back by it
            signal.signal(number, previous if previous is not None else signal.SIG_DFL)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._event.set()


class ProgressLine:
    """One line on a terminal's stderr, rewritten in place; nothing where stderr is not a terminal."""

    def __init__(self) -> None:
        self._stream = sys.__stderr__
        self._shown = False

    def __enter__(self) -> "ProgressLine":
        return self

    def __call__(self, answered: int, total: int, seconds_left: float) -> None:
        with suppress(OSError, ValueError, AttributeError):
            if self._stream and self._stream.isatty():
                text = f"Failure analysis: {answered} of {total} answered, at most {seconds_left:.0f} s more (Ctrl-C: go on now)"
                self._stream.write(f"\r{text:<78}")
                self._stream.flush()
                self._shown = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._shown and self._stream:
            with suppress(OSError, ValueError):
                self._stream.write("\r" + " " * 78 + "\r")
                self._stream.flush()
