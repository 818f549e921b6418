"""Judge: a model grades what a search found. It is shown the failure and all passages of a round at once, if it may see them.

Where it fails, or a limit is hit, the grades that the search gave stand, and it is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BackendError, SettingsError
from ..ports import Grades, LanguageModel, Passage, Problem, Query
from .allotment import Allotment
from .grade import MODEL
from .material import Redact, Send, fenced, may_see, passage_line, query_lines

CALLS = 2  # of one round: the second corrects an invalid answer
ROUNDS = 3  # that are graded in one analysis: what comes after them keeps the search's grades


@dataclass(frozen=True, slots=True)
class Grading:
    """How a model grades: what it is told, under which name thresholds are fitted for it, and what it may see."""

    model: LanguageModel
    name: str
    instructions: str
    send: Send
    redact: Redact


def evaluator_name(model: str) -> str:
    """Return the name under which thresholds are kept for the model that is configured as `model`."""
    return f"{MODEL} {model}"


class ModelGrader:
    """Implements the port Grader for one analysis, out of its `allotment`."""

    def __init__(self, grading: Grading, allotment: Allotment) -> None:
        self._grading = grading
        self._allotment = allotment
        self._rounds = 0
        self.name = grading.name

    def grade(self, query: Query, passages: Sequence[Passage]) -> Grades:
        """Return the model's grades; None for a passage that must not be sent, none at all where it cannot be had."""
        by = self._grading
        shown = [passage for passage in passages if may_see(passage.document.kind, by.send)]
        if not shown or self._is_over():
            return Grades()
        self._rounds += 1
        sent_to = (f"{by.model.name}, to grade passages: {by.send.of_a_query()}",)
        try:
            judgement = by.model.grade(self._allotment.inquiry(by.instructions, self._material(query, shown), CALLS), len(shown))
        except (BackendError, SettingsError) as error:
            self._rounds = ROUNDS  # it is not asked again in this analysis
            return Grades((), (Problem(f"{by.model.name}, grading: {error} The search's own grades are used.", error),), sent_to)
        if judgement.stopped:
            self._allotment.note(f"{by.model.name}, grading: {judgement.stopped}; the search's own grades are used")
            return Grades((), (), sent_to if judgement.usage.calls else ())
        values = iter(judgement.values)
        return Grades(tuple(next(values) if passage in shown else None for passage in passages), (), sent_to)

    def _is_over(self) -> bool:
        """Half of the calls at least are for the conclusion."""
        left = self._allotment.left
        return self._rounds >= ROUNDS or left.calls // 2 < CALLS

    def _material(self, query: Query, passages: Sequence[Passage]) -> str:
        failure = "\n".join(query_lines(query, self._grading.send))
        shown = "\n".join(f"## passage {number}\n{passage_line(passage)}" for number, passage in enumerate(passages, 1))
        return fenced(self._grading.redact(f"## failure\n{failure}\n\n{shown}"))
