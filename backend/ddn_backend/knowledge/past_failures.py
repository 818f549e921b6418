"""A failure whose cause a person confirmed, as a document of the error library."""

from collections.abc import Iterable, Iterator

from robot_ddn_listener.contract import Analysis, ErrorType, ExceptionInfo, FailureReport, Similar

from ..ports import Document, DocumentKind, Shelf
from .library import PAST, past_id

MAX_SYMPTOMS = 12
MAX_SYMPTOM_CHARACTERS = 300
BATCH = 48


def past_failure(
    report: FailureReport,
    *,
    error_type: ErrorType,
    root_cause: str,
    recommendation: str,
    analysis: Analysis | None = None,
    confirmed_by: str = "",
    when: str = "",
    ticket: str = "",
) -> Document:
    """Return the document that lets failures like `report` find its confirmed cause; quotes of `analysis` are symptoms too."""
    return Document(
        id=past_id(report.id),
        title=f"Past failure of {report.full_name or report.test_name}",
        error_type=error_type,
        cause=root_cause,
        remedy=recommendation,
        symptoms=tuple(dict.fromkeys(_symptoms(report, analysis)))[:MAX_SYMPTOMS],
        kind=DocumentKind.PAST_FAILURE,
        project=report.project,
        past=Similar(report.id, when, root_cause, confirmed_by, ticket),
    )


def rebuild(shelf: Shelf, failures: Iterable[Document]) -> int:
    """Put all `failures` into a lost error library and return how many; what else is there stays."""
    by_project: dict[str, list[Document]] = {}
    for failure in failures:
        by_project.setdefault(failure.project, []).append(failure)
    for project, documents in by_project.items():
        there = shelf.ids(project, PAST)
        missing = [document for document in documents if document.id not in there]
        for start in range(0, len(missing), BATCH):
            shelf.put(project, missing[start : start + BATCH])
    return sum(map(len, by_project.values()))


def _symptoms(report: FailureReport, analysis: Analysis | None) -> Iterator[str]:
    for evidence in analysis.evidence if analysis else ():
        yield evidence.quote
    yield from (line.strip()[:MAX_SYMPTOM_CHARACTERS] for line in report.error_message.splitlines()[:MAX_SYMPTOMS] if line.strip())
    yield from (f"{error.type}: {error.message}"[:MAX_SYMPTOM_CHARACTERS] for error in _chain(report.exception))


def _chain(exception: ExceptionInfo | None) -> Iterator[ExceptionInfo]:
    if exception:
        yield exception
        for cause in exception.causes:
            yield from _chain(cause)
