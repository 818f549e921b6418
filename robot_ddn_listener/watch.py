"""What one run's failures become: from the first failure to the annotated output file."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from . import runs
from .attach import attach_to_file, attach_to_result
from .broker import Broker
from .connection import EmbeddedBroker, connect
from .errors import DdnError
from .gather import Gatherer, SystemMessage
from .origin import Origin, origin_of, working_folder
from .outbox import SEND_SECONDS, START_SECONDS, Outbox
from .render import View, annotations, console_lines
from .settings import Settings
from .splicing.original import Original, keep
from .ticket import Delivery, Ticket
from .triage import Triage
from .waiting import ProgressLine, StopOnSignal


class RunWatch:
    """Made at a run's first failure. `messages` is the listener's growing list of Robot's own warnings and errors."""

    def __init__(self, settings: Settings, root: Any, messages: Sequence[SystemMessage], variables: Mapping[str, object]):
        self._settings = settings
        self._root = root
        self._in_pabot = "PABOTQUEUEINDEX" in variables
        self._folder = Path(str(variables.get("OUTPUT_DIR") or os.curdir))
        self._original: Original | None = None
        self._environ = dict(os.environ)
        self._run_id = runs.run_id(settings, variables)
        self._started_in = working_folder(self._folder)
        self._asking = Lock()
        self._tickets: list[Ticket] = []
        self._embedded_url = ""
        self._outbox = Outbox(self._made_triage, self._connected, self._send_seconds())
        gatherer = Gatherer(self._outbox.put, messages)
        self.test_ended = gatherer.test_ended
        self.suite_part_failed = gatherer.suite_part_failed
        self.suite_ended = gatherer.suite_ended

    def finish(self, path: Path | None) -> None:
        """Collect the answers, write them into the output file at `path` and the in-memory result, and say them on the console."""
        with StopOnSignal() as stop:
            with ProgressLine() as progress:
                tickets = self._outbox.collect(0.0 if self._in_pabot else self._settings.wait, stop, progress)
            self._tickets = tickets
            self._outbox.spool(tickets, path.parent if path else self._folder)
            if self._in_pabot:
                _say_that_nobody_waited(tickets)
            view = self._view(path)
            notes = self._attach(tickets, view, path) if self._settings.attach != "off" else []
            if not self._in_pabot:
                print_lines(console_lines(tickets, view) + notes)

    def record(self, parts: Sequence[runs.Ended]) -> None:
        """Tell the backend how the tests ended, after all that the reader waits for."""
        if runs.is_wanted(self._settings):
            runs.record(
                self._root,
                parts,
                self._origin(),
                self._settings,
                self._environ,
                self._tickets,
                embedded_url=self._embedded_url,
                is_reachable=all(ticket.delivery is not Delivery.SPOOLED for ticket in self._tickets),
            )

    def close(self) -> None:
        if self._original:
            self._original.restore()
        self._outbox.close()

    def _send_seconds(self) -> float:
        """How long a run may wait for its reports to go out: a Redis takes them at once, the embedded runtime has to start."""
        if self._settings.redis:
            return SEND_SECONDS
        return START_SECONDS if self._in_pabot else max(SEND_SECONDS, min(START_SECONDS, self._settings.wait))

    def _made_triage(self) -> Triage:
        return _triage(self._origin(), self._settings, self._environ)

    def _connected(self) -> Broker | EmbeddedBroker | str:
        keep_for = os.getppid() if self._in_pabot else None
        transport = connect(self._settings.redis, self._environ, self._folder, keep_for)
        if isinstance(transport, EmbeddedBroker):
            self._embedded_url = transport.url
        return transport

    def _origin(self) -> Origin:
        with self._asking:  # the capture thread may still be at it when the run ends
            return self._described

    @cached_property
    def _described(self) -> Origin:
        return origin_of(self._root, self._run_id, self._settings.project, self._environ, self._started_in)

    def _view(self, path: Path | None) -> View:
        return View(
            output=str(path or "") if self._settings.attach == "on" else "",  # else `ddn attach` finds no card in it
            spool=str(self._spool_folder(path)),
            noun="task" if self._root.rpa else "test",
            flower_url=self._settings.flower_url,
            tags=self._settings.tags,
            metadata=self._settings.metadata,
            suite_metadata=not self._in_pabot,
            corrections=True,
        )

    def _spool_folder(self, path: Path | None) -> Path:
        """The folder to name for `ddn replay`: of a pabot run that of the whole, not of one process."""
        folder = path.parent if path else self._folder
        whole = next((parent for parent in folder.parents if parent.name == "pabot_results"), None)
        return whole.parent if whole and self._in_pabot else folder

    def _attach(self, tickets: Sequence[Ticket], view: View, path: Path | None) -> list[str]:
        """Attach to the file and to the in-memory result; return what could not be done, in words."""
        wanted = annotations(tickets, view)
        attach_to_result(self._root, wanted)
        if not path:
            return []
        try:
            if self._settings.attach == "report":
                self._original = keep(path)
            attach_to_file(path, wanted)
        except DdnError as error:
            return [f"{error}"]
        return []


def make_triage(settings: Settings, run_id: str, root: Any, environ: dict[str, str], started_in: Path) -> Triage:
    """Return the triage of a run whose top suite is `root`; without a folder of its own it is one of `started_in`."""
    return _triage(origin_of(root, run_id, settings.project, environ, started_in), settings, environ)


def _triage(origin: Origin, settings: Settings, environ: dict[str, str]) -> Triage:
    return Triage(origin.project, origin.run, origin.folder, settings.redact, environ)


def _say_that_nobody_waited(tickets: Sequence[Ticket]) -> None:
    for ticket in tickets:
        if ticket.delivery is Delivery.PENDING:
            ticket.note = "A process of pabot does not wait for answers."


def send_spooled(settings: Settings, folder: Path) -> None:
    """Send what an earlier run with the same output folder could not; waits for it no longer than a run with failures would."""

    def send() -> None:
        with suppress(DdnError):  # it stays where it is, and its cards have said so
            transport = connect(settings.redis, dict(os.environ), folder)
            if not isinstance(transport, str):
                transport.close()

    thread = Thread(target=send, name="ddn-replay", daemon=True)
    thread.start()
    thread.join(SEND_SECONDS if settings.redis else START_SECONDS)


def print_lines(lines: Sequence[str]) -> None:
    """Write to the real stdout, which a test may have closed, in its encoding."""
    with suppress(OSError, ValueError, AttributeError):
        encoding = sys.__stdout__.encoding or "utf-8"  # type: ignore[union-attr]
        for line in lines:
            print(line.encode(encoding, "replace").decode(encoding), file=sys.__stdout__, flush=True)
