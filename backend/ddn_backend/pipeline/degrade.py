"""Degrade: when the pipeline itself fails on a report, the reader keeps what rules know, marked."""

from dataclasses import replace

from robot_ddn_listener.contract import Analysis, FailureReport, Stage
from robot_ddn_listener.rules import first_verdict

MAX_PROBLEM_CHARACTERS = 300


def degraded(report: FailureReport, error: Exception) -> Analysis:
    """Return the rules' verdict as a final one that says what failed."""
    problem = f"analysis: {type(error).__name__}: {error}"[:MAX_PROBLEM_CHARACTERS]
    verdict = first_verdict(report)
    return replace(verdict, project=report.project, fingerprint=report.fingerprint, stage=Stage.FINAL, degraded=(problem,))
