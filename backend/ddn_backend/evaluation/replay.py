"""A labelled failure as the report that a listener would have sent.

Where there is an output.xml the product's own path is taken: gather, capture, redact, fingerprint. Where there is only text, its
lines become the log; what only a listener knows (the exception with its frames) stays empty.
"""

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from robot.api import ExecutionResult
from robot.errors import DataError

from robot_ddn_listener.capture import Failed, NotRun
from robot_ddn_listener.contract import ExecutionError, FailureReport, KeywordCall, LogLine, Phase, Run
from robot_ddn_listener.fingerprint import fingerprint, report_id
from robot_ddn_listener.gather import Gatherer, system_messages
from robot_ddn_listener.rules import first_verdict
from robot_ddn_listener.ticket import Ticket
from robot_ddn_listener.triage import Triage

from .labelled import Labelled

PROJECT = "evaluation"
RUN = Run("evaluation")


class CaptureError(ValueError):
    """An output file does not give the labelled failure; the message says why."""


def report_of(record: Labelled) -> tuple[FailureReport, str]:
    """Return the report of `record`, and a note where its output file could not be used (empty where all is well)."""
    if record.output is None:
        return _from_text(record), ""
    try:
        return replace(_captured(record, record.output), project=PROJECT), ""
    except CaptureError as error:
        return _from_text(record), f"{record.id}: {error}; its text is used alone"


def _captured(record: Labelled, output: Path) -> FailureReport:
    tickets = _tickets(output, output.stat().st_mtime_ns)
    if not tickets:
        raise CaptureError(f"no test failed in output_xml '{output.name}'")
    return max(tickets, key=lambda ticket: _fit(ticket, record)).report


@lru_cache(maxsize=2)  # records that stand together often share one output file
def _tickets(output: Path, _changed: int) -> tuple[Ticket, ...]:
    try:
        result = ExecutionResult(str(output))
    except DataError as error:
        raise CaptureError(f"output_xml '{output.name}' cannot be read: {error}") from error
    triage = Triage(PROJECT, RUN, None)
    failed: list[Failed | NotRun] = []
    Gatherer(failed.append, system_messages(result.errors)).loaded(result.suite)
    for failure in failed:
        triage.take(failure)
    return tuple(triage.tickets)


def _fit(ticket: Ticket, record: Labelled) -> tuple[bool, bool]:
    """Rate how well a ticket is the labelled failure: its test is among the members, its message is the same."""
    names = [member.full_name.rpartition(".")[2] for member in ticket.members]
    message = ticket.report.error_message
    return record.test_name in names, bool(message) and message in record.error_message


_SECTION = re.compile(r"^(EXECUTION ERRORS|TEST LOG)\s*$")
_SYSTEM = re.compile(r"^\[ (WARN|ERROR) \] (.*)$")
_KEYWORD = re.compile(r"^(?P<indent> *)\[(?P<status>PASS|FAIL|NOT RUN|SKIP)\] (?P<name>.*)$")
_MESSAGE = re.compile(r"^ *(?:[\d-]{8,10}[T ])?[\d:.,]{2,} ?(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FAIL): ?(?P<text>.*)$")


@dataclass(slots=True)
class _Excerpt:
    """A flattened log taken apart; texts go on over the lines below them."""

    log: list[LogLine] = field(default_factory=list)
    errors: list[ExecutionError] = field(default_factory=list)
    path: list[tuple[int, KeywordCall]] = field(default_factory=list)


def _from_text(record: Labelled) -> FailureReport:
    excerpt = _taken_apart(record.log_excerpt)
    calls = tuple(call for _, call in excerpt.path)
    group = fingerprint("", record.error_message, calls[-1].full_name if calls else "")
    report = FailureReport(
        id=report_id(RUN.id, group),
        project=PROJECT,
        fingerprint=group,
        run=RUN,
        suite_name=record.suite_name,
        test_name=record.test_name,
        full_name=".".join(filter(None, (record.suite_name, record.test_name))),
        error_message=record.error_message,
        phase=Phase.SETUP if record.error_message.startswith("Setup failed:") else Phase.TEST,
        keywords=calls,
        log=tuple(excerpt.log),
        execution_errors=tuple(excerpt.errors),
    )
    return replace(report, error_type=first_verdict(report).error_type)


def _taken_apart(text: str) -> _Excerpt:
    excerpt, in_errors = _Excerpt(), False
    for line in text.splitlines():
        section = _SECTION.match(line)
        if section:
            in_errors = section[1] == "EXECUTION ERRORS"
        elif system := _SYSTEM.match(line):
            excerpt.errors.append(ExecutionError(system[2], system[1]))
            in_errors = True
        elif in_errors and excerpt.errors and line.strip():
            last = excerpt.errors[-1]
            excerpt.errors[-1] = replace(last, text=f"{last.text}\n{line}")
        elif line.strip():
            _log_line(line, excerpt)
    return excerpt


def _log_line(line: str, excerpt: _Excerpt) -> None:
    if keyword := _KEYWORD.match(line):
        excerpt.log.append(LogLine(keyword["indent"] + keyword["name"], "KEYWORD"))
        if keyword["status"] == "FAIL":
            _on_path(len(keyword["indent"]), keyword["name"], excerpt)
    elif message := _MESSAGE.match(line):
        excerpt.log.append(LogLine(message["text"], message["level"]))
    elif excerpt.log and excerpt.log[-1].level != "KEYWORD":
        excerpt.log[-1] = replace(excerpt.log[-1], text=f"{excerpt.log[-1].text}\n{line}")
    else:
        excerpt.log.append(LogLine(line))


def _on_path(depth: int, text: str, excerpt: _Excerpt) -> None:
    """Keep the path to the first keyword that failed and has no failed one inside."""
    if excerpt.path and depth <= excerpt.path[-1][0]:
        return
    name, *arguments = re.split(r" {2,}", text.strip())
    owner, _, short = name.rpartition(".")
    excerpt.path.append((depth, KeywordCall(short, owner, args=tuple(arguments), status="FAIL")))
