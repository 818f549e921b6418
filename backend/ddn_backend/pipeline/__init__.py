"""From a failure report to its analysis, one verb per file.

    condense     the report cut down to what fits a budget: errors and their surroundings, head and tail, repeats folded
    keep         the report put into the history, so that it can be analysed again whatever happens
    recall       seen before? what a person said of the same failure holds; a recent diagnosis is used again
    retrieve     known causes and past failures that look like it
    correct      Corrective RAG: what was found is graded, refined, and searched for more widely where it is not enough
    draft        an answer without a model: a rule's verdict, else the best known cause, else "unknown" and what is missing
    suspect      commits since the last pass that touch the lines the failure went through
    cite         the answer names what it was looked up in, and what failed on the way
    verify       every quote must stand in the report; a diagnosis without a quote is no diagnosis
    publish      interim: a reader who stops waiting has this much
    investigate  a model concludes with read-only tools; equal failures that are analysed right now share one answer
    cite, verify once more, because the answer may be another one
    record       the answer put into the history
    publish      final

Condensing comes first because all others read the digest, not the report: a log of 200 kB costs each of them the same as
one of 20 kB. Nothing is published, not even the interim answer, before its quotes are verified. The model comes after the
interim answer, because it may take a minute. What was recalled is neither retrieved, drafted nor investigated again.

The steps know ports and the listener's contract, fingerprint and rules; never adapters, Celery or the environment.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

from robot_ddn_listener.contract import Analysis, FailureReport, Stage

from ..errors import BackendError, SettingsError
from ..ports import CodeHost, History, KnowledgeBase, Problem, SingleFlight, Source
from . import thresholds
from .case import Case
from .cite import cite
from .condense import condense
from .correct import correct
from .degrade import degraded
from .draft import draft
from .investigate import Investigator, investigate, unanswered
from .publish import publish
from .recall import last_pass_commit, recall, share, unless_recalled
from .record import keep, record
from .retrieve import Shipped, retrieve
from .suspect import suspect
from .thresholds import ByEvaluator
from .verify import verify

__all__ = ["PIPELINE_VERSION", "Parts", "Pipeline", "Publish", "blank_analysis", "degraded"]

PIPELINE_VERSION = "2"  # part of every answer; raise it when the same report may get another answer

Publish = Callable[[Analysis], None]
Step = tuple[str, Callable[[Case], Case]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of; what is None or empty is left out. `model` is the one that is asked, as configured."""

    library: Source
    thresholds: ByEvaluator
    elsewhere: Sequence[Source] = ()
    hosts: Sequence[CodeHost] = ()
    history: History | None = None
    flight: SingleFlight | None = None
    investigator: Investigator | None = None
    model: str = ""


class Pipeline:
    """Analyses reports, from several threads at a time."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    @classmethod
    def over(cls, knowledge: KnowledgeBase) -> "Pipeline":
        """Return one that needs no service: rules, and one knowledge base."""
        return cls(Parts(Shipped(knowledge), thresholds.load()))

    def analyze(self, report: FailureReport, publish: Publish = lambda analysis: None) -> Analysis:
        """Return the final analysis of `report`; `publish` is called with the interim one and with the final one."""
        return self.run(report, publish).analysis

    def run(self, report: FailureReport, publish: Publish = lambda analysis: None) -> Case:
        """Return the whole case; its `problems` are the configured parts that failed."""
        case = Case(report, blank_analysis(report))
        for name, step in self._order(publish):
            case = _timed(name, step, case)
        return case

    def prepared(self, report: FailureReport) -> Case:
        """Return the case as a model would get it: all steps before the first publication, and nothing kept."""
        case = Case(report, blank_analysis(report))
        for name, step in self._order(lambda analysis: None):
            if name == "publish":
                break
            if name not in ("keep", "recall"):
                case = step(case)
        return case

    def _order(self, to: Publish) -> Iterator[Step]:
        parts = self.parts
        yield "condense", condense
        if parts.history:
            yield "keep", partial(keep, history=parts.history)
            yield "recall", partial(recall, history=parts.history, pipeline_version=PIPELINE_VERSION, model=parts.model)
        yield "retrieve", unless_recalled(partial(retrieve, source=parts.library))
        yield "correct", unless_recalled(self._correct)
        yield "draft", unless_recalled(draft)
        if parts.hosts:
            yield "suspect", partial(suspect, hosts=parts.hosts, last_pass=self._last_pass)
        yield from (("cite", cite), ("verify", verify), ("publish", partial(publish, stage=Stage.INTERIM, to=to)))
        if parts.investigator:
            yield "investigate", unless_recalled(self._investigate)
            yield from (("cite", cite), ("verify", verify))
        if parts.history:
            yield "record", self._record
        yield "publish", partial(publish, stage=Stage.FINAL, to=to)

    def _correct(self, case: Case) -> Case:
        return correct(case, self.parts.library, self.parts.thresholds, self.parts.elsewhere)

    def _last_pass(self, report: FailureReport) -> str:
        return last_pass_commit(report, self.parts.history) if self.parts.history else ""

    def _investigate(self, case: Case) -> Case:
        """The model's answer; where it fails the draft stands, and the error is the operator's."""
        by, flight = self.parts.investigator, self.parts.flight
        assert by
        try:
            if not flight:
                return investigate(case, by)
            return share(case, flight, PIPELINE_VERSION, self.parts.model, partial(investigate, by=by))
        except (BackendError, SettingsError) as error:
            case = unanswered(case, by, error)
            return replace(case, problems=(*case.problems, Problem(f"{by.model.name}: {error}", error)))

    def _record(self, case: Case) -> Case:
        assert self.parts.history
        final = replace(case, analysis=replace(case.analysis, stage=Stage.FINAL))
        return cite(record(final, self.parts.history, self.parts.model))  # what the history itself could not take is told too


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
