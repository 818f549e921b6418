"""What the pipeline needs from the outside, as small Protocols and their records. Adapters implement them, one technology each."""

from dataclasses import dataclass
from typing import Protocol

from robot_ddn_listener.contract import ErrorType


@dataclass(frozen=True, slots=True)
class Document:
    """One known cause of failures: what it looks like, why it happens, what helps. `symptoms` are texts as they stand in logs."""

    id: str
    title: str
    error_type: ErrorType
    cause: str
    remedy: str
    symptoms: tuple[str, ...] = ()
    text: str = ""
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A document that a search found. `score` is comparable between searches of one knowledge base, higher is better, 0..1."""

    document: Document
    score: float


class KnowledgeBase(Protocol):
    """Documents that can be searched by what a failure looks like."""

    def search(self, query: str, limit: int = 5) -> tuple[Passage, ...]:
        """Return the best documents for `query`, best first; empty when nothing matches."""
