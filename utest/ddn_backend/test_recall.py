"""Recall, and single flight over a real Redis: what is known is used again, and equal failures are analysed once."""

import json
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.errors import TransientError
from ddn_backend.pipeline.case import Case
from ddn_backend.pipeline.condense import condense
from ddn_backend.pipeline.recall import (
    FLAKY_DAYS,
    REUSE_DAYS,
    by_person,
    is_recalled,
    last_pass_commit,
    recall,
    recollected,
    share,
    unless_recalled,
)
from ddn_backend.pipeline.record import has_failed, keep, record
from ddn_backend.ports import Feedback, FeedbackKind, HistoryDownError, Outcome, Problem, RunRecord, State, Wanted
from ddn_backend.single_flight import Lease, RedisSingleFlight
from robot_ddn_listener.contract import (
    Analysis,
    Engine,
    ErrorType,
    Evidence,
    ExceptionInfo,
    FailureReport,
    Git,
    LogLine,
    Novelty,
    Run,
    Stage,
    Suspect,
    Verdict,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MESSAGE = "The gizmo is dry."
DIAGNOSIS = Analysis(
    report_id="r1",
    project="shop",
    fingerprint="f00d",
    stage=Stage.FINAL,
    verdict=Verdict.DIAGNOSED,
    error_type=ErrorType.INFRA_ERROR,
    root_cause="Nobody refilled it.",
    recommendation="Refill it.",
    confidence=0.8,
    evidence=(Evidence(MESSAGE, "error message"),),
    suspects=(Suspect("c0ffee"),),
    engine=Engine(pipeline_version="1", model="gizmo-1.5-answered", calls=3, tokens_in=900, tokens_out=90, cost_usd=0.01),
    sent_to=("gizmo: log",),
)


def report(identity: str = "r1", message: str = MESSAGE, run: str = "", **fields: Any) -> FailureReport:
    git = fields.pop("git", Git(commit="c0ffee", branch="main"))
    plain = FailureReport(
        id=identity,
        project="shop",
        fingerprint="f00d",
        run=Run(run or f"run-of-{identity}", git=git),
        suite_name="S",
        test_name="T",
        error_message=message,
        full_name="S.T",
    )
    return replace(plain, **fields)


def case_of(wanted: FailureReport) -> Case:
    return condense(Case(wanted, Analysis(wanted.id, wanted.project, wanted.fingerprint)))


def word(kind: FeedbackKind, cause: str = "A person knows.", identity: str = "r1") -> Feedback:
    return Feedback(
        kind, identity, "shop", "f00d", "Ada", NOON.isoformat(), ErrorType.CODE_ERROR, cause, "Mend it.", "ABC-123", MESSAGE
    )


@pytest.fixture
def history(tmp_path: Path) -> Iterator[SqliteHistory]:
    opened = SqliteHistory(tmp_path / "history" / "history.sqlite")
    yield opened
    opened.close()


def recalled(history: SqliteHistory, wanted: FailureReport, when: datetime = NOON, model: str = "m") -> Analysis:
    """Return the answer after the report was kept and recalled, as the pipeline does."""
    case = keep(case_of(wanted), history, lambda: when)
    return recall(case, history, "1", model, lambda: when).analysis


def answered(history: SqliteHistory, analysis: Analysis = DIAGNOSIS, when: datetime = NOON - HOUR, **fields: Any) -> None:
    record(replace(case_of(report(analysis.report_id, **fields)), analysis=analysis), history, "m", lambda: when)


def ran(history: SqliteHistory, run: str, when: datetime, status: str, test: str = "S.T", **git: Any) -> None:
    checkout = replace(Git(commit="c0ffee", branch="main"), **git)
    history.record_run(RunRecord("shop", Run(run, git=checkout), when.isoformat(), (Outcome(test, status, 1.5),)))


# --- reuse ---------------------------------------------------------------------------------------------------------------


def test_a_diagnosis_of_the_same_failure_is_used_again(history: SqliteHistory) -> None:
    answered(history)
    analysis = recalled(history, report("r2"))
    assert (analysis.report_id, analysis.reused_from, analysis.verdict) == ("r2", "r1", Verdict.DIAGNOSED)
    assert (analysis.root_cause, analysis.evidence, analysis.stage) == ("Nobody refilled it.", DIAGNOSIS.evidence, Stage.INTERIM)


def test_what_was_spent_on_and_suspected_in_the_first_analysis_is_not_told_again(history: SqliteHistory) -> None:
    answered(history)
    analysis = recalled(history, report("r2"))
    assert (analysis.engine.calls, analysis.engine.tokens_in, analysis.engine.tokens_out, analysis.engine.cost_usd) == (
        0,
        0,
        0,
        0.0,
    )
    assert (analysis.suspects, analysis.sent_to, analysis.engine.model) == ((), (), "gizmo-1.5-answered")


def test_a_diagnosis_that_was_used_again_names_the_first_one_and_ages_from_it(history: SqliteHistory) -> None:
    answered(history)
    again = recalled(history, report("r2"), NOON)
    answered(history, replace(again, stage=Stage.FINAL), NOON)
    assert recalled(history, report("r3"), NOON + DAY).reused_from == "r1"
    assert recalled(history, report("r4"), NOON - HOUR + REUSE_DAYS * DAY).reused_from == "r1"
    assert recalled(history, report("r5"), NOON + REUSE_DAYS * DAY).reused_from == ""


@pytest.mark.parametrize("model", ["", "another"])
def test_a_diagnosis_of_another_model_is_not_used_again(history: SqliteHistory, model: str) -> None:
    answered(history)
    assert not recalled(history, report("r2"), model=model).reused_from


def test_a_diagnosis_whose_quote_this_report_does_not_have_is_not_used_again(history: SqliteHistory) -> None:
    answered(history)
    assert not recalled(history, report("r2", "Something else.")).reused_from


def test_a_quote_that_differs_in_times_and_ids_alone_is_quoted_from_this_report(history: SqliteHistory) -> None:
    first, second = (f"Session {number} ended at {time}" for number, time in ((471147, "10:00:01"), (998877, "23:59:59")))
    answered(history, replace(DIAGNOSIS, evidence=(Evidence(first, "log"),)))
    analysis = recalled(history, report("r2", log=(LogLine("Begin", "INFO"), LogLine(second, "ERROR"))))
    assert (analysis.reused_from, analysis.evidence) == ("r1", (Evidence(second, "log"),))


def test_a_recalled_answer_is_left_alone_by_later_steps(history: SqliteHistory) -> None:
    answered(history)
    case = recall(case_of(report("r2")), history, "1", "m", lambda: NOON)
    step = unless_recalled(lambda case: replace(case, query="looked"))
    assert is_recalled(case)
    assert (step(case).query, step(case_of(report("r2"))).query) == ("", "looked")


# --- what a person said --------------------------------------------------------------------------------------------------


def test_a_correction_holds_at_once_for_the_same_failure(history: SqliteHistory) -> None:
    answered(history)
    history.say(word(FeedbackKind.CORRECT))
    analysis = recalled(history, report("r2"))
    assert (analysis.root_cause, analysis.error_type, analysis.recommendation) == (
        "A person knows.",
        ErrorType.CODE_ERROR,
        "Mend it.",
    )
    assert (analysis.confirmed_by, analysis.verdict, analysis.reused_from) == ("Ada", Verdict.DIAGNOSED, "")
    [similar] = analysis.similar
    assert (similar.report_id, similar.ticket, similar.confirmed_by) == ("r1", "ABC-123", "Ada")
    assert analysis.evidence == ()


def test_a_confirmation_brings_the_quotes_that_this_report_has_too(history: SqliteHistory) -> None:
    quotes = (Evidence(MESSAGE, "error message"), Evidence("Only there.", "log"))
    answered(history, replace(DIAGNOSIS, evidence=quotes), log=(LogLine("Only there."),))
    history.say(word(FeedbackKind.CONFIRM))
    assert recalled(history, report("r2")).evidence == quotes[:1]


def test_a_person_is_believed_where_the_report_has_no_quote_and_the_model_is_another(history: SqliteHistory) -> None:
    answered(history)
    history.say(word(FeedbackKind.CONFIRM))
    analysis = recalled(history, report("r2", "Something else."), model="another")
    assert (analysis.confirmed_by, analysis.verdict, analysis.evidence) == ("Ada", Verdict.DIAGNOSED, ())


def test_a_word_that_was_taken_back_does_not_hold_and_its_copies_are_not_used_again(history: SqliteHistory) -> None:
    history.say(word(FeedbackKind.CORRECT))
    copy = recalled(history, report("r2"))
    answered(history, replace(copy, stage=Stage.FINAL))
    history.say(word(FeedbackKind.UNDO))
    analysis = recalled(history, report("r3"))
    assert (analysis.confirmed_by, analysis.reused_from, analysis.verdict) == ("", "", Verdict.UNKNOWN)


def test_what_is_said_of_one_report_can_be_shown_in_it_at_once() -> None:
    analysis = by_person(replace(case_of(report()), analysis=DIAGNOSIS), word(FeedbackKind.CONFIRM, "So it is."), DIAGNOSIS)
    assert (analysis.report_id, analysis.root_cause, analysis.confirmed_by) == ("r1", "So it is.", "Ada")
    assert analysis.evidence == DIAGNOSIS.evidence


# --- novelty -------------------------------------------------------------------------------------------------------------


def test_a_failure_that_was_never_seen_is_new(history: SqliteHistory) -> None:
    analysis = recalled(history, report(), NOON)
    assert (analysis.novelty, analysis.times_seen, analysis.first_seen) == (Novelty.NEW, 1, "2026-11-24T12:00:00+00:00")


def test_a_failure_that_was_seen_is_known_with_its_age(history: SqliteHistory) -> None:
    for number in range(3):
        recalled(history, report(f"r{number}"), NOON + number * DAY)
    analysis = recalled(history, report("r9"), NOON + 9 * DAY)
    assert (analysis.novelty, analysis.times_seen, analysis.first_seen) == (Novelty.KNOWN, 4, "2026-11-24T12:00:00+00:00")


def test_the_same_report_again_is_as_new_as_it_was(history: SqliteHistory) -> None:
    recalled(history, report("r1"), NOON)
    recalled(history, report("r2"), NOON + HOUR)
    again = recalled(history, report("r1"), NOON + DAY)
    assert (again.novelty, again.times_seen, again.first_seen) == (Novelty.NEW, 1, "2026-11-25T12:00:00+00:00")


def test_a_failure_that_comes_back_after_its_test_passed_is_a_regression(history: SqliteHistory) -> None:
    recalled(history, report("r1", git=Git("", "a1", "main")), NOON)
    ran(history, "run-between", NOON + HOUR, "PASS", commit="b2")
    assert recalled(history, report("r2", git=Git("", "c3", "main")), NOON + DAY).novelty is Novelty.REGRESSED


@pytest.mark.parametrize(
    ("run", "when", "status", "test", "git"),
    [
        ("run-before", NOON - HOUR, "PASS", "S.T", {}),
        ("run-of-r1", NOON + HOUR, "PASS", "S.T", {}),
        ("run-of-r2", NOON + HOUR, "PASS", "S.T", {}),
        ("run-between", NOON + HOUR, "FAIL", "S.T", {}),
        ("run-between", NOON + HOUR, "PASS", "S.U", {}),
        ("run-between", NOON + HOUR, "PASS", "S.T", {"branch": "feature"}),
        ("run-between", NOON + HOUR, "PASS", "S.T", {"dirty": True}),
    ],
    ids=["before", "in the run where it was last seen", "in this run", "no pass", "another test", "another branch", "changed code"],
)
def test_what_is_no_pass_in_between_makes_no_regression(
    history: SqliteHistory, run: str, when: datetime, status: str, test: str, git: dict[str, Any]
) -> None:
    recalled(history, report("r1", git=Git("", "a1", "main")), NOON)
    ran(history, run, when, status, test, **{"commit": "b2", **git})
    assert recalled(history, report("r2", git=Git("", "c3", "main")), NOON + DAY).novelty is Novelty.KNOWN


def test_a_test_that_passed_and_failed_at_one_commit_is_flaky_though_its_failure_is_new(history: SqliteHistory) -> None:
    ran(history, "run-1", NOON - 2 * HOUR, "FAIL", commit="a1")
    ran(history, "run-2", NOON - HOUR, "PASS", commit="a1")
    assert recalled(history, report(git=Git("", "b2", "main"))).novelty is Novelty.FLAKY


def test_a_failure_that_was_seen_before_at_a_commit_where_its_test_passed_is_flaky(history: SqliteHistory) -> None:
    recalled(history, report("r1", git=Git("", "a1", "main")), NOON - DAY)
    ran(history, "run-2", NOON - HOUR, "PASS", commit="b2")
    assert recalled(history, report("r2", git=Git("", "b2", "main"))).novelty is Novelty.FLAKY


def test_the_first_failure_at_a_commit_where_the_test_passed_is_new(history: SqliteHistory) -> None:
    ran(history, "run-1", NOON - HOUR, "PASS")
    assert recalled(history, report()).novelty is Novelty.NEW


def test_it_is_as_new_when_its_own_run_is_recorded_before_it_is_analysed(history: SqliteHistory) -> None:
    ran(history, "run-1", NOON - HOUR, "PASS")
    ran(history, "run-of-r1", NOON, "FAIL")
    assert recalled(history, report("r1")).novelty is Novelty.NEW


@pytest.mark.parametrize(
    ("when", "git"),
    [(NOON - (FLAKY_DAYS + 1) * DAY, {}), (NOON - HOUR, {"commit": ""}), (NOON - HOUR, {"dirty": True})],
    ids=["long ago", "no commit", "changed code"],
)
def test_what_does_not_compare_equal_code_lately_makes_no_flaky_test(
    history: SqliteHistory, when: datetime, git: dict[str, Any]
) -> None:
    ran(history, "run-1", when, "FAIL", **git)
    ran(history, "run-2", when + timedelta(minutes=1), "PASS", **git)
    assert recalled(history, report(git=Git("", "b2", "main"))).novelty is Novelty.NEW


def test_what_recall_found_is_kept_by_a_step_that_makes_a_new_answer(history: SqliteHistory) -> None:
    known = recalled(history, report())
    answer = recollected(replace(DIAGNOSIS, novelty=Novelty.UNKNOWN), known)
    assert (answer.novelty, answer.times_seen, answer.first_seen, answer.root_cause) == (
        Novelty.NEW,
        1,
        known.first_seen,
        "Nobody refilled it.",
    )


def test_the_commit_of_the_last_pass_is_that_of_the_branch_or_else_of_any(history: SqliteHistory) -> None:
    assert last_pass_commit(report(), history) == ""
    ran(history, "run-1", NOON, "PASS", commit="a1", branch="feature")
    assert last_pass_commit(report(), history) == "a1"
    ran(history, "run-2", NOON - DAY, "PASS", commit="b2", branch="main")
    assert last_pass_commit(report(full_name="", suite_name="S", test_name="T"), history) == "b2"
    history.close()
    assert last_pass_commit(report(), history) == ""


# --- a history that fails ------------------------------------------------------------------------------------------------


def test_a_history_that_fails_is_one_problem_and_the_analysis_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddn_backend.adapters.sqlite.BUSY_SECONDS", 0.01)
    path = tmp_path / "history" / "history.sqlite"
    history = SqliteHistory(path)
    other = sqlite3.connect(path)
    try:
        other.execute("BEGIN EXCLUSIVE")
        case = keep(case_of(report()), history)
        case = recall(case, history, "1")
        case = record(case, history)
    finally:
        other.close()
        history.close()
    [problem] = case.problems
    assert (problem.note, type(problem.error)) == ("history: database is locked", HistoryDownError)
    assert case.analysis.novelty is Novelty.UNKNOWN


def test_a_history_that_failed_once_is_not_asked_again(history: SqliteHistory) -> None:
    answered(history)
    failed = replace(case_of(report("r2")), problems=(Problem("history: gone", HistoryDownError("gone")),))
    assert has_failed(failed)
    assert recall(failed, history, "1", "m") == failed


def test_a_recorded_answer_is_in_the_history_with_the_model_that_was_asked_for(history: SqliteHistory) -> None:
    answered(history)
    [past] = history.listed(Wanted(state=State.ANSWERED))
    assert (past.analysis, past.model, past.answered) == (DIAGNOSIS, "m", NOON - HOUR)


# --- single flight -------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(redis_server: Any) -> Iterator[Any]:
    with redis_server.client() as opened:
        yield opened


def analysed(case: Case, **changes: Any) -> Case:
    return replace(case, analysis=replace(DIAGNOSIS, report_id=case.report.id, **changes))


def fly(client: Any, compute: Callable[[], str], **settings: float) -> str:
    return RedisSingleFlight(client, **settings).fly("k", compute, str, str)


@pytest.mark.parametrize("verdict", [Verdict.DIAGNOSED, Verdict.UNKNOWN])
def test_of_a_thousand_equal_failures_one_is_analysed(redis_server: Any, history: SqliteHistory, verdict: Verdict) -> None:
    """As in ten workers of four threads each; half of the failures are still queued when the first has its answer."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for number in range(1000):
        waiting.put(f"r{number}")
    asked, answers, failures = [], [], []
    all_wait = threading.Barrier(40)

    def compute(case: Case) -> Case:
        asked.append(case.report.id)
        return analysed(case, verdict=verdict)

    def work(flight: RedisSingleFlight) -> None:
        try:
            all_wait.wait()
            while True:
                case = recall(keep(case_of(report(waiting.get_nowait())), history), history, "1", "m")
                answers.append(share(case, flight, "1", "m", compute).analysis)
        except queue.Empty:
            pass
        except BaseException as error:
            failures.append(error)

    clients = [redis_server.client() for _ in range(10)]
    threads = [threading.Thread(target=work, args=(RedisSingleFlight(each),)) for each in clients for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in clients:
        each.close()
    assert failures == []
    assert len(asked) == 1
    assert len({analysis.report_id for analysis in answers}) == 1000
    assert {(analysis.verdict, analysis.root_cause) for analysis in answers} == {(verdict, "Nobody refilled it.")}
    assert [analysis.report_id for analysis in answers if not analysis.reused_from] == asked
    assert {analysis.reused_from for analysis in answers} == {"", *asked}


def test_those_who_come_while_one_computes_wait_for_its_result(client: Any) -> None:
    inside, leave = threading.Event(), threading.Event()
    results: list[str] = []

    def lead() -> str:
        inside.set()
        leave.wait(30)
        return "the leader's"

    leader = threading.Thread(target=lambda: results.append(fly(client, lead)))
    leader.start()
    assert inside.wait(30)
    follower = threading.Thread(target=lambda: results.append(fly(client, lambda: "my own")))
    follower.start()
    follower.join(0.1)
    assert follower.is_alive()
    leave.set()
    leader.join()
    follower.join()
    assert results == ["the leader's"] * 2


def test_a_result_that_lands_between_the_look_and_the_lease_is_taken(redis_server: Any) -> None:
    class JustBefore(redis.client.Pipeline):
        """The leader lands and gives its lease back just before this one asks for the lease."""

        def set(self, name: Any, value: Any, *arguments: Any, **options: Any) -> Any:
            super().set("ddn:landed:" + name_of("k"), "the leader's")
            return super().set(name, value, *arguments, **options)

        def execute(self, raise_on_error: bool = True) -> list[Any]:
            return super().execute(raise_on_error)[-2:]

    class Late(redis.Redis):
        def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> JustBefore:
            return JustBefore(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    with Late(unix_socket_path=str(redis_server.socket)) as client:
        assert fly(client, lambda: "my own") == "the leader's"
        assert not client.exists("ddn:flight:" + name_of("k"))


def test_failures_of_other_projects_fingerprints_pipelines_and_models_do_not_wait_for_each_other(client: Any) -> None:
    flight, asked = RedisSingleFlight(client), []

    def compute(case: Case) -> Case:
        asked.append(case.report.id)
        return analysed(case)

    share(case_of(report("r1")), flight, "1", "m", compute)
    share(case_of(report("r2", project="bank")), flight, "1", "m", compute)
    share(case_of(report("r3", fingerprint="beef")), flight, "1", "m", compute)
    share(case_of(report("r4")), flight, "2", "m", compute)
    share(case_of(report("r5")), flight, "1", "another", compute)
    share(case_of(report("r6")), flight, "1", "m", compute)
    assert asked == ["r1", "r2", "r3", "r4", "r5"]


def test_when_the_leader_fails_the_next_one_takes_over_at_once(client: Any) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fly(client, fail)
    assert fly(client, lambda: "mine", patience_seconds=0) == "mine"


def test_a_degraded_answer_is_not_shared(client: Any) -> None:
    flight = RedisSingleFlight(client)
    share(case_of(report("r1")), flight, "1", "m", lambda case: analysed(case, degraded=("gizmo: timed out",)))
    share(case_of(report("r2")), flight, "1", "m", lambda case: replace(analysed(case), problems=(Problem("x: y", ValueError()),)))
    third = share(case_of(report("r3")), flight, "1", "m", analysed)
    assert not third.analysis.reused_from


def test_a_report_that_tells_more_is_analysed_where_no_cause_was_found(client: Any) -> None:
    flight = RedisSingleFlight(client)
    brief, same = report("r1", log=(LogLine("a", "INFO"),)), report("r2", log=(LogLine("b", "INFO"),))
    debug = report("r3", log=(LogLine("c", "INFO"), LogLine("d", "DEBUG")))
    traced = report("r4", exception=ExceptionInfo("GizmoError"))
    unknown = {"verdict": Verdict.UNKNOWN, "evidence": ()}
    answers = [
        share(case_of(each), flight, "1", "m", lambda case: analysed(case, **unknown)) for each in (brief, same, debug, traced)
    ]
    assert [case.analysis.reused_from for case in answers] == ["", "r1", "", ""]


def test_a_report_without_the_quotes_of_the_shared_answer_is_analysed(client: Any) -> None:
    flight = RedisSingleFlight(client)
    share(case_of(report("r1")), flight, "1", "m", analysed)
    other = share(case_of(report("r2", "Something else.")), flight, "1", "m", lambda case: analysed(case, root_cause="Own."))
    assert (other.analysis.root_cause, other.analysis.reused_from) == ("Own.", "")


def test_a_report_that_is_handed_out_twice_gets_its_own_answer(client: Any) -> None:
    flight = RedisSingleFlight(client)
    share(case_of(report("r1")), flight, "1", "m", analysed)
    again = share(case_of(report("r1")), flight, "1", "m", lambda case: pytest.fail("It was analysed twice."))
    assert (again.analysis.root_cause, again.analysis.reused_from, again.analysis.suspects) == (
        "Nobody refilled it.",
        "",
        DIAGNOSIS.suspects,
    )


def test_a_recalled_answer_does_not_join_a_flight(client: Any) -> None:
    case = replace(case_of(report("r2")), analysis=replace(DIAGNOSIS, reused_from="r1"))
    assert share(case, RedisSingleFlight(client), "1", "m", lambda case: pytest.fail("It was analysed.")) is case
    assert client.keys() == []


def test_the_lease_of_a_dead_worker_runs_out(client: Any) -> None:
    dead = Lease(client, "ddn:flight:" + name_of("k"), seconds=0.1, longest_seconds=1)
    assert dead.take()
    assert fly(client, lambda: "taken over", patience_seconds=30) == "taken over"


def name_of(key: str) -> str:
    from hashlib import sha256

    return sha256(key.encode()).hexdigest()[:32]


def test_a_lease_is_renewed_as_long_as_the_analysis_takes(client: Any, wait_until: Callable[..., Any]) -> None:
    lease, other = (Lease(client, "l", seconds=0.9, longest_seconds=30) for _ in range(2))
    assert lease.take()
    with lease.renewed():
        client.pexpire("l", 800)
        wait_until(lambda: client.pttl("l") > 800, "the renewal")
        assert not other.take()
    assert other.take()


def test_a_lease_is_not_renewed_for_one_who_hangs(client: Any, wait_until: Callable[..., Any]) -> None:
    lease = Lease(client, "l", seconds=0.1, longest_seconds=0)
    assert lease.take()
    with lease.renewed():
        wait_until(lambda: not client.exists("l"), "the lease to run out")


def test_a_lease_of_another_is_neither_renewed_nor_given_back(client: Any) -> None:
    mine, late = (Lease(client, "l", seconds=30, longest_seconds=30) for _ in range(2))
    assert mine.take()
    assert not late.take()
    assert not late.renew()
    late.give_back()
    assert mine.renew()


def test_who_has_waited_long_enough_is_tried_again_later(client: Any) -> None:
    assert Lease(client, "ddn:flight:" + name_of("k"), seconds=30, longest_seconds=30).take()
    with pytest.raises(TransientError, match=r"Waiting for the analysis of an equal failure failed: none came within 0\.05 s"):
        fly(client, lambda: "mine", patience_seconds=0.05)


def test_a_redis_that_is_gone_is_a_transient_error(tmp_path: Path) -> None:
    with (
        redis.Redis(unix_socket_path=str(tmp_path / "nobody"), retry=Retry(NoBackoff(), 0)) as gone,
        pytest.raises(TransientError, match="Looking for the analysis of an equal failure failed"),
    ):
        fly(gone, lambda: "mine")


def test_a_redis_that_goes_away_during_the_analysis_costs_no_answer(redis_server: Any) -> None:
    pool = redis.ConnectionPool(
        connection_class=redis.UnixDomainSocketConnection, path=str(redis_server.socket), retry=Retry(NoBackoff(), 0)
    )
    with redis.Redis(connection_pool=pool) as client:

        def compute() -> str:
            pool.connection_kwargs["path"] += ".gone"
            pool.disconnect()
            return "mine"

        assert fly(client, compute) == "mine"


def test_a_result_is_shared_as_json_for_a_while(client: Any) -> None:
    share(case_of(report("r1")), RedisSingleFlight(client), "1", "m", analysed)
    [key] = client.keys("ddn:landed:*")
    assert json.loads(client.get(key))["analysis"]["report_id"] == "r1"
    assert 0 < client.ttl(key) <= 600
    assert client.keys("ddn:flight:*") == []
