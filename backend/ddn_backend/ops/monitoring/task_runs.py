"""Celery's events of analysis tasks, and our own of answers, made into task runs. Pure: no broker, no history, no clock.

Events may come late, out of order, or not at all: each carries the time at which it was true, and what is older never replaces
the state of what is newer. A task that is sent again after its end, as `ddn requeue` does, is another run. Only what is known
to be an analysis counts: `task-sent` and `task-received` name their task, other events are held back until one of them came.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from robot_ddn_listener.contract import TASK_NAME

from ...ports import ENDED, TaskRun, TaskState
from ...ports.operations import ANALYSED_EVENT

MAX_HELD_BACK = 1000  # tasks whose name is not known; most are the small tasks that answer testers
MAX_TEXT_CHARACTERS = 500  # of a name, a message, an error
MAX_NOTES = 20  # of what was degraded
MAX_STEPS = 50
MAX_TRACEBACK_CHARACTERS = 20_000
SAME_END_SECONDS = (
    10.0  # a run that was taken from the history ends with the answer, Celery's event of the end comes a little later
)

Event = Mapping[str, Any]

_SUMMARY = ("project", "suite_name", "test_name", "error_message", "error_type")
_BEGINS = ("task-sent", "task-received", "task-started")
_NAMED = ("task-sent", "task-received")
_STATES = {
    "task-sent": TaskState.QUEUED,
    "task-started": TaskState.STARTED,
    "task-retried": TaskState.RETRY,
    "task-succeeded": TaskState.SUCCESS,
    "task-failed": TaskState.FAILURE,
    "task-revoked": TaskState.REVOKED,
}


def iso(when: float) -> str:
    """Return Unix time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds")


def unix(text: str) -> float:
    """Return the Unix time of ISO 8601; 0 where there is none."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def latest(run: TaskRun) -> float:
    """Return the latest Unix time that is known of `run`."""
    return max(map(unix, (run.queued, run.started, run.finished)))


def united(known: TaskRun, told: TaskRun) -> TaskRun:
    """Return one run of what the history knows and what events told: its key, its end if it has one, and all that either has."""
    blank = TaskRun("", "", TaskState.QUEUED)
    told_fields = {name: getattr(told, name) for name in TaskRun.__slots__ if getattr(told, name) != getattr(blank, name)}
    both = replace(known, **{**told_fields, "key": known.key, "state": told.state})
    if known.state in ENDED and told.state not in ENDED:
        return replace(both, state=known.state, finished=known.finished, error=known.error, traceback=known.traceback)
    return both


def are_one(known: TaskRun, told: TaskRun) -> bool:
    """Tell whether `told` is the run that the history knows: the same task, and that one had not ended before this one began."""
    begun = min(filter(None, map(unix, (told.queued, told.started, told.finished))), default=0.0)
    has_ended = known.state in ENDED
    return known.task_id == told.task_id and (not has_ended or begun <= unix(known.finished) + _slack(told, begun))


def _slack(told: TaskRun, begun: float) -> float:
    """Of a run of which only the end was seen the end is compared."""
    return SAME_END_SECONDS if begun == unix(told.finished) else 0.0


@dataclass(slots=True)
class _Followed:
    run: TaskRun
    state_at: float  # Unix time of the event that gave the state
    is_stored: bool = False  # its key is in the history already


class LiveRuns:
    """The runs that events tell of, the latest of each task. Not for several threads at a time."""

    def __init__(self) -> None:
        self._runs: dict[str, _Followed] = {}
        self._changed: OrderedDict[str, TaskRun] = OrderedDict()  # by key
        self._held_back: OrderedDict[str, list[Event]] = OrderedDict()

    def take(self, event: Event) -> None:
        """Take one event in; what is not about an analysis changes nothing."""
        kind, task_id = event.get("type"), event.get("uuid")
        if not isinstance(task_id, str) or (kind not in _CHANGES and kind != "task-received"):
            return
        if kind in _NAMED and event.get("name") != TASK_NAME:
            self._held_back.pop(task_id, None)
            return
        if kind in _NAMED or kind == ANALYSED_EVENT or task_id in self._runs:
            self._apply(task_id, event)
            for late in self._held_back.pop(task_id, ()):
                self._apply(task_id, late)
        else:
            self._hold_back(task_id, event)

    def know(self, runs: Iterable[TaskRun]) -> None:
        """Follow runs of the history from where they are; of one task the latest counts, and what events told before."""
        newest = {run.task_id: run for run in sorted(runs, key=latest)}
        for task_id, run in newest.items():
            followed = self._runs.get(task_id)
            if followed is None or (followed.run.key == run.key and followed.run.state not in ENDED):
                self._runs[task_id] = _Followed(run, latest(run), is_stored=True)

    def changed(self, most: int) -> tuple[tuple[TaskRun, bool], ...]:
        """Return up to `most` runs that changed and are not `stored` yet, each with whether the history knows its key."""
        return tuple((run, self._is_stored(run)) for _, run in zip(range(most), self._changed.values(), strict=False))

    def stored(self, told: TaskRun, kept: TaskRun) -> None:
        """Take note that `told`, one of `changed`, is in the history as `kept`."""
        if self._changed.get(told.key) == told:
            del self._changed[told.key]
        followed = self._runs.get(told.task_id)
        if followed and followed.run.key == told.key:
            if followed.run != told and kept.key != told.key:  # it went on meanwhile, under a key that is not kept
                del self._changed[told.key]
                self._changed[kept.key] = kept = united(kept, followed.run)
            followed.run, followed.is_stored = (kept if kept.key != told.key else followed.run), True

    def drop_oldest(self, most: int) -> int:
        """Keep at most `most` changed runs; return how many were lost."""
        lost = max(0, len(self._changed) - most)
        for _ in range(lost):
            self._changed.popitem(last=False)
        return lost

    def recent(self, since: float) -> tuple[TaskRun, ...]:
        """Return the runs of which something is known at or after that Unix time."""
        return tuple(followed.run for followed in self._runs.values() if latest(followed.run) >= since)

    def open(self) -> tuple[TaskRun, ...]:
        """Return the runs that have not ended."""
        return tuple(followed.run for followed in self._runs.values() if followed.run.state not in ENDED)

    def find(self, task_id: str) -> TaskRun | None:
        """Return the latest run of a task."""
        followed = self._runs.get(task_id)
        return followed.run if followed else None

    def let_go(self, before: float) -> None:
        """Follow runs no longer that ended before that Unix time and are stored."""
        gone = [
            task_id
            for task_id, followed in self._runs.items()
            if followed.run.state in ENDED and latest(followed.run) < before and followed.run.key not in self._changed
        ]
        for task_id in gone:
            del self._runs[task_id]

    def _is_stored(self, run: TaskRun) -> bool:
        followed = self._runs.get(run.task_id)
        return bool(followed and followed.run.key == run.key and followed.is_stored)

    def _hold_back(self, task_id: str, event: Event) -> None:
        self._held_back.setdefault(task_id, []).append(event)
        if len(self._held_back) > MAX_HELD_BACK:
            self._held_back.popitem(last=False)

    def _apply(self, task_id: str, event: Event) -> None:
        when = float(event.get("timestamp") or event.get("local_received") or 0)
        followed = self._runs.get(task_id)
        if followed is None or _is_next_run(followed.run, event, when):
            followed = self._runs[task_id] = _Followed(TaskRun(f"{task_id}@{iso(when)}", task_id, TaskState.QUEUED), 0.0)
        followed.run, followed.state_at = _after(followed.run, followed.state_at, event, when)
        self._changed[followed.run.key] = followed.run
        self._changed.move_to_end(followed.run.key)


def _is_next_run(run: TaskRun, event: Event, when: float) -> bool:
    is_beginning = event["type"] in _BEGINS and not (event["type"] == "task-sent" and event.get("retries"))
    return is_beginning and run.state in ENDED and when > unix(run.finished)


def _after(run: TaskRun, state_at: float, event: Event, when: float) -> tuple[TaskRun, float]:
    """Return `run` as it is after `event`, and since when its state holds."""
    kind = event["type"]
    if change := _CHANGES.get(kind):
        run = change(run, event, when)
    if kind in _NAMED:
        run = _summarised(run, event)
    is_new_state = kind in _STATES and not (kind == "task-sent" and event.get("retries"))
    if is_new_state and when >= state_at and not (run.state in ENDED and _STATES[kind] not in ENDED):
        return _in_state(run, event, when), when
    return run, state_at


def _in_state(run: TaskRun, event: Event, when: float) -> TaskRun:
    state = _STATES[event["type"]]
    run = replace(run, state=state)
    if state in (TaskState.FAILURE, TaskState.RETRY):
        run = replace(
            run, error=_text(event.get("exception") or ""), traceback=str(event.get("traceback") or "")[-MAX_TRACEBACK_CHARACTERS:]
        )
    elif state is TaskState.SUCCESS:
        run = replace(run, error="", traceback="")
    if state in ENDED:
        runtime = event.get("runtime")
        elapsed = when - unix(run.started) if run.started else 0.0
        run = replace(run, finished=iso(when), seconds=float(runtime) if runtime else max(0.0, elapsed))
    return replace(run, worker=str(event.get("hostname") or run.worker)) if state is not TaskState.QUEUED else run


def _sent(run: TaskRun, event: Event, when: float) -> TaskRun:
    return run if event.get("retries") or run.queued else replace(run, queued=iso(when))


def _started(run: TaskRun, event: Event, when: float) -> TaskRun:
    begun = iso(when)
    if run.started >= begun:
        return run
    seconds = max(0.0, unix(run.finished) - when) if run.finished and not run.seconds else run.seconds
    return replace(run, started=begun, seconds=seconds, worker=str(event.get("hostname") or run.worker))


def _unchanged(run: TaskRun, event: Event, when: float) -> TaskRun:
    return run


def _analysed(run: TaskRun, event: Event, when: float) -> TaskRun:
    """What an answer cost adds up over the tries of a run; all else is the last one's."""
    texts: Any = {name: _text(event[name]) for name in (*_SUMMARY, "verdict", "rule_id", "model") if event.get(name)}
    steps = event.get("step_seconds")
    return replace(
        run,
        **texts,
        confidence=float(event.get("confidence") or 0),
        reused=bool(event.get("reused")),
        degraded=tuple(map(_text, (event.get("degraded") or ())[:MAX_NOTES])),
        step_seconds={_text(name): float(seconds) for name, seconds in islice((steps or {}).items(), MAX_STEPS)},
        calls=run.calls + int(event.get("calls") or 0),
        tokens_in=run.tokens_in + int(event.get("tokens_in") or 0),
        tokens_out=run.tokens_out + int(event.get("tokens_out") or 0),
        cost_usd=run.cost_usd + float(event.get("cost_usd") or 0),
    )


def _text(value: object) -> str:
    return str(value)[:MAX_TEXT_CHARACTERS]


def _summarised(run: TaskRun, event: Event) -> TaskRun:
    """Take over what the listener says of the report in place of the arguments; other clients do not."""
    run = replace(run, retries=max(run.retries, int(event.get("retries") or 0)))
    try:
        told = json.loads(event.get("args") or "")
    except ValueError:
        return run
    if not isinstance(told, dict):
        return run
    texts: Any = {name: _text(told[name]) for name in _SUMMARY if told.get(name) and not getattr(run, name)}
    return replace(run, **texts)


_CHANGES: dict[str, Callable[[TaskRun, Event, float], TaskRun]] = {
    "task-sent": _sent,
    "task-started": _started,
    "task-retried": _unchanged,
    "task-succeeded": _unchanged,
    "task-failed": _unchanged,
    "task-revoked": _unchanged,
    ANALYSED_EVENT: _analysed,
}
