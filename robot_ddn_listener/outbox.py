"""From failures to answers: two threads of the robot process, so that the test thread only hands over references.

    test thread     put(failed) ──────────────┐                          collect(wait): one deadline for all
    capture thread                 triage -> ticket ──┐                        ▲
    send thread                              connect once, submit each ── verdicts read back

A Redis that refuses, hangs or swallows is tried once, then left alone for RETRY_SECONDS (circuit breaker); what was not sent
when the run ends is spooled on disk.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

from . import spool
from .capture import Failed, NotRun
from .contract import Analysis, FailureReport, Stage, Verdict
from .errors import BrokerError, DdnError, SpoolError
from .ticket import Delivery, Ticket
from .triage import Triage

CAPTURE_SECONDS = 30.0  # at the end of a run, for failures that are not captured yet
SEND_SECONDS = 1.0  # at the end of a run, for reports that are not sent yet to a Redis that was given
START_SECONDS = 10.0  # the same, while the embedded runtime starts
RETRY_SECONDS = 30.0
POLL_SECONDS = 0.1


class Transport(Protocol):
    """A way to the backend. `where` is a place that may be shown. Its errors are DdnErrors."""

    where: str

    def submit(self, report: FailureReport) -> None: ...
    def verdicts(self, project: str, report_ids: Sequence[str]) -> dict[str, Analysis]: ...
    def idle_reason(self) -> str: ...
    def close(self) -> None: ...


class Progress(Protocol):
    def __call__(self, answered: int, total: int, seconds_left: float) -> None: ...


class Outbox:
    """`triage` and `connect` are called in the outbox' own threads, at the first failure.

    `connect` returns a transport, or the reason why there is no backend. `send_seconds` bounds the sending at the end of a run.
    """

    def __init__(self, triage: Callable[[], Triage], connect: Callable[[], Transport | str], send_seconds: float = SEND_SECONDS):
        self._make_triage = triage
        self._make_transport = connect
        self._send_seconds = send_seconds
        self._failures: SimpleQueue[Failed | NotRun | None] = SimpleQueue()
        self._unsent: SimpleQueue[Ticket | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._triage: Triage | None = None
        self._transport: Transport | None = None
        self._waiting: list[Ticket] = []
        self._refused_until = 0.0
        self._refusal = ""
        self._closing = threading.Event()

    def put(self, failed: Failed | NotRun) -> None:
        """Take a failure over; returns at once."""
        if not self._threads:
            self._start()
        self._failures.put(failed)

    def collect(self, wait: float, stop: threading.Event, progress: Progress | None = None) -> list[Ticket]:
        """Return all tickets with the best answers that are there after at most `wait` seconds, or when `stop` is set."""
        if not self._threads:
            return []
        deadline = time.monotonic() + wait
        self._failures.put(None)
        self._join(self._threads[0], CAPTURE_SECONDS, stop)
        self._join(self._threads[1], max(self._send_seconds, wait), stop)
        self._closing.set()
        tickets = self._triage.tickets if self._triage else []
        self._read_answers(tickets, deadline, stop, progress)
        return tickets

    def spool(self, tickets: Sequence[Ticket], folder: Path | None) -> None:
        """Write what was not sent into `folder`; tickets say where it is, or why it is nowhere."""
        for ticket in tickets:
            if ticket.delivery is Delivery.WAITING:
                _spool(ticket, folder, self._refusal or "Redis was not reached before the run ended")

    def close(self) -> None:
        self._closing.set()
        if self._transport:
            self._transport.close()

    def _start(self) -> None:
        self._threads = [
            threading.Thread(target=self._capture_all, name="ddn-capture", daemon=True),
            threading.Thread(target=self._send_all, name="ddn-send", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _join(self, thread: threading.Thread, seconds: float, stop: threading.Event) -> None:
        deadline = time.monotonic() + seconds
        while thread.is_alive() and not stop.is_set() and time.monotonic() < deadline:
            thread.join(POLL_SECONDS)

    def _capture_all(self) -> None:
        try:
            self._triage = triage = self._make_triage()
            while (failed := self._failures.get()) is not None:
                ticket = triage.take(failed)
                if ticket:
                    self._unsent.put(ticket)
        finally:
            self._unsent.put(None)

    def _send_all(self) -> None:
        while (ticket := self._unsent.get()) is not None and not self._closing.is_set():
            if ticket.delivery is Delivery.WAITING:
                self._waiting.append(ticket)
                self._send_waiting()
        self._send_waiting()  # a Redis that has come back since the last failure still gets them

    def _send_waiting(self) -> None:
        if not self._waiting or time.monotonic() < self._refused_until:
            return
        try:
            transport = self._connect()
            while self._waiting and transport and not self._closing.is_set():
                transport.submit(self._waiting[0].report)
                self._waiting.pop(0).delivery = Delivery.PENDING
        except DdnError as error:
            self._refusal = str(error)
            self._refused_until = time.monotonic() + RETRY_SECONDS

    def _connect(self) -> Transport | None:
        if self._transport is None:
            made = self._make_transport()
            if isinstance(made, str):
                for ticket in self._waiting:
                    ticket.delivery, ticket.note = Delivery.KEPT, made
                    ticket.analysis = replace(ticket.analysis, stage=Stage.FINAL)
                self._waiting.clear()
                return None
            self._transport = made
        return self._transport

    def _read_answers(self, tickets: list[Ticket], deadline: float, stop: threading.Event, progress: Progress | None) -> None:
        pending = [ticket for ticket in tickets if ticket.delivery is Delivery.PENDING]
        if not pending or not self._transport:
            return
        try:
            idle = self._transport.idle_reason()
            while self._read_once(pending) and not idle and not stop.is_set() and time.monotonic() < deadline:
                if progress:
                    answered = sum(ticket.delivery is Delivery.ANSWERED for ticket in pending)
                    progress(answered, len(pending), deadline - time.monotonic())
                stop.wait(POLL_SECONDS)
        except BrokerError as error:
            idle = str(error)
        _note(pending, idle or ("The wait was interrupted." if stop.is_set() else "No final answer came before the deadline."))

    def _read_once(self, pending: Sequence[Ticket]) -> bool:
        """Take over what is answered; return whether something is still open."""
        open_tickets = [ticket for ticket in pending if ticket.delivery is Delivery.PENDING]
        assert self._transport is not None
        by_project: dict[str, list[Ticket]] = {}
        for ticket in open_tickets:
            by_project.setdefault(ticket.report.project, []).append(ticket)
        for project, tickets in by_project.items():
            found = self._transport.verdicts(project, [ticket.id for ticket in tickets])
            for ticket in tickets:
                if ticket.id in found:
                    take_answer(ticket, found[ticket.id])
        return any(ticket.delivery is Delivery.PENDING for ticket in open_tickets)


def take_answer(ticket: Ticket, answer: Analysis) -> None:
    """Let `answer` replace a ticket's verdict unless it is the poorer one; a final one closes the ticket."""
    if answer.stage is Stage.FINAL or answer.verdict is Verdict.DIAGNOSED or ticket.analysis.verdict is not Verdict.DIAGNOSED:
        ticket.analysis = replace(answer, report_id=ticket.id)
    if answer.stage is Stage.FINAL:
        ticket.delivery, ticket.note = Delivery.ANSWERED, ""


def _note(tickets: Sequence[Ticket], note: str) -> None:
    for ticket in tickets:
        if ticket.delivery is Delivery.PENDING:
            ticket.note = note


def _spool(ticket: Ticket, folder: Path | None, refusal: str) -> None:
    if folder is None:
        ticket.delivery, ticket.note = Delivery.LOST, f"{refusal}. The run has no output folder to keep the report in."
        return
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        spool.write(folder, ticket.report)
    except SpoolError as error:
        ticket.delivery, ticket.note = Delivery.LOST, f"{refusal} {error}"
    else:
        ticket.delivery, ticket.note = Delivery.SPOOLED, refusal
