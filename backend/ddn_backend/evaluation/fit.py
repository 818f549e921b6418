"""Thresholds fitted on labelled failures: from which grade on a passage is relevant, below which it is not.

A passage counts as right for a failure when its document names the failure's error type. That is coarser than "the same cause",
which no label tells.
"""

from collections.abc import Iterable
from datetime import date

from robot_ddn_listener.contract import ErrorType

from ..pipeline import blank_analysis
from ..pipeline.case import Case
from ..pipeline.condense import condense
from ..pipeline.grade import LEXICAL, grade
from ..pipeline.retrieve import Shipped, retrieve
from ..pipeline.thresholds import Labelled as LabelledGrades
from ..pipeline.thresholds import Thresholds, fit, load
from ..ports import KnowledgeBase, Query
from .labelled import Labelled, LabelledError, LabelledFile
from .replay import report_of


def fitted_thresholds(labelled: LabelledFile, knowledge: KnowledgeBase, today: date) -> dict[str, Thresholds]:
    """Return the thresholds that ship, with those of the lexical evaluator fitted on `labelled`."""
    basis = f"{len(labelled.records)} labelled failures in {labelled.path.name}; right means the same error type"
    try:
        fitted = fit(list(graded(labelled.records, knowledge)), today.isoformat(), basis)
    except ValueError as error:
        raise LabelledError(f"{error}") from error
    return {**load(), LEXICAL: fitted}


def graded(records: Iterable[Labelled], knowledge: KnowledgeBase) -> Iterable[LabelledGrades]:
    """Yield, by record, the grades of what `knowledge` finds for it and whether each passage is right."""
    for record in records:
        report, _ = report_of(record)
        case = retrieve(condense(Case(report, blank_analysis(report))), Shipped(knowledge))
        found = grade(Query(case.query, report.project, report.error_message), case.passages, load()).passages
        told = [passage for passage in found if passage.document.error_type is not ErrorType.UNKNOWN]
        right = tuple(passage.document.error_type in (record.error_type, record.alternative) for passage in told)
        yield LabelledGrades(tuple(passage.grade or 0.0 for passage in told), right)
