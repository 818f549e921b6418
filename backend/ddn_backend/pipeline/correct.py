"""Correct: Corrective RAG (arXiv 2401.15884). What a search found is graded before anybody believes it.

correct     a passage is relevant: the passages are cut into strips, those that say nothing about this failure dropped, and
            the rest put together again
incorrect   all passages are irrelevant, or there are none: they are discarded, the query is written anew from another side
            of the failure, and one source after the other is asked until one has something relevant
ambiguous   nobody knows: both
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from robot_ddn_listener.contract import ExceptionInfo, FailureReport

from ..ports import Document, Found, Grader, Passage, Query, Source, Standing
from .case import Case, Round
from .grade import grade, ordered
from .thresholds import ByEvaluator

CORRECT, INCORRECT, AMBIGUOUS = "correct", "incorrect", "ambiguous"

PASSAGES = 5  # that are left at most
ERROR_LINES = 8  # of the log, the first ones: the first query has the last
LINE_CHARACTERS = 300
QUERY_CHARACTERS = 2_000
STRIP_SHARE = 0.2  # of a strip's words that the failure must have for it to say something about the failure
MAX_STRIPS = 8  # of one document, its cause and its remedy among them

_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_STRIPS = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)")
_HEADING = re.compile(r"^#+ .*$", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z][A-Za-z]{2,}|\d{3,}")
_STEM_CHARACTERS = 6  # "connection", "connect" and "connected" are one word


def correct(
    case: Case, library: Source, thresholds: ByEvaluator, sources: Sequence[Source] = (), grader: Grader | None = None
) -> Case:
    """Return `case` with what is relevant of its passages, and with what wider searches found where they were not enough.

    The wider searches ask `library` and then `sources`, in this order, with the query written anew.
    """
    query = first_query(case)
    if not query.text.strip():
        return case
    case = _round(case, library.name, query, Found(case.passages), thresholds, grader)
    action = decide(case.rounds[-1].passages)
    if action != CORRECT:
        case = _widened(case, (library, *sources), thresholds, grader)
    return replace(case, action=action, passages=_recomposed(case.rounds))


def wider(case: Case, sources: Sequence[Source], thresholds: ByEvaluator, grader: Grader | None = None) -> Case:
    """Return `case`, where nothing relevant was found yet, with what `sources` have, one after the other."""
    if not sources or not case.action or any(decide(a_round.passages) == CORRECT for a_round in case.rounds):
        return case
    case = _widened(case, sources, thresholds, grader)
    return replace(case, passages=_recomposed(case.rounds))


def decide(passages: Sequence[Passage]) -> str:
    """Return what is to be done about graded passages."""
    standings = {passage.standing for passage in passages}
    if Standing.RELEVANT in standings:
        return CORRECT
    return AMBIGUOUS if Standing.UNSURE in standings else INCORRECT


def refined(passage: Passage, words: frozenset[str]) -> Passage:
    """Return `passage` with the text of its strips that share words with the failure; cause and remedy always stay."""
    strips = _strips(passage.document)
    telling = [(strip, _share(strip_words, words)) for strip, strip_words in strips[2:]]
    best = sorted((share for _, share in telling if share >= STRIP_SHARE), reverse=True)[: MAX_STRIPS - 2]
    kept = [strip for strip, share in telling if best and share >= best[-1]][: MAX_STRIPS - 2]
    return replace(passage, text="\n".join(dict.fromkeys([*(strip for strip, _ in strips[:2]), *kept])))


def first_query(case: Case) -> Query:
    """Return what `retrieve` looked for."""
    return Query(case.query, case.report.project, case.report.error_message[:QUERY_CHARACTERS])


def rewritten(case: Case) -> Query:
    """Return a query from another side: causes of the exception, the log's first errors, the keyword; no quoted values."""
    report = case.report
    errors = [line.text for line in case.digest.lines if line.where == "log" and line.is_error][:ERROR_LINES]
    lines = [*reversed(list(_exceptions(report.exception))), *errors, *_failing_keyword(report), *report.error_message.splitlines()]
    told = dict.fromkeys(_QUOTED.sub(" ", line)[:LINE_CHARACTERS].strip() for line in lines)
    text = "\n".join(line for line in told if line)[:QUERY_CHARACTERS]
    return Query(text, report.project, _QUOTED.sub(" ", report.error_message)[:QUERY_CHARACTERS])


def _round(case: Case, source: str, query: Query, found: Found, thresholds: ByEvaluator, grader: Grader | None) -> Case:
    graded = grade(query, found.passages, thresholds, grader)
    return replace(
        case,
        rounds=(*case.rounds, Round(source, query.text, graded.passages)),
        problems=(*case.problems, *found.problems, *graded.problems),
        sent_to=tuple(dict.fromkeys((*case.sent_to, *found.sent_to, *graded.sent_to))),
    )


def _widened(case: Case, sources: Sequence[Source], thresholds: ByEvaluator, grader: Grader | None) -> Case:
    query = rewritten(case)
    for source in sources:
        case = _round(case, source.name, query, source.find(query, PASSAGES), thresholds, grader)
        if decide(case.rounds[-1].passages) == CORRECT:
            break
    return case


def _recomposed(rounds: Sequence[Round]) -> tuple[Passage, ...]:
    """Return what is relevant of all rounds, each document cut down to its strips about this failure."""
    kept = _relevant(passage for a_round in rounds for passage in a_round.passages)
    words = _words("\n".join(a_round.query for a_round in rounds))
    return tuple(refined(passage, words) for passage in kept[:PASSAGES])


def _relevant(passages: "Iterator[Passage] | Sequence[Passage]") -> tuple[Passage, ...]:
    """Return what is not irrelevant, each document once, by its best grade."""
    best: dict[str, Passage] = {}
    for passage in ordered(passage for passage in passages if passage.standing in (Standing.RELEVANT, Standing.UNSURE)):
        best.setdefault(passage.document.id, passage)
    return tuple(best.values())


@lru_cache(maxsize=1024)
def _strips(document: Document) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return the document in strips with their words: first its cause and its remedy, a sentence each, then the rest."""
    cause, *more_cause = _pieces(document.cause)
    remedy, *more_remedy = _pieces(document.remedy)
    rest = dict.fromkeys([*more_cause, *more_remedy, *_pieces(document.text)])
    return tuple((strip, _words(strip)) for strip in (cause, remedy, *(strip for strip in rest if strip not in (cause, remedy))))


def _pieces(text: str) -> list[str]:
    pieces = (" ".join(piece.split()) for piece in _STRIPS.split(_HEADING.sub("\n", text)))
    return [piece for piece in pieces if piece] or [""]


def _share(words: frozenset[str], known: frozenset[str]) -> float:
    return len(words & known) / len(words) if words else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM_CHARACTERS].lower() for word in _WORD.findall(text))


def _exceptions(exception: ExceptionInfo | None) -> Iterator[str]:
    if exception:
        yield f"{exception.type}: {exception.message}"
        for cause in exception.causes:
            yield from _exceptions(cause)


def _failing_keyword(report: FailureReport) -> Iterator[str]:
    yield from (call.full_name for call in report.keywords[-1:])
