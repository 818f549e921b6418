"""What is kept of a failure, whatever keeps it: its columns, which of two answers stays, and which word of a person stands.

A report has one row for all its life: kept when it arrives, and again when it is answered. Texts that are only read back
are packed; what is searched for stands in columns of its own. Times are texts of one width in UTC, so that they sort.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from robot_ddn_listener.contract import Analysis, FailureReport, Stage, Verdict, decode, encode
from robot_ddn_listener.errors import ContractError

from .errors import PermanentError, SettingsError
from .ports import Feedback, FeedbackKind, HistoryBrokenError, Outcome, Past, RunRecord, State, TaskRun, Wanted, WantedRuns

NOT_ANSWERED, INTERIM, FINAL = "0", "1", "2"  # with the time behind it, an answer's rank: it gives way to none of a lower one

T = TypeVar("T")


def stamp(when: datetime) -> str:
    """Return `when` as text; texts sort as times do."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Return the time that `stamp` wrote."""
    return datetime.fromisoformat(text)


def report_row(report: FailureReport, when: datetime) -> dict[str, Any]:
    """Return the columns of a report that is not answered yet."""
    plain = encode(report)
    return {
        "id": plain["id"],
        "project": plain["project"],
        "fingerprint": plain["fingerprint"],
        "run_id": plain["run"]["id"],
        "branch": plain["run"]["git"]["branch"],
        "seen": stamp(when),
        "report": _packed(plain),
        "rank": NOT_ANSWERED,
        "written": "",
        "state": State.PENDING.value,
        "reusable": 0,
        "pipeline": "",
        "model": "",
        "parts": [],
        "problem": "",
        "analysis": b"",
    }


def answer_row(analysis: Analysis, when: datetime, model: str, problem: str) -> dict[str, Any]:
    """Return the columns that an answer changes."""
    plain = encode(analysis)
    state = _state(analysis, problem)
    return {
        "rank": (FINAL if analysis.stage is Stage.FINAL else INTERIM) + stamp(when),
        "written": stamp(when),
        "state": state.value,
        "reusable": int(state is State.ANSWERED and _is_original_diagnosis(analysis)),
        "pipeline": plain["engine"]["pipeline_version"],
        "model": model,
        "parts": sorted({note.partition(":")[0].strip().lower() for note in plain["degraded"]}),
        "problem": encode(problem),
        "analysis": _packed(plain),
    }


def past(row: Mapping[str, Any]) -> Past:
    """Return the report and the answer of a row."""
    with_answer = row["rank"] != NOT_ANSWERED
    return Past(
        report=unpacked(FailureReport, row["report"], row["id"]),
        seen=moment(row["seen"]),
        analysis=unpacked(Analysis, row["analysis"], row["id"]) if with_answer else None,
        answered=moment(row["written"]) if with_answer else None,
        state=State(row["state"]),
        model=row["model"],
        problem=row["problem"],
    )


def told_time(text: str, what: str) -> datetime:
    """Return the ISO 8601 time that `what` came with; one without a zone is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise PermanentError(f"Keeping {what} in the history failed: {error}. It is left out.") from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def clean_outcomes(run: RunRecord) -> Iterator[Outcome]:
    """Yield what tells of the committed code: tests that passed or failed in a checkout without changes of its own."""
    if not run.run.git.dirty:
        yield from (outcome for outcome in run.outcomes if outcome.status in ("PASS", "FAIL"))


def packed(record: object) -> bytes:
    """Return `record` as compressed JSON; a report shrinks to a fifth or less."""
    return _packed(encode(record))


def unpacked(cls: type[T], body: bytes, name: str) -> T:
    """Return what `packed` was given, as this version knows it."""
    try:
        return decode(cls, json.loads(zlib.decompress(body)))
    except (zlib.error, ValueError, ContractError) as error:
        raise HistoryBrokenError(f"Reading '{name}' from the history failed: {error} It is left as it is.", str(error)) from error


def standing(said: Iterable[Feedback]) -> Feedback | None:
    """Return the word that stands after all that was `said`, in order: an undo takes back the last that stood."""
    stack: list[Feedback] = []
    for word in said:
        if word.kind is not FeedbackKind.UNDO:
            stack.append(word)
        elif stack:
            stack.pop()
    return stack[-1] if stack else None


def all_standing(said: Iterable[Feedback]) -> tuple[Feedback, ...]:
    """Return what stands for each failure, the one first spoken of first."""
    by_failure: dict[tuple[str, str], list[Feedback]] = {}
    for word in said:
        by_failure.setdefault((word.project, word.fingerprint), []).append(word)
    return tuple(last for words in by_failure.values() if (last := standing(words)))


def chosen(rows: Iterable[Mapping[str, Any]], wanted: Wanted) -> tuple[Past, ...]:
    """Return the first of `rows` whose error, problem or degraded notes have the wanted text."""
    found = (candidate for candidate in map(past, rows) if wanted.text.lower() in _told(candidate).lower())
    return tuple(islice(found, wanted.limit))


def task_run_row(run: TaskRun) -> dict[str, Any]:
    """Return the columns of a task run: what it is searched by, and the run itself."""
    return {
        "key": run.key,
        "task_id": run.task_id,
        "project": run.project,
        "state": run.state.value,
        "error_type": run.error_type,
        "worker": run.worker,
        "latest": latest_time(run),
        "record": packed(run),
    }


def latest_time(run: TaskRun) -> str:
    """Return the latest time that is known of `run`, as `stamp` writes it; empty where none is."""
    times = (run.queued, run.started, run.finished)
    return max((stamp(told_time(text, f"task run '{run.key}'")) for text in times if text), default="")


def chosen_runs(rows: Iterable[Mapping[str, Any]], wanted: WantedRuns) -> tuple[TaskRun, ...]:
    """Return the first of `rows` that have the wanted text."""
    runs = (unpacked(TaskRun, row["record"], row["key"]) for row in rows)
    text = wanted.text.lower()
    return tuple(islice((run for run in runs if not text or text in _told_of_run(run).lower()), wanted.limit))


def only_one(rows: list[Mapping[str, Any]], beginning: str) -> Past | None:
    """Return the report whose id is, or begins with, `beginning`; `rows` are the first two, in the order of their ids."""
    if len(rows) > 1 and rows[0]["id"] != beginning:
        raise PermanentError(f"Finding report '{beginning}' failed: several ids begin like that. Give more of it.")
    return past(rows[0]) if rows else None


def check_beginning(beginning: str) -> None:
    """Refuse the empty id: it would be the beginning of all."""
    if not beginning:
        raise PermanentError("Finding a report failed: expected its id or the beginning of it, got nothing.")


def check_owner(report: FailureReport, project: str) -> None:
    """Refuse an answer to a report whose id is that of another project's: `project` is the one that has it."""
    if project != report.project:
        raise PermanentError(f"Keeping the analysis of report '{report.id}' failed: another project has a report of that id.")


def migrate(name: str, version: int, steps: tuple[T, ...], run: Callable[[int, T], None]) -> None:
    """Bring the history called `name` from `version` to the newest: `run` is called with each number and step that is missing."""
    if version > len(steps):
        raise SettingsError(
            f"Opening history '{name}' failed: expected a schema of version {len(steps)} or older, got {version}. "
            "It was written by a newer ddn_backend: upgrade this one. Nothing was changed."
        )
    for number in range(version, len(steps)):
        run(number + 1, steps[number])


def _state(analysis: Analysis, problem: str) -> State:
    if problem:
        return State.FAILED
    if analysis.stage is not Stage.FINAL:
        return State.PENDING
    return State.DEGRADED if analysis.degraded else State.ANSWERED


def _is_original_diagnosis(analysis: Analysis) -> bool:
    """A copy is not reused: its age is that of the original. Nor is a person's word, which may be taken back."""
    return analysis.verdict is Verdict.DIAGNOSED and not analysis.reused_from and not analysis.confirmed_by


def _told(candidate: Past) -> str:
    degraded = candidate.analysis.degraded if candidate.analysis else ()
    return "\n".join((candidate.report.error_message, candidate.problem, *degraded))


def _told_of_run(run: TaskRun) -> str:
    return "\n".join((run.test_name, run.suite_name, run.error_message, run.error, *run.degraded))


def _packed(plain: object) -> bytes:
    return zlib.compress(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
