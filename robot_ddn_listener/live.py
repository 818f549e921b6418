"""What only exists while a keyword fails: the exception that Robot is handling, and the line that called the keyword.

Everything kept is plain text and numbers, or a reference to Robot's own model; never the exception or its traceback, which
would pin the objects of the user's libraries.
"""

import os
import sys
from collections import deque
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import robot

from .edges import cut_text

MAX_RAISED = 20  # of a test; a retry loop raises thousands
MAX_CALLS = 200
MAX_CHAIN = 5
MAX_FRAMES = 20
MAX_MESSAGE_CHARACTERS = 20_000

_ROBOT_FOLDER = os.path.dirname(robot.__file__) + os.sep
_ROBOT_LIBRARIES = _ROBOT_FOLDER + "libraries" + os.sep


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception as plain values. `frames` are (file, line, function), outermost first; `chain` its causes, nearest first."""

    type: str
    message: str
    frames: tuple[tuple[str, int, str], ...]
    chain: tuple["Raised", ...] = ()


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A keyword that failed: Robot's result, data and implementation objects, and what it raised, if that was not Robot's."""

    result: Any
    data: Any
    raised: Raised | None
    implementation: Any = None


class LiveFailures:
    """The failed calls of the current test, newest last."""

    def __init__(self) -> None:
        self._calls: deque[FailedCall] = deque(maxlen=MAX_CALLS)
        self._raised: deque[Raised] = deque(maxlen=MAX_RAISED)

    def note(self, data: Any, implementation: Any, result: Any, *, raised: bool) -> None:
        """Keep the call, and with `raised` the exception that is being handled now."""
        exception = sys.exc_info()[1] if raised else None
        plain = _plain(exception) if exception is not None and not _is_robots_own(exception) else None
        if plain:
            self._raised.append(plain)
        self._calls.append(FailedCall(result, data, plain, implementation))

    def take(self) -> tuple[FailedCall, ...]:
        """Return the calls and start anew."""
        kept = {id(raised) for raised in self._raised}
        calls = tuple(call if id(call.raised) in kept else replace(call, raised=None) for call in self._calls)
        self.clear()
        return calls

    def clear(self) -> None:
        if self._calls:
            self._calls.clear()
            self._raised.clear()


def _is_robots_own(exception: BaseException) -> bool:
    """Tell whether `exception` only carries the status of a keyword below; that one has been noted already."""
    return any(cls.__name__ == "ExecutionStatus" and cls.__module__ == "robot.errors" for cls in type(exception).__mro__)


def _plain(exception: BaseException) -> Raised:
    chain = tuple(_without_chain(cause) for cause in _causes(exception))
    return Raised(_type_name(exception), _message(exception), _frames(exception.__traceback__), chain)


def _without_chain(exception: BaseException) -> Raised:
    return Raised(_type_name(exception), _message(exception), _frames(exception.__traceback__))


def _causes(exception: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    current: BaseException | None = exception
    for _ in range(MAX_CHAIN):
        if current is not None:
            current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        if current is not None and not _is_robots_own(current):
            causes.append(current)
    return causes


def _type_name(exception: BaseException) -> str:
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"


def _message(exception: BaseException) -> str:
    try:
        return cut_text(str(exception), MAX_MESSAGE_CHARACTERS)
    except Exception as error:  # noqa: BLE001 - str() runs the user's code, which may raise anything; the type still tells something
        return f"<no message: {type(error).__name__} in __str__>"


def _frames(traceback: TracebackType | None) -> tuple[tuple[str, int, str], ...]:
    frames: deque[tuple[str, int, str]] = deque(maxlen=MAX_FRAMES)
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(_ROBOT_FOLDER) or code.co_filename.startswith(_ROBOT_LIBRARIES):
            frames.append((code.co_filename, traceback.tb_lineno, code.co_qualname))
        traceback = traceback.tb_next
    return tuple(frames)
