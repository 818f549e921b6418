"""Which task runs to show: those of the history, and what is under way right now where no monitor has seen it.

The history has what the monitor wrote, and what ended without one. Only the broker knows of a report that waits
while no monitor runs.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from redis import Redis

from ...ports import ENDED, History, TaskRun, TaskState, WantedRuns
from ..monitoring.catch_up import GRACE_SECONDS, catch_up
from ..monitoring.revoked_runs import catch_up_revoked
from .queued import Message, in_hand, waiting
from .reach import now

CATCH_UP = timedelta(days=1)  # what is older was taken in when it was new, by whoever looked


def listed(history: History, wanted: WantedRuns, client: "Redis | None" = None) -> tuple[TaskRun, ...]:
    """Return the runs that are wanted: those under way that only the broker knows first, then the latest.

    `client` is None where no broker is asked; then no monitor is about to tell of the latest answers. HistoryError, RedisError.
    """
    catch_up(history, now() - CATCH_UP, grace_seconds=0.0 if client is None else GRACE_SECONDS)
    if client is not None:
        catch_up_revoked(history, client, now() - CATCH_UP)
    known = history.task_runs(wanted)
    if client is None or wanted.worker or wanted.until:
        return known
    fresh = (run for run in _under_way(client) if _is_wanted(run, wanted) and not _is_followed(history, run))
    return (*islice(fresh, wanted.limit), *known)[: wanted.limit]


def changed(before: dict[str, str], runs: tuple[TaskRun, ...]) -> Iterator[TaskRun]:
    """Yield the runs that are new or in another state than `before` (states by key), which is brought up to date; oldest first."""
    for run in reversed(runs):
        if before.get(run.key) != run.state:
            before[run.key] = run.state
            yield run


def _under_way(client: "Redis") -> Iterator[TaskRun]:
    for message in in_hand(client):
        yield _run(message, TaskState.RETRY if message.retries else TaskState.STARTED)
    for message in waiting(client):
        yield _run(message, TaskState.QUEUED)


def _run(message: Message, state: TaskState) -> TaskRun:
    report = message.report
    key = f"{message.task_id}@now"
    if report is None:
        return TaskRun(key, message.task_id, state, retries=message.retries)
    return TaskRun(
        key,
        message.task_id,
        state,
        project=report.project,
        suite_name=report.suite_name,
        test_name=report.test_name,
        error_message=report.error_message[:200],
        error_type=report.error_type.value,
        retries=message.retries,
    )


def _is_followed(history: History, run: TaskRun) -> bool:
    """Tell whether the history knows that this is under way."""
    known = history.task_runs(WantedRuns(task_id=run.task_id, limit=1))
    return bool(known) and known[0].state not in ENDED


def _is_wanted(run: TaskRun, wanted: WantedRuns) -> bool:
    """As the history chooses; what is under way now is younger than any `since`."""
    text = "\n".join((run.test_name, run.suite_name, run.error_message)).lower()
    return (
        wanted.project in ("", run.project)
        and wanted.error_type in ("", run.error_type)
        and wanted.task_id in ("", run.task_id)
        and (not wanted.states or run.state in wanted.states)
        and wanted.text.lower() in text
    )
