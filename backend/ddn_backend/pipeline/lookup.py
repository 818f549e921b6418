"""Look up: what retrieval finds for a text that a person or a model asks for, graded as it is for a failure."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from robot_ddn_listener.contract import Analysis, FailureReport, Run

from ..ports import Grader, Passage, Source
from .case import Case, Round
from .condense import condense
from .correct import correct
from .grade import LEXICAL
from .retrieve import retrieve
from .thresholds import SHORT, ByEvaluator

SHORT_WORDS = 4  # up to here the fit of short texts holds: it was made with texts of two to four words

_TELLING = re.compile(r"[^\W\d_]{2}|\d{3}")


def look_up(
    text: str, project: str, library: Source, thresholds: ByEvaluator, sources: Sequence[Source] = (), grader: Grader | None = None
) -> dict[str, Any]:
    """Return, as JSON types, the action, each search with all it found, and what failed or was sent on the way."""
    case = looked_up(text, project, library, thresholds, sources, grader)
    return {
        "action": case.action,
        "searches": list(_searches(case.rounds)),
        "degraded": [problem.note for problem in case.problems],
        "sent_to": list(case.sent_to),
    }


def looked_up(
    text: str, project: str, library: Source, thresholds: ByEvaluator, sources: Sequence[Source] = (), grader: Grader | None = None
) -> Case:
    """Return the case of a failure that has `text` as its message, with what is relevant to it in `passages`."""
    report = FailureReport("", project, "", Run(""), suite_name="", test_name="", error_message=text)
    case = condense(Case(report, Analysis("", project)))
    return correct(retrieve(case, library), library, meant_for(text, thresholds), sources, grader)


def meant_for(text: str, thresholds: ByEvaluator) -> ByEvaluator:
    """Return what grades mean for `text`: a few words cannot reach the scores of a whole failure, so they have their own fit."""
    if len(telling_words(text)) > SHORT_WORDS or SHORT not in thresholds:
        return thresholds
    return {**thresholds, LEXICAL: thresholds[SHORT]}


def telling_words(text: str) -> list[str]:
    """Return the words of `text` that have letters or several digits in them."""
    return [word for word in text.split() if _TELLING.search(word)]


def _searches(rounds: Sequence[Round]) -> Iterator[dict[str, Any]]:
    """Yield each search with what it found that was not found before; the same search again is none."""
    asked: set[tuple[str, str]] = set()
    told: set[str] = set()
    for a_round in rounds:
        if (a_round.source, a_round.query) not in asked:
            new = [passage for passage in a_round.passages if passage.document.id not in told]
            yield {"source": a_round.source, "query": a_round.query, "passages": list(map(_told, new))}
            asked.add((a_round.source, a_round.query))
            told |= {passage.document.id for passage in new}


def _told(passage: Passage) -> dict[str, Any]:
    document, past = passage.document, passage.document.past
    return {
        "id": document.id,
        "title": document.title,
        "kind": document.kind.value,
        "error_type": document.error_type.value,
        "cause": document.cause.split("\n\n")[0],
        "confirmed_by": past.confirmed_by if past else "",
        "ticket": past.ticket if past else "",
        "score": round(passage.score, 4),
        "grade": round(passage.grade or 0.0, 4),
        "graded_by": passage.graded_by,
        "standing": passage.standing.value,
    }
