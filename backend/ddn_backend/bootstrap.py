"""The composition root: builds the pipeline from adapters. The only importer of adapters; connects to nothing by itself."""

from . import knowledge
from .adapters.fts import FtsKnowledgeBase
from .pipeline import Pipeline
from .ports import KnowledgeBase


def shipped_knowledge() -> KnowledgeBase:
    """Return the knowledge base that every installation has."""
    return FtsKnowledgeBase(knowledge.load())


def offline_pipeline() -> Pipeline:
    """Return the pipeline that needs no service and no extra: rules and the shipped knowledge base."""
    return Pipeline(shipped_knowledge())
