"""Answers that come after the cards were written: cards met in a result become tickets again, and better cards."""

import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from .annotation import Annotations, CardFacts, Place
from .cards.carried import restored
from .cards.wording import group_of
from .contract import Analysis, ErrorType, FailureReport, Run, Stage, Verdict
from .outbox import POLL_SECONDS, Idle, Progress, Transport, take_answer
from .render import Group, View, annotations, groups_from_facts, suite_summary
from .ticket import Delivery, Member, Ticket

FoundCard = tuple[Place, CardFacts]


@dataclass(frozen=True, slots=True)
class Fetched:
    """`better` are the report ids that got an answer, `still_open` how many got none, `idle` why nobody answers."""

    better: frozenset[str] = frozenset()
    still_open: int = 0
    idle: str = ""


def tickets_of(cards: Sequence[FoundCard]) -> list[Ticket]:
    """Return one ticket for each report that `cards` name, its full card first, the others in the order of the file."""
    groups: dict[str, list[FoundCard]] = {}
    for card in cards:
        groups.setdefault(card[1].report_id, []).append(card)
    return [_ticket(sorted(group, key=lambda card: card[1].role != "full")) for group in groups.values()]


def fetch_answers(
    tickets: Sequence[Ticket], transport: Transport, wait: float, stop: threading.Event, progress: Progress | None = None
) -> Fetched:
    """Let tickets whose card is not final take the answers that come within `wait` seconds.

    What was spooled may have been replayed since, so it is asked for, but not waited for.
    """
    deadline = time.monotonic() + wait
    better = _read([ticket for ticket in tickets if ticket.delivery is Delivery.SPOOLED], transport)
    pending = [ticket for ticket in tickets if ticket.delivery is Delivery.PENDING]
    idle = Idle(transport)
    while pending:
        better |= _read(pending, transport)
        pending = [ticket for ticket in pending if ticket.delivery is Delivery.PENDING]
        if not pending or idle.reason() or stop.is_set() or time.monotonic() >= deadline:
            break
        if progress:
            progress(len(tickets) - len(pending), len(tickets), deadline - time.monotonic())
        stop.wait(POLL_SECONDS)
    still_open = sum(ticket.delivery is not Delivery.ANSWERED for ticket in tickets)
    return Fetched(frozenset(better), still_open, idle.reason() if pending else "")


def groups(cards: Sequence[FoundCard], tickets: Sequence[Ticket], better: Collection[str]) -> list[Group]:
    """Return a summary line for each ticket: from its answer where that is newer than its cards, else from the cards."""
    return [_group(ticket, cards, ticket.id in better) for ticket in tickets]


def late_annotations(cards: Sequence[FoundCard], tickets: Sequence[Ticket], better: Collection[str], view: View) -> Annotations:
    """Return what is to be written anew: what got a better answer, and full cards that became members of another's group."""
    answered = annotations([ticket for ticket in tickets if ticket.id in better], view)
    regrouped = _regrouped(cards, tickets, annotations(tickets, view))
    changed = bool(answered.cards or regrouped)
    summary = suite_summary(groups(cards, tickets, better), view.noun) if changed and view.suite_metadata else ""
    return replace(answered, cards=regrouped | answered.cards, suite_metadata=summary)


def _regrouped(cards: Sequence[FoundCard], tickets: Sequence[Ticket], wanted: Annotations) -> dict[Place, str]:
    full = {place for place, facts in cards if facts.role == "full"}
    return {member.place: wanted.cards[member.place] for ticket in tickets for member in ticket.members[1:] if member.place in full}


def _group(ticket: Ticket, cards: Sequence[FoundCard], is_better: bool) -> Group:
    if is_better:
        return group_of(ticket)
    return groups_from_facts(facts for _, facts in cards if facts.report_id == ticket.id)[0]


def _ticket(cards: Sequence[FoundCard]) -> Ticket:
    facts = cards[0][1]
    suite, _, test = facts.name.rpartition(".")
    report = FailureReport(
        facts.report_id, facts.project, "", Run(""), suite_name=suite, test_name=test, error_message="", full_name=facts.name
    )
    analysis = Analysis(
        facts.report_id,
        facts.project,
        stage=facts.stage,
        verdict=Verdict.DIAGNOSED if facts.error_type is not ErrorType.UNKNOWN else Verdict.UNKNOWN,
        error_type=facts.error_type,
        root_cause=facts.cause,
    )
    open_delivery = Delivery.SPOOLED if facts.delivery == Delivery.SPOOLED.name.lower() else Delivery.PENDING
    delivery = Delivery.ANSWERED if facts.stage is Stage.FINAL else open_delivery
    return Ticket(restored(report, facts.report), analysis, [Member(place, found.name) for place, found in cards], delivery)


def _read(pending: Sequence[Ticket], transport: Transport) -> set[str]:
    better = set()
    for project in {ticket.report.project for ticket in pending}:
        tickets = {ticket.id: ticket for ticket in pending if ticket.report.project == project}
        for report_id, answer in transport.verdicts(project, list(tickets)).items():
            take_answer(tickets[report_id], answer)
            better.add(report_id)
    return better
