"""What one run's failures become: from the first failure to the annotated output file."""

import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
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
from .ticket import Ticket
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
            partial(make_triage, settings, self._run_id(variables), root, environ),
            partial(connect, settings.redis, environ, self._folder, os.getppid() if self._in_pabot else None),
            START_SECONDS if self._in_pabot and not settings.redis else SEND_SECONDS,
        )
        gatherer = Gatherer(self._outbox.put, messages)
        self.test_ended = gatherer.test_ended
        self.suite_part_failed = gatherer.suite_part_failed

    def finish(self, path: Path | None) -> None:
        """Collect the answers, write them into the output file at `path` and the in-memory result, and say them on the console."""
        with StopOnSignal() as stop:
            with ProgressLine() as progress:
                tickets = self._outbox.collect(0.0 if self._in_pabot else self._settings.wait, stop, progress)
            self._outbox.spool(tickets, path.parent if path else self._folder)
            view = self._view(path)
            notes = self._attach(tickets, view, path) if self._settings.attach != "off" else []
            if not self._in_pabot:
                print_lines(console_lines(tickets, view) + notes)

    def close(self) -> None:
        if self._original:
            self._original.restore()
        self._outbox.close()

    def _run_id(self, variables: Mapping[str, object]) -> str:
        if self._settings.run or not self._in_pabot:
            return self._settings.run or str(uuid.uuid4())
        # All processes of one pabot run have the same parent and the same address of its library server.
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{os.getppid()} {process_start(os.getppid())} {variables.get('PABOTLIBURI')}"))

    def _view(self, path: Path | None) -> View:
        return View(
            output=str(path or ""),
            spool=str(path.parent if path else self._folder),
            noun="task" if self._root.rpa else "test",
            flower_url=self._settings.flower_url,
            tags=self._settings.tags,
            metadata=self._settings.metadata,
            suite_metadata=not self._in_pabot,
        )

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


def make_triage(settings: Settings, run_id: str, root: Any, environ: dict[str, str]) -> Triage:
    """Return the triage of a run whose top suite is `root`."""
    folder = Path(root.source).resolve() if root.source else Path.cwd()
    folder = folder if folder.is_dir() else folder.parent
    run = describe_run(run_id, root.name, folder, environ)
    project = settings.project or project_name(run.git.repo) or root.name
    return Triage(project, run, project_root(folder) or folder, settings.redact, environ)


def print_lines(lines: Sequence[str]) -> None:
    """Write to the real stdout, which a test may have closed, in its encoding."""
    with suppress(OSError, ValueError, AttributeError):
        encoding = sys.__stdout__.encoding or "utf-8"  # type: ignore[union-attr]
        for line in lines:
            print(line.encode(encoding, "replace").decode(encoding), file=sys.__stdout__, flush=True)
