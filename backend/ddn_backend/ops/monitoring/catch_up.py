"""Task runs of reports that were answered while no monitor ran, made from the history itself.

So the counts agree after the monitor was down, and the embedded runtime, which has no monitor, has task runs as well. Doing it
again changes nothing. What only events tell (when a report was queued, by which worker it was analysed) stays empty.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ...ports import ENDED, History, Past, State, TaskRun, TaskState, WantedRuns
from .task_runs import SAME_END_SECONDS, iso, unix

GRACE_SECONDS = 5.0  # an answer is left to the monitor for so long: its events are on their way
RETRYING_SECONDS = 600.0  # a degraded answer may be one of a task that is tried again; all tries are over after this
ALL = 1_000_000_000

End = Callable[[str], "tuple[TaskState, str, str] | None"]


def unknown_end(task_id: str) -> None:
    """Return how Celery ended a task, where that is not known: the history's state of the report decides."""


def catch_up(
    history: History, since: datetime, ended: End = unknown_end, now: datetime | None = None, grace_seconds: float = GRACE_SECONDS
) -> tuple[TaskRun, ...]:
    """Record the runs of reports that were answered since then and of which no task run tells; return these runs.

    `ended` returns state, error and traceback of a task as Celery's result backend has it for an hour, None where it has not.
    HistoryError where the history fails.
    """
    now = now or datetime.now(UTC)
    before = now - timedelta(seconds=grace_seconds)
    ends = {run.task_id: unix(run.finished) for run in _ended_runs(history, since)}
    unseen = (
        task_id
        for task_id, when in history.answered(since)
        if when <= before and ends.get(task_id, 0.0) < when.timestamp() - SAME_END_SECONDS
    )
    missing = tuple(run for task_id in unseen for run in _missing(history, task_id, ended, now))
    if missing:
        history.record_task_runs(missing)
    return missing


def _ended_runs(history: History, since: datetime) -> tuple[TaskRun, ...]:
    """Return the runs that ended since then, the latest of each task last."""
    margin = timedelta(seconds=SAME_END_SECONDS)
    return history.task_runs(WantedRuns(states=ENDED, since=since - margin, limit=ALL))[::-1]


def _missing(history: History, task_id: str, ended: End, now: datetime) -> Iterator[TaskRun]:
    """Yield the run that ended with the answer to a report, where it is not known or its end is not."""
    past = history.find(task_id)
    if past is None or past.answered is None or past.report.id != task_id:
        return
    answered = past.answered.timestamp()
    known = history.task_runs(WantedRuns(task_id=task_id))
    if any(run.state in ENDED and unix(run.finished) >= answered - SAME_END_SECONDS for run in known):
        return
    begun = next((run for run in known if run.state not in ENDED), None)  # the latest comes first
    if begun and max(unix(begun.queued), unix(begun.started)) > answered:
        return  # it was sent again after that answer, and goes on
    state, error, traceback = ended(task_id) or _end(past, (now - past.answered).total_seconds())
    if state in ENDED:
        yield _completed(begun or blank(past, past.answered.isoformat()), past, answered, state, error, traceback)


def blank(past: Past, when: str) -> TaskRun:
    """Return a run of the report of which nothing is known but that it ended then."""
    report = past.report
    return TaskRun(
        f"{report.id}@{when}",
        report.id,
        TaskState.STARTED,
        project=report.project,
        suite_name=report.suite_name,
        test_name=report.test_name,
        error_message=report.error_message[:200],
    )


def _completed(run: TaskRun, past: Past, answered: float, state: TaskState, error: str, traceback: str) -> TaskRun:
    analysis = past.analysis
    assert analysis
    engine = analysis.engine
    seconds = sum(engine.step_seconds.values())
    return replace(
        run,
        state=state,
        error=error,
        traceback=traceback,
        started=run.started or iso(answered - seconds),
        finished=iso(answered),
        seconds=seconds or (answered - unix(run.started) if run.started else 0.0),
        error_type=analysis.error_type.value,
        verdict=analysis.verdict.value,
        confidence=analysis.confidence,
        degraded=analysis.degraded,
        reused=bool(analysis.reused_from),
        rule_id=engine.rule_id,
        model=engine.model,
        step_seconds=dict(engine.step_seconds),
        calls=engine.calls,
        tokens_in=engine.tokens_in,
        tokens_out=engine.tokens_out,
        cost_usd=engine.cost_usd,
    )


def _end(past: Past, age_seconds: float) -> tuple[TaskState, str, str]:
    """A task ends with an error where a part that is configured failed; then its answer is degraded."""
    if past.state is State.FAILED:
        return TaskState.FAILURE, past.problem, ""
    if past.state is State.DEGRADED and past.analysis:
        return TaskState.FAILURE if age_seconds > RETRYING_SECONDS else TaskState.RETRY, past.analysis.degraded[0], ""
    return TaskState.SUCCESS, "", ""
