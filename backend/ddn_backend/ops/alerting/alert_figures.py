"""What a rule finds in a snapshot: bad, fine, or nothing that could be judged, each with the figures in words."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from ...ports import TaskRun, TaskState
from ..monitoring.snapshot import Snapshot
from .alert_rules import EVERY_PROJECT, Rule

CAUSES_TOLD = 3
MAX_CAUSE_CHARACTERS = 160


class Standing(Enum):
    """UNKNOWN changes nothing: neither does an incident begin, nor does one end."""

    BAD = "bad"
    FINE = "fine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """`project` is empty where it is about all of them. `causes` are what was most often found, one a line."""

    standing: Standing
    text: str
    project: str = ""
    causes: tuple[str, ...] = ()


def findings(rule: Rule, snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return what the rule finds, one of each project that it judges by itself."""
    return _JUDGES[rule.name](rule, snapshot)


def _success_rate(rule: Rule, snapshot: Snapshot) -> tuple[Finding, ...]:
    return tuple(_success_of(rule, project, runs) for project, runs in _by_project(rule, snapshot))


def _success_of(rule: Rule, project: str, runs: list[TaskRun]) -> Finding:
    if few := _too_few(rule, project, runs):
        return few
    failed = [run for run in runs if run.state is TaskState.FAILURE]
    rate = 100 * (len(runs) - len(failed)) / len(runs)
    text = (
        f"{_percent(rate)} of the analyses succeeded ({len(runs) - len(failed)} of {len(runs)} in {_time(rule.over)}), "
        f"expected {rule.threshold:g} % or more."
    )
    return Finding(_bad(rate < rule.threshold), text, project, _most_common(run.error for run in failed))


def _degraded(rule: Rule, snapshot: Snapshot) -> tuple[Finding, ...]:
    return tuple(_degraded_of(rule, project, runs) for project, runs in _by_project(rule, snapshot))


def _degraded_of(rule: Rule, project: str, runs: list[TaskRun]) -> Finding:
    if few := _too_few(rule, project, runs):
        return few
    degraded = [run for run in runs if run.degraded]
    rate = 100 * len(degraded) / len(runs)
    text = (
        f"{_percent(rate)} of the analyses are degraded ({len(degraded)} of {len(runs)} in {_time(rule.over)}), "
        f"expected {rule.threshold:g} % or less."
    )
    return Finding(_bad(rate > rule.threshold), text, project, _most_common(note for run in degraded for note in run.degraded))


def _waiting(rule: Rule, snapshot: Snapshot) -> tuple[Finding, ...]:
    text = f"{snapshot.waiting} reports wait for a worker, expected {rule.threshold:g} or fewer.{_pause(snapshot)}"
    return _of_redis(snapshot, snapshot.waiting > rule.threshold, text)


def _oldest_message(rule: Rule, snapshot: Snapshot) -> tuple[Finding, ...]:
    text = (
        f"The oldest report has waited for {_time(snapshot.oldest_seconds)}, expected at most {_time(rule.threshold)}."
        f"{_pause(snapshot)}"
    )
    return _of_redis(snapshot, snapshot.oldest_seconds > rule.threshold, text)


def _workers(rule: Rule, snapshot: Snapshot) -> tuple[Finding, ...]:
    online = snapshot.workers_online
    told = f"{online} worker{'' if online == 1 else 's'} online" if online else "No worker is online"
    return _of_redis(snapshot, online < rule.threshold, f"{told}, expected {rule.threshold:g} or more.")


def _budget(rule: Rule, snapshot: Snapshot) -> tuple[Finding, ...]:
    if snapshot.broker_problem:
        return (Finding(Standing.UNKNOWN, _unanswered(snapshot)),)
    return tuple(
        Finding(Standing.BAD, f"The model's budget of project '{project}' for today (UTC) is used up.", project)
        for project in snapshot.used_up
    )


def _redis(rule: Rule, snapshot: Snapshot) -> tuple[Finding, ...]:
    text = _unanswered(snapshot) if snapshot.broker_problem else "Redis answers."
    return (Finding(_bad(bool(snapshot.broker_problem)), text),)


_JUDGES: dict[str, Callable[[Rule, Snapshot], tuple[Finding, ...]]] = {
    "success-rate": _success_rate,
    "degraded": _degraded,
    "waiting": _waiting,
    "oldest-message": _oldest_message,
    "workers": _workers,
    "budget": _budget,
    "redis": _redis,
}


def _by_project(rule: Rule, snapshot: Snapshot) -> list[tuple[str, list[TaskRun]]]:
    """Return the runs that ended in time, of each project that the rule judges by itself."""
    since = snapshot.when - timedelta(seconds=rule.over)
    ended = [run for run in snapshot.runs if run.state in (TaskState.SUCCESS, TaskState.FAILURE) and _is_since(run.finished, since)]
    if rule.project == EVERY_PROJECT:
        return [(project, [run for run in ended if run.project == project]) for project in sorted({run.project for run in ended})]
    if rule.project:
        return [(rule.project, [run for run in ended if run.project == rule.project])]
    return [("", ended)]


def _is_since(text: str, since: datetime) -> bool:
    return bool(text) and datetime.fromisoformat(text) >= since


def _too_few(rule: Rule, project: str, runs: list[TaskRun]) -> Finding | None:
    if len(runs) >= rule.minimum:
        return None
    text = f"{len(runs)} analyses ended in {_time(rule.over)}, fewer than the {rule.minimum} that are judged."
    return Finding(Standing.FINE, text, project)


def _of_redis(snapshot: Snapshot, is_bad: bool, text: str) -> tuple[Finding, ...]:
    if snapshot.broker_problem:
        return (Finding(Standing.UNKNOWN, _unanswered(snapshot)),)
    return (Finding(_bad(is_bad), text),)


def _unanswered(snapshot: Snapshot) -> str:
    return f"Redis does not answer: {snapshot.broker_problem}."


def _bad(is_bad: bool) -> Standing:
    return Standing.BAD if is_bad else Standing.FINE


def _pause(snapshot: Snapshot) -> str:
    return "" if snapshot.paused is None else f" The queue is paused: {snapshot.paused}."


def _most_common(texts: Iterable[str]) -> tuple[str, ...]:
    counts = Counter(" ".join(text.split())[:MAX_CAUSE_CHARACTERS] for text in texts if text.strip())
    return tuple(f"{count} x {text}" for text, count in counts.most_common(CAUSES_TOLD))


def _percent(rate: float) -> str:
    return f"{rate:.1f} %" if rate != round(rate) else f"{rate:.0f} %"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minute{'' if round(minutes) == 1 else 's'}" if minutes < 120 else f"{minutes / 60:.1f} hours"
