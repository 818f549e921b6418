"""Recall: has this failure been seen before, what was found out then, and has a person said what it is?

In this order: what a person said of the same failure (project and fingerprint) holds at once; else the latest diagnosis is
used again if the same pipeline and model made it, nothing was missing, and it is not too old; else the failure is analysed,
and `share` lets equal failures that are analysed right now share one answer.

Novelty, from what the history holds:

    flaky       the test passed and failed at one commit, without changes to it, in the last FLAKY_DAYS; where this very
                failure is the only one at its commit, it counts if the same failure was seen before
    new         the failure was not seen before in this project
    regressed   the test passed on the same branch after the failure was last seen there, in another run
    known       any other failure that was seen before
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

from robot_ddn_listener.contract import (
    MAX_QUOTE_CHARACTERS,
    Analysis,
    Engine,
    Evidence,
    FailureReport,
    Novelty,
    Similar,
    Stage,
    Verdict,
    decode,
    encode,
)
from robot_ddn_listener.fingerprint import normalise

from ..ports import OUTCOME_DAYS, Earlier, Feedback, FeedbackKind, History, HistoryError, PastOutcome, SingleFlight
from .case import Case
from .record import has_failed, utc_now, with_problem
from .verify import verified

REUSE_DAYS = 7  # an older diagnosis may be of another time: services, data and code change
FLAKY_DAYS = OUTCOME_DAYS

Step = Callable[[Case], Case]


def recall(case: Case, history: History, pipeline_version: str, model: str = "", now: Callable[[], datetime] = utc_now) -> Case:
    """Return `case` with novelty, first_seen and times_seen, and with the answer of a person or of an earlier analysis.

    `model` is the one that would be asked, as configured. The report must have been kept before.
    """
    if has_failed(case):
        return case
    try:
        return _recalled(case, history, pipeline_version, model, now())
    except HistoryError as error:
        return with_problem(case, error)


def is_recalled(case: Case) -> bool:
    """Return whether the answer was there before: then nothing else needs to look for one."""
    return bool(case.analysis.reused_from or case.analysis.confirmed_by)


def unless_recalled(step: Step) -> Step:
    """Return a step that leaves an answer alone which was recalled."""
    return lambda case: case if is_recalled(case) else step(case)


def recollected(analysis: Analysis, earlier: Analysis) -> Analysis:
    """Return `analysis` with what recall found out on the way: for a step that makes a new answer."""
    return replace(analysis, novelty=earlier.novelty, first_seen=earlier.first_seen, times_seen=earlier.times_seen)


def last_pass_commit(report: FailureReport, history: History) -> str:
    """Return the commit at which the test of `report` last passed, on its branch or else on any; empty where none is known."""
    try:
        passes = (history.last_pass(report.project, _test(report), branch) for branch in (report.run.git.branch, None))
        return next((found.commit for found in passes if found), "")
    except HistoryError:  # `recall` has told it
        return ""


def share(case: Case, flight: SingleFlight, pipeline_version: str, model: str, compute: Step) -> Case:
    """Return `compute(case)`, or `case` with the answer to an equal failure that is being analysed, or was a moment ago.

    A degraded answer is not shared. An answer that found no cause is not taken by a report that tells more.
    """
    if is_recalled(case):
        return case
    key = "\0".join((case.report.project, case.report.fingerprint, pipeline_version, model))
    return flight.fly(key, partial(compute, case), _shared, partial(_taken, case))


def by_person(case: Case, said: Feedback, confirmed: Analysis | None = None) -> Analysis:
    """Return the answer that a person gave; of a `confirmed` analysis, the quotes that this report has as well."""
    evidence = _requoted(case, confirmed).evidence if confirmed and said.kind is FeedbackKind.CONFIRM else ()
    similar = Similar(said.report_id, said.when, said.root_cause, said.who, said.ticket)
    return replace(
        case.analysis,
        verdict=Verdict.DIAGNOSED,
        error_type=said.error_type,
        root_cause=said.root_cause,
        recommendation=said.recommendation,
        confidence=1.0,
        evidence=evidence,
        missing=(),
        similar=(similar,),
        confirmed_by=said.who,
    )


def adopted(case: Case, earlier: Analysis) -> Analysis | None:
    """Return the earlier answer as one to this report, None where this report has none of its quotes.

    What it cost then costs nothing now, and whose commits were suspects then need not be so now.
    """
    answer = _requoted(case, earlier)
    if answer.verdict is not earlier.verdict:
        return None
    own = case.analysis
    return replace(
        recollected(answer, own),
        report_id=case.report.id,
        stage=own.stage,
        reused_from=earlier.report_id,
        suspects=own.suspects,
        engine=_free(earlier.engine, own.engine),
        sent_to=own.sent_to,
        trace=(),
        shadow=None,
    )


def _recalled(case: Case, history: History, pipeline_version: str, model: str, moment: datetime) -> Case:
    case = replace(case, analysis=_with_novelty(case, history, moment))
    said = history.standing(case.report.project, case.report.fingerprint)
    if said:
        return replace(case, analysis=by_person(case, said, _confirmed_analysis(said, history)))
    past = history.reusable(case.report, pipeline_version, model, moment - timedelta(days=REUSE_DAYS))
    is_another = past and past.report.id != case.report.id  # what is analysed again is to get an answer of its own
    reused = adopted(case, past.analysis) if is_another and past and past.analysis else None
    return replace(case, analysis=reused) if reused else case


def _confirmed_analysis(said: Feedback, history: History) -> Analysis | None:
    past = history.find(said.report_id) if said.kind is FeedbackKind.CONFIRM else None
    return past.analysis if past and past.report.id == said.report_id else None


def _with_novelty(case: Case, history: History, moment: datetime) -> Analysis:
    report = case.report
    earlier = history.earlier(report)
    first_seen = (earlier.first or moment).astimezone(UTC).isoformat(timespec="seconds")
    novelty = _novelty(report, earlier, history, moment)
    return replace(case.analysis, novelty=novelty, first_seen=first_seen, times_seen=earlier.times + 1)


def _novelty(report: FailureReport, earlier: Earlier, history: History, moment: datetime) -> Novelty:
    outcomes = history.outcomes(report.project, _test(report), moment - timedelta(days=FLAKY_DAYS))
    if _is_flaky(report, earlier, outcomes):
        return Novelty.FLAKY
    if not earlier.times:
        return Novelty.NEW
    last_pass = history.last_pass(report.project, _test(report), report.run.git.branch)
    return Novelty.REGRESSED if last_pass and _lies_between(last_pass, earlier, report) else Novelty.KNOWN


def _test(report: FailureReport) -> str:
    """Return what the test is called in recorded runs."""
    return report.full_name or f"{report.suite_name}.{report.test_name}"


def _is_flaky(report: FailureReport, earlier: Earlier, outcomes: Iterable[PastOutcome]) -> bool:
    # The own run may have been recorded before the analysis, when that had to be tried again.
    ends = {(outcome.commit, outcome.status) for outcome in outcomes if outcome.commit and outcome.run_id != report.run.id}
    git = report.run.git
    if earlier.times and git.commit and not git.dirty:
        ends.add((git.commit, "FAIL"))
    return any((commit, "PASS") in ends for commit, status in ends if status == "FAIL")


def _lies_between(last_pass: PastOutcome, earlier: Earlier, report: FailureReport) -> bool:
    is_later = earlier.last is not None and last_pass.when > earlier.last
    return is_later and last_pass.run_id not in (earlier.last_run, report.run.id)


def _free(earlier: Engine, own: Engine) -> Engine:
    return replace(earlier, step_seconds=own.step_seconds, calls=0, tokens_in=0, tokens_out=0, cost_usd=0.0)


def _requoted(case: Case, earlier: Analysis) -> Analysis:
    """Return the earlier answer with quotes of this report: the same words, or the line that only differs in times and ids."""
    evidence = tuple(quote for old in earlier.evidence for quote in _quotes(case, old))
    return verified(replace(earlier, evidence=evidence), case.report)


def _quotes(case: Case, old: Evidence) -> Iterator[Evidence]:
    if same := verified(Analysis(case.report.id, evidence=(old,)), case.report).evidence:
        yield from same
    elif wanted := normalise(old.quote):
        alike = (line for line in case.digest.lines if wanted in normalise(line.text))
        yield from (Evidence(" ".join(line.text.split())[:MAX_QUOTE_CHARACTERS], line.where) for line in islice(alike, 1))


def _shared(case: Case) -> str:
    analysis = case.analysis
    if analysis.degraded or case.problems:
        return ""
    return json.dumps({"analysis": encode(replace(analysis, stage=Stage.FINAL)), "tells": sorted(_tells(case.report))})


def _taken(case: Case, text: str) -> Case | None:
    landed = json.loads(text)
    earlier = decode(Analysis, landed["analysis"])
    if earlier.verdict is not Verdict.DIAGNOSED and not _tells(case.report) <= set(landed["tells"]):
        return None
    if earlier.report_id == case.report.id:  # this report itself, handed out twice
        return replace(case, analysis=replace(earlier, stage=case.analysis.stage))
    analysis = adopted(case, earlier)
    return replace(case, analysis=analysis) if analysis else None


def _tells(report: FailureReport) -> frozenset[str]:
    """Return the kinds of things that a report tells: a run with more of them may have been made to find the cause."""
    kinds = {line.level for line in report.log} | ({"exception"} if report.exception else set())
    return frozenset(kinds | ({"execution errors"} if report.execution_errors else set()))
