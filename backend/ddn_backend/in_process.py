"""The backend without a queue: the pipeline answers in the calling process. For `ddn analyze` on one machine."""

from collections.abc import Callable, Sequence

from robot_ddn_listener.contract import Analysis, FailureReport, Stage

from .bootstrap import local_pipeline
from .errors import BackendError
from .pipeline import degraded
from .ports import History


class InProcess:
    """A transport whose answers are there as soon as a report was submitted. `tell` gets what a person must know."""

    where = "this process"

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._pipeline = local_pipeline(tell)
        self._answers: dict[str, Analysis] = {}

    @property
    def keeps(self) -> bool:
        """Whether reports and answers stay in a history: then people can ask for them, and say what is right."""
        return self._history is not None

    def submit(self, report: FailureReport) -> None:
        try:
            self._answers[report.id] = self._paid_for(report) or self._pipeline.analyze(report)
        except Exception as error:  # noqa: BLE001 - one report that the pipeline fails on must not take the others with it
            self._answers[report.id] = degraded(report, error)

    def verdicts(self, project: str, report_ids: Sequence[str]) -> dict[str, Analysis]:
        return {report_id: self._answers[report_id] for report_id in report_ids if report_id in self._answers}

    def idle_reason(self) -> str:
        return ""

    def close(self) -> None:
        self._answers.clear()
        self._pipeline.close()

    @property
    def _history(self) -> History | None:
        return self._pipeline.parts.history

    def _paid_for(self, report: FailureReport) -> Analysis | None:
        """Return what the same model said when the same file was analysed before; a person's word since then goes first."""
        model, kept = self._pipeline.parts.model, self._history
        if not (model and kept):
            return None
        try:
            past = None if kept.standing(report.project, report.fingerprint) else kept.find(report.id)
        except BackendError:  # the pipeline meets it again, and tells it
            return None
        answer = past.analysis if past and past.model == model else None
        is_good = answer and answer.engine.model and answer.stage is Stage.FINAL and not answer.degraded
        return answer if answer and is_good and answer.engine.pipeline_version == self._pipeline.parts.version else None
