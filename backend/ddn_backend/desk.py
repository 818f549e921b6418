"""Answers to testers: what is kept of a failure, why its verdict is as it is, what a person says of it, and a search.

They ask through Celery tasks over the Redis that their runs use; they need neither history nor keys of their own. What goes back
is JSON types; a question that cannot be answered comes back as ``{"problem": why}``. A question that names a project is about its
failures only; one that names none is about whatever has that id, which stands on the cards of one run and can not be guessed.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from robot_ddn_listener.contract import Analysis, ErrorType, Stage, Verdict, encode

from .errors import BackendError, PermanentError
from .knowledge.past_failures import past_failure
from .pipeline import Pipeline
from .pipeline.case import Case
from .pipeline.lookup import look_up
from .pipeline.recall import by_person
from .ports import Feedback, FeedbackKind, History, Library, Past

SHORTEST_ID_CHARACTERS = 6  # of an id's beginning: less is a guess
MAX_WORDS_CHARACTERS = 4_000  # of what a person says of a failure


class Published(Protocol):
    """The verdicts that listeners and `ddn attach` find."""

    def replace(self, analysis: Analysis) -> None:
        """Put a verdict in its place, whatever is there."""

    def withdraw(self, project: str, report_id: str) -> None:
        """Delete a verdict, and what the queue keeps of its task."""


class Desk:
    """Answers from what the pipeline knows and the history keeps; new verdicts are published."""

    def __init__(self, pipeline: Pipeline, library: Library, history: History, published: Published):
        self._pipeline = pipeline
        self._library = library
        self._history = history
        self._published = published

    def fetch(self, beginning: str, project: str = "") -> dict[str, Any]:
        """Return report, analysis and state of the failure whose id begins so."""
        return _answered(lambda: self._told(self._found(beginning, project)))

    def say(self, kind: str, beginning: str, who: str, words: dict[str, str], project: str = "") -> dict[str, Any]:
        """Take a person's word: confirm, correct (with error_type, root_cause, recommendation) or undo; `words` may hold ticket."""
        return _answered(lambda: self._said(FeedbackKind(kind), self._found(beginning, project), who, words))

    def search(self, text: str, project: str) -> dict[str, Any]:
        """Return what retrieval finds for `text`, with grades."""
        parts = self._pipeline.parts
        return _answered(lambda: look_up(text, project, parts.library, parts.thresholds, parts.elsewhere))

    def forget(self, beginning: str, project: str = "") -> dict[str, Any]:
        """Delete what is kept of a failure, and what was said of it."""
        return _answered(lambda: self._forgotten(self._found(beginning, project)))

    def _told(self, past: Past) -> dict[str, Any]:
        said = self._history.standing(past.report.project, past.report.fingerprint)
        return {**_told(past), "said": encode(said) if said else None}

    def _found(self, beginning: str, project: str) -> Past:
        """Return the failure; what another project than the named one has is not there."""
        if len(beginning) < SHORTEST_ID_CHARACTERS:
            raise PermanentError(
                f"Finding failure '{beginning}' failed: expected at least {SHORTEST_ID_CHARACTERS} characters of its id."
            )
        past = self._history.find(beginning, project)
        if past is None:
            raise PermanentError(f"Finding failure '{beginning:.80}' failed: nothing is kept under an id that begins so.")
        return past

    def _said(self, kind: FeedbackKind, past: Past, who: str, words: dict[str, str]) -> dict[str, Any]:
        said, report = _feedback(kind, past, who, words), past.report
        before = self._history.standing(report.project, report.fingerprint)
        if kind is FeedbackKind.UNDO and before is None:
            raise PermanentError(f"Taking back what was said of failure '{report.id}' failed: nobody has said anything.")
        self._history.say(said)
        standing = self._history.standing(report.project, report.fingerprint)
        notes = self._unlearned(report.project, before.report_id) if before and kind is FeedbackKind.UNDO else []
        if standing is None:
            if past.analysis:
                self._published.replace(past.analysis)
            return {"said": encode(said), "analysis": None, "degraded": notes}
        analysis, learning = self._taken_over(past, standing)
        return {"said": encode(said), "analysis": encode(analysis), "degraded": [*notes, *learning]}

    def _unlearned(self, project: str, report_id: str) -> list[str]:
        try:
            self._library.forget(project, report_id)
        except BackendError as error:
            return [f"error library: {error}"]
        return []

    def _taken_over(self, past: Past, standing: Feedback) -> tuple[Analysis, list[str]]:
        """Let a person's word stand: as the verdict, and as a past failure that others find; return what could not be done."""
        report = past.report
        blank = past.analysis or Analysis(report.id, report.project, report.fingerprint)
        analysis = replace(by_person(Case(report, blank), standing, past.analysis), stage=Stage.FINAL)
        self._published.replace(analysis)
        learned = past_failure(
            report,
            error_type=standing.error_type,
            root_cause=standing.root_cause,
            recommendation=standing.recommendation,
            analysis=past.analysis,
            confirmed_by=standing.who,
            when=standing.when,
            ticket=standing.ticket,
        )
        try:
            self._library.remember(learned)
        except BackendError as error:  # the word stands all the same; `ddn learn --rebuild` puts it there later
            return analysis, [f"error library: {error}"]
        return analysis, []

    def _forgotten(self, past: Past) -> dict[str, Any]:
        project, report_id = past.report.project, past.report.id
        count = self._history.forget(report_id)
        self._published.withdraw(project, report_id)
        return {"forgotten": count, "id": report_id, "degraded": self._unlearned(project, report_id)}


def _answered(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return work()
    except BackendError as error:
        return {"problem": str(error)}


def _told(past: Past) -> dict[str, Any]:
    return {
        "report": encode(past.report),
        "analysis": encode(past.analysis),
        "state": past.state.value,
        "seen": past.seen.isoformat(),
        "model": past.model,
        "problem_of_task": past.problem,
    }


def _feedback(kind: FeedbackKind, past: Past, who: str, words: dict[str, str]) -> Feedback:
    report, analysis = past.report, past.analysis
    if kind is FeedbackKind.CONFIRM and (analysis is None or analysis.verdict is not Verdict.DIAGNOSED):
        raise PermanentError(f"Confirming failure '{report.id}' failed: no cause was found for it. Correct it instead.")
    own = {name: words.get(name, "").strip()[:MAX_WORDS_CHARACTERS] for name in ("root_cause", "recommendation", "ticket")}
    if kind is FeedbackKind.CORRECT and not own["root_cause"]:
        raise PermanentError(
            f"Correcting failure '{report.id}' failed: expected the root cause in words, got none. Nothing was kept."
        )
    if kind is FeedbackKind.CONFIRM and analysis:
        own |= {"root_cause": analysis.root_cause, "recommendation": analysis.recommendation}
    return Feedback(
        kind=kind,
        report_id=report.id,
        project=report.project,
        fingerprint=report.fingerprint,
        who=who.strip()[:100] or "somebody",
        when=datetime.now(UTC).isoformat(),
        error_type=analysis.error_type if kind is FeedbackKind.CONFIRM and analysis else ErrorType(words.get("error_type", "")),
        symptom=report.error_message[:MAX_WORDS_CHARACTERS],
        **own,
    )
