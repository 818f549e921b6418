"""What is fitted on labelled failures: from which grade on a passage is relevant and below which it is not, by evaluator; and what
a model's confidence is worth.

A passage counts as right for a failure when its document names the failure's error type, an answer when it does. That is coarser
than "the same cause", which no label tells.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from robot_ddn_listener.contract import ErrorType

from ..pipeline import Parts, blank_analysis
from ..pipeline.allotment import Allotment
from ..pipeline.calibrate import Calibration
from ..pipeline.calibrate import fit as fit_calibration
from ..pipeline.case import Case
from ..pipeline.condense import condense
from ..pipeline.correct import first_query
from ..pipeline.grade import LEXICAL, grade
from ..pipeline.judge import ModelGrader
from ..pipeline.lookup import SHORT_WORDS, telling_words
from ..pipeline.retrieve import retrieve
from ..pipeline.thresholds import SHORT, Thresholds, fit, load
from ..pipeline.thresholds import Labelled as LabelledGrades
from ..ports import Grader, Passage, Query, Source
from .answers import Answer
from .labelled import Labelled, LabelledError, LabelledFile
from .replay import report_of

RERANKER = "reranker"


def fitted_thresholds(labelled: LabelledFile, parts: Parts, reranked: Source | None, today: date) -> dict[str, Thresholds]:
    """Return the thresholds of each evaluator that is there: lexical, the reranker of the source `reranked`, a grading model."""
    found = {LEXICAL: list(graded(labelled.records, parts.local or parts.library))}
    pieces = list(graded_pieces(labelled.records, parts.local or parts.library))
    if any(any(piece.right) for piece in pieces):
        found[SHORT] = pieces
    if reranked:
        found[RERANKER] = list(graded(labelled.records, reranked, RERANKER))
    if parts.wider.grading and parts.investigator:
        found[parts.wider.grading.name] = list(graded_by_model(labelled.records, parts))
    basis = f"{len(labelled.records)} labelled failures in {labelled.path.name}; right means the same error type"
    try:
        return {name: fit(grades, today.isoformat(), basis) for name, grades in found.items()}
    except ValueError as error:
        raise LabelledError(f"{error}") from error


def graded(records: Iterable[Labelled], source: Source, evaluator: str = LEXICAL) -> Iterator[LabelledGrades]:
    """Yield, by record, the grades that `evaluator` gave to what `source` finds for it and whether each passage is right."""
    for record in records:
        case = _searched(record, source)
        passages = case.passages
        if evaluator == LEXICAL:
            passages = tuple(replace(passage, grade=None, graded_by="") for passage in passages)
        yield _labelled(record, _by(evaluator, case, passages))


def graded_pieces(records: Iterable[Labelled], source: Source) -> Iterator[LabelledGrades]:
    """Yield the same for pieces of each error message, as a person would search for: two, three and four words of it, from its
    beginning, middle and end."""
    for record in records:
        words = telling_words(next(iter(report_of(record)[0].error_message.splitlines()), ""))
        for size in range(2, min(SHORT_WORDS, len(words)) + 1):
            for start in sorted({0, (len(words) - size) // 2, len(words) - size}):
                query = Query(" ".join(words[start : start + size]))
                found = (replace(passage, grade=None, graded_by="") for passage in source.find(query).passages)
                yield _labelled(record, grade(query, tuple(found), load()).passages)


def graded_by_model(records: Iterable[Labelled], parts: Parts) -> Iterator[LabelledGrades]:
    """Yield the same by the model that grades, a call a record; LabelledError where it fails."""
    by, grading = parts.investigator, parts.wider.grading
    assert by
    assert grading
    for record in records:
        case = _searched(record, parts.library)
        grader = ModelGrader(grading, Allotment(case.report, by.limits, by.budget))
        yield _labelled(record, _by(grading.name, case, case.passages, grader))


def fitted_calibration(answers: Iterable[Answer], file: str, today: date) -> dict[str, Calibration]:
    """Return what the confidence of each model that answered is worth, by the answers it was shown with."""
    said: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for answer in answers:
        if answer.is_shown and answer.analysis.engine.model:
            said[answer.analysis.engine.model].append((answer.analysis.confidence, answer.is_right))
    if not said:
        raise LabelledError("Fitting the calibration failed: no model concluded on any failure. It stays as it is.")
    basis = f"answers to labelled failures in {file}; right means the same error type"
    return {model: fit_calibration(pairs, today.isoformat(), basis) for model, pairs in said.items()}


def _searched(record: Labelled, source: Source) -> Case:
    report, _ = report_of(record)
    return retrieve(condense(Case(report, blank_analysis(report))), source)


def _by(evaluator: str, case: Case, passages: tuple[Passage, ...], grader: Grader | None = None) -> list[Passage]:
    found = grade(first_query(case), passages, load(), grader)
    for problem in (*case.problems, *found.problems):
        raise LabelledError(f"Fitting thresholds failed: {problem.note} They stay as they are.")
    return [passage for passage in found.passages if passage.graded_by == evaluator]


def _labelled(record: Labelled, passages: Iterable[Passage]) -> LabelledGrades:
    told = [passage for passage in passages if passage.document.error_type is not ErrorType.UNKNOWN]
    right = tuple(passage.document.error_type in (record.error_type, record.alternative) for passage in told)
    return LabelledGrades(tuple(passage.grade or 0.0 for passage in told), right)
