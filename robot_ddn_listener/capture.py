"""Result model + what was noted live -> FailureReport.

`failed_test` and `failed_suite_part` run on the test thread and only take references; `capture` walks them, in another
thread. It works alike on the model of a running test and on one loaded from an output file.
"""

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from robot.result import Keyword

from .annotation import Place
from .contract import (
    MAX_REPORT_BYTES,
    ExceptionInfo,
    ExecutionError,
    FailureReport,
    Frame,
    KeywordCall,
    Phase,
    Run,
    Truncation,
    encode,
)
from .edges import cut_code, cut_text
from .excerpt import attachments, cut_log, describe, log_lines
from .fingerprint import normalise
from .live import FailedCall, Raised
from .model import parts, text_of
from .ticket import Member

LOG_CHARACTERS = 120_000
SHORTEST_LOG_CHARACTERS = 1_000
LINE_CHARACTERS = 72  # that a line of the log takes in JSON beside its text
MESSAGE_CHARACTERS = 20_000
MAX_EXECUTION_ERRORS = 20
MAX_PATH = 40  # keywords from the test to the failing one
MAX_ARGUMENT_CHARACTERS = 1_000
MAX_SOURCE_BYTES = 2_000_000  # a larger file is not code that a person wrote
_PACKAGES = re.compile(r".*[\\/](?:site-packages|dist-packages|lib[\\/]python\d[.\d]*)[\\/]", re.IGNORECASE)
CODE_BEFORE, CODE_AFTER = 3, 2  # lines of code shown around a frame's line
# Robot's own words around a test's message: before that of one skipped on failure, after that of one whose suite's teardown failed.
_SKIPPED_ON_FAILURE = "Original failure:\n"
_ALSO_TEARDOWN = "\n\nAlso parent suite teardown failed:\n"


@dataclass(frozen=True, slots=True)
class Failed:
    """References to what failed, taken when it failed. `items` are what ran, `calls` the failed keywords noted live."""

    member: Member
    phase: Phase
    message: str
    suite_name: str
    test_name: str = ""
    source: str = ""
    lineno: int = 0
    tags: tuple[str, ...] = ()
    items: tuple[Any, ...] = ()
    calls: tuple[FailedCall, ...] = ()
    errors: tuple[ExecutionError, ...] = ()
    variables: Mapping[str, object] = field(default_factory=dict)
    also: tuple[Member, ...] = ()  # the tests that failed only because of this suite setup or teardown
    kept: str = ""  # why its report stays in the robot process


@dataclass(frozen=True, slots=True)
class NotRun:
    """A test that counts as failed but had no failure of its own; `why` names what stopped the run."""

    member: Member
    suite_name: str
    test_name: str
    why: str


def failed_test(test: Any, calls: Sequence[FailedCall] = ()) -> Failed:
    """Take references to a failed test (or one skipped on failure). Its own failure, not its suite's."""
    return Failed(
        member=Member(Place(test_id=test.id), test.full_name),
        phase=_phase(test),
        message=_own_message(test),
        suite_name=test.parent.full_name if test.parent else "",
        test_name=test.name,
        source=str(test.source or ""),
        lineno=test.lineno or 0,
        tags=tuple(test.tags),
        items=tuple(parts(test)),
        calls=tuple(calls),
    )


def not_run(test: Any, why: str) -> NotRun:
    return NotRun(Member(Place(test_id=test.id), test.full_name), test.parent.full_name, test.name, why)


def failed_suite_part(suite: Any, keyword: str, also: Sequence[Member], calls: Sequence[FailedCall] = ()) -> Failed:
    """Take references to a failed suite `keyword`, ``setup`` or ``teardown``; `also` are the tests it made fail."""
    item = (suite.setup if suite.has_setup else None) if keyword == "setup" else (suite.teardown if suite.has_teardown else None)
    name = f"{suite.full_name} (suite {keyword})"
    return Failed(
        member=Member(Place(suite_id=suite.id, keyword=keyword), name),
        phase=Phase.SUITE_SETUP if keyword == "setup" else Phase.SUITE_TEARDOWN,
        message=(item and item.message) or suite.message.partition(":\n")[2] or suite.message,
        suite_name=suite.full_name,
        test_name=f"suite {keyword}",
        source=str(suite.source or ""),
        items=(item,) if item else (),
        calls=tuple(calls),
        also=tuple(also),
    )


def capture(failed: Failed, project: str, run: Run, root: Path | None) -> FailureReport:
    """Return the report, at most 256 kB as JSON; ``id`` and ``fingerprint`` are empty yet. Paths below `root` become relative."""
    path = _failing_path(failed.items, failed.message)
    report = FailureReport(
        id="",
        project=project,
        fingerprint="",
        run=run,
        suite_name=failed.suite_name,
        test_name=failed.test_name,
        full_name=failed.member.full_name,
        error_message=cut_text(failed.message, MESSAGE_CHARACTERS),
        source=_shorten(failed.source, root),
        lineno=failed.lineno,
        tags=failed.tags,
        phase=failed.phase,
        keywords=_keyword_calls(path, failed.calls, root),
        exception=_exception(_exception_of(failed.calls, path), root),
        execution_errors=_cut_errors(failed.errors),
        attachments=attachments(failed.items),
        truncated=_truncated("error_message", failed.message, MESSAGE_CHARACTERS),
    )
    log, cut = cut_log(log_lines(failed.items), LOG_CHARACTERS)
    return fitted(replace(report, log=log, truncated=report.truncated + cut))


def likeness(failed: Failed) -> tuple[str, str, str]:
    """Return what equal failures have in common, cheaper than capturing them: exception type, normalised message, keyword."""
    path = _failing_path(failed.items, failed.message)
    raised = _exception_of(failed.calls, path)
    keywords = [item.full_name or "" for item in path if isinstance(item, Keyword)]
    return raised.type if raised else "", normalise(failed.message), keywords[-1] if keywords else ""


def failing_keyword(report: FailureReport) -> str:
    """Return the full name of the deepest keyword that failed; empty when none ran."""
    return next((call.full_name for call in reversed(report.keywords) if call.type in ("KEYWORD", "SETUP", "TEARDOWN")), "")


def _phase(test: Any) -> Phase:
    if test.has_setup and test.setup.status == "FAIL":
        return Phase.SETUP
    body_failed = any(getattr(item, "status", "") == "FAIL" for item in test.body)
    if not body_failed and test.has_teardown and test.teardown.status == "FAIL":
        return Phase.TEARDOWN
    return Phase.TEST


def _own_message(test: Any) -> str:
    message: str = test.message
    if test.status == "SKIP":
        message = message.partition(_SKIPPED_ON_FAILURE)[2] or message
    return message.partition(_ALSO_TEARDOWN)[0] or message


def _failing_path(items: Iterable[Any], message: str) -> list[Any]:
    path: list[Any] = []
    item = _failing_item(items, message)
    while item is not None and len(path) < MAX_PATH:
        path.append(item)
        message = getattr(item, "message", "") or message
        item = _failing_item(parts(item), message)
    return path


def _failing_item(items: Iterable[Any], message: str) -> Any:
    """Return the failed item that the message is about: that of the same message, else the first or last that it quotes."""
    failed = [item for item in items if getattr(item, "status", "") == "FAIL"]
    failed = [item for item in failed if item.type != "TEARDOWN"] or failed
    same = [item for item in failed if item.message == message]
    quoted = [item for item in failed if item.message and item.message in message]
    if same:
        return same[-1]
    if quoted:
        return quoted[0]  # of several continuable failures the first is the cause more often than the last
    return failed[-1] if failed else None


def _exception_of(calls: Sequence[FailedCall], path: Sequence[Any]) -> Raised | None:
    """Return the exception of the failing path's deepest call; where none raised there, that of the last try below the path.

    Earlier tries and what a passing keyword has caught (Run Keyword And Expect Error) are left out: the test went on after them.
    """
    depth = {id(item): level for level, item in enumerate(path)}
    on_path = [call for call in calls if call.raised and id(call.result) in depth]
    deepest = max(on_path, key=lambda call: depth[id(call.result)], default=None)
    if deepest:
        return deepest.raised
    return next((call.raised for call in reversed(calls) if call.raised and _is_below(call.result, depth)), None)


def _is_below(result: Any, path: Collection[int]) -> bool:
    """Tell whether a failed call is below the failing path with nothing but failures between."""
    parent = getattr(result, "parent", None)
    while parent is not None and getattr(parent, "status", "") == "FAIL":
        if id(parent) in path:
            return True
        parent = getattr(parent, "parent", None)
    return False


def argument_values(calls: Sequence[FailedCall]) -> dict[str, object]:
    """Return what failed keywords got for their named parameters, by name: a password may be told by its parameter alone."""
    values: dict[str, object] = {}
    for call in calls:
        names = getattr(getattr(call.implementation, "args", None), "positional", ())
        for name, value in zip(names, getattr(call.data, "args", ()), strict=False):
            if not text_of(value).startswith(("${", "@{", "&{", "%{")):
                values[str(name)] = value
    return values


def _keyword_calls(path: Sequence[Any], calls: Sequence[FailedCall], root: Path | None) -> tuple[KeywordCall, ...]:
    data = {id(call.result): call.data for call in calls}
    return tuple(_keyword_call(item, data.get(id(item)), root) for item in path)


def _keyword_call(item: Any, data: Any, root: Path | None) -> KeywordCall:
    source, lineno = _shorten(str(getattr(data, "source", "") or ""), root), getattr(data, "lineno", 0) or 0
    if isinstance(item, Keyword):
        arguments = tuple(cut_text(text_of(argument), MAX_ARGUMENT_CHARACTERS) for argument in item.args)
        return KeywordCall(item.name or "", item.owner or "", item.type, arguments, source, lineno, item.status)
    return KeywordCall(cut_text(describe(item), MAX_ARGUMENT_CHARACTERS), "", item.type, (), source, lineno, item.status)


def _exception(raised: Raised | None, root: Path | None) -> ExceptionInfo | None:
    if raised is None:
        return None
    return replace(_plain(raised, root), causes=tuple(_plain(cause, root) for cause in raised.chain))


def _plain(raised: Raised, root: Path | None) -> ExceptionInfo:
    frames = tuple(
        Frame(_shorten(file, root), line, function, _code(file, line), _is_own(file, root))
        for file, line, function in raised.frames
    )
    return ExceptionInfo(raised.type, cut_text(raised.message, MESSAGE_CHARACTERS), frames)


def _code(file: str, line: int) -> tuple[str, ...]:
    try:
        if os.path.getsize(file) > MAX_SOURCE_BYTES:
            return ()
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, ValueError):
        return ()  # no file behind it: code that was executed from a string, or an archive
    first = max(1, line - CODE_BEFORE)
    around = lines[first - 1 : line + CODE_AFTER]
    return tuple(
        f"{'>' if number == line else ' '} {number}: {cut_code(text)}" for number, text in enumerate(around, first) if text.strip()
    )


def _shorten(path: str, root: Path | None) -> str:
    """Return a path relative to the project or to where Python packages are, so that no home folder's name leaves the machine."""
    if not path:
        return ""
    if root and _is_own(path, root):
        return Path(path).relative_to(root).as_posix()
    packages = _PACKAGES.match(path)
    return path[packages.end() :] if packages else "/".join(Path(path).parts[-2:])


def _is_own(path: str, root: Path | None) -> bool:
    """Tell whether a file is the project's; a virtual environment inside the project is not."""
    return root is not None and Path(path).is_relative_to(root) and not _PACKAGES.match(path)


def _cut_errors(errors: Sequence[ExecutionError]) -> tuple[ExecutionError, ...]:
    unique = list(dict.fromkeys(errors))
    unique = [error for error in unique if error.level == "ERROR"] + [error for error in unique if error.level != "ERROR"]
    return tuple(unique[:MAX_EXECUTION_ERRORS])


def _truncated(what: str, text: str, limit: int) -> tuple[Truncation, ...]:
    return (Truncation(what, len(text), limit),) if len(text) > limit else ()


def fitted(report: FailureReport) -> FailureReport:
    """Return `report` with as much of its log as fits into MAX_REPORT_BYTES of JSON."""
    limit = sum(len(line.text) + LINE_CHARACTERS for line in report.log)
    whole = report
    while limit >= SHORTEST_LOG_CHARACTERS and len(json.dumps(encode(report))) > MAX_REPORT_BYTES:
        limit //= 2  # non-ASCII text is up to six times as long in JSON
        log, cut = cut_log(list(whole.log), limit, LINE_CHARACTERS)
        report = replace(whole, log=log, truncated=whole.truncated + cut)
    return report
