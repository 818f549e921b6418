"""The task that answers a failure report: interim verdict, final verdict, each under the report's own key on Redis.

Reports may arrive more than once (redelivery, a listener's timed-out send): a final verdict that is already there is
returned again, and an interim verdict never replaces another.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any

from celery import Celery
from celery.exceptions import Ignore, Reject
from celery.utils.log import get_task_logger

from robot_ddn_listener.contract import RUN_TASK_NAME, TASK_NAME, Analysis, FailureReport, Run, Stage, Verdict, decode
from robot_ddn_listener.errors import ContractError

from .deliveries import Deliveries, PoisonError
from .desk import Desk
from .errors import PermanentError, TransientError
from .pipeline import Pipeline, degraded
from .pipeline.case import Case
from .ports.operations import ANALYSED_EVENT
from .recorded_runs import take_run
from .revocation import Revocations, RevokedError
from .verdicts import Verdicts as Verdicts

RETRIES = 3
LONGEST_BACKOFF_SECONDS = 60
LONGEST_PAUSE_SECONDS = 120  # that a service may ask for: well below the time after which Redis hands the task out again
MAX_PROBLEM_CHARACTERS = 300
MAX_EVENT_MESSAGE = 200
MAX_SHOWN_RESULT = 4096  # characters of the result that Flower gets; with Celery's 1024 long texts push the rest out

Tell = Callable[[FailureReport, Analysis], None]

logger = get_task_logger(__name__)


def register(app: Celery, pipeline: Callable[[], Pipeline]) -> None:
    """Make the tasks known to `app`; `pipeline` is called when the first report arrives."""

    options = {"shared": False, "bind": True, "max_retries": RETRIES, "resultrepr_maxsize": MAX_SHOWN_RESULT}

    @app.task(name=TASK_NAME, **options)  # type: ignore[untyped-decorator]
    def analyze_test_failure(self: Any, report: object) -> dict[str, Any]:
        """Analyse an encoded FailureReport; the verdicts appear under its verdict key, a summary is returned."""
        is_last_try = self.request.retries >= RETRIES
        try:
            return answer(report, pipeline, Verdicts(app.backend.client), partial(_tell, self), is_last_try=is_last_try)
        except RevokedError as error:
            _show_revoked(self, error)
            raise Ignore(str(error)) from error
        except TransientError as error:
            raise _next_try(self, error) from error


def register_desk(app: Celery, desk: Callable[[], Desk]) -> None:
    """Make the small tasks known that answer testers."""

    def task(name: str) -> Any:
        return app.task(shared=False, name=f"tasks.{name}")

    @task("fetch")  # type: ignore[untyped-decorator]
    def fetch(beginning: str, project: str = "") -> dict[str, Any]:
        return desk().fetch(beginning, project)

    @task("say")  # type: ignore[untyped-decorator]
    def say(kind: str, beginning: str, who: str, words: dict[str, str], project: str = "") -> dict[str, Any]:
        return desk().say(kind, beginning, who, words, project)

    @task("search")  # type: ignore[untyped-decorator]
    def search(text: str, project: str) -> dict[str, Any]:
        return desk().search(text, project)

    @task("forget")  # type: ignore[untyped-decorator]
    def forget(beginning: str, project: str = "") -> dict[str, Any]:
        return desk().forget(beginning, project)


def register_runs(app: Celery, pipeline: Callable[[], Pipeline]) -> None:
    """Make the task known that keeps, in the pipeline's history, how the tests of a run ended."""

    @app.task(shared=False, bind=True, name=RUN_TASK_NAME, ignore_result=True, max_retries=RETRIES)  # type: ignore[untyped-decorator]
    def record_run(self: Any, message: object) -> None:
        """Keep the run that robot_ddn_listener.run_message packed into `message`."""
        history = pipeline().parts.history
        assert history
        try:
            take_run(message, history)
        except TransientError as error:
            raise _next_try(self, error) from error


def _next_try(task: Any, error: TransientError) -> Exception:
    """Queue the next try of `task` and return what to raise. Where Redis does not take it, the message of this one goes back."""
    countdown = pause_seconds(error, task.request.retries)
    try:
        # Without argsrepr Flower gets the report itself.
        again: Exception = task.retry(exc=error, countdown=countdown, argsrepr=task.request.argsrepr, throw=False)
    except Reject as refused:  # Celery's own would drop the message
        again = Reject(refused.reason, requeue=True)
    return again


def pause_seconds(error: TransientError, retries: int) -> float:
    """Return how long to wait before the next try: what the service asked for, else longer each time, with jitter."""
    asked: float = getattr(error, "delay", 0.0)
    longest = min(LONGEST_BACKOFF_SECONDS, 2 ** (retries + 1))  # at least a second: a service that failed is left alone for one
    return min(asked, LONGEST_PAUSE_SECONDS) or longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


def answer(
    message: object, pipeline: Callable[[], Pipeline], verdicts: "Verdicts", tell: "Tell | None" = None, *, is_last_try: bool = True
) -> dict[str, Any]:
    """Analyse `message`, an encoded FailureReport, publish to `verdicts` and return what the operator sees first.

    `tell` is called with the answer of every try, also of one that then ends with an error.
    """
    start = perf_counter()
    report = _decoded(message, pipeline, verdicts)

    def told(report: FailureReport, analysis: Analysis) -> None:
        _log(report, analysis, perf_counter() - start)
        if tell:
            tell(report, analysis)

    try:
        with Deliveries(verdicts.client).begun(report.id):
            analysis = _analyzed(report, pipeline, verdicts, told, is_last_try)
    except PoisonError as error:
        _give_up(report, _not_analysed(report, error), error, pipeline, verdicts)
        raise
    return summary(report, analysis)


def _log(report: FailureReport, analysis: Analysis, seconds: float) -> None:
    degraded = f", degraded: {'; '.join(analysis.degraded)}" if analysis.degraded else ""
    name = report.full_name or report.test_name
    logger.info("%s: %s, %s, %.2f s%s", name, analysis.verdict, analysis.error_type, seconds, degraded)


def _tell(task: Any, report: FailureReport, analysis: Analysis) -> None:
    """Send the monitor an event with what Celery's own events do not hold, or cut."""
    try:
        task.send_event(ANALYSED_EVENT, **analysed_event(report, analysis))
    except Exception as error:  # noqa: BLE001 - whatever kombu throws: the answer matters more than its statistics
        logger.warning("Telling the monitor of '%s' failed: %s. It reads it in the history when it starts again.", report.id, error)


def _show_revoked(task: Any, error: RevokedError) -> None:
    """Tell operators: the state in Redis, and Celery's own event, which Flower and the monitor follow."""
    task.backend.mark_as_revoked(task.request.id, str(error), request=task.request)
    task.send_event("task-revoked", terminated=True, signum="", expired=False)
    logger.warning("Analysis '%s' was %s.", task.request.id, error)


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


def _decoded(message: object, pipeline: Callable[[], Pipeline], verdicts: Verdicts) -> FailureReport:
    try:
        return decode(FailureReport, message)
    except ContractError as error:
        problem = PermanentError(f"Reading the failure report failed: {str(error)[:MAX_PROBLEM_CHARACTERS]} It is not analysed.")
        if report := _readable(message):
            _give_up(report, _not_analysed(report, problem), problem, pipeline, verdicts)
        raise problem from error


def _readable(message: object) -> FailureReport | None:
    """Return what can be read of a report that is none: enough to find it again, and to tell its sender."""
    if not isinstance(message, Mapping):
        return None

    def text(name: str) -> str:
        value = message.get(name)
        return value if isinstance(value, str) else ""

    if not text("id") or not isinstance(message.get("project"), str):
        return None
    return FailureReport(
        id=text("id"),
        project=text("project"),
        fingerprint=text("fingerprint"),
        run=Run(""),
        suite_name=text("suite_name"),
        test_name=text("test_name"),
        error_message=text("error_message"),
    )


def _not_analysed(report: FailureReport, why: Exception) -> Analysis:
    return Analysis(report.id, report.project, report.fingerprint, Stage.FINAL, Verdict.NOT_ANALYSED, missing=(str(why),))


def _analyzed(
    report: FailureReport, pipeline: Callable[[], Pipeline], verdicts: Verdicts, tell: "Tell", is_last_try: bool
) -> Analysis:
    """Return the final analysis. Where a configured part failed the reader has it too, marked; the operator has the error."""
    final: list[Analysis] = []
    revocations = Revocations(verdicts.client)

    def publish(analysis: Analysis) -> None:
        if analysis.stage is Stage.FINAL:
            final.append(analysis)
        if analysis.stage is not Stage.FINAL or (pipeline().parts.in_shadow and not analysis.degraded):
            verdicts.publish(analysis)  # of a model on trial nobody waits to hear

    try:
        if known := verdicts.settled(report, pipeline().parts.version):
            return known
        case = pipeline().run(report, publish, partial(revocations.check, report.id))
    except RevokedError as error:
        verdicts.conclude(report, f"analysis: {error}")
        raise
    except Exception as error:  # the user keeps what rules know, marked; the operator sees the failed task with its stack
        is_passing = isinstance(error, TransientError)
        if is_passing and not is_last_try:
            raise
        answer = degraded(report, TransientError("it did not succeed in several tries") if is_passing else error)
        tell(report, answer)
        _give_up(report, answer, error, pipeline, verdicts)
        raise
    tell(report, case.analysis)
    _settle(case, final[-1], pipeline, verdicts, is_last_try)
    return case.analysis


def _settle(case: Case, final: Analysis, pipeline: Callable[[], Pipeline], verdicts: Verdicts, is_last_try: bool) -> None:
    """Publish the final answer, or, where trying again may make it better, what there is so far; then tell what failed."""
    errors = [problem.error for problem in case.problems]
    passing = next((error for error in errors if isinstance(error, TransientError)), None)
    if passing and not is_last_try and not final.engine.model:
        verdicts.replace(replace(final, stage=Stage.INTERIM))
        raise passing
    if not errors:
        verdicts.publish(final)
        return
    failed = passing or errors[0]
    _give_up(case.report, final, failed, pipeline, verdicts)
    if passing and final.engine.model:  # asking the model again would cost as much again, for the same answer
        raise PermanentError(f"{passing} The model's answer stands without it.") from passing
    raise failed


def _give_up(
    report: FailureReport, answer: Analysis, error: Exception, pipeline: Callable[[], Pipeline], verdicts: Verdicts
) -> None:
    """Publish the answer of a task that ends with `error`, and keep both: an operator finds the report and sends it again."""
    verdicts.publish(answer)
    try:
        parts = pipeline().parts
        if parts.history:
            parts.history.settle(report, answer, datetime.now(UTC), parts.model, f"{type(error).__name__}: {error}")
    except Exception as trouble:  # noqa: BLE001 - whatever the backend could not be built for: the task's own error matters more
        logger.warning("Keeping the failed analysis '%s' failed: %s It stands in the task's state only.", report.id, trouble)
