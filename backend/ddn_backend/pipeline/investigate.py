"""Investigate: a model looks into the case with read-only tools and concludes; what it says is believed as far as it is proved.

The model is asked at most within its limits; where one is hit, or a budget is used up, the draft stands and `degraded` says why.
A conclusion with quotes that do not stand in the report, or with a middling confidence, goes back once with these objections.
Then its quotes are verified, and its confidence decides:

    from .85          a diagnosis
    from .65          a diagnosis to be confirmed: "likely"
    from .40          a diagnosis after self-correction: "uncertain"
    below, or no quote  unknown, with what is missing; a rule's diagnosis is not given up for it

Where the model has a fit (calibrate.py), its confidence counts as what that was worth on labelled failures.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from robot_ddn_listener.contract import Analysis, ErrorType, Evidence, FailureReport, Step, Verdict

from ..ports import Budget, Conclusion, Inquiry, LanguageModel, Limits, Reply
from .allotment import Allotment
from .calibrate import Calibrate, uncalibrated
from .case import Case
from .material import Material, Redact, Send, material, visible
from .tools import Sources, Toolbox
from .verify import verified

PLAIN = 0.85
LIKELY = 0.65
UNCERTAIN = 0.40
SENTENCE_CHARACTERS = 600  # of root cause and recommendation
MAX_MISSING = 5
USUAL_LIMITS = Limits()
NOT_SURE = "A cause that the evidence proves: the model was not sure enough of any."

_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)|\b[a-z][a-z0-9+.-]*://\S+|\b(?:data|javascript):\S+", re.IGNORECASE)


def _no_sources(_report: FailureReport) -> Sources:
    return Sources()


@dataclass(frozen=True, slots=True)
class Investigator:
    """What the step works with, put together once. `sources` binds the tools to a report's project.

    `redact` takes secrets out of code; `calibrate` turns a model's confidence into a probability, or returns None where that
    model has no fit. `version` is that of all that the model is told: another one may give another answer.
    """

    model: LanguageModel
    budget: Budget
    instructions: str
    redact: Redact
    send: Send = Send.LOG
    sources: Callable[[FailureReport], Sources] = _no_sources
    limits: Limits = USUAL_LIMITS
    calibrate: Calibrate = uncalibrated
    version: str = ""


Widen = Callable[[Case, Allotment], Case]


def _as_it_is(case: Case, _allotment: Allotment) -> Case:
    return case


def investigate(case: Case, by: Investigator, widen: Widen = _as_it_is) -> Case:
    """Return `case` with the model's answer, or with the draft and why it stands; the model's errors are the caller's.

    `widen` goes first, out of the same limits.
    """
    report = case.report
    if refusal := by.budget.admit(report.project, report.run.id, report.id):
        return _draft_stands(case, f"{by.model.name}: not asked: {refusal}")
    allotment = Allotment(report, by.limits, by.budget)
    return _concluded(widen(case, allotment), by, allotment.left)


def _concluded(case: Case, by: Investigator, limits: Limits) -> Case:
    report = case.report
    toolbox = Toolbox(report, by.sources(report), by.send, by.redact)
    told = material(case, by.send, by.redact)
    reply = by.model.conclude(_inquiry(case, by, told, toolbox, limits))
    case = _accounted(case, by, reply, toolbox, told)
    if not reply.conclusion:
        return _draft_stands(case, f"{by.model.name}: {reply.stopped}; the answer found without it stands")
    return replace(case, analysis=_judged(case.analysis, report, reply.conclusion, reply.model, by))


def preview(case: Case, instructions: str, send: Send, redact: Redact, sources: Sources, limits: Limits) -> Inquiry:
    """Return what a model would be asked about `case`; none of its tools may be called."""
    toolbox = Toolbox(case.report, sources, send, redact)
    return Inquiry(instructions, material(case, send, redact).text, toolbox.tools, limits)


def unanswered(case: Case, by: Investigator, error: Exception) -> Case:
    """Return `case` with its draft for the reader while `error` is the operator's: what may have been sent is said, too."""
    case = _draft_stands(case, f"{by.model.name}: {error}")
    return replace(case, analysis=_sent(case.analysis, by, material(case, by.send, by.redact).kinds))


def objections(conclusion: Conclusion, report: FailureReport, confidence: float | None = None) -> str:
    """Return what speaks against `conclusion` as it stands, for its author; empty when nothing does.

    `confidence` is what its own one is worth, where that is known.
    """
    problems = []
    confidence = conclusion.confidence if confidence is None else confidence
    if lost := _not_found(conclusion.evidence, report):
        quotes = "; ".join(f"'{quote[:120]}'" for quote in lost)
        problems.append(f"These quotes do not stand in the material: {quotes}. Copy passages letter by letter, or leave them out.")
    if confidence >= UNCERTAIN and len(lost) == len(conclusion.evidence):
        problems.append(
            "No quote supports the root cause. Without one it is not shown: quote what proves it, or lower the confidence."
        )
    if UNCERTAIN <= confidence < LIKELY:
        problems.append(
            "You are not sure. Name the other cause that fits best and check what tells the two apart; then answer again: "
            "with another root cause, with better evidence, or with a lower confidence and what is missing."
        )
    return " ".join(problems)


def _inquiry(case: Case, by: Investigator, told: Material, toolbox: Toolbox, limits: Limits) -> Inquiry:
    project, run_id = case.report.project, case.report.run.id

    def check(conclusion: Conclusion, model: str) -> str:
        return objections(conclusion, case.report, by.calibrate(model, conclusion.confidence))

    return Inquiry(
        instructions=by.instructions,
        material=told.text,
        tools=toolbox.tools,
        limits=limits,
        objections=_once(check),
        before_call=lambda seconds: by.budget.before_call(project, run_id, seconds),
        after_call=lambda usage: by.budget.after_call(project, run_id, usage),
    )


def _once(check: Callable[[Conclusion, str], str]) -> Callable[[Conclusion, str], str]:
    """Return `check` that objects once: a second correction rarely finds more and costs as much."""
    objected: list[str] = []

    def objections_once(conclusion: Conclusion, model: str) -> str:
        if not objected and (problem := check(conclusion, model)):
            objected.append(problem)
            return problem
        return ""

    return objections_once


def _not_found(evidence: Iterable[Evidence], report: FailureReport) -> list[str]:
    return [item.quote for item in evidence if not verified(Analysis(report.id, evidence=(item,)), report).evidence]


def _draft_stands(case: Case, why: str) -> Case:
    return replace(case, analysis=replace(case.analysis, degraded=(*case.analysis.degraded, why)))


def _accounted(case: Case, by: Investigator, reply: Reply, toolbox: Toolbox, told: Material) -> Case:
    """Return `case` with what the investigation took, did and sent, whoever's answer is shown in the end."""
    analysis, usage = case.analysis, reply.usage
    engine = replace(
        analysis.engine,
        calls=analysis.engine.calls + usage.calls,
        tokens_in=analysis.engine.tokens_in + usage.tokens_in,
        tokens_out=analysis.engine.tokens_out + usage.tokens_out,
        cost_usd=round(analysis.engine.cost_usd + usage.cost_usd, 6),
    )
    trace = (*analysis.trace, *reply.trace, *(Step(thought=note) for note in reply.notes))
    analysis = replace(analysis, engine=engine, trace=trace, degraded=(*analysis.degraded, *toolbox.problems))
    if usage.calls:
        analysis = _sent(analysis, by, told.kinds | toolbox.kinds)
        analysis = replace(analysis, sent_to=tuple(dict.fromkeys((*analysis.sent_to, *toolbox.sent_to))))
    return replace(case, analysis=analysis)


def _sent(analysis: Analysis, by: Investigator, kinds: frozenset[Send]) -> Analysis:
    what = ", ".join(kind.value for kind in Send if kind in kinds)
    return replace(analysis, sent_to=tuple(dict.fromkeys((*analysis.sent_to, f"{by.model.name}: {what}"))))


def _judged(draft: Analysis, report: FailureReport, conclusion: Conclusion, model: str, by: Investigator) -> Analysis:
    probability = by.calibrate(model, conclusion.confidence)
    answer = _answer(draft, conclusion, model, probability)
    is_sure = answer.confidence >= UNCERTAIN and answer.error_type is not ErrorType.UNKNOWN and bool(answer.root_cause)
    answer = verified(answer, report) if is_sure else _unknown(answer, report)
    if answer.verdict is Verdict.DIAGNOSED:
        return replace(answer, missing=() if answer.confidence >= LIKELY else answer.missing)
    if draft.verdict is Verdict.DIAGNOSED and draft.engine.rule_id:
        note = f"{model} did not find the cause (confidence {conclusion.confidence:.2f}); the rule's answer stands."
        return replace(draft, missing=(*draft.missing, *answer.missing)[:MAX_MISSING], trace=(*draft.trace, Step(thought=note)))
    return answer


def _answer(draft: Analysis, conclusion: Conclusion, model: str, probability: float | None) -> Analysis:
    is_same = conclusion.error_type is draft.error_type
    return replace(
        draft,
        verdict=Verdict.DIAGNOSED,
        error_type=conclusion.error_type,
        root_cause=_sentence(conclusion.root_cause),
        recommendation=_sentence(conclusion.recommendation),
        confidence=round(conclusion.confidence if probability is None else probability, 2),
        calibrated=probability is not None,
        evidence=conclusion.evidence,
        missing=tuple(text for item in conclusion.missing[:MAX_MISSING] if (text := _sentence(item))),
        references=draft.references if is_same else (),
        engine=replace(draft.engine, model=model, rule_id=draft.engine.rule_id if is_same else ""),
    )


def _unknown(answer: Analysis, report: FailureReport) -> Analysis:
    return replace(
        verified(replace(answer, verdict=Verdict.UNKNOWN), report),
        error_type=ErrorType.UNKNOWN,
        root_cause="",
        recommendation="",
        references=(),
        missing=answer.missing or (NOT_SURE,),
    )


def _sentence(text: str) -> str:
    """Return a model's text on one line, without links: a text in a log could have made it carry something away in one."""
    return _LINK.sub(lambda link: link[1] or "[link]", " ".join(visible(text).split()))[:SENTENCE_CHARACTERS]
