"""Cite: what retrieval found out goes onto the answer, whoever gave it: the action, the grades, past failures, what failed."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from robot_ddn_listener.contract import Reference, Similar, Step

from ..ports import DocumentKind, Passage
from .case import Case, Round

QUERY_CHARACTERS = 200
MAX_PROBLEM_CHARACTERS = 300

T = TypeVar("T")


def cite(case: Case) -> Case:
    """Return `case` with an answer that names what it was looked up in; doing it again changes nothing."""
    analysis = case.analysis
    analysis = replace(
        analysis,
        engine=replace(analysis.engine, crag_action=case.action),
        references=_united(analysis.references, _pages(case.passages)),
        similar=_united(_past(case.passages), analysis.similar),
        degraded=_united((problem.note[:MAX_PROBLEM_CHARACTERS] for problem in case.problems), analysis.degraded),
        sent_to=_united(analysis.sent_to, case.sent_to),
        trace=_united(map(_told, case.rounds), analysis.trace),
    )
    return replace(case, analysis=analysis)


def _past(passages: tuple[Passage, ...]) -> Iterator[Similar]:
    yield from (passage.document.past for passage in passages if passage.document.past)


def _pages(passages: tuple[Passage, ...]) -> Iterator[Reference]:
    """What was read in the web is named, whoever gave the answer."""
    for document in (passage.document for passage in passages if passage.document.kind is DocumentKind.WEB_PAGE):
        yield from (Reference(document.title, url) for url in document.urls)


def _told(a_round: Round) -> Step:
    query = " ".join(a_round.query.split())[:QUERY_CHARACTERS]
    return Step("", f"search {a_round.source}: {query}", "\n".join(map(graded_line, a_round.passages)) or "nothing was found")


def graded_line(passage: Passage) -> str:
    """Return one line for people: how relevant, by whom, which document."""
    return f"{passage.grade or 0.0:.2f} {passage.standing} ({passage.graded_by}): {passage.document.title} [{passage.document.id}]"


def _united(first: Iterable[T], then: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*first, *then)))
