"""Each service and store by its settings: knowledge, history, code, alerts. Nothing is connected before it is used."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from robot_ddn_listener.contract import FailureReport, Run
from robot_ddn_listener.redact import Redactor

from .. import knowledge
from ..adapters.fts import FtsKnowledgeBase
from ..ports import CodeHost, Document, History, KnowledgeBase, Notifier

if TYPE_CHECKING:
    from redis import Redis

    from ..adapters.git import GitCheckout
    from ..adapters.github import GitHub
    from ..adapters.pinecone import PineconeShelves
    from ..knowledge.library import ProjectLibrary
    from ..ops.alerting.alert_rules import AlertFile
    from ..ops.alerting.alerts import Alerts
    from ..settings import Settings


@cache
def shipped_knowledge() -> KnowledgeBase:
    """Return the knowledge base that every installation has."""
    return _shipped()


@cache
def _shipped() -> FtsKnowledgeBase:
    return FtsKnowledgeBase(knowledge.load())


def project_library(settings: "Settings") -> "ProjectLibrary":
    """Return the library: what ships, what was learned on this machine, and Pinecone where an index is named."""
    from ..adapters.learned_file import LearnedFile
    from ..knowledge.library import ProjectLibrary, RemoteShelves

    shipped = _shipped()
    remote = None
    if settings.pinecone_index and settings.pinecone_api_key.get_secret_value():
        remote = RemoteShelves("pinecone", pinecone_shelves(settings), settings.send == "message")
    return ProjectLibrary(shipped, LearnedFile(settings.home_folder / "knowledge" / "learned.sqlite", shipped), remote)


def history(settings: "Settings") -> History:
    """Return the history: MongoDB where one is named, else SQLite on this machine."""
    if settings.mongo_url:
        from ..adapters.mongo import MongoHistory

        return MongoHistory(settings.mongo_url)
    from ..adapters.sqlite import SqliteHistory

    return SqliteHistory(settings.home_folder / "history" / "history.sqlite")


def dead_analyses(settings: "Settings") -> int:
    """Return how many analyses failed for good; HistoryError where nobody can say."""
    with closing(history(settings)) as kept:
        return kept.failed()


def confirmed_failures(settings: "Settings") -> Iterator[Document]:
    """Yield all past failures whose cause a person said, as documents: a lost error library can be filled with them."""
    from ..knowledge.past_failures import past_failure

    with closing(history(settings)) as kept:
        for said in kept.confirmed(""):
            past = kept.find(said.report_id)
            unkept = FailureReport(said.report_id, said.project, said.fingerprint, Run(""), "", "", said.symptom)
            yield past_failure(
                past.report if past else unkept,
                error_type=said.error_type,
                root_cause=said.root_cause,
                recommendation=said.recommendation,
                analysis=past.analysis if past else None,
                confirmed_by=said.who,
                when=said.when,
                ticket=said.ticket,
            )


def code_hosts(settings: "Settings", client: "Redis | None" = None) -> tuple[CodeHost, ...]:
    """Return where code may be read: the local checkout first, because it costs nothing."""
    from ..adapters.without_secrets import WithoutSecrets

    hosts: list[CodeHost] = []
    if settings.source_root:
        hosts.append(local_checkout(settings))
    if settings.github_repo:
        hosts.append(github(settings, client))
    redact = redaction(settings)
    return tuple(WithoutSecrets(host, redact) for host in hosts)


def redaction(settings: "Settings") -> Callable[[str], str]:
    """Return what takes out of a text whatever this process's environment and the user's own patterns call a secret."""
    from ..settings import environment

    return Redactor(environ=environment(), patterns=settings.redact_patterns).text


def pinecone_shelves(settings: "Settings") -> "PineconeShelves":
    from ..adapters.pinecone import PineconeShelves

    return PineconeShelves(settings.pinecone_api_key.get_secret_value(), settings.pinecone_index)


def local_checkout(settings: "Settings") -> "GitCheckout":
    from ..adapters.git import GitCheckout

    return GitCheckout(settings.source_root)


def github(settings: "Settings", client: "Redis | None" = None) -> "GitHub":
    from ..adapters.github import GitHub

    return GitHub(settings.github_repo, settings.github_token.get_secret_value(), client, settings.github_url)


def alerting(settings: "Settings") -> "tuple[AlertFile, Notifier]":
    """Return the rules of alerts and what sends their messages; SettingsError where the file or a route cannot be used."""
    from ..adapters.apprise_notifier import AppriseNotifier
    from ..ops.alerting import alert_rules
    from ..settings import environment

    file = alert_rules.read(Path(settings.alerts), environment())
    return file, AppriseNotifier(file.addresses, file.path)


def alerts(settings: "Settings", client: "Redis") -> "Alerts | None":
    """Return what tells people of incidents, None where no file of rules is named; its state is on `client`."""
    if not settings.alerts:
        return None
    from ..ops.alerting.alerts import Alerts
    from ..ops.alerting.incident_store import IncidentStore

    file, notifier = alerting(settings)
    return Alerts(file, IncidentStore(client), notifier)


def used_up_today(settings: "Settings", client: "Redis") -> Callable[[str], bool]:
    """Return what tells whether a project's budget of today is used up; TransientError where Redis does not answer."""
    from ..adapters.budgets import RedisBudget

    budget = RedisBudget(client)
    return lambda project: bool(settings.day_cost) and budget.spent_today(project).cost_usd >= settings.day_cost
