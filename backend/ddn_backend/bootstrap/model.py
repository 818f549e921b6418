"""The model and what belongs to it: its tools, what it may see, what it may cost, and what it does besides concluding."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from robot_ddn_listener.contract import FailureReport

from .. import fitted
from ..pipeline import Parts
from ..pipeline.lookup import looked_up
from ..pipeline.widen import Wider
from ..ports import Budget, Commit, Limits, Passage
from .services import redaction

if TYPE_CHECKING:
    from redis import Redis

    from ..adapters.gemini import AgentModel
    from ..knowledge.library import ProjectLibrary
    from ..pipeline.investigate import Investigator
    from ..pipeline.tools import Sources
    from ..settings import Settings


def with_model(parts: Parts, settings: "Settings", library: "ProjectLibrary", client: "Redis | None") -> Parts:
    by = _investigator(parts, settings, library, client)
    return replace(parts, investigator=by, wider=_wider(settings, by), in_shadow=settings.shadow)


def _investigator(parts: Parts, settings: "Settings", library: "ProjectLibrary", client: "Redis | None") -> "Investigator":
    from .. import prompts
    from ..adapters.gemini import AgentModel
    from ..pipeline.calibrate import calibrator
    from ..pipeline.investigate import Investigator
    from ..pipeline.material import Send

    return Investigator(
        model=AgentModel(settings.model),
        budget=_budget(settings, client),
        instructions=prompts.load("investigate").text,
        redact=redaction(settings),
        send=Send(settings.send),
        sources=sources_of(parts, library),
        limits=Limits(settings.model_calls, settings.model_tokens, settings.model_seconds, settings.model_cost),
        calibrate=calibrator(fitted.calibration_in(settings.home_folder)),
        version="-".join(f"{name}{prompts.load(name).version}" for name in _prompts_in_use(settings)),
    )


def _prompts_in_use(settings: "Settings") -> Iterator[str]:
    yield "investigate"
    yield from ["grade"] if settings.model_grades else []
    yield from ["web_search"] if settings.web_search else []


def _wider(settings: "Settings", by: "Investigator") -> Wider:
    """Return what the model does besides concluding, as far as the operator wants it."""
    from .. import prompts
    from ..pipeline.judge import Grading, evaluator_name
    from ..pipeline.web_search import WebSearching

    def told(name: str) -> str:
        return prompts.load(name).text

    grading = Grading(by.model, evaluator_name(settings.model), told("grade"), by.send, by.redact)
    searching = WebSearching(by.model, told("web_search"), by.send, by.redact)
    return Wider(grading if settings.model_grades else None, searching if settings.web_search else None)


def _budget(settings: "Settings", client: "Redis | None") -> Budget:
    from ..adapters.budgets import Allowance, MemoryBudget, RedisBudget

    if client is None:
        return MemoryBudget(settings.model_groups)
    return RedisBudget(
        client,
        settings.model,
        settings.model_groups,
        run=Allowance(tokens=settings.run_tokens, cost_usd=settings.run_cost),
        day=Allowance(tokens=settings.day_tokens, cost_usd=settings.day_cost),
        calls_per_minute=settings.model_rate,
    )


def sources_of(parts: Parts, library: "ProjectLibrary") -> "Callable[[FailureReport], Sources]":
    """Return what binds a model's tools to one report's project."""
    from ..pipeline.tools import Sources

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
    from ..pipeline.recall import last_pass_commit
    from ..pipeline.suspect import places_of

    since = last_pass_commit(report, parts.history) if parts.history else ""
    paths = [place.file for place in places_of(report)]
    return parts.hosts[0].commits(paths, report.run.git.commit, since) if report.run.git.commit else None


def unasked_model(settings: "Settings") -> "AgentModel":
    """Return a model to see what it would be sent: Gemini, which then needs no key, unless another provider is named."""
    from ..adapters.gemini import AgentModel

    named = settings.model or "google:any"
    return AgentModel(named, api_key="not-used" if named.startswith("google") else "")


def check_model(settings: "Settings") -> str:
    """Ask the provider of the model that is named whether it serves it and takes the key; return the id it answers with.

    SettingsError, TransientError or PermanentError where it does not. For most providers it costs a few tokens.
    """
    from ..adapters.gemini import AgentModel

    model = AgentModel(settings.model)
    try:
        return model.check()
    finally:
        model.close()
