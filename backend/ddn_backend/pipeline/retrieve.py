"""Retrieve: known causes that look like this failure."""

from collections.abc import Iterator
from dataclasses import replace

from ..ports import KnowledgeBase
from .case import Case

PASSAGES = 5
QUERY_CHARACTERS = 3_000
LINE_CHARACTERS = 300
ERROR_LINES = 8  # of the log, the last ones: what comes last is nearest to the failure


def retrieve(case: Case, knowledge: KnowledgeBase) -> Case:
    """Return `case` with the passages that match its error message, exception types and error lines."""
    query = "\n".join(_query_lines(case))[:QUERY_CHARACTERS]
    return replace(case, query=query, passages=knowledge.search(query, PASSAGES) if query.strip() else ())


def _query_lines(case: Case) -> Iterator[str]:
    wanted = [line.text[:LINE_CHARACTERS] for line in case.digest.lines if line.where != "log"]
    wanted += [line.text[:LINE_CHARACTERS] for line in case.digest.lines if line.where == "log" and line.is_error][-ERROR_LINES:]
    yield from dict.fromkeys(line.strip() for line in wanted)
