"""How operators are told that something is wrong, and that it is over."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ..errors import TransientError


class NotifyError(TransientError):
    """A message did not reach its target. `cause` holds no secret of the target's address."""

    def __init__(self, message: str, cause: str = ""):
        super().__init__(message)
        self.cause = cause


class NoticeKind(StrEnum):
    """What a message tells of an incident."""

    OPENED = "opened"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message about one incident. `incident` is the same in the message that opens it and in the one that resolves it, so
    that services which keep incidents themselves close theirs."""

    incident: str
    kind: NoticeKind
    title: str
    text: str


class Notifier(Protocol):
    """Sends messages; each target is one address. It keeps to a time limit of its own."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of all targets: of a route with one address the route's own, else `<route>/1`, `<route>/2`."""

    def service(self, target: str) -> str:
        """Return what the target is, in words for people, such as "E-Mail"; nothing of its address."""

    def send(self, target: str, notice: Notice) -> None:
        """Send the message; NotifyError where it was not taken."""
