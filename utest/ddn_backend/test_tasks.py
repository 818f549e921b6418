"""Reports in, verdicts out, on a real Redis: once, twice, unreadable, and when something breaks."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ddn_backend.adapters.budgets import MemoryBudget
from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.errors import PermanentError, TransientError
from ddn_backend.pipeline import PIPELINE_VERSION, Parts, Pipeline, thresholds
from ddn_backend.pipeline.investigate import Investigator
from ddn_backend.pipeline.retrieve import Shipped
from ddn_backend.ports import Conclusion, Found, Inquiry, Passage, Problem, Reply, State, Usage, Wanted
from ddn_backend.tasks import Verdicts, answer
from robot_ddn_listener.contract import (
    VERDICT_SECONDS,
    Analysis,
    Engine,
    ErrorType,
    FailureReport,
    Run,
    Stage,
    Verdict,
    decode,
    encode,
    verdict_key,
)
from robot_ddn_listener.errors import SettingsError

REPORT = FailureReport(
    id="r1",
    project="shop",
    fingerprint="f00d",
    run=Run("run"),
    suite_name="S",
    test_name="Pays by card",
    error_message="The gizmo was not amused.",
)
MESSAGE = encode(REPORT)
SETTLED = Analysis("r1", project="shop", stage=Stage.FINAL, root_cause="Known.", engine=Engine(pipeline_version=PIPELINE_VERSION))


class EmptyShelf:
    """A knowledge base without documents."""

    def search(self, query: str, limit: int = 5) -> tuple[Passage, ...]:
        return ()


class BrokenShelf:
    """A knowledge base that fails."""

    def __init__(self, error: Exception):
        self.error = error

    def search(self, query: str, limit: int = 5) -> tuple[Passage, ...]:
        raise self.error


@pytest.fixture
def client(redis_server: Any) -> Iterator[redis.Redis]:
    with redis_server.client() as connected:
        yield connected


@pytest.fixture
def verdicts(client: redis.Redis) -> Verdicts:
    return Verdicts(client)


def stored(client: Any, report_id: str = "r1") -> Analysis | None:
    value = client.get(verdict_key("shop", report_id))
    return decode(Analysis, json.loads(value)) if value else None


def test_the_final_verdict_is_there_for_an_hour(client: redis.Redis, verdicts: Verdicts) -> None:
    answer(MESSAGE, lambda: Pipeline.over(EmptyShelf()), verdicts)
    verdict = stored(client)
    assert verdict
    assert (verdict.report_id, verdict.stage, verdict.verdict) == ("r1", Stage.FINAL, Verdict.UNKNOWN)
    assert VERDICT_SECONDS - 60 < int(client.ttl(verdict_key("shop", "r1"))) <= VERDICT_SECONDS  # type: ignore[arg-type]


def test_the_result_begins_with_what_an_operator_looks_for(verdicts: Verdicts) -> None:
    result = answer(MESSAGE, lambda: Pipeline.over(EmptyShelf()), verdicts)
    assert list(result)[:6] == ["root_cause", "recommendation", "confidence", "error_type", "test_name", "degraded"]
    assert (result["test_name"], result["error_type"]) == ("Pays by card", "UNKNOWN")
    assert json.loads(json.dumps(result)) == result


def test_a_report_of_a_newer_listener_is_answered(client: redis.Redis, verdicts: Verdicts) -> None:
    newer = {**MESSAGE, "version": 99, "phase": "half-time", "mood": ["unheard of"]}
    assert answer(newer, lambda: Pipeline.over(EmptyShelf()), verdicts)["verdict"] == "unknown"
    assert stored(client)


def test_a_final_verdict_that_is_there_is_returned_again(client: redis.Redis, verdicts: Verdicts) -> None:
    verdicts.publish(SETTLED)
    pipeline = Pipeline.over(BrokenShelf(AssertionError("must not be asked")))
    assert answer(MESSAGE, lambda: pipeline, verdicts)["root_cause"] == "Known."
    assert stored(client) == SETTLED


@pytest.mark.parametrize(
    "earlier",
    [
        replace(SETTLED, degraded=("gizmo: timed out",)),
        replace(SETTLED, stage=Stage.INTERIM),
        replace(SETTLED, engine=Engine(pipeline_version="0")),
    ],
    ids=["degraded", "interim", "of another pipeline"],
)
def test_a_verdict_that_can_be_bettered_is_not_final(client: redis.Redis, verdicts: Verdicts, earlier: Analysis) -> None:
    verdicts.publish(earlier)
    assert answer(MESSAGE, lambda: Pipeline.over(EmptyShelf()), verdicts)["root_cause"] == ""
    now = stored(client)
    assert now
    assert (now.stage, now.degraded, now.root_cause) == (Stage.FINAL, (), "")


def test_what_is_not_a_verdict_is_replaced_by_one(client: redis.Redis, verdicts: Verdicts) -> None:
    client.set(verdict_key("shop", "r1"), b"\xff{not json")
    answer(MESSAGE, lambda: Pipeline.over(EmptyShelf()), verdicts)
    assert stored(client)


def test_an_interim_verdict_never_replaces_a_final_one(client: redis.Redis, verdicts: Verdicts) -> None:
    verdicts.publish(SETTLED)
    verdicts.publish(replace(SETTLED, stage=Stage.INTERIM, root_cause="Draft."))
    assert stored(client) == SETTLED


class Trial:
    """A model on trial that looks what readers have while it is asked."""

    name = "trial"

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.readers_had: Analysis | None = None

    def conclude(self, inquiry: Inquiry) -> Reply:
        self.readers_had = stored(self.client)
        return Reply(Conclusion(ErrorType.CODE_ERROR, "It was the gizmo.", "Fix it.", 0.9), "trial-1", usage=Usage(1, 10, 1))


def test_nobody_waits_for_a_model_on_trial(client: redis.Redis, verdicts: Verdicts) -> None:
    trial = Trial(client)
    by = Investigator(trial, MemoryBudget(), "Conclude.", str)  # type: ignore[arg-type]
    parts = Parts(Shipped(EmptyShelf()), thresholds.load(), investigator=by, in_shadow=True)
    answer(MESSAGE, lambda: Pipeline(parts), verdicts)
    assert trial.readers_had
    assert (trial.readers_had.stage, trial.readers_had.root_cause, trial.readers_had.sent_to) == (Stage.FINAL, "", ())
    now = stored(client)
    assert now
    assert (now.stage, now.root_cause, now.shadow, now.sent_to) == (Stage.FINAL, "", None, ("trial: message",))


@pytest.mark.parametrize(
    "broken", [{"error_message": None}, {"run": {}}, {"keywords": [{"name": 7}]}], ids=["null", "missing", "type"]
)
def test_an_unreadable_report_is_answered_not_analysed(client: redis.Redis, verdicts: Verdicts, broken: dict[str, Any]) -> None:
    with pytest.raises(
        PermanentError, match=r"Reading the failure report failed: Decoding 'FailureReport\..*' failed: .* not analysed"
    ):
        answer({**MESSAGE, **broken}, lambda: Pipeline.over(EmptyShelf()), verdicts)
    verdict = stored(client)
    assert verdict
    assert (verdict.verdict, verdict.stage) == (Verdict.NOT_ANALYSED, Stage.FINAL)
    assert "Reading the failure report failed" in verdict.missing[0]


def test_an_unreadable_report_is_a_dead_letter_with_what_could_be_read(verdicts: Verdicts, tmp_path: Path) -> None:
    with closing(SqliteHistory(tmp_path / "home" / "history.sqlite")) as history:
        pipeline = Pipeline(Parts(Shipped(EmptyShelf()), thresholds.load(), history=history))
        with pytest.raises(PermanentError):
            answer({**MESSAGE, "log": 7}, lambda: pipeline, verdicts)
        [dead] = history.listed(Wanted(state=State.FAILED))
    assert (dead.report.id, dead.report.error_message) == (REPORT.id, REPORT.error_message)
    assert dead.problem.startswith("PermanentError: Reading the failure report failed: ")


@pytest.mark.parametrize("message", [None, "text", [MESSAGE], {}, {"id": 7, "project": "shop"}])
def test_what_is_no_report_at_all_leaves_nothing_on_redis(client: Any, verdicts: Verdicts, message: object) -> None:
    with pytest.raises(PermanentError):
        answer(message, lambda: Pipeline.over(EmptyShelf()), verdicts)
    assert client.keys() == []


def test_when_the_pipeline_breaks_the_reader_keeps_the_rules_verdict_and_the_operator_sees_the_error(
    client: redis.Redis, verdicts: Verdicts
) -> None:
    with pytest.raises(ZeroDivisionError):
        answer(MESSAGE, lambda: Pipeline.over(BrokenShelf(ZeroDivisionError("by gizmo"))), verdicts)
    verdict = stored(client)
    assert verdict
    assert (verdict.stage, verdict.degraded) == (Stage.FINAL, ("analysis: ZeroDivisionError: by gizmo",))


def test_a_transient_error_leaves_the_place_free_for_the_next_try(client: redis.Redis, verdicts: Verdicts) -> None:
    with pytest.raises(TransientError):
        answer(MESSAGE, lambda: Pipeline.over(BrokenShelf(TransientError("try again"))), verdicts, is_last_try=False)
    assert stored(client) is None


def test_the_last_try_leaves_the_rules_verdict_in_the_place(client: redis.Redis, verdicts: Verdicts) -> None:
    with pytest.raises(TransientError):
        answer(MESSAGE, lambda: Pipeline.over(BrokenShelf(TransientError("try again"))), verdicts, is_last_try=True)
    assert stored(client).degraded == ("analysis: TransientError: it did not succeed in several tries",)


def test_a_backend_that_cannot_be_built_leaves_the_rules_verdict_with_why(client: redis.Redis, verdicts: Verdicts) -> None:
    def broken() -> Pipeline:
        raise SettingsError("Reading setting 'DDN_MODEL' failed.")

    with pytest.raises(SettingsError):
        answer(MESSAGE, broken, verdicts)
    assert stored(client).stage is Stage.FINAL
    assert "DDN_MODEL" in stored(client).degraded[0]


def test_a_persons_word_and_a_whole_answer_are_not_replaced_by_less(client: redis.Redis, verdicts: Verdicts) -> None:
    blank = Analysis("r1", "shop", "f00d", Stage.FINAL)
    verdicts.publish(replace(blank, root_cause="whole"))
    verdicts.publish(replace(blank, root_cause="less", degraded=("x",)))
    assert stored(client).root_cause == "whole"
    verdicts.replace(replace(blank, root_cause="said", confirmed_by="Dana"))
    verdicts.publish(replace(blank, root_cause="newer"))
    assert stored(client).root_cause == "said"


def test_what_may_pass_is_tried_again_before_the_answer_is_final(client: redis.Redis, verdicts: Verdicts) -> None:
    class Failing:
        name = "failing"

        def find(self, query: object, limit: int = 5) -> Found:
            return Found(problems=(Problem("pinecone: timed out", TransientError("timed out")),))

    pipeline = Pipeline(Parts(Failing(), thresholds.load()))
    with pytest.raises(TransientError, match="timed out"):
        answer(MESSAGE, lambda: pipeline, verdicts, is_last_try=False)
    assert (stored(client).stage, stored(client).degraded) == (Stage.INTERIM, ("pinecone: timed out",))
    with pytest.raises(TransientError, match="timed out"):
        answer(MESSAGE, lambda: pipeline, verdicts, is_last_try=True)
    assert (stored(client).stage, stored(client).degraded) == (Stage.FINAL, ("pinecone: timed out",))


def test_a_redis_that_is_gone_is_a_transient_error(tmp_path: Any) -> None:
    with (
        redis.Redis(unix_socket_path=str(tmp_path / "nobody"), retry=Retry(NoBackoff(), 0)) as gone,
        pytest.raises(TransientError, match="tried again"),
    ):
        answer(MESSAGE, lambda: Pipeline.over(EmptyShelf()), Verdicts(gone))
