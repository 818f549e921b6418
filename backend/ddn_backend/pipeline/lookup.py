"""Look up: what retrieval finds for a text that a person or a model asks for, graded as it is for a failure."""

from collections.abc import Sequence
from typing import Any

from robot_ddn_listener.contract import Analysis, FailureReport, Run

from ..ports import Grader, Passage, Source
from .case import Case
from .condense import condense
from .correct import correct
from .retrieve import retrieve
from .thresholds import ByEvaluator


def look_up(
    text: str, project: str, library: Source, thresholds: ByEvaluator, sources: Sequence[Source] = (), grader: Grader | None = None
) -> dict[str, Any]:
    """Return, as JSON types, the action, each search with all it found, and what failed or was sent on the way."""
    case = looked_up(text, project, library, thresholds, sources, grader)
    return {
        "action": case.action,
        "searches": [{"source": a_round.source, "passages": list(map(_told, a_round.passages))} for a_round in case.rounds],
        "degraded": [problem.note for problem in case.problems],
        "sent_to": list(case.sent_to),
    }


def looked_up(
    text: str, project: str, library: Source, thresholds: ByEvaluator, sources: Sequence[Source] = (), grader: Grader | None = None
) -> Case:
    """Return the case of a failure that has `text` as its message, with what is relevant to it in `passages`."""
    report = FailureReport("", project, "", Run(""), suite_name="", test_name="", error_message=text)
    case = condense(Case(report, Analysis("", project)))
    return correct(retrieve(case, library), library, thresholds, sources, grader)


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
