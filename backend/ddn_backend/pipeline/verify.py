"""Verify: what is shown as a quote must stand in the report. A diagnosis that no quote supports is taken back."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from robot_ddn_listener.contract import (
    MAX_EVIDENCE,
    MAX_QUOTE_CHARACTERS,
    Analysis,
    ErrorType,
    Evidence,
    ExceptionInfo,
    FailureReport,
    Verdict,
)

from .case import Case

NO_QUOTE = "A passage of the report that supports a cause: none of those named stands in it."


def verify(case: Case) -> Case:
    """Return `case` with an answer whose quotes are all found in the report, white space folded."""
    return replace(case, analysis=verified(case.analysis, case.report))


def verified(analysis: Analysis, report: FailureReport) -> Analysis:
    """Return `analysis` without quotes that `report` does not have; at most MAX_EVIDENCE of MAX_QUOTE_CHARACTERS stay."""
    places = {where: _folded(text) for where, text in _places(report)}
    found = dict.fromkeys(quote for evidence in analysis.evidence for quote in _found(evidence, places))
    evidence = tuple(found)[:MAX_EVIDENCE]
    if analysis.verdict is Verdict.DIAGNOSED and not evidence and not analysis.confirmed_by:  # a person may know without a quote
        return _taken_back(analysis)
    return replace(analysis, evidence=evidence)


def _found(evidence: Evidence, places: Mapping[str, str]) -> Iterator[Evidence]:
    quote = _folded(evidence.quote)[:MAX_QUOTE_CHARACTERS].rstrip()
    if quote:
        first_its_own = sorted(places, key=lambda where: where != evidence.where)
        yield from (Evidence(quote, where) for where in [w for w in first_its_own if quote in places[w]][:1])


def _taken_back(analysis: Analysis) -> Analysis:
    return replace(
        analysis,
        verdict=Verdict.UNKNOWN,
        error_type=ErrorType.UNKNOWN,
        root_cause="",
        recommendation="",
        confidence=0.0,
        evidence=(),
        references=(),
        missing=(*analysis.missing, NO_QUOTE),
    )


def _folded(text: str) -> str:
    return " ".join(text.split())


def _places(report: FailureReport) -> Iterator[tuple[str, str]]:
    """Yield every place a quote may come from, the most telling first."""
    yield "error message", report.error_message
    yield "exception", "\n".join(_exception_texts(report.exception))
    yield "execution errors", "\n".join(error.text for error in report.execution_errors)
    yield "log", "\n".join(line.text for line in report.log)
    yield "code", "\n".join(_code_lines(report.exception))
    yield "keywords", "\n".join(" ".join((call.full_name, *call.args)) for call in report.keywords)


def _exception_texts(exception: ExceptionInfo | None) -> Iterator[str]:
    if exception:
        yield f"{exception.type}: {exception.message}"
        for frame in exception.frames:
            yield f"{frame.file}:{frame.line} {frame.function}"
        for cause in exception.causes:
            yield from _exception_texts(cause)


def _code_lines(exception: ExceptionInfo | None) -> Iterator[str]:
    if exception:
        for frame in exception.frames:
            yield from frame.code
        for cause in exception.causes:
            yield from _code_lines(cause)
