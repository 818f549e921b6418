"""Which failures have a cause of their own, told in the order in which Robot tells of them.

A failed suite setup or teardown is one failure for all the tests it made fail. A test that was not run after another failure
has none: it is answered with what stopped the run. The same for a running suite and for one loaded from an output file.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from .annotation import Place
from .capture import Failed, NotRun, failed_suite_part, failed_test, not_run
from .contract import ExecutionError
from .live import FailedCall
from .model import failed_as_such
from .ticket import Member

OPT_OUT_TAG = "ddn:off"

# Robot's own words; nothing else in its result model tells these apart.
_TERMINATED = "Execution terminated by signal"
_EXIT_ON_ERROR = "Error occurred and exit-on-error mode is in use."
_TEARDOWN_ONLY = "Parent suite teardown failed:"

_FILE = re.compile(r"[Ii]n (?:resource |init )?file '([^']+)'")


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """A warning or error of Robot itself. `scope` is the id of the suite or test in which it came, empty when not known."""

    scope: str
    error: ExecutionError


class Gatherer:
    """Gives `put` each failure once. `messages` may grow while the run goes on."""

    def __init__(self, put: Callable[[Failed | NotRun], None], messages: Sequence[SystemMessage] = ()):
        self._put = put
        self._messages = messages
        self._claimed: set[str] = set()
        self._trigger = ""

    def test_ended(self, test: Any, calls: Sequence[FailedCall] = (), variables: Mapping[str, object] | None = None) -> None:
        """Take over a test that did not pass."""
        if test.tags.match(OPT_OUT_TAG) or not failed_as_such(test) or _setup_failed_above(test.parent):
            return  # opted out, skipped, or answered with its suite's setup
        self._claimed.add(test.id)
        if test.message == _TERMINATED or test.tags.robot("exit"):
            self._put(not_run(test, self._why_not_run(test)))
            return
        self._trigger = test.full_name
        self._put(self._completed(failed_test(test, calls), test.id, variables or {}))

    def suite_part_failed(
        self, suite: Any, keyword: str, calls: Sequence[FailedCall] = (), variables: Mapping[str, object] | None = None
    ) -> None:
        """Take over a suite's failed setup or teardown, with the tests that failed only because of it."""
        tests = [test for test in suite.all_tests if test.status == "FAIL" and test.id not in self._claimed]
        self._claimed.update(test.id for test in tests)
        members = [Member(Place(test_id=test.id), test.full_name) for test in tests if not test.tags.match(OPT_OUT_TAG)]
        failed = failed_suite_part(suite, keyword, members, calls)
        self._trigger = failed.member.full_name
        self._put(self._completed(failed, suite.id, variables or {}))

    def loaded(self, suite: Any) -> None:
        """Take over all failures of a suite that was loaded from an output file, as if they came now."""
        if suite.has_setup and suite.setup.status == "FAIL" and not _setup_failed_above(suite.parent):
            self.suite_part_failed(suite, "setup")
        for child in suite.suites:
            self.loaded(child)
        for test in suite.tests:
            if test.status != "PASS" and not test.message.startswith(_TEARDOWN_ONLY):
                self.test_ended(test)
        if suite.has_teardown and suite.teardown.status == "FAIL":
            self.suite_part_failed(suite, "teardown")

    def _completed(self, failed: Failed, scope: str, variables: Mapping[str, object]) -> Failed:
        errors = tuple(message.error for message in self._messages if _concerns(message, scope, failed.source))
        return replace(failed, errors=errors, variables=variables)

    def _why_not_run(self, test: Any) -> str:
        if test.message == _TERMINATED:
            self._trigger = f"a signal that stopped the run during '{test.full_name}'"
            return "The run was stopped by a signal while this test ran."
        trigger = self._first_error() if test.message == _EXIT_ON_ERROR else self._trigger
        return f"This test did not run. {test.message} Trigger: {trigger or 'not known'}"

    def _first_error(self) -> str:
        errors = (message.error.text for message in self._messages if message.error.level == "ERROR")
        return next(errors, "").partition("\n")[0]


def system_messages(errors: Any) -> list[SystemMessage]:
    """Return a loaded result's execution errors, but not its warnings: most were logged by some test, and it is not told which."""
    return [SystemMessage("", execution_error(message)) for message in errors.messages if message.level == "ERROR"]


def execution_error(message: Any) -> ExecutionError:
    return ExecutionError(message.message[:4000], message.level, message.timestamp.isoformat() if message.timestamp else "")


def _setup_failed_above(suite: Any) -> bool:
    while suite is not None:
        if suite.has_setup and suite.setup.status == "FAIL":
            return True
        suite = suite.parent
    return False


def _concerns(message: SystemMessage, scope: str, source: str) -> bool:
    """Tell whether a message can have to do with a failure in `scope`: said above or inside it, and not of another file."""
    where, file = message.scope, _FILE.search(message.error.text)
    if where and not (where == scope or scope.startswith(where + "-") or where.startswith(scope + "-")):
        return False
    if not file or not source:
        return True
    named = PurePath(file[1])
    return named.suffix == ".resource" or named == PurePath(source) or named.name.startswith("__init__")
