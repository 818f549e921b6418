"""The history: one contract for SQLite and MongoDB (over the wire), then what is particular to each."""

import socket
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.adapters import mongo, sqlite
from ddn_backend.adapters.mongo import MongoHistory
from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.errors import PermanentError, SettingsError
from ddn_backend.ports import (
    OUTCOME_DAYS,
    Earlier,
    Feedback,
    FeedbackKind,
    History,
    HistoryBrokenError,
    HistoryDownError,
    Outcome,
    RunRecord,
    State,
    TaskRun,
    TaskState,
    Wanted,
    WantedRuns,
)
from robot_ddn_listener.contract import (
    Analysis,
    Engine,
    ErrorType,
    Evidence,
    FailureReport,
    Git,
    LogLine,
    Run,
    Stage,
    Verdict,
    decode,
    encode,
)
from servers.mongo import MongoStandIn, mongo_stand_in

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

FINAL = Analysis(
    report_id="r1",
    project="shop",
    fingerprint="f00d",
    stage=Stage.FINAL,
    verdict=Verdict.DIAGNOSED,
    error_type=ErrorType.INFRA_ERROR,
    root_cause="The gizmo ran dry.",
    evidence=(Evidence("gizmo dry", "error message"),),
    engine=Engine(pipeline_version="1", model="gizmo-1.5", step_seconds={"draft": 0.5}),
)

_numbers = count()


def report(
    identity: str = "r1", message: str = "gizmo dry", run: str = "run-1", branch: str = "main", **fields: Any
) -> FailureReport:
    plain = FailureReport(
        id=identity,
        project="shop",
        fingerprint="f00d",
        run=Run(run, git=Git(commit="c0ffee", branch=branch)),
        suite_name="S",
        test_name="T",
        error_message=message,
        full_name="S.T",
        log=(LogLine("naïve ☃ \x00 \ud800"),),
        redactions={"a.b$c": 2},
    )
    return replace(plain, **fields)


def run_record(
    identity: str, when: datetime, *outcomes: Outcome, commit: str = "c0ffee", branch: str = "main", dirty: bool = False
) -> RunRecord:
    return RunRecord("shop", Run(identity, git=Git(commit=commit, branch=branch, dirty=dirty)), when.isoformat(), outcomes)


def word(kind: FeedbackKind, cause: str = "", when: datetime = NOON, **fields: str) -> Feedback:
    plain = Feedback(
        kind, "r1", "shop", "f00d", "Ada", when.isoformat(), ErrorType.CODE_ERROR, cause, "Refill.", "ABC-1", "gizmo dry"
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", "mongo"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`opened()` is a history that begins empty; each further call opens the same one again."""
    histories: list[Any] = []
    if request.param == "sqlite":
        make: Callable[..., Any] = lambda *args: SqliteHistory(tmp_path / "history" / "history.sqlite", *args)  # noqa: E731
    else:
        url = f"{request.getfixturevalue('mongo_server')}/ddn{next(_numbers)}?serverSelectionTimeoutMS=30000"
        make = lambda *args: MongoHistory(url, *args)  # noqa: E731

    def open_one(*arguments: Any) -> Any:
        histories.append(make(*arguments))
        return histories[-1]

    yield open_one
    for history in histories:
        history.close()


@pytest.fixture
def history(opened: Callable[..., History]) -> History:
    return opened()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- reports and answers -------------------------------------------------------------------------------------------------


def test_a_report_comes_back_as_it_was_sent(opened: Callable[..., History]) -> None:
    sent = decode(FailureReport, encode(report()))
    opened().keep(report(), NOON)
    past = opened().find("r1")
    assert past
    assert (past.report, past.seen, past.analysis, past.answered, past.state) == (sent, NOON, None, None, State.PENDING)


def test_a_report_that_comes_twice_stays_as_it_was_first_seen(history: History) -> None:
    history.keep(report(), NOON)
    history.settle(report(), FINAL, NOON + HOUR)
    history.keep(report(), NOON + DAY)
    past = history.find("r1")
    assert past
    assert (past.seen, past.analysis, past.answered) == (NOON, FINAL, NOON + HOUR)


def test_an_answer_to_a_report_that_was_not_kept_keeps_it(history: History) -> None:
    history.settle(report(), FINAL, NOON, "gizmo-latest")
    past = history.find("r1")
    assert past
    assert (past.report.test_name, past.analysis, past.model, past.state) == ("T", FINAL, "gizmo-latest", State.ANSWERED)


def test_what_is_not_there_is_not_found(history: History) -> None:
    history.keep(report(), NOON)
    assert history.find("r2") is None


def test_a_report_is_found_by_the_beginning_of_its_id(history: History) -> None:
    for identity in ("abc-1", "abd-2", "x"):
        history.keep(report(identity), NOON)
    found = history.find("abd")
    assert found
    assert found.report.id == "abd-2"


def test_a_project_that_is_named_finds_its_own_reports_only(history: History) -> None:
    history.keep(replace(report("abc-1"), project="ours"), NOON)
    history.keep(replace(report("abd-2"), project="theirs"), NOON)
    assert history.find("abd-2", "ours") is None
    found = history.find("ab", "ours")  # alone of its project, though another's begins so
    assert found
    assert found.report.id == "abc-1"


def test_an_answer_never_replaces_that_of_another_project_under_the_same_id(history: History) -> None:
    history.settle(replace(report(), project="ours"), FINAL, NOON)
    with pytest.raises(PermanentError, match="another project"):
        history.settle(replace(report(), project="theirs"), replace(FINAL, root_cause="Theirs."), NOON + HOUR)
    past = history.find("r1")
    assert past
    assert (past.report.project, past.analysis) == ("ours", FINAL)


def test_a_beginning_that_several_ids_have_is_refused(history: History) -> None:
    for identity in ("abc-1", "abd-2"):
        history.keep(report(identity), NOON)
    with pytest.raises(PermanentError, match=r"Finding report 'ab' failed: several ids begin like that\. Give more of it\."):
        history.find("ab")


def test_a_whole_id_is_found_though_another_begins_with_it(history: History) -> None:
    for identity in ("abc", "abcd", "abce"):
        history.keep(report(identity), NOON)
    found = history.find("abc")
    assert found
    assert found.report.id == "abc"


def test_the_empty_id_is_refused(history: History) -> None:
    history.keep(report(), NOON)
    with pytest.raises(PermanentError, match="expected its id or the beginning of it, got nothing"):
        history.find("")


def test_an_interim_answer_never_replaces_a_final_one(history: History) -> None:
    history.settle(report(), FINAL, NOON)
    history.settle(report(), replace(FINAL, stage=Stage.INTERIM, root_cause="Draft."), NOON + HOUR)
    past = history.find("r1")
    assert past
    assert past.analysis == FINAL


def test_a_final_answer_replaces_an_interim_one_whenever_it_was_made(history: History) -> None:
    history.settle(report(), replace(FINAL, stage=Stage.INTERIM), NOON + HOUR)
    history.settle(report(), FINAL, NOON)
    past = history.find("r1")
    assert past
    assert past.analysis == FINAL


def test_of_two_final_answers_the_later_one_stays_in_whatever_order_they_come(history: History) -> None:
    later = replace(FINAL, root_cause="Later.")
    for identity, answers in (("r1", [(FINAL, NOON), (later, NOON + HOUR)]), ("r2", [(later, NOON + HOUR), (FINAL, NOON)])):
        for analysis, when in answers:
            history.settle(report(identity), analysis, when)
        past = history.find(identity)
        assert past
        assert past.analysis
        assert past.analysis.root_cause == "Later."


def test_the_same_answer_again_changes_nothing(history: History) -> None:
    for _ in range(2):
        history.settle(report(), FINAL, NOON)
    assert len(history.listed(Wanted())) == 1


def test_reports_are_listed_by_when_they_were_answered_for_good(history: History) -> None:
    history.settle(report("late"), FINAL, NOON + HOUR)
    history.settle(report("early"), FINAL, NOON)
    history.settle(report("old"), FINAL, NOON - HOUR)
    history.settle(report("draft"), replace(FINAL, stage=Stage.INTERIM), NOON)
    history.settle(report("dead"), replace(FINAL, stage=Stage.INTERIM), NOON + 2 * HOUR, problem="ZeroDivisionError")
    history.keep(report("waiting"), NOON)
    assert history.answered(NOON) == (("early", NOON), ("late", NOON + HOUR), ("dead", NOON + 2 * HOUR))


# --- reuse ---------------------------------------------------------------------------------------------------------------


def test_the_latest_diagnosis_of_the_same_failure_can_be_used_again(history: History) -> None:
    history.settle(report("r1"), FINAL, NOON, "m")
    history.settle(report("r2"), replace(FINAL, report_id="r2"), NOON + HOUR, "m")
    past = history.reusable(report("r3"), "1", "m", NOON - DAY)
    assert past
    assert past.report.id == "r2"


@pytest.mark.parametrize(
    ("changes", "model"),
    [
        ({"stage": Stage.INTERIM}, "m"),
        ({"verdict": Verdict.UNKNOWN}, "m"),
        ({"verdict": Verdict.NOT_ANALYSED}, "m"),
        ({"degraded": ("gizmo: timed out",)}, "m"),
        ({"engine": Engine(pipeline_version="0")}, "m"),
        ({"reused_from": "r0"}, "m"),
        ({"confirmed_by": "Ada"}, "m"),
        ({}, "another"),
        ({}, ""),
    ],
    ids=str,
)
def test_other_answers_cannot_be_used_again(history: History, changes: dict[str, Any], model: str) -> None:
    history.settle(report("r1"), replace(FINAL, **changes), NOON, model)
    assert history.reusable(report("r2"), "1", "m", NOON - DAY) is None


def test_an_answer_that_is_too_old_or_of_another_failure_or_project_cannot_be_used_again(history: History) -> None:
    history.settle(report("r1"), FINAL, NOON, "m")
    assert history.reusable(report("r2"), "1", "m", NOON)
    assert history.reusable(report("r2"), "1", "m", NOON + HOUR) is None
    assert history.reusable(report("r2", fingerprint="beef"), "1", "m", NOON - DAY) is None
    assert history.reusable(report("r2", project="bank"), "1", "m", NOON - DAY) is None


def test_an_analysis_that_failed_for_good_cannot_be_used_again(history: History) -> None:
    history.settle(report("r1"), FINAL, NOON, "m", problem="ZeroDivisionError: by gizmo")
    assert history.reusable(report("r2"), "1", "m", NOON - DAY) is None


# --- novelty -------------------------------------------------------------------------------------------------------------


def test_a_failure_is_counted_from_the_first_time_it_was_seen(history: History) -> None:
    history.keep(report("r1", run="run-1"), NOON)
    history.keep(report("r2", run="run-2"), NOON + HOUR)
    history.keep(report("r3", run="run-3", branch="feature"), NOON + 2 * HOUR)
    history.keep(report("r4", run="run-4"), NOON + 3 * HOUR)
    assert history.earlier(report("r4")) == Earlier(3, NOON, NOON + HOUR, "run-2")


def test_neither_the_report_itself_nor_later_ones_nor_those_of_others_are_earlier(history: History) -> None:
    history.keep(report("r1"), NOON)
    history.keep(report("r2"), NOON + HOUR)
    history.keep(report("r0", fingerprint="beef"), NOON - HOUR)
    history.keep(report("r9", project="bank"), NOON - HOUR)
    assert history.earlier(report("r1")) == Earlier()


def test_a_failure_that_was_only_seen_on_other_branches_has_no_last_time(history: History) -> None:
    history.keep(report("r1", branch="feature"), NOON)
    assert history.earlier(report("r2")) == Earlier(1, NOON)


def test_runs_come_back_the_newest_first(history: History) -> None:
    runs = [run_record(f"run-{n}", NOON + n * HOUR, Outcome("S.T", "FAIL", 1.5, "f00d"), Outcome("S.U", "SKIP")) for n in range(3)]
    for run in runs:
        history.record_run(run)
    assert history.runs("shop", NOON + HOUR) == (runs[2], runs[1])
    assert history.runs("bank", NOON) == ()


def test_a_run_that_is_told_twice_is_kept_once_and_each_process_of_pabot_has_its_part(history: History) -> None:
    first, second = (run_record("run-1", NOON, Outcome(test, "PASS")) for test in ("S.T", "S.U"))
    for run in (first, second, first):
        history.record_run(run)
    assert sorted(run.outcomes[0].test for run in history.runs("shop", NOON)) == ["S.T", "S.U"]
    assert [len(history.outcomes("shop", test, NOON)) for test in ("S.T", "S.U")] == [1, 1]


def test_outcomes_of_a_test_come_the_newest_first_without_skips_and_changed_checkouts(history: History) -> None:
    history.record_run(run_record("run-1", NOON, Outcome("S.T", "PASS"), Outcome("S.U", "PASS")))
    history.record_run(run_record("run-2", NOON + HOUR, Outcome("S.T", "FAIL"), commit="beef", branch="feature"))
    history.record_run(run_record("run-3", NOON + HOUR, Outcome("S.T", "SKIP")))
    history.record_run(run_record("run-4", NOON + HOUR, Outcome("S.T", "PASS"), dirty=True))
    newest, oldest = history.outcomes("shop", "S.T", NOON)
    assert (newest.status, newest.run_id, newest.commit, newest.branch, newest.when) == (
        "FAIL",
        "run-2",
        "beef",
        "feature",
        NOON + HOUR,
    )
    assert (oldest.status, oldest.run_id, oldest.when) == ("PASS", "run-1", NOON)
    assert history.outcomes("shop", "S.T", NOON + HOUR) == (newest,)
    assert history.outcomes("bank", "S.T", NOON) == ()


def test_the_last_pass_of_a_test_is_known_by_branch_in_whatever_order_runs_arrive(history: History) -> None:
    passed = Outcome("S.T", "PASS")
    history.record_run(run_record("run-2", NOON + HOUR, passed, commit="new"))
    history.record_run(run_record("run-1", NOON, passed, commit="old"))
    history.record_run(run_record("run 3", NOON + 2 * HOUR, passed, commit="", branch="feature"))
    history.record_run(run_record("run-4", NOON + 3 * HOUR, Outcome("S.T", "FAIL")))
    on_main, anywhere = history.last_pass("shop", "S.T", "main"), history.last_pass("shop", "S.T")
    assert on_main
    assert (on_main.commit, on_main.run_id, on_main.when, on_main.status) == ("new", "run-2", NOON + HOUR, "PASS")
    assert anywhere
    assert (anywhere.commit, anywhere.run_id, anywhere.branch) == ("", "run 3", "feature")
    assert history.last_pass("shop", "S.T", "") is None
    assert history.last_pass("shop", "S.U") is None


def test_times_of_other_zones_are_understood(history: History) -> None:
    in_tokyo = replace(run_record("run-1", NOON, Outcome("S.T", "PASS")), when="2026-11-24T21:00:00+09:00")
    without_zone = replace(run_record("run-2", NOON, Outcome("S.U", "PASS")), when="2026-11-24T12:00:00")
    for run in (in_tokyo, without_zone):
        history.record_run(run)
    assert [each.when for test in ("S.T", "S.U") for each in history.outcomes("shop", test, NOON)] == [NOON, NOON]


def test_a_run_with_a_time_that_is_none_is_refused(history: History) -> None:
    with pytest.raises(PermanentError, match=r"Keeping run 'run-1' in the history failed: .*'yesterday'.* left out\."):
        history.record_run(replace(run_record("run-1", NOON), when="yesterday"))


# --- feedback ------------------------------------------------------------------------------------------------------------


def test_the_last_word_stands_and_an_undo_takes_it_back(history: History) -> None:
    confirm, correct = word(FeedbackKind.CONFIRM, "Dry."), word(FeedbackKind.CORRECT, "Wet.", NOON + HOUR)
    assert history.standing("shop", "f00d") is None
    stands = []
    for said in (confirm, correct, *(word(FeedbackKind.UNDO, when=NOON + n * HOUR) for n in (2, 3, 4))):
        history.say(said)
        stands.append(history.standing("shop", "f00d"))
    assert stands == [confirm, correct, confirm, None, None]


def test_words_of_the_same_moment_stand_in_the_order_they_came(history: History) -> None:
    for cause in "abcde":
        history.say(word(FeedbackKind.CORRECT, cause))
    stands = history.standing("shop", "f00d")
    assert stands
    assert stands.root_cause == "e"


def test_the_confirmed_causes_of_a_project_or_of_all_can_be_listed(history: History) -> None:
    kept = word(FeedbackKind.CORRECT, "Kept.")
    other = word(FeedbackKind.CONFIRM, "Other.", NOON + HOUR, fingerprint="beef")
    foreign = word(FeedbackKind.CONFIRM, "Foreign.", NOON + 2 * HOUR, project="bank")
    for said in (kept, other, foreign, word(FeedbackKind.CONFIRM, "Gone.", fingerprint="dead")):
        history.say(said)
    history.say(word(FeedbackKind.UNDO, when=NOON + HOUR, fingerprint="dead"))
    assert history.confirmed("shop") == (kept, other)
    assert history.confirmed("") == (kept, other, foreign)


# --- lists ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(history: History) -> History:
    """One report of each state, an hour apart, the pending one first."""
    history.keep(report("pending"), NOON)
    history.settle(report("answered"), FINAL, NOON + HOUR)
    degraded = replace(FINAL, degraded=("Pinecone: timed out after 3 s", "mongo: gone"))
    history.settle(report("degraded", "stock empty"), degraded, NOON + 2 * HOUR)
    history.settle(report("failed", project="bank"), FINAL, NOON + 3 * HOUR, problem="ZeroDivisionError: by Gizmo")
    history.settle(report("drafted"), replace(FINAL, stage=Stage.INTERIM), NOON + 4 * HOUR)
    return history


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), ["drafted", "failed", "degraded", "answered", "pending"]),
        (Wanted(limit=2), ["drafted", "failed"]),
        (Wanted(state=State.PENDING), ["drafted", "pending"]),
        (Wanted(state=State.ANSWERED), ["answered"]),
        (Wanted(state=State.DEGRADED), ["degraded"]),
        (Wanted(state=State.FAILED), ["failed"]),
        (Wanted(part="pinecone"), ["degraded"]),
        (Wanted(part="mongo", state=State.DEGRADED), ["degraded"]),
        (Wanted(part="pine"), []),
        (Wanted(since=NOON + 3 * HOUR), ["drafted", "failed"]),
        (Wanted(project="bank"), ["failed"]),
        (Wanted(text="by gizmo"), ["failed"]),
        (Wanted(text="TIMED OUT"), ["degraded"]),
        (Wanted(text="stock"), ["degraded"]),
        (Wanted(text="dry", limit=1), ["drafted"]),
    ],
    ids=str,
)
def test_reports_are_listed_by_what_became_of_them(filled: History, wanted: Wanted, ids: list[str]) -> None:
    assert [past.report.id for past in filled.listed(wanted)] == ids


def test_analyses_that_failed_for_good_are_counted(filled: History) -> None:
    assert filled.failed() == len(filled.listed(Wanted(state=State.FAILED))) == 1


def test_a_failed_analysis_tells_why_until_it_succeeds(filled: History) -> None:
    [failed] = filled.listed(Wanted(state=State.FAILED))
    assert failed.problem == "ZeroDivisionError: by Gizmo"
    filled.settle(failed.report, FINAL, NOON + DAY)
    past = filled.find("failed")
    assert past
    assert (past.state, past.problem) == (State.ANSWERED, "")


# --- forgetting ----------------------------------------------------------------------------------------------------------


def test_a_report_is_forgotten_with_its_answer_and_what_was_said_of_it(history: History) -> None:
    history.settle(report("r1"), FINAL, NOON)
    history.keep(report("r2"), NOON)
    history.say(word(FeedbackKind.CONFIRM, "Dry."))
    assert history.forget("r1") == 2
    assert (history.find("r1"), history.standing("shop", "f00d")) == (None, None)
    assert history.find("r2")
    assert history.forget("r1") == 0


def test_a_project_is_forgotten_and_others_stay(history: History) -> None:
    for project in ("shop", "bank"):
        history.settle(report(project, project=project), FINAL, NOON)
        history.record_run(replace(run_record("run-1", NOON, Outcome("S.T", "PASS")), project=project))
        history.say(word(FeedbackKind.CONFIRM, "Dry.", project=project))
    assert history.forget_project("shop") == 5
    assert kept_of(history, "shop") == (0, 0, 0, False, 0)
    assert kept_of(history, "bank") == (1, 1, 1, True, 1)


def kept_of(history: History, project: str) -> tuple[int, int, int, bool, int]:
    reports = history.listed(Wanted(project=project))
    outcomes = history.outcomes(project, "S.T", NOON - 99 * DAY)
    passed = history.last_pass(project, "S.T") is not None
    return len(reports), len(history.runs(project, NOON - 99 * DAY)), len(outcomes), passed, len(history.confirmed(project))


def test_what_is_too_old_is_deleted_except_for_what_people_said(history: History) -> None:
    for age in (1, OUTCOME_DAYS + 1, 91):
        when = NOON - age * DAY
        history.settle(report(f"r{age}"), FINAL, when)
        history.record_run(run_record(f"run-{age}", when, Outcome("S.T", "PASS"), branch=str(age)))
    history.say(word(FeedbackKind.CONFIRM, "Dry.", NOON - 91 * DAY))
    assert history.prune(NOON, 90) == 5
    assert [past.report.id for past in history.listed(Wanted())] == ["r1", f"r{OUTCOME_DAYS + 1}"]
    assert len(history.runs("shop", NOON - 99 * DAY)) == 2
    assert len(history.outcomes("shop", "S.T", NOON - 99 * DAY)) == 1
    assert history.last_pass("shop", "S.T", str(OUTCOME_DAYS + 1))
    assert history.last_pass("shop", "S.T", "91") is None
    assert len(history.confirmed("shop")) == 1


# --- task runs -----------------------------------------------------------------------------------------------------------

RUN = TaskRun(
    "r1@12",
    "r1",
    TaskState.SUCCESS,
    project="shop",
    suite_name="Checkout",
    test_name="Pays by card",
    error_message="gizmo dry \ud800",
    error_type="INFRA_ERROR",
    queued=NOON.isoformat(),
    started=(NOON + timedelta(seconds=1)).isoformat(),
    finished=(NOON + timedelta(seconds=3)).isoformat(),
    worker="celery@one",
    retries=1,
    seconds=2.0,
    step_seconds={"a.b$c": 0.5},
    degraded=("gizmo: timed out",),
    tokens_in=7,
    cost_usd=0.25,
)


def test_task_runs_come_back_as_they_were_recorded_the_latest_first(opened: Callable[..., History]) -> None:
    waiting = TaskRun("r2@13", "r2", TaskState.QUEUED, queued=(NOON + HOUR).isoformat())
    opened().record_task_runs((RUN, waiting))
    assert opened().task_runs(WantedRuns()) == (waiting, decode(TaskRun, encode(RUN)))
    assert opened().task_runs(WantedRuns(limit=1)) == (waiting,)


def test_a_task_run_that_is_recorded_again_is_replaced(history: History) -> None:
    history.record_task_runs((replace(RUN, state=TaskState.STARTED, finished=""),))
    history.record_task_runs((RUN,))
    assert [run.state for run in history.task_runs(WantedRuns())] == [TaskState.SUCCESS]


def test_no_task_runs_are_recorded_without_complaint(history: History) -> None:
    history.record_task_runs(())
    assert history.task_runs(WantedRuns()) == ()


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        (WantedRuns(project="shop"), ["a", "b"]),
        (WantedRuns(states=(TaskState.FAILURE, TaskState.REVOKED)), ["c", "b"]),
        (WantedRuns(states=(TaskState.RETRY,)), []),
        (WantedRuns(error_type="CODE_ERROR"), ["b"]),
        (WantedRuns(worker="celery@two"), ["c"]),
        (WantedRuns(since=NOON - HOUR / 2), ["c", "a"]),
        (WantedRuns(until=NOON), ["a", "b"]),
        (WantedRuns(since=NOON, until=NOON, project="shop"), ["a"]),
        (WantedRuns(task_id="tb"), ["b"]),
        (WantedRuns(text="MILK"), ["c"]),
        (WantedRuns(text="pinecone: T"), ["b"]),
        (WantedRuns(text="overflow", limit=1), ["a"]),
    ],
    ids=str,
)
def test_task_runs_are_found_by_what_they_were(history: History, wanted: WantedRuns, keys: list[str]) -> None:
    one = TaskRun("a", "ta", TaskState.SUCCESS, "shop", finished=NOON.isoformat(), worker="celery@one", error="OverflowError")
    two = replace(one, key="b", task_id="tb", state=TaskState.FAILURE, error_type="CODE_ERROR", degraded=("pinecone: timed out",))
    three = replace(
        one, key="c", task_id="tc", state=TaskState.REVOKED, project="bank", worker="celery@two", error="", test_name="Milk"
    )
    ended = {"b": NOON - HOUR, "c": NOON + HOUR}
    others = tuple(replace(run, finished=ended[run.key].isoformat()) for run in (two, three))
    history.record_task_runs((one, *others))
    assert [run.key for run in history.task_runs(wanted)] == keys


def test_task_runs_are_forgotten_with_their_report_their_project_and_with_age(history: History) -> None:
    for key, project, age in (("r1", "shop", 0), ("r2", "shop", 0), ("r3", "bank", 0), ("r4", "bank", 91)):
        ended = (NOON - age * DAY).isoformat()
        history.record_task_runs((replace(RUN, key=key, task_id=key, project=project, queued="", started="", finished=ended),))
    assert history.forget("r1") == 1
    assert history.forget_project("shop") == 1
    assert history.prune(NOON, 90) == 1
    assert [run.key for run in history.task_runs(WantedRuns())] == ["r3"]


# --- threads and versions ------------------------------------------------------------------------------------------------


def test_many_threads_share_one_history(history: History) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                each = report(f"{number}-{turn}", run=f"run-{number}-{turn}")
                history.settle(each, FINAL, NOON, "m")
                history.record_run(run_record(each.run.id, NOON, Outcome("S.T", "PASS")))
                assert history.find(each.id)
                assert history.reusable(report("x"), "1", "m", NOON)
        except BaseException as error:
            failures.append(error)

    in_threads(work, 8)
    assert failures == []
    assert len(history.listed(Wanted())) == 40


def test_many_threads_that_answer_one_report_leave_the_best_answer(history: History) -> None:
    def answer(number: int) -> None:
        stage = Stage.FINAL if number % 2 else Stage.INTERIM
        history.settle(report(), replace(FINAL, stage=stage, root_cause=str(number)), NOON + number * HOUR)

    in_threads(answer, 8)
    past = history.find("r1")
    assert past
    assert past.analysis
    assert (past.analysis.root_cause, past.analysis.stage) == ("7", Stage.FINAL)


def test_one_history_may_be_opened_by_several_at_a_time(opened: Callable[..., History]) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            opened().keep(report(str(number)), NOON)
        except BaseException as error:
            failures.append(error)

    in_threads(work, 6)
    assert failures == []
    assert len(opened().listed(Wanted())) == 6


def in_threads(work: Callable[[int], None], number: int) -> None:
    threads = [threading.Thread(target=work, args=(each,)) for each in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def newer_schema(history: History) -> tuple[Any, ...]:
    """Return the migrations of a later version: one more step, that gives every report a mark in its fingerprint."""
    if isinstance(history, SqliteHistory):
        return (*sqlite.MIGRATIONS, ("ALTER TABLE runs ADD COLUMN mark TEXT", "UPDATE reports SET fingerprint = 'marked'"))
    return (*mongo.MIGRATIONS, lambda db: db.ddn_reports.update_many({}, {"$set": {"fingerprint": "marked"}}))


def test_an_older_history_is_brought_to_the_newest_schema_once_and_keeps_what_it_has(opened: Callable[..., History]) -> None:
    history = opened()
    history.settle(report("r1"), FINAL, NOON, "m")
    newer = opened(newer_schema(history))
    assert newer.reusable(report("r2", fingerprint="marked"), "1", "m", NOON)
    newer.settle(report("r3"), FINAL, NOON, "m")
    again = opened(newer_schema(history))
    assert again.reusable(report("r2"), "1", "m", NOON)  # else the step has been run again


def test_a_history_of_a_newer_version_is_refused_and_left_alone(opened: Callable[..., History]) -> None:
    newer = opened(newer_schema(opened()))
    newer.keep(report(), NOON)
    with pytest.raises((SettingsError, HistoryBrokenError), match=r"expected a schema of version 3 or older, got 4\. .* upgrade"):
        opened().find("r1")
    assert newer.find("r1")


def test_a_migration_that_fails_leaves_the_old_version(opened: Callable[..., History]) -> None:
    history = opened()
    history.keep(report(), NOON)
    broken = ("CREATE TABLE half (x)", "not SQL") if isinstance(history, SqliteHistory) else break_off
    with pytest.raises((SettingsError, HistoryDownError)):
        opened((*newer_schema(history)[:-1], broken)).find("r1")
    assert opened(newer_schema(history)).find("r1")


def break_off(db: Any) -> None:
    from pymongo.errors import AutoReconnect

    raise AutoReconnect("gone")


# --- SQLite --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history" / "history.sqlite"


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    with closing(SqliteHistory(path)) as history:
        history.keep(report(), NOON)
        files = list(path.parent.iterdir())
        modes = {stat.S_IMODE(file.stat().st_mode) for file in files}
    assert len(files) == 3  # with the write-ahead log and its index
    assert (modes, stat.S_IMODE(path.parent.stat().st_mode)) == ({0o600}, 0o700)


def test_a_directory_that_others_may_enter_is_refused(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    with pytest.raises(SettingsError, match=f"Opening history '{path}' failed: Expected a directory with mode 0700, got 0755"):
        SqliteHistory(path)


@pytest.mark.parametrize("damage", ["replaced", "overwritten", "cut"])
def test_a_broken_file_is_refused_with_what_to_do(path: Path, damage: str) -> None:
    with closing(SqliteHistory(path)) as history:
        for number in range(50):
            history.keep(report(str(number), "".join(map(chr, range(1000, 3000)))), NOON)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {"replaced": b"no database " * 500, "overwritten": whole[:middle] + b"\xff" * (len(whole) - middle), "cut": whole[:middle]}[
            damage
        ]
    )
    with pytest.raises(
        SettingsError, match=rf"Opening history '{path}' failed: .*\. The backend does not start\. Move the file away"
    ):
        SqliteHistory(path)


def test_a_path_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"Opening history '.*' failed: (Not a directory|File exists)"):
        SqliteHistory(tmp_path / "file" / "history" / "history.sqlite")


def test_a_file_that_another_process_holds_is_asked_again_later(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
    with closing(SqliteHistory(path)) as history, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            HistoryDownError, match=r"Keeping report 'r1' in the history failed: database is locked\. It is tried again"
        ):
            history.keep(report(), NOON)
        assert history.find("r1") is None  # reading goes on
        other.rollback()
        history.keep(report(), NOON)
        assert history.find("r1")


def test_damage_that_comes_later_is_told_and_not_tried_again(path: Path) -> None:
    with closing(SqliteHistory(path)) as history, closing(sqlite3.connect(path)) as other:
        history.keep(report(), NOON)
        other.execute("UPDATE reports SET report = x'00'")
        other.commit()
        with pytest.raises(HistoryBrokenError, match="Reading 'r1' from the history failed"):
            history.find("r1")


def test_a_history_that_was_closed_says_so(path: Path) -> None:
    history = SqliteHistory(path)
    history.close()
    with pytest.raises(HistoryBrokenError, match="closed database"):
        history.keep(report(), NOON)


def test_nothing_of_a_forgotten_report_is_left_on_the_disk(path: Path) -> None:
    with closing(SqliteHistory(path)) as history:
        history.keep(report("r-to-be-forgotten"), NOON)
        history.forget("r-to-be-forgotten")
        assert not any(b"r-to-be-forgotten" in file.read_bytes() for file in path.parent.iterdir())


def test_a_report_takes_less_room_than_it_has_text(path: Path) -> None:
    with closing(SqliteHistory(path)) as history:
        long = report(log=tuple(LogLine(f"INFO: step {n} of the gizmo took {n * 7} ms") for n in range(2000)))
        history.keep(long, NOON)
    assert path.stat().st_size < 100_000


# --- MongoDB -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def stand_in() -> Iterator[MongoStandIn]:
    with mongo_stand_in() as server:
        yield server


@pytest.fixture
def mongo_at() -> Iterator[Callable[[str], MongoHistory]]:
    histories = []

    def make(url: str) -> MongoHistory:
        histories.append(MongoHistory(url))
        return histories[-1]

    yield make
    for history in histories:
        history.close()


PASSWORD = "pass" + "word" * 2


@pytest.mark.parametrize(
    "url",
    ["", "redis://h/0", f"mongodb://user:{PASSWORD}@h:port/ddn", f"mongodb://user:{PASSWORD}/x@h/ddn", "mongodb://", "h:27017"],
)
def test_a_url_that_cannot_be_used_is_refused_at_once_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="Reading setting 'DDN_MONGO_URL' failed: expected a URL such as mongodb://") as caught:
        MongoHistory(url)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nothing_is_connected_before_the_first_call(stand_in: MongoStandIn, mongo_at: Callable[[str], MongoHistory]) -> None:
    history = mongo_at(f"mongodb://{stand_in.address}")
    assert stand_in.commands == []
    history.keep(report(), NOON)
    assert "insert" in stand_in.commands


def test_a_database_that_is_down_at_the_start_is_used_when_it_is_up(
    mongo_server: str, mongo_at: Callable[[str], MongoHistory]
) -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))  # taken, but nobody listens
        url = f"mongodb://127.0.0.1:{place.getsockname()[1]}/?serverSelectionTimeoutMS=50"
        history = mongo_at(url)
        with pytest.raises(
            HistoryDownError, match=r"Keeping report 'r1' in MongoDB '127\.0\.0\.1:\d+' failed: .*refused"
        ) as caught:
            history.keep(report(), NOON)
        assert "Topology" not in str(caught.value)
        port = place.getsockname()[1]
    with relay(port, int(mongo_server.rpartition(":")[2])):
        keep_until_it_works(history)
        assert history.find("r1")


def keep_until_it_works(history: MongoHistory) -> None:
    for _ in range(200):
        try:
            return history.keep(report(), NOON)
        except HistoryDownError:
            continue
    pytest.fail("The history did not come back.")


class Relay:
    """A place on loopback that hands everything on to another, until it is closed."""

    def __init__(self, port: int, target: int):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            with closing(each):
                each.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self._target))
            self._open += [here, there]
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while chunk := source.recv(65536):
                sink.sendall(chunk)
        except OSError:
            pass


def relay(port: int, target: int) -> Relay:
    return Relay(port, target)


def test_a_database_that_hangs_costs_the_time_out_and_no_more(
    stand_in: MongoStandIn, mongo_at: Callable[[str], MongoHistory]
) -> None:
    stand_in.hanging.add("insert")
    history = mongo_at(f"mongodb://{stand_in.address}/?socketTimeoutMS=50")
    with pytest.raises(HistoryDownError, match="timed out") as caught:
        history.keep(report(), NOON)
    assert "timed out" in caught.value.cause


@pytest.mark.parametrize("code", [13, 18, 8000])
def test_a_user_who_may_not_is_told_to_the_operator(
    stand_in: MongoStandIn, mongo_at: Callable[[str], MongoHistory], code: int
) -> None:
    stand_in.refused["find"] = (code, "not authorized")
    with pytest.raises(HistoryBrokenError, match=r"not authorized.*Check the user and password of DDN_MONGO_URL"):
        mongo_at(f"mongodb://{stand_in.address}").find("r1")


def test_a_wrong_password_is_told_without_it(stand_in: MongoStandIn, mongo_at: Callable[[str], MongoHistory]) -> None:
    stand_in.refused["saslStart"] = (18, "Authentication failed.")
    with pytest.raises(HistoryBrokenError, match=r"Authentication failed.*Check the user and password") as caught:
        mongo_at(f"mongodb://user:{PASSWORD}@{stand_in.address}/").find("r1")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(("code", "message"), [(11600, "shutting down"), (14031, "disk full"), (50, "exceeded time limit")])
def test_a_database_that_cannot_now_is_asked_again(
    stand_in: MongoStandIn, mongo_at: Callable[[str], MongoHistory], code: int, message: str
) -> None:
    stand_in.refused["find"] = (code, message)
    # A server that is shutting down counts as unknown until the driver has looked again, half a second later at the earliest.
    history = mongo_at(f"mongodb://{stand_in.address}/?serverSelectionTimeoutMS=30000")
    with pytest.raises(HistoryDownError, match=message):
        history.find("r1")
    stand_in.refused.clear()
    assert history.find("r1") is None


def test_every_error_of_pymongo_is_one_of_ours() -> None:
    import bson.errors
    import pymongo.errors

    base = (pymongo.errors.PyMongoError, bson.errors.BSONError)
    found = [kind for module in (pymongo.errors, bson.errors) for kind in vars(module).values() if isinstance(kind, type)]
    kinds = [kind for kind in found if issubclass(kind, base)]
    assert len(kinds) > 20
    special: dict[str, tuple[Any, ...]] = {
        "BulkWriteError": ({},),
        "ClientBulkWriteException": ({}, False),
        "EncryptionError": (ValueError("x"),),
        "EncryptedCollectionError": (ValueError("x"), {}),
    }
    for kind in kinds:
        with pytest.raises((HistoryDownError, HistoryBrokenError)), mongo._mapped("Trying"):
            raise kind(*special.get(kind.__name__, ("x",)))
