"""Draft: an answer without a model. A rule's verdict first, else the best known cause, else "unknown" and what is missing.

Rules are precise and may abstain; a known cause only looks alike. So a known cause needs both a score and a passage of the
report that shares most words with one of its symptoms, and even then its confidence stays below that of a rule.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from robot_ddn_listener.contract import (
    MAX_EVIDENCE,
    MAX_QUOTE_CHARACTERS,
    Analysis,
    ErrorType,
    Evidence,
    FailureReport,
    Reference,
    Verdict,
)
from robot_ddn_listener.rules import first_verdict

from ..ports import Passage
from .case import Case, Line
from .recall import recollected

# From here on a passage is an answer. Fitted on 82 labelled failures with the rules left out: of 58 answers 44 name the right error
# type; up to 0.8 a higher threshold answers fewer and is right no more often, a lower one is right less often.
PASSAGE_SCORE = 0.55
SUPPORT_SCORE = 0.4  # from here on a passage of the same error type supports a rule: its references are shown
SYMPTOM_SHARE = 0.6  # of a symptom's words that a line must share to be quoted for it
EXECUTION_ERRORS = "execution errors"  # of the whole run: alone they say nothing about this failure
HIGHEST_CONFIDENCE = 0.6  # of a known cause that only looks alike: "uncertain", never "likely"
LOWEST_CONFIDENCE = 0.4  # below it none is named; of those that PASSAGE_SCORE lets through more are right than that

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}|\d{3,}")


def draft(case: Case) -> Case:
    """Return `case` with a first answer."""
    verdict = replace(first_verdict(case.report), fingerprint=case.report.fingerprint, project=case.report.project)
    if verdict.verdict is Verdict.UNKNOWN:
        verdict = _from_known_cause(case, verdict) or replace(verdict, missing=verdict.missing or tuple(_missing(case.report)))
    else:
        verdict = _supported(case, verdict)
    engine = replace(verdict.engine, step_seconds=case.analysis.engine.step_seconds)
    return replace(case, analysis=recollected(replace(verdict, engine=engine), case.analysis))


def _supported(case: Case, verdict: Analysis) -> Analysis:
    for passage in case.passages:
        if passage.score >= SUPPORT_SCORE and passage.document.error_type is verdict.error_type:
            return replace(verdict, references=verdict.references or _addresses(passage))
    return verdict


def _from_known_cause(case: Case, verdict: Analysis) -> Analysis | None:
    for passage in case.passages:
        evidence = _evidence(case, passage)
        if passage.score >= PASSAGE_SCORE and any(item.where != EXECUTION_ERRORS for item in evidence):
            answer = replace(
                verdict,
                root_cause=_first_paragraph(passage.document.cause),
                recommendation=_first_paragraph(passage.document.remedy),
                evidence=evidence,
                references=_references(passage),
            )
            return _diagnosed(answer, passage) if passage.document.error_type is not ErrorType.UNKNOWN else _described(answer, case)
    return None


def _diagnosed(answer: Analysis, passage: Passage) -> Analysis:
    confidence = round(min(HIGHEST_CONFIDENCE, max(LOWEST_CONFIDENCE, HIGHEST_CONFIDENCE * passage.score)), 2)
    error_type = passage.document.error_type
    return replace(answer, verdict=Verdict.DIAGNOSED, error_type=error_type, confidence=confidence, missing=())


def _described(answer: Analysis, case: Case) -> Analysis:
    """A known kind of failure whose cause its text cannot tell, such as two values that differ: what to do is known."""
    return replace(answer, missing=answer.missing or tuple(_missing(case.report)))


def _evidence(case: Case, passage: Passage) -> tuple[Evidence, ...]:
    """Return quotes of the lines that share most words with one of the passage's symptoms, the best first."""
    symptoms = [words for words in (_words(symptom) for symptom in passage.document.symptoms) if words]
    rated = [(max((_share(words, line) for words in symptoms), default=0.0), line) for line in _telling(case.digest.lines)]
    rated = sorted((pair for pair in rated if pair[0] >= SYMPTOM_SHARE), key=lambda pair: -pair[0])
    quotes = {_quote(line, symptoms): line.where for _, line in rated}
    return tuple(Evidence(quote, where) for quote, where in quotes.items())[:MAX_EVIDENCE]


def _telling(lines: Iterable[Line]) -> Iterator[Line]:
    return (line for line in lines if line.is_error)


def _share(symptom: frozenset[str], line: Line) -> float:
    return len(symptom & _words(line.text)) / len(symptom)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def _quote(line: Line, symptoms: Iterable[frozenset[str]]) -> str:
    """Return what of `line` fits into a quote: all of it, or the part that starts with the first word of a symptom."""
    text = " ".join(line.text.split())
    if len(text) <= MAX_QUOTE_CHARACTERS:
        return text
    known = frozenset().union(*symptoms)
    start = next((match.start() for match in _WORD.finditer(text) if match[0].lower() in known), 0)
    start = min(start, len(text) - MAX_QUOTE_CHARACTERS)
    return text[start : start + MAX_QUOTE_CHARACTERS].strip()


def _references(passage: Passage) -> tuple[Reference, ...]:
    return _addresses(passage) or (Reference(passage.document.title),)


def _addresses(passage: Passage) -> tuple[Reference, ...]:
    return tuple(Reference(passage.document.title, url) for url in passage.document.urls)


def _first_paragraph(text: str) -> str:
    """The knowledge base keeps it to one sentence."""
    return " ".join(text.strip().split("\n\n")[0].split())


def _missing(report: FailureReport) -> Iterator[str]:
    if not report.exception:
        yield "The exception behind the message; it is only known for failures of library keywords."
    if not any(line.level in ("DEBUG", "TRACE") for line in report.log):
        yield "Log messages of level DEBUG: run the test with --loglevel DEBUG."
    if report.truncated:
        yield "The part of the log that did not fit into the report."
    yield "What the tested system logged at the time of the failure."
