"""The composition root: builds the pipeline from adapters. The only importer of adapters; connects to nothing by itself."""

from . import knowledge
from .adapters.fts import FtsKnowledgeBase
from .pipeline import Pipeline


def offline_pipeline() -> Pipeline:
    """Return the pipeline that needs no service and no extra: rules and the shipped knowledge base."""
    return Pipeline(FtsKnowledgeBase(knowledge.load()))
