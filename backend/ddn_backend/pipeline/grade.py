"""Grade: how relevant is each passage to the failure, and what does its grade mean.

lexical    the score of the local search: a share, comparable between failures, and of four measures tried on the
           project's failing examples the one that told right from wrong passages best (area under the curve 0.99)
reranker   passages that were searched on Pinecone bring the grade of its reranker
a Grader   such as a model that reads both; where it fails the grades above stand
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..ports import Grader, Passage, Problem, Query, Standing
from .thresholds import ByEvaluator, Thresholds

LEXICAL = "lexical"
MODEL = "model"
NO_THRESHOLDS = Thresholds(2.0, 0.0)  # an evaluator nobody fitted is always unsure

_ORDER = (Standing.RELEVANT, Standing.UNSURE, Standing.IRRELEVANT, Standing.UNGRADED)


@dataclass(frozen=True, slots=True)
class Graded:
    """Passages with grade and standing, the most relevant first."""

    passages: tuple[Passage, ...] = ()
    problems: tuple[Problem, ...] = ()
    sent_to: tuple[str, ...] = ()


def grade(query: Query, passages: Sequence[Passage], thresholds: ByEvaluator, grader: Grader | None = None) -> Graded:
    """Return the passages graded by `grader`, or where there is none by what they were found with."""
    judged, problems, sent_to = tuple(map(_as_found, passages)), tuple[Problem, ...](), tuple[str, ...]()
    if grader and passages:
        answer = grader.grade(query, passages)
        problems, sent_to = answer.problems, answer.sent_to
        if len(answer.values) == len(passages):
            judged = tuple(
                _as_found(passage) if value is None else replace(passage, grade=min(max(value, 0.0), 1.0), graded_by=grader.name)
                for passage, value in zip(passages, answer.values, strict=True)
            )
    return Graded(ordered(_with_standing(passage, thresholds) for passage in judged), problems, sent_to)


def _as_found(passage: Passage) -> Passage:
    return passage if passage.grade is not None else replace(passage, grade=passage.score, graded_by=LEXICAL)


def _with_standing(passage: Passage, thresholds: ByEvaluator) -> Passage:
    kind = passage.graded_by.partition(" ")[0]  # "model google:x" has its own, or else those that models have in common
    meaning = thresholds.get(passage.graded_by) or thresholds.get(kind, NO_THRESHOLDS)
    return replace(passage, standing=meaning.standing(passage.grade or 0.0))


def ordered(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Return the most relevant first. Grades of different evaluators are compared by what they mean, then by the score."""
    return tuple(sorted(passages, key=lambda passage: (_ORDER.index(passage.standing), -(passage.grade or 0.0), -passage.score)))
