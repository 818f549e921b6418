"""From a failure report to its analysis, one verb per file.

    condense   the report cut down to what fits a budget: errors and their surroundings, head and tail, repeats folded
    retrieve   known causes that look like it, from the knowledge base
    draft      an answer: a rule's verdict, else the best known cause, else "unknown" and what would be needed to know
    verify     every quote must stand in the report; a diagnosis without a quote is no diagnosis
    publish    interim: a reader who stops waiting has this much
    verify     once more, because whatever comes between may change the answer
    publish    final

Condensing comes first because all others read the digest, not the report: a log of 200 kB costs each of them the same as
one of 20 kB. Nothing is published, not even the interim answer, before its quotes are verified.

The steps know ports and the listener's contract, fingerprint and rules; never adapters, Celery or the environment.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter

from robot_ddn_listener.contract import Analysis, FailureReport, Stage

from ..ports import KnowledgeBase
from .case import Case
from .condense import condense
from .degrade import degraded
from .draft import draft
from .publish import publish
from .retrieve import retrieve
from .verify import verify

__all__ = ["PIPELINE_VERSION", "Pipeline", "Publish", "blank_analysis", "degraded"]

PIPELINE_VERSION = "1"  # part of every answer; raise it when the same report may get another answer

Publish = Callable[[Analysis], None]
Step = tuple[str, Callable[[Case], Case]]


class Pipeline:
    """Analyses reports, from several threads at a time, over one knowledge base."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self._knowledge = knowledge

    def analyze(self, report: FailureReport, publish: Publish = lambda analysis: None) -> Analysis:
        """Return the final analysis of `report`; `publish` is called with the interim one and with the final one."""
        case = Case(report, blank_analysis(report))
        for name, step in self._order(publish):
            case = _timed(name, step, case)
        return case.analysis

    def _order(self, to: Publish) -> tuple[Step, ...]:
        return (
            ("condense", condense),
            ("retrieve", partial(retrieve, knowledge=self._knowledge)),
            ("draft", draft),
            ("verify", verify),
            ("publish", partial(publish, stage=Stage.INTERIM, to=to)),
            ("verify", verify),
            ("publish", partial(publish, stage=Stage.FINAL, to=to)),
        )


def blank_analysis(report: FailureReport) -> Analysis:
    """Return the analysis that says nothing yet, addressed to `report`."""
    return Analysis(report_id=report.id, project=report.project, fingerprint=report.fingerprint)


def _timed(name: str, step: Callable[[Case], Case], case: Case) -> Case:
    seconds = case.analysis.engine.step_seconds
    start = perf_counter()
    case = step(case)
    taken = seconds.get(name, 0.0) + perf_counter() - start
    engine = replace(case.analysis.engine, pipeline_version=PIPELINE_VERSION, step_seconds={**seconds, name: round(taken, 6)})
    return replace(case, analysis=replace(case.analysis, engine=engine))
