"""Requeue: reports from the history are sent to the queue again, in full, as a listener would; and the dead letters.

The same report is the same task. So what would make it be skipped goes first: a final verdict becomes one that may be
replaced, and marks and counts that refuse it are deleted, also those in the memory of workers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from robot_ddn_listener.errors import BrokerError

from ...deliveries import Deliveries
from ...errors import PermanentError
from ...ports import History, Past, State, TaskRun, Wanted, WantedRuns
from ...revocation import FORGIVE, Revocations
from ...verdicts import Verdicts
from .reach import Backend

ANY_PART = "*"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which reports to send again: those for which all hold that is given. `part` ANY_PART is any degraded part."""

    ids: tuple[str, ...] = ()
    state: State | None = None
    part: str = ""
    since: datetime | None = None
    text: str = ""
    project: str = ""
    limit: int = 1000

    @property
    def is_empty(self) -> bool:
        return not (self.ids or self.state or self.part or self.since or self.text)


@dataclass(frozen=True, slots=True)
class Sent:
    """How many were sent; where `problem` is set the rest was not."""

    count: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A report whose analysis failed for good. `run` is how its task ended, where that is known."""

    past: Past
    run: TaskRun | None = None

    @property
    def error(self) -> str:
        return self.past.problem or (self.run.error if self.run else "")

    @property
    def traceback(self) -> str:
        return self.run.traceback if self.run else ""


def chosen(history: History, wanted: Chosen) -> tuple[Past, ...]:
    """Return the reports, newest first; PermanentError for an id that none or several have."""
    part = "" if wanted.part == ANY_PART else wanted.part
    if wanted.ids:
        found = {past.report.id: past for past in (_found(history, beginning) for beginning in wanted.ids)}
        return tuple(past for past in found.values() if _is_wanted(past, wanted))
    listed = history.listed(Wanted(wanted.project, wanted.state, part, wanted.since, wanted.text, wanted.limit))
    return tuple(past for past in listed if _is_wanted(past, wanted))


def requeue(backend: Backend, reports: Sequence[Past]) -> Sent:
    """Send the reports again; ends at the first that Redis does not take."""
    client = backend.client
    verdicts, revocations, deliveries = Verdicts(client), Revocations(client), Deliveries(client)
    backend.command(FORGIVE, task_ids=[past.report.id for past in reports])
    for count, past in enumerate(reports):
        report = past.report
        verdicts.reopen(report.project, report.id)
        revocations.forgive(report.id)
        deliveries.forget(report.id)
        try:
            backend.broker.submit(report)
        except BrokerError as error:
            return Sent(count, str(error))
    return Sent(len(reports))


def dead_letters(history: History, project: str = "", since: datetime | None = None, limit: int = 20) -> Iterator[DeadLetter]:
    """Yield the reports whose analysis failed for good, newest first."""
    for past in history.listed(Wanted(project, State.FAILED, since=since, limit=limit)):
        runs = history.task_runs(WantedRuns(task_id=past.report.id, limit=1))
        yield DeadLetter(past, runs[0] if runs else None)


def _found(history: History, beginning: str) -> Past:
    past = history.find(beginning)
    if past is None:
        raise PermanentError(f"Finding failure '{beginning:.80}' failed: nothing is kept under an id that begins so.")
    return past


def _is_wanted(past: Past, wanted: Chosen) -> bool:
    """Check all that was asked for: an id is found without it, and the history knows no "any part"."""
    notes = past.analysis.degraded if past.analysis else ()
    text = "\n".join((past.report.error_message, past.problem, *notes)).lower()
    return (
        wanted.state in (None, past.state)
        and (not wanted.part or any(wanted.part in (ANY_PART, note.partition(":")[0]) for note in notes))
        and (wanted.since is None or past.seen >= wanted.since)
        and wanted.text.lower() in text
        and wanted.project in ("", past.report.project)
    )
