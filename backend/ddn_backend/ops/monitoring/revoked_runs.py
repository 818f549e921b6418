"""Task runs of reports that were revoked while no monitor ran, made from what Celery's result backend says for an hour.

A report that Flower revoked before any worker took it is in no history, so only a monitor tells of it.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from redis import Redis

from ...ports import ENDED, History, Past, State, TaskRun, TaskState, Wanted, WantedRuns
from .catch_up import blank
from .task_runs import SAME_END_SECONDS, iso, unix

RESULT_KEY = "celery-task-meta-"
MAX_PENDING = 200  # reports to look at, the newest first


def catch_up_revoked(history: History, client: "Redis", since: datetime) -> tuple[TaskRun, ...]:
    """Record the runs that were revoked of reports seen since then, as far as no task run tells of them; return these runs.

    Doing it again changes nothing. HistoryError or RedisError where they cannot be asked.
    """
    pending = history.listed(Wanted(state=State.PENDING, since=since, limit=MAX_PENDING))
    missing = tuple(run for past, end in _ends(client, pending) if (run := _missing(history, past, end)))
    if missing:
        history.record_task_runs(missing)
    return missing


def _ends(client: "Redis", pending: tuple[Past, ...]) -> Iterator[tuple[Past, dict[str, Any]]]:
    values: Any = client.mget([f"{RESULT_KEY}{past.report.id}" for past in pending]) if pending else ()
    for past, value in zip(pending, values, strict=True):
        end = json.loads(value) if value else {}
        if end.get("status") == TaskState.REVOKED and end.get("date_done"):
            yield past, end


def _missing(history: History, past: Past, end: dict[str, Any]) -> TaskRun | None:
    done = datetime.fromisoformat(str(end["date_done"]))
    when = (done if done.tzinfo else done.replace(tzinfo=UTC)).timestamp()
    known = history.task_runs(WantedRuns(task_id=past.report.id))
    if any(run.state in ENDED and unix(run.finished) >= when - SAME_END_SECONDS for run in known):
        return None
    begun = next((run for run in known if run.state not in ENDED), None)  # the latest comes first
    if begun and max(unix(begun.queued), unix(begun.started)) > when:
        return None  # it was sent again after that, and goes on
    run = begun or replace(blank(past, iso(when)), error_type=past.report.error_type.value)
    seconds = when - unix(run.started) if run.started else 0.0
    return replace(run, state=TaskState.REVOKED, finished=iso(when), seconds=seconds)
