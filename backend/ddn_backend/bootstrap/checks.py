"""How to ask each part whether it works, for `ddn doctor`."""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from .. import knowledge
from ..errors import PermanentError, SettingsError
from ..ports import Query, Wanted
from .model import check_model
from .services import alerting, github, history, local_checkout, pinecone_shelves, project_library, shipped_knowledge

if TYPE_CHECKING:
    from ..adapters.git import GitCheckout
    from ..adapters.github import GitHub
    from ..settings import Settings


def checks(settings: "Settings") -> dict[str, Callable[[], str] | None]:
    """Return how to ask each part whether it works, by its name; None where it is not configured. Each returns what it found."""

    def kept() -> str:
        with closing(history(settings)) as opened:
            opened.listed(Wanted(limit=1))
        return "MongoDB" if settings.mongo_url else "SQLite"

    def known() -> str:
        found = shipped_knowledge().search("connection refused", 1)
        if not found:
            raise PermanentError("nothing is found in what ships")
        project_library(settings.model_copy(update={"pinecone_index": ""})).find(Query("connection refused", "", ""), 1)
        return f"{len(knowledge.load())} shipped causes"

    def shelved() -> str:
        if not settings.pinecone_api_key.get_secret_value():
            raise SettingsError("PINECONE_API_KEY is not set")
        with closing(pinecone_shelves(settings)) as shelves:
            return shelves.check()

    def routed() -> str:
        file, _ = alerting(settings)
        return f"{len(file.rules)} rules, {len(file.routes)} routes; `ddn alert --test` sends a message"

    return {
        "history": kept,
        "knowledge index": known,
        "Pinecone": shelved if settings.pinecone_index else None,
        "model": (lambda: check_model(settings)) if settings.model else None,
        "GitHub": partial(_checked, partial(github, settings), settings.github_repo) if settings.github_repo else None,
        "source": partial(_checked, partial(local_checkout, settings), settings.source_root) if settings.source_root else None,
        "alert routes": routed if settings.alerts else None,
    }


def _checked(host: "Callable[[], GitCheckout | GitHub]", where: str) -> str:
    host().check()
    return where
