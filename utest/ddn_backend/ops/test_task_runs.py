"""Celery's events made into task runs, in whatever order they come; and runs made from the history for events nobody read."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.ops.monitoring.catch_up import RETRYING_SECONDS, catch_up
from ddn_backend.ops.monitoring.task_runs import MAX_HELD_BACK, LiveRuns, are_one, iso, united
from ddn_backend.ports import TaskRun, TaskState, WantedRuns
from ddn_backend.tasks import analysed_event
from robot_ddn_listener.contract import TASK_NAME, Analysis, Engine, ErrorType, FailureReport, Run, Stage, Verdict

T = 1_800_000_000.0
NOW = datetime.fromtimestamp(T, UTC)
REPORT = FailureReport("r1", "shop", "f00d", Run("run"), "Checkout", "Pays by card", "gizmo dry")
ANSWER = Analysis(
    "r1",
    "shop",
    stage=Stage.FINAL,
    verdict=Verdict.DIAGNOSED,
    error_type=ErrorType.INFRA_ERROR,
    confidence=0.8,
    engine=Engine("gizmo-dry", model="m-1", step_seconds={"draft": 0.5, "recall": 0.25}, calls=2, tokens_in=70, cost_usd=0.5),
)
SUMMARY = {
    "project": "shop",
    "suite_name": "Checkout",
    "test_name": "Pays by card",
    "error_message": "gizmo dry",
    "error_type": "UNKNOWN",
}


def event(kind: str, after: float, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "uuid": "r1", "timestamp": T + after, "hostname": "celery@one", **fields}


def named(kind: str, after: float, **fields: Any) -> dict[str, Any]:
    return event(kind, after, **{"name": TASK_NAME, "args": json.dumps(SUMMARY), "retries": 0, **fields})


SENT = named("task-sent", 0, hostname="gen1@tester")
RECEIVED = named("task-received", 1)
STARTED = event("task-started", 2)
ANALYSED = event("ddn-analysed", 4, **analysed_event(REPORT, ANSWER))
SUCCEEDED = event("task-succeeded", 5, runtime=2.5, result="{}")


def after(*events: dict[str, Any]) -> tuple[TaskRun, ...]:
    runs = LiveRuns()
    for each in events:
        runs.take(each)
    return tuple(run for run, _ in runs.changed(100))


def test_a_run_is_followed_from_the_queue_to_its_end() -> None:
    states = []
    for number in range(1, 6):
        [run] = after(*(SENT, RECEIVED, STARTED, ANALYSED, SUCCEEDED)[:number])
        states.append(run.state.value)
    assert states == ["QUEUED", "QUEUED", "STARTED", "STARTED", "SUCCESS"]
    assert run == TaskRun(
        f"r1@{iso(T)}",
        "r1",
        TaskState.SUCCESS,
        **{**SUMMARY, "error_type": "INFRA_ERROR"},  # type: ignore[arg-type]
        queued=iso(T),
        started=iso(T + 2),
        finished=iso(T + 5),
        worker="celery@one",
        seconds=2.5,
        step_seconds={"draft": 0.5, "recall": 0.25},
        verdict="diagnosed",
        confidence=0.8,
        rule_id="gizmo-dry",
        model="m-1",
        calls=2,
        tokens_in=70,
        cost_usd=0.5,
    )


def test_events_in_any_order_make_the_same_run() -> None:
    [expected] = after(SENT, RECEIVED, STARTED, ANALYSED, SUCCEEDED)
    for order in itertools.permutations((SENT, RECEIVED, STARTED, ANALYSED, SUCCEEDED)):
        [run] = after(*order)
        assert replace(run, key=expected.key) == expected, [each["type"] for each in order]


def test_retries_are_one_run_whose_costs_add_up() -> None:
    again = named("task-sent", 6, retries=1)
    retried = event("task-retried", 7, exception="TransientError('mongo: down')", traceback="Traceback ...")
    [waiting] = after(SENT, RECEIVED, STARTED, ANALYSED, again, retried)
    assert (waiting.state, waiting.error, waiting.traceback) == (TaskState.RETRY, "TransientError('mongo: down')", "Traceback ...")
    second = [named("task-received", 8, retries=1), event("task-started", 10), {**ANALYSED, "timestamp": T + 11}]
    [run] = after(SENT, RECEIVED, STARTED, ANALYSED, again, retried, *second, event("task-succeeded", 12, runtime=2.0))
    assert (run.state, run.retries, run.error, run.traceback) == (TaskState.SUCCESS, 1, "", "")
    assert (run.queued, run.started, run.seconds) == (iso(T), iso(T + 10), 2.0)
    assert (run.calls, run.tokens_in, run.cost_usd) == (4, 140, 1.0)


def test_an_event_that_comes_late_does_not_turn_the_state_back() -> None:
    [run] = after(SENT, event("task-retried", 7, exception="TransientError('down')"), STARTED)
    assert (run.state, run.started) == (TaskState.RETRY, iso(T + 2))


def test_a_failed_run_has_its_exception_and_traceback() -> None:
    [run] = after(SENT, STARTED, event("task-failed", 5, exception="PermanentError('no')", traceback="x" * 30_000 + "end"))
    assert (run.state, run.error, run.seconds) == (TaskState.FAILURE, "PermanentError('no')", 3.0)
    assert run.traceback.endswith("end")
    assert len(run.traceback) == 20_000


def test_a_revoked_run_has_ended() -> None:
    [run] = after(SENT, event("task-revoked", 1, terminated=False))
    assert (run.state, run.finished) == (TaskState.REVOKED, iso(T + 1))


def test_a_task_that_is_sent_again_after_its_end_is_another_run() -> None:
    first, second = after(SENT, STARTED, SUCCEEDED, named("task-sent", 60), event("task-started", 61))
    assert (first.state, second.state, second.queued) == (TaskState.SUCCESS, TaskState.STARTED, iso(T + 60))
    assert first.key != second.key


def test_a_listener_that_sends_twice_makes_one_run() -> None:
    [run] = after(SENT, named("task-sent", 1), STARTED)
    assert run.queued == iso(T)


def test_a_report_that_is_handed_out_again_is_the_same_run() -> None:
    [run] = after(
        SENT, STARTED, named("task-received", 300, hostname="celery@two"), event("task-started", 301, hostname="celery@two")
    )
    assert (run.state, run.worker, run.started) == (TaskState.STARTED, "celery@two", iso(T + 301))


def test_other_tasks_and_nonsense_make_no_runs_and_are_not_hoarded() -> None:
    runs = LiveRuns()
    runs.take({**SENT, "name": "tasks.fetch"})
    for number in range(MAX_HELD_BACK * 2):
        runs.take(event("task-started", number, uuid=f"other-{number}"))
    for nonsense in ({}, {"type": "worker-heartbeat"}, {"type": "task-started", "uuid": 7}, event("task-cancelled", 1)):
        runs.take(nonsense)
    assert runs.changed(9) == ()
    assert len(runs._held_back) == MAX_HELD_BACK


def test_arguments_of_other_clients_are_no_summary() -> None:
    for args in ("({'id': 'r1'},)", "[1]", ""):
        [run] = after({**SENT, "args": args})
        assert (run.project, run.state) == ("", TaskState.QUEUED)


def test_what_is_stored_is_not_written_again_and_what_went_on_meanwhile_is() -> None:
    runs = LiveRuns()
    runs.take(SENT)
    [(told, is_stored)] = runs.changed(9)
    assert not is_stored
    runs.stored(told, told)
    assert runs.changed(9) == ()
    runs.take(STARTED)
    [(told, is_stored)] = runs.changed(9)
    assert is_stored
    runs.take(SUCCEEDED)
    runs.stored(told, told)
    [(told, _)] = runs.changed(9)
    assert told.state is TaskState.SUCCESS


def test_a_run_goes_on_under_the_key_that_the_history_has_for_it() -> None:
    runs = LiveRuns()
    runs.take(RECEIVED)
    [(told, _)] = runs.changed(9)
    known = TaskRun("old-key", "r1", TaskState.QUEUED, queued=iso(T))
    assert are_one(known, told)
    runs.take(STARTED)
    runs.stored(told, united(known, told))
    [(run, is_stored)] = runs.changed(9)
    assert (run.key, run.queued, run.state, is_stored) == ("old-key", iso(T), TaskState.STARTED, True)


def test_a_run_that_began_after_the_known_one_ended_is_another() -> None:
    known = TaskRun("k", "r1", TaskState.SUCCESS, finished=iso(T + 5))
    assert are_one(known, TaskRun("t", "r1", TaskState.STARTED, started=iso(T + 4)))
    assert are_one(known, TaskRun("t", "r1", TaskState.SUCCESS, finished=iso(T + 5.1)))
    assert not are_one(known, TaskRun("t", "r1", TaskState.QUEUED, queued=iso(T + 6)))
    both = united(known, TaskRun("t", "r1", TaskState.STARTED, started=iso(T + 4), worker="w"))
    assert (both.key, both.state, both.finished, both.worker) == ("k", TaskState.SUCCESS, iso(T + 5), "w")


def test_runs_that_ended_are_let_go_when_they_are_stored() -> None:
    runs = LiveRuns()
    for each in (SENT, STARTED, SUCCEEDED):
        runs.take(each)
    runs.let_go(T + 100)
    assert runs.find("r1")
    [(told, _)] = runs.changed(9)
    runs.stored(told, told)
    runs.let_go(T + 100)
    assert runs.find("r1") is None


# --- catching up ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def history(tmp_path: Path) -> Iterator[SqliteHistory]:
    opened = SqliteHistory(tmp_path / "history" / "history.sqlite")
    yield opened
    opened.close()


def caught_up(history: SqliteHistory, after: float = 60.0, **options: Any) -> tuple[TaskRun, ...]:
    return catch_up(history, NOW - timedelta(days=1), now=NOW + timedelta(seconds=after), **options)


def test_an_answer_that_nobody_saw_is_a_run_once(history: SqliteHistory) -> None:
    history.settle(REPORT, ANSWER, NOW)
    [run] = caught_up(history)
    assert (run.state, run.test_name, run.error_type, run.seconds) == (TaskState.SUCCESS, "Pays by card", "INFRA_ERROR", 0.75)
    assert (run.started, run.finished, run.calls) == (iso(T - 0.75), iso(T), 2)
    assert caught_up(history) == ()
    assert history.task_runs(WantedRuns()) == (run,)


def test_an_answer_of_this_moment_is_left_to_the_monitor(history: SqliteHistory) -> None:
    history.settle(REPORT, ANSWER, NOW)
    assert caught_up(history, after=1) == ()
    assert caught_up(history, after=1, grace_seconds=0)


def test_what_is_not_answered_or_only_for_the_time_being_is_no_run(history: SqliteHistory) -> None:
    history.keep(REPORT, NOW)
    assert caught_up(history) == ()
    history.settle(REPORT, replace(ANSWER, stage=Stage.INTERIM), NOW)
    assert caught_up(history) == ()


def test_a_run_that_the_monitor_saw_is_not_made_again(history: SqliteHistory) -> None:
    history.settle(REPORT, ANSWER, NOW)
    history.record_task_runs((TaskRun("k", "r1", TaskState.FAILURE, finished=iso(T + 0.1)),))
    assert caught_up(history) == ()


def test_a_run_whose_end_nobody_saw_gets_it(history: SqliteHistory) -> None:
    history.settle(REPORT, ANSWER, NOW)
    history.record_task_runs((TaskRun("k", "r1", TaskState.STARTED, queued=iso(T - 9), started=iso(T - 2), worker="w"),))
    [run] = caught_up(history)
    assert (run.key, run.state, run.queued, run.started, run.worker) == ("k", TaskState.SUCCESS, iso(T - 9), iso(T - 2), "w")


def test_a_run_that_was_sent_again_after_the_answer_goes_on(history: SqliteHistory) -> None:
    history.settle(REPORT, ANSWER, NOW)
    history.record_task_runs((TaskRun("k", "r1", TaskState.QUEUED, queued=iso(T + 5)),))
    assert caught_up(history) == ()


def test_a_second_answer_long_after_the_first_is_another_run(history: SqliteHistory) -> None:
    history.settle(REPORT, ANSWER, NOW - timedelta(hours=1))
    caught_up(history)
    history.settle(REPORT, ANSWER, NOW)
    caught_up(history)
    assert len(history.task_runs(WantedRuns())) == 2


def test_a_degraded_answer_is_a_failed_task_when_it_is_not_tried_again_any_more(history: SqliteHistory) -> None:
    history.settle(REPORT, replace(ANSWER, degraded=("pinecone: timed out",)), NOW)
    assert caught_up(history) == ()
    [run] = caught_up(history, after=RETRYING_SECONDS + 1)
    assert (run.state, run.error, run.degraded) == (TaskState.FAILURE, "pinecone: timed out", ("pinecone: timed out",))


def test_what_celery_knows_of_the_end_decides(history: SqliteHistory) -> None:
    history.settle(REPORT, replace(ANSWER, degraded=("gemini: budget",)), NOW)
    assert caught_up(history, ended=lambda task_id: (TaskState.RETRY, "", "")) == ()
    [run] = caught_up(history, ended=lambda task_id: (TaskState.SUCCESS, "", ""))
    assert run.state is TaskState.SUCCESS
