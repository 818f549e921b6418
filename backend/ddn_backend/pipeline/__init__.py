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
    investigate  a model concludes with read-only tools; equal failures that are analysed right now share one answer. Before it
                 concludes, it may grade what was found, and search the web where that is not enough
    cite, verify once more, because the answer may be another one
    record       the answer put into the history
    publish      final

A model on trial (shadow) comes after the final answer, which is the one without it; then it is recorded once more.

Condensing comes first because all others read the digest, not the report: a log of 200 kB costs each of them the same as
one of 20 kB. Nothing is published, not even the interim answer, before its quotes are verified. The model comes after the
interim answer, because it may take a minute; services that are asked before it get half a second, then a draft of what this
machine knows is published ahead, and theirs comes with the final answer. What was recalled is neither retrieved, drafted nor
investigated again.

The steps know ports and the listener's contract, fingerprint and rules; never adapters, Celery or the environment.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

from robot_ddn_listener.contract import Analysis, FailureReport, Stage

from ..errors import BackendError, SettingsError, TransientError
from ..ports import CodeHost, History, KnowledgeBase, Problem, SingleFlight, Source
from . import thresholds
from .allotment import Allotment
from .case import Case
from .cite import cite
from .condense import condense
from .correct import correct
from .degrade import degraded
from .draft import draft
from .in_time import DRAFT_SECONDS, in_time
from .investigate import Investigator, investigate, unanswered
from .publish import publish
from .recall import last_pass_commit, recall, share, unless_recalled
from .record import keep, record
from .retrieve import Shipped, retrieve
from .shadow import shadowed
from .suspect import suspect
from .thresholds import ByEvaluator
from .verify import verify
from .widen import NOTHING_WIDER, Searches, Wider, widen

__all__ = ["PIPELINE_VERSION", "Parts", "Pipeline", "Publish", "blank_analysis", "degraded"]

PIPELINE_VERSION = "6"  # part of every answer; raise it when the same report may get another answer

CHECKED = frozenset({"condense", "publish", "investigate", "record"})  # a look at Redis takes as long as most other steps

Publish = Callable[[Analysis], None]
Step = tuple[str, Callable[[Case], Case]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of; what is None or empty is left out. `model` is the one that is asked, as configured.

    `local` is what this machine knows by itself: where services are asked before the draft, and take long, a draft is made of it.
    Where the library has nothing, `elsewhere` is searched and then the `code`. With `in_shadow` the model's answers are recorded
    and not shown. `fitted` names thresholds and calibration other than those that ship.
    """

    library: Source
    thresholds: ByEvaluator
    elsewhere: Sequence[Source] = ()
    hosts: Sequence[CodeHost] = ()
    history: History | None = None
    flight: SingleFlight | None = None
    investigator: Investigator | None = None
    local: Source | None = None
    model: str = ""
    code: Sequence[Source] = ()
    wider: Wider = NOTHING_WIDER
    in_shadow: bool = False
    fitted: str = ""

    @property
    def version(self) -> str:
        """Of all that decides an answer: the steps, what the model is told, what was fitted. Another one reuses nothing."""
        told = self.investigator.version if self.investigator else ""
        return ".".join(part for part in (PIPELINE_VERSION, told, self.fitted, "shadow" if self.in_shadow else "") if part)


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

    def run(
        self, report: FailureReport, publish: Publish = lambda analysis: None, check: Callable[[], None] = lambda: None
    ) -> Case:
        """Return the whole case; its `problems` are the configured parts that failed.

        `check` is called before the steps in CHECKED; what it raises ends the analysis.
        """
        steps = tuple(self._order(publish))
        looked_up = [name for name, _ in steps].index("cite")

        def walked(case: Case, some: Sequence[Step]) -> Case:
            for name, step in some:
                if name in CHECKED:
                    check()
                case = _timed(name, step, case, self.parts.version)
            return case

        case = walked(Case(report, blank_analysis(report)), steps[:1])
        look_up = partial(walked, case, steps[1:looked_up])
        case = in_time(look_up, partial(self._draft_ahead, case, publish)) if self.parts.local else look_up()
        return walked(case, steps[looked_up:])

    def _draft_ahead(self, case: Case, to: Publish) -> None:
        """Publish the draft that can be had without asking any service."""
        source = self.parts.local
        assert source
        case = draft(correct(retrieve(case, source), source, self.parts.thresholds))
        waiting = f"services: no answer within {DRAFT_SECONDS:g} s, still waited for"
        case = replace(case, problems=(*case.problems, Problem(waiting, TransientError(waiting))))
        publish(verify(cite(case)), Stage.INTERIM, to)

    def close(self) -> None:
        """Give the connections of its history and its model back."""
        if self.parts.history:
            self.parts.history.close()
        if self.parts.investigator:
            self.parts.investigator.model.close()

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
            yield "recall", partial(recall, history=parts.history, pipeline_version=parts.version, model=parts.model)
        yield "retrieve", unless_recalled(partial(retrieve, source=parts.library))
        yield "correct", unless_recalled(self._correct)
        yield "draft", unless_recalled(draft)
        if parts.hosts:
            yield "suspect", partial(suspect, hosts=parts.hosts, last_pass=self._last_pass)
        yield from (("cite", cite), ("verify", verify), ("publish", partial(publish, stage=Stage.INTERIM, to=to)))
        if parts.investigator and not parts.in_shadow:
            yield "investigate", unless_recalled(self._investigate)
            yield from (("cite", cite), ("verify", verify))
        yield from self._end(to)
        if parts.investigator and parts.in_shadow:
            yield "investigate", unless_recalled(partial(shadowed, investigate=self._investigate))
            yield from self._end(to)

    def _end(self, to: Publish) -> Iterator[Step]:
        if self.parts.history:
            yield "record", self._record
        yield "publish", partial(publish, stage=Stage.FINAL, to=to)

    def _correct(self, case: Case) -> Case:
        searches = self._searches
        return correct(case, searches.library, searches.thresholds, searches.elsewhere)

    @property
    def _searches(self) -> Searches:
        return Searches(self.parts.library, self.parts.thresholds, (*self.parts.elsewhere, *self.parts.code))

    def _last_pass(self, report: FailureReport) -> str:
        return last_pass_commit(report, self.parts.history) if self.parts.history else ""

    def _investigate(self, case: Case) -> Case:
        """The model's answer; where it fails the draft stands, and the error is the operator's."""
        flight = self.parts.flight
        if not flight:
            return self._asked(case)
        try:
            return share(case, flight, self.parts.version, self.parts.model, self._asked)
        except (BackendError, SettingsError) as error:
            return self._unanswered(case, error)

    def _asked(self, case: Case) -> Case:
        so_far = [case]
        assert self.parts.investigator

        def wide(case: Case, allotment: Allotment) -> Case:
            so_far.append(widen(case, self.parts.wider, self._searches, allotment))
            return so_far[-1]

        try:
            return investigate(case, self.parts.investigator, wide)
        except (BackendError, SettingsError) as error:
            return self._unanswered(so_far[-1], error)

    def _unanswered(self, case: Case, error: Exception) -> Case:
        by = self.parts.investigator
        assert by
        case = unanswered(case, by, error)
        return replace(case, problems=(*case.problems, Problem(f"{by.model.name}: {error}", error)))

    def _record(self, case: Case) -> Case:
        assert self.parts.history
        final = replace(case, analysis=replace(case.analysis, stage=Stage.FINAL))
        return cite(record(final, self.parts.history, self.parts.model))  # what the history itself could not take is told too


def blank_analysis(report: FailureReport) -> Analysis:
    """Return the analysis that says nothing yet, addressed to `report`."""
    return Analysis(report_id=report.id, project=report.project, fingerprint=report.fingerprint)


def _timed(name: str, step: Callable[[Case], Case], case: Case, version: str) -> Case:
    seconds = case.analysis.engine.step_seconds
    start = perf_counter()
    case = step(case)
    taken = seconds.get(name, 0.0) + perf_counter() - start
    engine = replace(case.analysis.engine, pipeline_version=version, step_seconds={**seconds, name: round(taken, 6)})
    return replace(case, analysis=replace(case.analysis, engine=engine))
