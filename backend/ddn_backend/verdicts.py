"""The verdicts on Redis, where listeners read them: each under its report's own key, for an hour."""

import json
from dataclasses import dataclass, replace
from typing import Any

from redis import Redis, RedisError

from robot_ddn_listener.contract import VERDICT_SECONDS, Analysis, FailureReport, Stage, decode, encode, verdict_key
from robot_ddn_listener.errors import ContractError
from robot_ddn_listener.rules import first_verdict

from .errors import TransientError


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Every method raises TransientError where Redis fails."""

    client: "Redis"

    def publish(self, analysis: Analysis) -> None:
        """Put `analysis` in its place, unless what is there is better: an interim never replaces, a final only a poorer one."""
        is_interim = analysis.stage is Stage.INTERIM
        known = None if is_interim else _read_verdict(self._read(analysis.project, analysis.report_id))
        if known is None or not _is_better(known, analysis):
            self._write(analysis, only_first=is_interim)

    def replace(self, analysis: Analysis) -> None:
        """Put `analysis` in its place whatever is there: a person has spoken, or it is the same answer with what failed since."""
        self._write(analysis, only_first=False)

    def settled(self, report: FailureReport, pipeline_version: str) -> Analysis | None:
        """Return the final verdict on `report` if there is one of that pipeline that nothing was missing from."""
        analysis = _read_verdict(self._read(report.project, report.id))
        if analysis and analysis.stage is Stage.FINAL and not analysis.degraded:
            return analysis if analysis.engine.pipeline_version == pipeline_version else None
        return None

    def conclude(self, report: FailureReport, note: str, stage: Stage = Stage.FINAL) -> None:
        """Let the best answer so far say why there is no better; where there is none, that of the rules. A final one stays."""
        known = _read_verdict(self._read(report.project, report.id))
        if known is None or known.stage is not Stage.FINAL:
            best = replace(known or first_verdict(report), project=report.project, fingerprint=report.fingerprint)
            self.replace(replace(best, stage=stage, degraded=(*best.degraded, note)))

    def reopen(self, project: str, report_id: str) -> None:
        """Let the final answer be one that another may replace, so that the report is analysed again."""
        known = _read_verdict(self._read(project, report_id))
        if known and known.stage is Stage.FINAL:
            self.replace(replace(known, stage=Stage.INTERIM))

    def withdraw(self, project: str, report_id: str) -> None:
        """Delete the verdict on a report, and what Celery keeps of its task: arguments' summary, result, error."""
        try:
            self.client.delete(verdict_key(project, report_id), f"celery-task-meta-{report_id}")
        except RedisError as error:
            raise TransientError(f"Deleting verdict '{report_id}' failed: {error}. It expires within an hour.") from error

    def _write(self, analysis: Analysis, *, only_first: bool) -> None:
        key = verdict_key(analysis.project, analysis.report_id)
        try:
            self.client.set(key, json.dumps(encode(analysis)), ex=VERDICT_SECONDS, nx=only_first)
        except RedisError as error:
            raise TransientError(f"Publishing verdict '{analysis.report_id}' failed: {error}. It is tried again.") from error

    def _read(self, project: str, report_id: str) -> Any:
        try:
            return self.client.get(verdict_key(project, report_id))
        except RedisError as error:
            raise TransientError(f"Reading verdict '{report_id}' failed: {error}. It is tried again.") from error


def _is_better(known: Analysis, new: Analysis) -> bool:
    """Tell whether a published answer is to stay: final, and a person's, or one that less was missing from."""
    if known.stage is not Stage.FINAL or (new.confirmed_by and not known.confirmed_by):
        return False
    return bool(known.confirmed_by and not new.confirmed_by) or bool(new.degraded and not known.degraded)


def _read_verdict(value: Any) -> Analysis | None:
    try:
        return decode(Analysis, json.loads(value)) if value else None
    except (ValueError, ContractError):  # of another version, or not ours: the new one replaces it
        return None
