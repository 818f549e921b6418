"""`--prerebotmodifier robot_ddn_listener.Attach`: the whole job on the result that rebot or pabot makes its log and report of.

Cards that the listener wrote in the single processes become groups over all of them and take the answers that have come since;
failures without a card are analysed here.
"""

import os
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from robot.api import SuiteVisitor

from .afterwards import analyze_suite
from .annotation import Place
from .attach import attach_to_result, cards_in_result
from .cards.wording import group_of
from .connection import connect
from .errors import DdnError
from .late import Fetched, fetch_answers, groups, late_annotations, tickets_of
from .listener import say
from .outbox import START_SECONDS, Progress, Transport
from .render import View, annotations, console_lines, suite_summary
from .settings import read_settings
from .ticket import Delivery, Ticket
from .waiting import ProgressLine, StopOnSignal
from .watch import print_lines

UNKNOWN_FOLDER = "OUTPUTDIR"  # Robot does not tell a modifier where the files go


class Attach(SuiteVisitor):  # type: ignore[misc]  # Robot has no type hints to offer
    """Takes the listener's arguments but `attach`."""

    def __init__(self, *arguments: str):
        self._settings, problems = read_settings(arguments, os.environ)
        for problem in problems:
            say(f"[ WARN ] {problem}")

    def visit_suite(self, suite: Any) -> None:
        if self._settings.off:
            return
        try:
            with StopOnSignal() as stop, ProgressLine() as progress:
                self._attach(suite, stop, progress)
        except Exception as error:  # noqa: BLE001 - log and report must be made whatever happens to the cards
            say(f"[ WARN ] robot_ddn_listener.Attach failed: {type(error).__name__}: {error}. Log and report are made without it.")

    def _attach(self, suite: Any, stop: threading.Event, progress: Progress) -> None:
        settings = self._settings
        noun = "task" if suite.rpa else "test"
        view = View(
            output="",
            spool=UNKNOWN_FOLDER,
            flower_url=settings.flower_url,
            tags=settings.tags,
            metadata=settings.metadata,
            noun=noun,
            corrections=True,
        )
        cards = cards_in_result(suite)
        late = tickets_of(cards)
        fetched = self._fetch(late, stop, progress)
        attach_to_result(suite, late_annotations(cards, late, fetched.better, view))
        fresh = self._analyze(suite, {place for place, _ in cards}, stop, progress)
        causes = [*groups(cards, late, fetched.better), *map(group_of, fresh)]
        attach_to_result(suite, replace(annotations(fresh, view), suite_metadata=suite_summary(causes, view.noun)))
        print_lines([*console_lines([*late, *fresh], view, causes), *([fetched.idle] if fetched.idle else [])])

    def _fetch(self, tickets: Sequence[Ticket], stop: threading.Event, progress: Progress) -> Fetched:
        pending = sum(ticket.delivery is not Delivery.ANSWERED for ticket in tickets)
        if not pending:
            return Fetched()
        try:
            transport = self._connect()
            if isinstance(transport, str):
                return Fetched(still_open=pending, idle=transport)
            with closing(transport):
                return fetch_answers(tickets, transport, self._settings.wait, stop, progress)
        except DdnError as error:
            return Fetched(still_open=pending, idle=str(error))

    def _analyze(self, suite: Any, answered: set[Place], stop: threading.Event, progress: Progress) -> list[Ticket]:
        fresh, outbox = analyze_suite(
            suite, self._settings, self._connect, stop, answered=answered, send_seconds=START_SECONDS, progress=progress
        )
        with closing(outbox):
            outbox.spool(fresh, None)
        return fresh

    def _connect(self) -> Transport | str:
        return connect(self._settings.redis, dict(os.environ))
