"""The composition root: builds the pipeline from adapters. The only importer of adapters; connects to nothing by itself.

What needs an extra is imported where it is built: `offline_pipeline` works on the install without any.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from robot_ddn_listener.contract import Analysis, FailureReport, Run
from robot_ddn_listener.redact import Redactor

from . import knowledge
from .adapters.fts import FtsKnowledgeBase
from .pipeline import Parts, Pipeline, thresholds
from .pipeline.lookup import looked_up
from .ports import Budget, CodeHost, Commit, Document, History, HistoryError, KnowledgeBase, Limits, Passage

if TYPE_CHECKING:
    from redis import Redis

    from .desk import Desk
    from .knowledge.library import OtherProjects, ProjectLibrary
    from .pipeline.investigate import Investigator
    from .pipeline.tools import Sources
    from .settings import Settings


@cache
def shipped_knowledge() -> KnowledgeBase:
    """Return the knowledge base that every installation has."""
    return _shipped()


def offline_pipeline() -> Pipeline:
    """Return the pipeline that needs no service and no extra: rules and the shipped knowledge base."""
    return Pipeline.over(shipped_knowledge())


def local_pipeline() -> Pipeline:
    """Return the pipeline for one process without a queue: with the services that are named, where their extra is installed."""
    if not find_spec("pydantic_settings"):
        return offline_pipeline()
    from .settings import load

    settings = load()
    named = (settings.model, settings.pinecone_index, settings.github_repo, settings.source_root, settings.mongo_url)
    return backend_pipeline(settings, None) if any(named) else offline_pipeline()


def prompt_preview(send: str | None) -> Callable[[FailureReport], str]:
    """Return what gives the prompt for a report; `send` is message, log or code, by default as it is set."""
    from . import prompts
    from .pipeline.investigate import preview
    from .pipeline.material import Send
    from .settings import environment, load

    settings = load().model_copy(update={"pinecone_index": "", "github_repo": "", "model": ""})  # nothing may leave the machine
    pipeline = backend_pipeline(settings, None)
    instructions, redact = prompts.load("investigate").text, Redactor(environ=environment()).text
    return lambda report: preview(pipeline.prepared(report), instructions, Send(send or settings.send), redact)


def backend_pipeline(settings: "Settings", client: "Redis | None") -> Pipeline:
    """Return the pipeline of a worker by its settings. `client` is the broker's Redis; without one nothing is shared."""
    from .single_flight import RedisSingleFlight

    library, hosts, kept = project_library(settings), code_hosts(settings, client), history(settings)
    with suppress(HistoryError):  # the first analysis tells of it
        kept.prune(datetime.now(UTC), settings.keep_days)
    parts = Parts(
        library=library,
        thresholds=thresholds.load(),
        elsewhere=_elsewhere(settings, library),
        hosts=hosts,
        history=kept,
        flight=RedisSingleFlight(client, longest_flight_seconds=settings.task_seconds) if client else None,
        model=settings.model,
    )
    if not settings.model:
        return Pipeline(parts)
    return Pipeline(_with_model(parts, settings, library, client))


def desk(pipeline: Pipeline, publish: Callable[[Analysis], None]) -> "Desk":
    """Return what answers testers, over the library and the history of a backend's pipeline."""
    from .desk import Desk
    from .knowledge.library import ProjectLibrary

    parts = pipeline.parts
    assert isinstance(parts.library, ProjectLibrary)
    assert parts.history
    return Desk(pipeline, parts.library, parts.history, publish)


def history(settings: "Settings") -> History:
    """Return the history: MongoDB where one is named, else SQLite on this machine."""
    if settings.mongo_url:
        from .adapters.mongo import MongoHistory

        return MongoHistory(settings.mongo_url)
    from .adapters.sqlite import SqliteHistory

    return SqliteHistory(settings.home_folder / "history" / "history.sqlite")


def confirmed_failures(settings: "Settings") -> Iterator[Document]:
    """Yield all past failures whose cause a person said, as documents: a lost error library can be filled with them."""
    from .knowledge.past_failures import past_failure

    kept = history(settings)
    for said in kept.confirmed(""):
        past = kept.find(said.report_id)
        report = (
            past.report if past else FailureReport(said.report_id, said.project, said.fingerprint, Run(""), "", "", said.symptom)
        )
        yield past_failure(
            report,
            error_type=said.error_type,
            root_cause=said.root_cause,
            recommendation=said.recommendation,
            analysis=past.analysis if past else None,
            confirmed_by=said.who,
            when=said.when,
            ticket=said.ticket,
        )


def project_library(settings: "Settings") -> "ProjectLibrary":
    """Return the library: what ships, what was learned on this machine, and Pinecone where an index is named."""
    from .adapters.learned_file import LearnedFile
    from .knowledge.library import ProjectLibrary, RemoteShelves

    shipped, key = _shipped(), settings.pinecone_api_key.get_secret_value()
    remote = None
    if settings.pinecone_index and key:
        from .adapters.pinecone import PineconeShelves

        remote = RemoteShelves("pinecone", PineconeShelves(key, settings.pinecone_index), settings.send == "message")
    return ProjectLibrary(shipped, LearnedFile(settings.home_folder / "knowledge" / "learned.sqlite", shipped), remote)


def code_hosts(settings: "Settings", client: "Redis | None" = None) -> tuple[CodeHost, ...]:
    """Return where code may be read: the local checkout first, because it costs nothing."""
    hosts: list[CodeHost] = []
    if settings.source_root:
        from .adapters.git import GitCheckout

        hosts.append(GitCheckout(settings.source_root))
    if settings.github_repo:
        from .adapters.github import GitHub

        token = settings.github_token.get_secret_value()
        hosts.append(GitHub(settings.github_repo, token, client, settings.github_url))
    return tuple(hosts)


@cache
def _shipped() -> FtsKnowledgeBase:
    return FtsKnowledgeBase(knowledge.load())


def _elsewhere(settings: "Settings", library: "ProjectLibrary") -> "tuple[OtherProjects, ...]":
    from .knowledge.library import OtherProjects

    return (OtherProjects(library),) if settings.share_causes else ()


def _with_model(parts: Parts, settings: "Settings", library: "ProjectLibrary", client: "Redis | None") -> Parts:
    from dataclasses import replace

    return replace(parts, investigator=_investigator(parts, settings, library, client))


def _investigator(parts: Parts, settings: "Settings", library: "ProjectLibrary", client: "Redis | None") -> "Investigator":
    from . import prompts
    from .adapters.gemini import AgentModel
    from .pipeline.investigate import Investigator
    from .pipeline.material import Send
    from .settings import environment

    return Investigator(
        model=AgentModel(settings.model),
        budget=_budget(settings, client),
        instructions=prompts.load("investigate").text,
        redact=Redactor(environ=environment()).text,
        send=Send(settings.send),
        sources=_sources(parts, library),
        limits=Limits(settings.model_calls, settings.model_tokens, settings.model_seconds, settings.model_cost),
    )


def _budget(settings: "Settings", client: "Redis | None") -> Budget:
    from .adapters.budgets import Allowance, MemoryBudget, RedisBudget

    if client is None:
        return MemoryBudget(settings.model_groups)
    return RedisBudget(
        client,
        settings.model,
        settings.model_groups,
        day=Allowance(cost_usd=settings.day_cost),
        calls_per_minute=settings.model_rate,
    )


def _sources(parts: Parts, library: "ProjectLibrary") -> "Callable[[FailureReport], Sources]":
    """Return what binds a model's tools to one report's project."""
    from .pipeline.tools import Sources

    def sources(report: FailureReport) -> Sources:
        def search(text: str) -> "tuple[Passage, ...]":
            return looked_up(text, report.project, library, parts.thresholds, parts.elsewhere).passages

        return Sources(
            knowledge=search,
            past_failures=lambda text: [passage.document.past for passage in search(text) if passage.document.past],
            host=parts.hosts[0] if parts.hosts else None,
            commits=partial(_commits, parts, report) if parts.hosts else None,
        )

    return sources


def _commits(parts: Parts, report: FailureReport) -> "tuple[Commit, ...] | None":
    from .pipeline.recall import last_pass_commit
    from .pipeline.suspect import places_of

    since = last_pass_commit(report, parts.history) if parts.history else ""
    paths = [place.file for place in places_of(report)]
    return parts.hosts[0].commits(paths, report.run.git.commit, since) if report.run.git.commit else None
