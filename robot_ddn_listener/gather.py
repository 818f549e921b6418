"""Which failures have a cause of their own, told in the order in which Robot tells of them.

A failed suite setup or teardown is one failure for all the tests it made fail. A test that was not run after another failure
has none: it is answered with what stopped the run. One that a signal stopped while it ran is answered by the rules alone. The
same for a running suite and for one loaded from an output file.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import PurePath
from typing import Any

from .annotation import Place
from .capture import Failed, NotRun, failed_suite_part, failed_test, not_run
from .contract import ExecutionError
from .edges import cut_text
from .live import FailedCall
from .model import OPT_OUT_TAG, did_not_end, failed_as_such, is_terminated
from .ticket import Member

# Robot's own words; nothing else in its result model tells these apart.
_EXIT_ON_ERROR = "Error occurred and exit-on-error mode is in use."
_SKIPPED_BY_SETUP = "Original failure:\nParent suite setup failed:"
_TEARDOWN_ONLY = "Parent suite teardown failed:"

_STOPPED = "Nothing was sent: who stops a run does not wait for answers."

MAX_ERROR_CHARACTERS = 2_000  # of a message of Robot itself; more is a traceback
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
        self._is_loaded = False
        self._trigger = ""

    def test_ended(self, test: Any, calls: Sequence[FailedCall] = (), variables: Mapping[str, object] | None = None) -> None:
        """Take over a test that did not pass."""
        if test.tags.match(OPT_OUT_TAG) or not failed_as_such(test) or _setup_failed_above(test.parent):
            return  # opted out, skipped, or answered with its suite's setup
        self._claimed.add(test.id)
        if did_not_end(test) and not is_terminated(test):
            self._put(not_run(test, self._why_not_run(test)))
            return
        failed = failed_test(test, calls)
        self._trigger = test.full_name
        if is_terminated(test):
            self._trigger = f"a signal that stopped the run during '{test.full_name}'"
            failed = replace(failed, kept=_STOPPED)
        self._put(self._completed(failed, test, variables or {}))

    def suite_part_failed(
        self, suite: Any, keyword: str, calls: Sequence[FailedCall] = (), variables: Mapping[str, object] | None = None
    ) -> None:
        """Take over a suite's failed setup or teardown, with the tests that failed only because of it."""
        failed = failed_suite_part(suite, keyword, self._claim(suite), calls)
        self._trigger = failed.member.full_name
        self._put(self._completed(failed, suite, variables or {}))

    def suite_ended(self, suite: Any, variables: Mapping[str, object] | None = None) -> None:
        """Take over tests that failed by a suite teardown that was no keyword, such as an unknown variable: it has no result."""
        members = [] if _setup_failed_above(suite) else self._claim(suite)
        if members:
            message = next(test.message for test in suite.all_tests if test.id == members[0].place.test_id)
            failed = failed_suite_part(suite, "teardown", members[1:])
            failed = replace(failed, member=members[0], items=(), message=message.partition(":\n")[2] or message)
            self._put(self._completed(failed, suite, variables or {}))

    def _claim(self, suite: Any) -> list[Member]:
        """Return the failed tests of `suite` that no failure is known for, as those of one of the suite's own."""
        tests = [test for test in suite.all_tests if test.id not in self._claimed and _fails_by_its_suite(test)]
        self._claimed.update(test.id for test in tests)
        return [Member(Place(test_id=test.id), test.full_name) for test in tests if not test.tags.match(OPT_OUT_TAG)]

    def loaded(self, suite: Any) -> None:
        """Take over all failures of a suite that was loaded from an output file, as if they came now."""
        self._is_loaded = True
        if suite.has_setup and suite.setup.status == "FAIL" and not _setup_failed_above(suite.parent):
            self.suite_part_failed(suite, "setup")
        for child in suite.suites:
            self.loaded(child)
        for test in suite.tests:
            if test.status != "PASS" and not test.message.startswith(_TEARDOWN_ONLY):
                self.test_ended(test)
        if suite.has_teardown and suite.teardown.status == "FAIL":
            self.suite_part_failed(suite, "teardown")
        self.suite_ended(suite)

    def _completed(self, failed: Failed, item: Any, variables: Mapping[str, object]) -> Failed:
        suites = cache(lambda: frozenset(_suite_files(_top(item))))  # of a large run: only where it matters
        errors = tuple(message.error for message in self._messages if self._concerns(message, item.id, failed.source, suites))
        return replace(failed, errors=errors, variables=variables)

    def _concerns(self, message: SystemMessage, scope: str, source: str, suites: Callable[[], Collection[str]]) -> bool:
        """Tell whether a message can concern a failure in `scope`: said above or inside it, and not of another suite's file."""
        where = message.scope
        if where and not (where == scope or scope.startswith(where + "-") or where.startswith(scope + "-")):
            return False
        file = _named_file(message.error.text)
        if not file or not source or PurePath(file) == PurePath(source) or _is_shared(file):
            return True
        # What Robot imports while it runs is a resource file, whatever its name ends with, unless it is a suite's own. Before that
        # it reads the suites' files, and those to come are not known yet.
        return bool(self._is_loaded or where) and file not in suites()

    def _why_not_run(self, test: Any) -> str:
        trigger = self._first_error() if test.message == _EXIT_ON_ERROR else self._trigger
        return f"This test did not run. {test.message} Trigger: {trigger or 'not known'}"

    def _first_error(self) -> str:
        errors = (message.error.text for message in self._messages if message.error.level == "ERROR")
        return next(errors, "").partition("\n")[0]


def system_messages(errors: Any) -> list[SystemMessage]:
    """Return a loaded result's execution errors, but not its warnings: most were logged by some test, and it is not told which."""
    return [SystemMessage("", execution_error(message)) for message in errors.messages if message.level == "ERROR"]


def execution_error(message: Any) -> ExecutionError:
    return ExecutionError(
        cut_text(message.message, MAX_ERROR_CHARACTERS), message.level, message.timestamp.isoformat() if message.timestamp else ""
    )


@lru_cache(maxsize=1024)  # every failure looks at the same messages
def _named_file(text: str) -> str:
    file = _FILE.search(text)
    return file[1] if file else ""


def _fails_by_its_suite(test: Any) -> bool:
    """Tell whether a test that has no failure of its own failed, or was skipped because its failure is to be skipped."""
    return test.status == "FAIL" or (test.status == "SKIP" and _SKIPPED_BY_SETUP in test.message)


def _setup_failed_above(suite: Any) -> bool:
    while suite is not None:
        if suite.has_setup and suite.setup.status == "FAIL":
            return True
        suite = suite.parent
    return False


def _is_shared(file: str) -> bool:
    name = re.split(r"[\\/]", file)[-1]  # of either system: an output file may come from another machine
    return name.endswith(".resource") or name.startswith("__init__")


def _top(item: Any) -> Any:
    while item.parent is not None:
        item = item.parent
    return item


def _suite_files(suite: Any) -> Iterator[str]:
    yield str(suite.source or "")
    for child in suite.suites:
        yield from _suite_files(child)
