"""Pipelines by their settings: of a worker, of one process without a queue, of an install without extras, of `ddn eval`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from robot_ddn_listener.contract import FailureReport

from .. import fitted
from ..errors import SettingsError
from ..pipeline import Parts, Pipeline
from ..pipeline.retrieve import Shipped
from ..ports import CodeHost, History, Limits, Opening
from .model import sources_of, unasked_model, with_model
from .services import code_hosts, history, project_library, redaction, shipped_knowledge

if TYPE_CHECKING:
    from redis import Redis

    from ..desk import Desk, Published
    from ..knowledge.library import OtherProjects, ProjectLibrary
    from ..pipeline.code_search import CodeSearch
    from ..settings import Settings


def offline_pipeline() -> Pipeline:
    """Return the pipeline that needs no service and no extra: rules and the shipped knowledge base."""
    return Pipeline.over(shipped_knowledge())


def local_pipeline(tell: Callable[[str], None]) -> Pipeline:
    """Return the pipeline for one process without a queue: where the backend's extra is installed, that of a worker.

    Without a history that may be written to (it is somebody else's, or broken) it goes on, and `tell` is called with why.
    """
    if not find_spec("pydantic_settings"):
        return offline_pipeline()
    from ..settings import load

    settings = load()
    try:
        kept = history(settings)
    except SettingsError as error:
        if settings.mongo_url:
            raise
        tell(f"{error} It goes on without history: nothing is kept, and what people confirmed is not used.")
        return _pipeline(settings, None, None)
    return _pipeline(settings, None, kept)


def backend_pipeline(settings: "Settings", client: "Redis | None") -> Pipeline:
    """Return the pipeline of a worker by its settings. `client` is the broker's Redis; without one nothing is shared."""
    return _pipeline(settings, client, history(settings))


def prepare(pipeline: Pipeline, settings: "Settings") -> None:
    """Import and build what the first analysis needs, then delete what is older than is kept.

    SettingsError where the model cannot be built, HistoryError where the history does not answer.
    """
    if by := pipeline.parts.investigator:
        by.model.warm()
    if pipeline.parts.history:
        pipeline.parts.history.prune(datetime.now(UTC), settings.keep_days)


def desk(pipeline: Pipeline, verdicts: "Published") -> "Desk":
    """Return what answers testers, over the library and the history of a backend's pipeline."""
    from ..desk import Desk
    from ..knowledge.library import ProjectLibrary

    parts = pipeline.parts
    assert isinstance(parts.library, ProjectLibrary)
    assert parts.history
    return Desk(pipeline, parts.library, parts.history, verdicts)


@contextmanager
def prompt_preview(send: str | None) -> "Iterator[Callable[[FailureReport], Opening]]":
    """Give what returns all that a model would be sent of a report at first; `send` is message, log or code, by default as set.

    No service is asked, the model neither: what Pinecone or GitHub would add to the message is not in it.
    """
    from .. import prompts
    from ..pipeline.investigate import preview
    from ..pipeline.material import Send
    from ..settings import load

    settings = load()
    kept = None
    with suppress(SettingsError):  # then nothing is known of the last pass, as in the run
        kept = history(settings)
    at_home = settings.model_copy(update={"pinecone_index": "", "github_repo": "", "model": ""})
    pipeline = _pipeline(at_home, None, kept)
    sources = sources_of(replace(pipeline.parts, hosts=code_hosts(settings)), project_library(at_home))
    instructions, redact, model = prompts.load("investigate").text, redaction(settings), unasked_model(settings)
    limits = Limits(settings.model_calls, settings.model_tokens, settings.model_seconds, settings.model_cost)

    def opening(report: FailureReport) -> Opening:
        case = pipeline.prepared(report)
        return model.opening(preview(case, instructions, Send(send or settings.send), redact, sources(report), limits))

    try:
        yield opening
    finally:
        model.close()
        if kept:
            kept.close()


def evaluated_pipeline(model: str, model_grades: bool, calibrated: bool, home: Path) -> Pipeline:
    """Return the pipeline that `ddn eval` measures: without history, budgets of days, and code, which are not the failures' own.

    With `model` none it needs no service and no extra; else naming the model is the consent to ask it. Without `calibrated`
    a model's confidence stays as it says. `home` is DDN_HOME.
    """
    if model == "none":
        return Pipeline(Parts(Shipped(shipped_knowledge()), fitted.thresholds_in(home)))
    from ..adapters.gemini import AgentModel
    from ..pipeline.calibrate import uncalibrated
    from ..settings import load

    settings = load()
    grades = model_grades or settings.model_grades
    changes = {"model": model, "model_grades": grades, "shadow": False, "github_repo": "", "source_root": "", "model_groups": 10**9}
    pipeline = _pipeline(settings.model_copy(update=changes), None, None)
    by = pipeline.parts.investigator
    assert by
    assert isinstance(by.model, AgentModel)
    by.model.warm()  # an unusable name or key ends it here, and not once a failure
    by = by if calibrated else replace(by, calibrate=uncalibrated)
    return Pipeline(replace(pipeline.parts, investigator=by))


def reranked_library() -> "ProjectLibrary | None":
    """Return the library where Pinecone, which reranks, is named; None where it is not."""
    if not find_spec("pydantic_settings"):
        return None
    from ..settings import load

    settings = load()
    return project_library(settings) if settings.pinecone_index and settings.pinecone_api_key.get_secret_value() else None


def _pipeline(settings: "Settings", client: "Redis | None", kept: History | None) -> Pipeline:
    from ..single_flight import RedisSingleFlight

    library, hosts = project_library(settings), code_hosts(settings, client)
    parts = Parts(
        library=library,
        thresholds=fitted.thresholds_in(settings.home_folder),
        elsewhere=_elsewhere(settings, library),
        hosts=hosts,
        history=kept,
        flight=RedisSingleFlight(client, longest_flight_seconds=settings.task_seconds) if client else None,
        local=library.local if _asks_services(settings) else None,
        model=settings.model,
        code=_code_search(hosts, settings),
        fitted=fitted.mark(settings.home_folder),
    )
    if not settings.model:
        return Pipeline(parts)
    return Pipeline(with_model(parts, settings, library, client))


def _elsewhere(settings: "Settings", library: "ProjectLibrary") -> "tuple[OtherProjects, ...]":
    from ..knowledge.library import OtherProjects

    return (OtherProjects(library),) if settings.share_causes else ()


def _asks_services(settings: "Settings") -> bool:
    """Return whether a draft has to wait for other machines."""
    return bool(settings.pinecone_index or settings.github_repo or settings.mongo_url or settings.model_grades)


def _code_search(hosts: tuple[CodeHost, ...], settings: "Settings") -> "tuple[CodeSearch, ...]":
    """Return the search in the first of the code hosts: the local checkout, where there is one."""
    from ..pipeline.code_search import CodeSearch

    return (CodeSearch(hosts[0], redaction(settings)),) if hosts else ()
