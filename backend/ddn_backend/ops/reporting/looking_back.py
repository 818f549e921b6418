"""The task runs of a time, for commands that look back on them."""

from datetime import datetime

from ...ports import History, TaskRun, WantedRuns
from ..monitoring.catch_up import ALL, catch_up


def runs_between(history: History, since: datetime, until: datetime, project: str = "") -> tuple[TaskRun, ...]:
    """Return them, the oldest first, with those that were analysed while no monitor ran; HistoryError where the history fails."""
    catch_up(history, since)
    return tuple(reversed(history.task_runs(WantedRuns(project=project, since=since, until=until, limit=ALL))))
