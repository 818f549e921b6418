"""The backend without a queue: the pipeline answers in the calling process. For `ddn analyze` on one machine."""

from collections.abc import Sequence

from robot_ddn_listener.contract import Analysis, FailureReport

from .bootstrap import local_pipeline
from .pipeline import degraded


class InProcess:
    """A transport whose answers are there as soon as a report was submitted."""

    where = "this process"

    def __init__(self) -> None:
        self._pipeline = local_pipeline()
        self._answers: dict[str, Analysis] = {}

    def submit(self, report: FailureReport) -> None:
        try:
            self._answers[report.id] = self._pipeline.analyze(report)
        except Exception as error:  # noqa: BLE001 - one report that the pipeline fails on must not take the others with it
            self._answers[report.id] = degraded(report, error)

    def verdicts(self, project: str, report_ids: Sequence[str]) -> dict[str, Analysis]:
        return {report_id: self._answers[report_id] for report_id in report_ids if report_id in self._answers}

    def idle_reason(self) -> str:
        return ""

    def close(self) -> None:
        self._answers.clear()
