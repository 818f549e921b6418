"""Widen: once the reader has an interim answer, there is time to ask the model what the found passages are worth, and to search
the web. Corrective RAG goes on where `correct` left it, out of the analysis' own limits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..ports import Source
from .allotment import Allotment
from .case import Case
from .correct import correct, wider
from .judge import Grading, ModelGrader
from .thresholds import ByEvaluator
from .web_search import WebSearch, WebSearching


@dataclass(frozen=True, slots=True)
class Searches:
    """What `correct` searched in: the library, and then the sources `elsewhere`."""

    library: Source
    thresholds: ByEvaluator
    elsewhere: Sequence[Source] = ()


@dataclass(frozen=True, slots=True)
class Wider:
    """What is done after the interim answer: the model grades, and its provider searches the web where nothing is relevant."""

    grading: Grading | None = None
    web: WebSearching | None = None


NOTHING_WIDER = Wider()


def widen(case: Case, wider_by: Wider, searches: Searches, allotment: Allotment) -> Case:
    """Return `case` with passages graded anew and searched for more widely, and with what that took of the model."""
    grader = ModelGrader(wider_by.grading, allotment) if wider_by.grading else None
    before = case.rounds
    if grader and before:  # what was decided by other grades is decided anew
        case = replace(case, passages=before[0].passages, rounds=())
        case = correct(case, searches.library, searches.thresholds, searches.elsewhere, grader)
    web = (WebSearch(wider_by.web, allotment),) if wider_by.web else ()
    case = wider(case, web, searches.thresholds, grader)
    told = tuple(dict.fromkeys((*before, *case.rounds)))
    return _accounted(replace(case, rounds=told), allotment)


def _accounted(case: Case, allotment: Allotment) -> Case:
    analysis, usage = case.analysis, allotment.usage
    engine = replace(
        analysis.engine,
        calls=analysis.engine.calls + usage.calls,
        tokens_in=analysis.engine.tokens_in + usage.tokens_in,
        tokens_out=analysis.engine.tokens_out + usage.tokens_out,
        cost_usd=round(analysis.engine.cost_usd + usage.cost_usd, 6),
    )
    return replace(case, analysis=replace(analysis, engine=engine, degraded=(*analysis.degraded, *allotment.notes)))
