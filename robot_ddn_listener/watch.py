"""What one run's failures become: from the first failure to the annotated output file."""

import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from .attach import attach_to_file, attach_to_result
from .connection import connect
from .errors import DdnError
from .gather import Gatherer, SystemMessage
from .origin import describe_run, project_name, project_root
from .outbox import SEND_SECONDS, START_SECONDS, Outbox
from .render import View, annotations, console_lines
from .runtime import process_start
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
        environ = dict(os.environ)
        self._outbox = Outbox(
            partial(make_triage, settings, self._run_id(variables), root, environ, _working_folder(self._folder)),
            partial(connect, settings.redis, environ, self._folder, os.getppid() if self._in_pabot else None),
            self._send_seconds(),
        )
        gatherer = Gatherer(self._outbox.put, messages)
        self.test_ended = gatherer.test_ended
        self.suite_part_failed = gatherer.suite_part_failed
        self.suite_ended = gatherer.suite_ended

    def finish(self, path: Path | None) -> None:
        """Collect the answers, write them into the output file at `path` and the in-memory result, and say them on the console."""
        with StopOnSignal() as stop:
            with ProgressLine() as progress:
                tickets = self._outbox.collect(0.0 if self._in_pabot else self._settings.wait, stop, progress)
            self._outbox.spool(tickets, path.parent if path else self._folder)
            if self._in_pabot:
                _say_that_nobody_waited(tickets)
            view = self._view(path)
            notes = self._attach(tickets, view, path) if self._settings.attach != "off" else []
            if not self._in_pabot:
                print_lines(console_lines(tickets, view) + notes)

    def close(self) -> None:
        if self._original:
            self._original.restore()
        self._outbox.close()

    def _send_seconds(self) -> float:
        """How long a run may wait for its reports to go out: a Redis takes them at once, the embedded runtime has to start."""
        if self._settings.redis:
            return SEND_SECONDS
        return START_SECONDS if self._in_pabot else max(SEND_SECONDS, min(START_SECONDS, self._settings.wait))

    def _run_id(self, variables: Mapping[str, object]) -> str:
        if self._settings.run or not self._in_pabot:
            return self._settings.run or str(uuid.uuid4())
        # All processes of one pabot run have the same parent and the same address of its library server.
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{os.getppid()} {process_start(os.getppid())} {variables.get('PABOTLIBURI')}"))

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
    folder = _common_folder(root) or started_in
    folder = folder if folder.is_dir() else folder.parent
    run = describe_run(run_id, root.name, folder, environ)
    project = settings.project or project_name(run.git.repo) or root.name
    return Triage(project, run, project_root(folder) or folder, settings.redact, environ)


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


def _common_folder(root: Any) -> Path | None:
    """Return the folder that the suites of a run share; several top suites have one above them."""
    sources = [root.source] if root.source else [suite.source for suite in root.suites if suite.source]
    try:
        return Path(os.path.commonpath([Path(source).resolve() for source in sources])) if sources else None
    except ValueError:  # on several drives
        return None


def _working_folder(otherwise: Path) -> Path:
    try:
        return Path.cwd()
    except OSError:  # a test has removed it
        return otherwise


def print_lines(lines: Sequence[str]) -> None:
    """Write to the real stdout, which a test may have closed, in its encoding."""
    with suppress(OSError, ValueError, AttributeError):
        encoding = sys.__stdout__.encoding or "utf-8"  # type: ignore[union-attr]
        for line in lines:
            print(line.encode(encoding, "replace").decode(encoding), file=sys.__stdout__, flush=True)
