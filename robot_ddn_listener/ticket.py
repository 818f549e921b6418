"""A ticket follows one group of equal failures through the run: report, members, best verdict so far, where the report is."""

from dataclasses import dataclass, field
from enum import Enum

from .annotation import Place
from .contract import Analysis, FailureReport


class Delivery(Enum):
    """Where the report of a ticket is. Every report ends in exactly one of ANSWERED, PENDING, SPOOLED, KEPT, LOST."""

    WAITING = "in the outbox, not sent yet"
    PENDING = "on Redis, not answered yet"
    ANSWERED = "answered by the backend"
    SPOOLED = "on disk, to be replayed"
    KEPT = "kept in the process on purpose: rules only, not analysed, or redaction failed"
    LOST = "neither sent nor spooled; the card says why"


@dataclass(frozen=True, slots=True)
class Member:
    """One failed test (or suite setup or teardown) of a group, with where its card goes."""

    place: Place
    full_name: str

    @property
    def is_test(self) -> bool:
        return bool(self.place.test_id)


@dataclass(slots=True)
class Ticket:
    """`members[0]` carries the full card, the others one line each that names it.

    `note` says what went wrong on the way, for the card.
    """

    report: FailureReport
    analysis: Analysis
    members: list[Member] = field(default_factory=list)
    delivery: Delivery = Delivery.WAITING
    note: str = ""

    @property
    def id(self) -> str:
        return self.report.id
