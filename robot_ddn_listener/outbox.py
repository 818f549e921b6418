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
from queue import Empty, SimpleQueue
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
READ_FAILURES = 3  # in a row that end the wait
IDLE_SECONDS = 1.0  # between two looks at whether a worker is there


class Transport(Protocol):
    """A way to the backend. `where` is a place that may be shown. Its errors are DdnErrors."""

    where: str

    def submit(self, report: FailureReport) -> None: ...
    def verdicts(self, project: str, report_ids: Sequence[str]) -> dict[str, Analysis]: ...
    def idle_reason(self) -> str: ...
    def close(self) -> None: ...


class Progress(Protocol):
    def __call__(self, answered: int, total: int, seconds_left: float) -> None: ...


class Idle:
    """Why nobody answers at a transport, asked again now and then: the last worker may go during the wait."""

    def __init__(self, transport: Transport):
        self._transport = transport
        self._reason = ""
        self._asked = float("-inf")

    def reason(self) -> str:
        if time.monotonic() - self._asked >= IDLE_SECONDS:
            self._reason = self._transport.idle_reason()
            self._asked = time.monotonic()
        return self._reason


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
        self._has_sent = False
        self._at_work: Failed | NotRun | None = None
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
        self._join(self._threads[0], time.monotonic() + CAPTURE_SECONDS, stop)
        self._join(self._threads[1], time.monotonic() + self._send_seconds, stop)
        if self._has_sent:  # the way is open: what is left is worth the wait
            self._join(self._threads[1], deadline, stop)
        self._closing.set()
        tickets = [*self._triage.tickets, *self._not_captured()] if self._triage else self._not_captured()
        self._read_answers(tickets, deadline, stop, progress)
        return tickets

    def spool(self, tickets: Sequence[Ticket], folder: Path | None) -> None:
        """Write what was not sent into `folder`; tickets say where it is, or why it is nowhere."""
        for ticket in tickets:
            if ticket.delivery is Delivery.WAITING:
                _spool(ticket, folder, self._refusal or "The backend was not reached before the run ended.")

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

    def _join(self, thread: threading.Thread, deadline: float, stop: threading.Event) -> None:
        while thread.is_alive() and not stop.is_set() and time.monotonic() < deadline:
            thread.join(POLL_SECONDS)

    def _capture_all(self) -> None:
        try:
            self._triage = triage = self._made_triage()
            while (failed := self._failures.get()) is not None:
                self._at_work = failed
                ticket = triage.take(failed)
                self._at_work = None
                if ticket:
                    self._unsent.put(ticket)
        finally:
            self._unsent.put(None)

    def _made_triage(self) -> Triage:
        try:
            return self._make_triage()
        except Exception as error:  # noqa: BLE001 - whatever the run's surroundings do, its failures are answered, with the reason
            return Triage.refusing(f"Preparing the analysis failed: {type(error).__name__}: {error}. It is not analysed.")

    def _not_captured(self) -> list[Ticket]:
        """Answer what the capture thread did not get to, when the user or the deadline would not wait for it."""
        refusing = Triage.refusing("The run ended before this failure was looked at.")
        if self._at_work:
            refusing.take(self._at_work)
        with suppress(Empty):
            while True:
                if failed := self._failures.get_nowait():
                    refusing.take(failed)
        return refusing.tickets

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
                self._has_sent = True
                ticket = self._waiting.pop(0)
                if ticket.delivery is Delivery.WAITING:  # not spooled meanwhile, because the run had to end
                    ticket.delivery = Delivery.PENDING
        except DdnError as error:
            self._refuse(str(error))
        except Exception as error:  # noqa: BLE001 - the thread must live on for the reports to come; what was not sent is spooled
            self._refuse(f"Sending failed: {type(error).__name__}: {error}.")

    def _refuse(self, why: str) -> None:
        self._refusal = why
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
            if self._closing.is_set():
                made.close()  # nobody else would
        return self._transport

    def _read_answers(self, tickets: list[Ticket], deadline: float, stop: threading.Event, progress: Progress | None) -> None:
        pending = [ticket for ticket in tickets if ticket.delivery is Delivery.PENDING]
        if not pending or not self._transport:
            return
        idle, why, failures = Idle(self._transport), "", 0
        while failures < READ_FAILURES:
            try:
                if not self._read_once(pending) or (why := idle.reason()) or stop.is_set() or time.monotonic() >= deadline:
                    break
                failures, why = 0, ""
            except BrokerError as error:  # one hiccup of the network must not end the wait for all
                failures, why = failures + 1, str(error)
            if progress:
                answered = sum(ticket.delivery is Delivery.ANSWERED for ticket in pending)
                progress(answered, len(pending), deadline - time.monotonic())
            stop.wait(POLL_SECONDS)
        _note(pending, why or ("The wait was interrupted." if stop.is_set() else "No final answer came before the deadline."))

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
    knows_less = answer.verdict is not Verdict.DIAGNOSED and ticket.analysis.verdict is Verdict.DIAGNOSED
    if knows_less and not answer.engine.model:
        # Such as a backend that could not read the report: the rules' own verdict is better than none.
        if answer.stage is Stage.FINAL:
            ticket.analysis = replace(ticket.analysis, stage=answer.stage, degraded=answer.degraded, missing=answer.missing)
    elif answer.stage is Stage.FINAL or not knows_less:
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
