"""Retrieve: known causes that look like this failure."""

from collections.abc import Iterator
from dataclasses import replace

from ..ports import Found, KnowledgeBase, Query, Source
from .case import Case

PASSAGES = 5
QUERY_CHARACTERS = 3_000
LINE_CHARACTERS = 300
ERROR_LINES = 8  # of the log, the last ones: what comes last is nearest to the failure


class Shipped:
    """The shipped knowledge base as a source: it is in this process and never fails."""

    name = "knowledge base"

    def __init__(self, knowledge: KnowledgeBase):
        self._knowledge = knowledge

    def find(self, query: Query, limit: int = PASSAGES) -> Found:
        """Return the best documents for the query's text."""
        return Found(self._knowledge.search(query.text, limit))


def retrieve(case: Case, source: Source) -> Case:
    """Return `case` with the passages of `source` that match, what failed on the way, and what was sent to whom."""
    query = "\n".join(_query_lines(case))[:QUERY_CHARACTERS]
    if not query.strip():
        return replace(case, query=query)
    found = source.find(Query(query, case.report.project, case.report.error_message[:QUERY_CHARACTERS]), PASSAGES)
    return replace(
        case,
        query=query,
        passages=found.passages,
        problems=(*case.problems, *found.problems),
        sent_to=(*case.sent_to, *found.sent_to),
    )


def _query_lines(case: Case) -> Iterator[str]:
    wanted = [line.text[:LINE_CHARACTERS] for line in case.digest.lines if line.where not in ("log", "code")]
    wanted += [line.text[:LINE_CHARACTERS] for line in case.digest.lines if line.where == "log" and line.is_error][-ERROR_LINES:]
    yield from dict.fromkeys(line.strip() for line in wanted)
