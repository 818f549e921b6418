"""The task that answers a failure report: interim verdict, final verdict, each under the report's own key on Redis.

Reports may arrive more than once (redelivery, a listener's timed-out send): a final verdict that is already there is
returned again, and an interim verdict never replaces another.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from celery import Celery
from celery.utils.log import get_task_logger
from redis import Redis, RedisError

from robot_ddn_listener.contract import (
    TASK_NAME,
    VERDICT_SECONDS,
    Analysis,
    FailureReport,
    Stage,
    Verdict,
    decode,
    encode,
    verdict_key,
)
from robot_ddn_listener.errors import ContractError

from .desk import Desk
from .errors import PermanentError, TransientError
from .pipeline import PIPELINE_VERSION, Pipeline, degraded
from .pipeline.case import Case

RETRIES = 3
LONGEST_BACKOFF_SECONDS = 60
LONGEST_PAUSE_SECONDS = 120  # that a service may ask for: well below the time after which Redis hands the task out again
MAX_PROBLEM_CHARACTERS = 300
MAX_EVENT_MESSAGE = 200
ANALYSED_EVENT = "ddn-analysed"  # not a task- event: Celery's and Flower's view of the task's state stays as it is

Tell = Callable[[FailureReport, Analysis], None]

logger = get_task_logger(__name__)


def register(app: Celery, pipeline: Callable[[], Pipeline]) -> None:
    """Make the tasks known to `app`; `pipeline` is called when the first report arrives."""

    @app.task(bind=True, name=TASK_NAME, max_retries=RETRIES)  # type: ignore[untyped-decorator]
    def analyze_test_failure(self: Any, report: object) -> dict[str, Any]:
        """Analyse an encoded FailureReport; the verdicts appear under its verdict key, a summary is returned."""
        is_last_try = self.request.retries >= RETRIES
        try:
            return answer(report, pipeline, Verdicts(app.backend.client), partial(_tell, self), is_last_try=is_last_try)
        except TransientError as error:
            raise self.retry(exc=error, countdown=pause_seconds(error, self.request.retries)) from error


def register_desk(app: Celery, desk: Callable[[], Desk]) -> None:
    """Make the small tasks known that answer testers."""

    def task(name: str) -> Any:
        return app.task(name=f"tasks.{name}")

    @task("fetch")  # type: ignore[untyped-decorator]
    def fetch(beginning: str) -> dict[str, Any]:
        return desk().fetch(beginning)

    @task("say")  # type: ignore[untyped-decorator]
    def say(kind: str, beginning: str, who: str, words: dict[str, str]) -> dict[str, Any]:
        return desk().say(kind, beginning, who, words)

    @task("search")  # type: ignore[untyped-decorator]
    def search(text: str, project: str) -> dict[str, Any]:
        return desk().search(text, project)

    @task("forget")  # type: ignore[untyped-decorator]
    def forget(beginning: str) -> dict[str, Any]:
        return desk().forget(beginning)


def pause_seconds(error: TransientError, retries: int) -> float:
    """Return how long to wait before the next try: what the service asked for, else longer each time, with jitter."""
    asked: float = getattr(error, "delay", 0.0)
    return min(asked, LONGEST_PAUSE_SECONDS) or min(LONGEST_BACKOFF_SECONDS, 2**retries) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


def answer(
    message: object, pipeline: Callable[[], Pipeline], verdicts: "Verdicts", tell: "Tell | None" = None, *, is_last_try: bool = True
) -> dict[str, Any]:
    """Analyse `message`, an encoded FailureReport, publish to `verdicts` and return what the operator sees first.

    `tell` is called with the answer of every try, also of one that then ends with an error.
    """
    report = _decoded(message, verdicts)
    tell = tell or (lambda report, analysis: None)
    analysis = verdicts.settled(report) or _analyzed(report, pipeline, verdicts, tell, is_last_try)
    logger.info("%s: %s, %s", report.full_name or report.test_name, analysis.verdict, analysis.error_type)
    return summary(report, analysis)


def _tell(task: Any, report: FailureReport, analysis: Analysis) -> None:
    """Send the monitor an event with what Celery's own events do not hold, or cut."""
    try:
        task.send_event(ANALYSED_EVENT, **analysed_event(report, analysis))
    except Exception as error:  # noqa: BLE001 - whatever kombu throws: the answer matters more than its statistics
        logger.warning("Telling the monitor of '%s' failed: %s. It reads it in the history when it starts again.", report.id, error)


def analysed_event(report: FailureReport, analysis: Analysis) -> dict[str, Any]:
    """Return the fields of the event that tells of an answer; Celery adds uuid, hostname and timestamp."""
    engine = analysis.engine
    return {
        "project": report.project,
        "suite_name": report.suite_name,
        "test_name": report.test_name,
        "error_message": report.error_message[:MAX_EVENT_MESSAGE],
        "error_type": analysis.error_type.value,
        "verdict": analysis.verdict.value,
        "confidence": analysis.confidence,
        "degraded": list(analysis.degraded),
        "reused": bool(analysis.reused_from),
        "rule_id": engine.rule_id,
        "model": engine.model,
        "crag_action": engine.crag_action,
        "step_seconds": dict(engine.step_seconds),
        "calls": engine.calls,
        "tokens_in": engine.tokens_in,
        "tokens_out": engine.tokens_out,
        "cost_usd": engine.cost_usd,
    }


def summary(report: FailureReport, analysis: Analysis) -> dict[str, Any]:
    """Return the task's result: what tells most comes first, because Flower cuts what is long."""
    return {
        "root_cause": analysis.root_cause,
        "recommendation": analysis.recommendation,
        "confidence": analysis.confidence,
        "error_type": analysis.error_type.value,
        "test_name": report.test_name,
        "degraded": list(analysis.degraded),
        "verdict": analysis.verdict.value,
        "project": report.project,
        "report_id": report.id,
        "rule_id": analysis.engine.rule_id,
    }


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts on Redis, where listeners read them."""

    client: "Redis"

    def publish(self, analysis: Analysis) -> None:
        """Put `analysis` in its place, unless what is there is better: an interim never replaces, a final only a poorer one."""
        is_interim = analysis.stage is Stage.INTERIM
        known = None if is_interim else _read_verdict(self._read(analysis.project, analysis.report_id))
        if known is None or not _is_better(known, analysis):
            self._write(analysis, only_first=is_interim)

    def replace(self, analysis: Analysis) -> None:
        """Put `analysis` in its place whatever is there: a person has spoken, or it is the same answer with what failed since."""
        self._write(analysis, only_first=False)

    def _write(self, analysis: Analysis, *, only_first: bool) -> None:
        key = verdict_key(analysis.project, analysis.report_id)
        try:
            self.client.set(key, json.dumps(encode(analysis)), ex=VERDICT_SECONDS, nx=only_first)
        except RedisError as error:
            raise TransientError(f"Publishing verdict '{analysis.report_id}' failed: {error}. It is tried again.") from error

    def _read(self, project: str, report_id: str) -> Any:
        try:
            return self.client.get(verdict_key(project, report_id))
        except RedisError as error:
            raise TransientError(f"Reading verdict '{report_id}' failed: {error}. It is tried again.") from error

    def settled(self, report: FailureReport) -> Analysis | None:
        """Return the final verdict on `report` if there is one of this pipeline that nothing was missing from."""
        analysis = _read_verdict(self._read(report.project, report.id))
        if analysis and analysis.stage is Stage.FINAL and not analysis.degraded:
            return analysis if analysis.engine.pipeline_version == PIPELINE_VERSION else None
        return None


def _decoded(message: object, verdicts: Verdicts) -> FailureReport:
    try:
        return decode(FailureReport, message)
    except ContractError as error:
        problem = f"Reading the failure report failed: {str(error)[:MAX_PROBLEM_CHARACTERS]} It is not analysed."
        _answer_not_analysed(message, problem, verdicts)
        raise PermanentError(problem) from error


def _answer_not_analysed(message: object, problem: str, verdicts: Verdicts) -> None:
    if isinstance(message, Mapping) and all(isinstance(message.get(key), str) for key in ("id", "project")):
        analysis = Analysis(report_id=message["id"], project=message["project"], stage=Stage.FINAL, verdict=Verdict.NOT_ANALYSED)
        verdicts.publish(replace(analysis, missing=(problem,)))


def _analyzed(
    report: FailureReport, pipeline: Callable[[], Pipeline], verdicts: Verdicts, tell: "Tell", is_last_try: bool
) -> Analysis:
    """Return the final analysis. Where a configured part failed the reader has it too, marked; the operator has the error."""
    final: list[Analysis] = []

    def publish(analysis: Analysis) -> None:
        if analysis.stage is Stage.FINAL:
            final.append(analysis)
        else:
            verdicts.publish(analysis)

    try:
        case = pipeline().run(report, publish)
    except TransientError:
        if is_last_try:
            verdicts.publish(degraded(report, TransientError("it did not succeed in several tries")))
        raise
    except Exception as error:  # the user keeps what rules know, marked; the operator sees the failed task with its stack
        problem = degraded(report, error)
        tell(report, problem)
        verdicts.publish(problem)
        raise
    tell(report, case.analysis)
    _settle(case, final[-1], verdicts, is_last_try)
    return case.analysis


def _settle(case: Case, final: Analysis, verdicts: Verdicts, is_last_try: bool) -> None:
    """Publish the final answer, or, where trying again may make it better, what there is so far; then tell what failed."""
    errors = [problem.error for problem in case.problems]
    passing = next((error for error in errors if isinstance(error, TransientError)), None)
    if passing and not is_last_try and not final.engine.model:
        verdicts.replace(replace(final, stage=Stage.INTERIM))
        raise passing
    verdicts.publish(final)
    if passing and final.engine.model:  # asking the model again would cost as much again, for the same answer
        raise PermanentError(f"{passing} The model's answer stands without it.") from passing
    if errors:
        raise passing or errors[0]


def _is_better(known: Analysis, new: Analysis) -> bool:
    """Tell whether a published answer is to stay: final, and a person's, or one that less was missing from."""
    if known.stage is not Stage.FINAL or (new.confirmed_by and not known.confirmed_by):
        return False
    return bool(known.confirmed_by and not new.confirmed_by) or bool(new.degraded and not known.degraded)


def _read_verdict(value: Any) -> Analysis | None:
    try:
        return decode(Analysis, json.loads(value)) if value else None
    except (ValueError, ContractError):  # of another version, or not ours: the new one replaces it
        return None
