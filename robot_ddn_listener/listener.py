"""Robot's events, a few lines each; the only place that knows Robot's event order.

    start_suite  ...  end_keyword (failed: note it live)  ...  end_test (take references)  ...  end_suite (suite parts are final)
    output_file: collect the answers, attach them. Robot reads output.xml AFTER this and makes log.html and report.html of it.
                 Then tell the backend how all tests ended, those of a run without failures, too.
    close: put the original back, when only log and report are to carry the cards.

Everything heavy is imported at the first failure. Nothing here may raise: under ``--exitonerror`` that would fail the run.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from robot.api import logger
from robot.libraries.BuiltIn import BuiltIn

from .live import FailedCall, LiveFailures
from .model import failed_as_such, suite_parts
from .settings import read_settings

if TYPE_CHECKING:
    from .gather import SystemMessage
    from .watch import RunWatch

MAX_MESSAGES = 1000  # warnings and errors of Robot itself that are kept; a suite that logs a warning a keyword has more
RUN_VARIABLES = ("OUTPUT_DIR", "PABOTQUEUEINDEX", "PABOTLIBURI")  # asked for when the run has ended and has no variables any more
SPOOL = "ddn-spool"  # as in spool.py, which is not imported for it

P = ParamSpec("P")


def _harmless(event: Callable[P, None]) -> Callable[P, None]:
    """Let `event` never raise; what went wrong is said once on the console, and the run goes on."""

    said: set[str] = set()

    @wraps(event)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            event(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the run must go on whatever happens to its analysis
            problem = f"{event.__name__} failed: {type(error).__name__}: {error}"
            if problem not in said:
                said.add(problem)
                say(f"[ WARN ] robot_ddn_listener: {problem}. The run goes on.")

    return call


def say(line: str) -> None:
    """Write a line to the real stderr, which a test may have closed."""
    with suppress(OSError, ValueError, AttributeError):
        sys.__stderr__.write(line + "\n")  # type: ignore[union-attr]
        sys.__stderr__.flush()  # type: ignore[union-attr]


class DdnListener:
    """Catches every failed test, has it analysed, and writes the verdict into the run's own log and report.

    Arguments are documented in `robot_ddn_listener.settings`.
    """

    ROBOT_LISTENER_API_VERSION = 3
    ROBOT_LISTENER_PRIORITY = -1000  # after listeners that retry or heal: they settle the status first

    def __init__(self, *arguments: str):
        # No **options: Robot refuses a positional argument after a named one, and would not load the listener at all.
        self._settings, self._problems = read_settings(arguments, os.environ)
        self._live = LiveFailures()
        self._messages: list[SystemMessage] = []
        self._suite_calls: dict[tuple[str, str], tuple[FailedCall, ...]] = {}
        self._scope = ""
        self._in_test = False
        self._off = self._settings.off
        self._root: Any = None
        self._variables: dict[str, object] = {}
        self._first_variables: dict[str, object] = {}
        self._parts: list[tuple[str, str, float]] = []
        self._watch: RunWatch | None = None

    @_harmless
    def start_suite(self, data: Any, result: Any) -> None:
        self._scope = result.id
        self._live.clear()
        if self._root is None:
            self._root = result
            self._off = self._off or BuiltIn().dry_run_active
            variables = self._run_variables()
            self._first_variables = {name: variables[name] for name in RUN_VARIABLES if name in variables}
            for problem in self._problems:
                logger.warn(problem)

    @_harmless
    def start_test(self, data: Any, result: Any) -> None:
        self._scope = result.id
        self._in_test = True
        self._live.clear()

    def end_library_keyword(self, data: Any, implementation: Any, result: Any) -> None:
        if result.status == "FAIL" and not self._off:
            self._note(data, implementation, result, raised=True)

    def end_user_keyword(self, data: Any, implementation: Any, result: Any) -> None:
        if result.status == "FAIL" and not self._off:
            self._note(data, implementation, result, raised=False)

    end_invalid_keyword = end_user_keyword

    @_harmless
    def end_test(self, data: Any, result: Any) -> None:
        self._in_test = False
        self._scope = result.parent.id
        if result.status != "PASS" and not self._off and failed_as_such(result):
            self._watching().test_ended(result, self._live.take(), self._run_variables())
        self._live.clear()

    @_harmless
    def end_suite(self, data: Any, result: Any) -> None:
        if not self._off:
            self._parts.extend(suite_parts(result))
        for keyword in ("setup", "teardown"):
            calls = self._suite_calls.pop((result.id, keyword), None)
            if calls is not None:
                self._watching().suite_part_failed(result, keyword, calls, self._variables)
        if result.status == "FAIL" and not self._off and any(test.status == "FAIL" for test in result.all_tests):
            self._watching().suite_ended(result, self._run_variables())
        self._live.clear()
        self._scope = result.parent.id if result.parent else ""

    @_harmless
    def message(self, message: Any) -> None:
        if message.level in ("WARN", "ERROR") and not self._off and len(self._messages) < MAX_MESSAGES:
            from .gather import SystemMessage, execution_error  # only a run with warnings pays for it

            self._messages.append(SystemMessage(self._scope, execution_error(message)))

    @_harmless
    def output_file(self, path: "Path | str | None") -> None:
        if self._watch:
            self._watch.finish(Path(path) if path else None)
        elif path and not self._off and (Path(path).parent / SPOOL).is_dir():
            from .watch import send_spooled  # a run without failures still sends what an earlier one could not

            send_spooled(self._settings, Path(path).parent)
        self._record_run()

    @_harmless
    def close(self) -> None:
        if self._watch:
            self._watch.close()

    @_harmless
    def _note(self, data: Any, implementation: Any, result: Any, *, raised: bool) -> None:
        self._live.note(data, implementation, result, raised=raised)
        if not self._in_test and result.type in ("SETUP", "TEARDOWN") and result.parent.id == self._scope:
            self._suite_calls[result.parent.id, result.type.lower()] = self._live.take()
            self._variables = self._run_variables()

    @_harmless
    def _record_run(self) -> None:
        if self._root is None or self._off:
            return
        if self._watch:
            self._watch.record(self._parts)
        else:
            from .runs import record_passing

            record_passing(self._root, self._parts, self._settings, self._first_variables)

    def _watching(self) -> "RunWatch":
        if self._watch is None:
            from .watch import RunWatch  # at the first failure: passing runs never pay for it

            self._watch = RunWatch(self._settings, self._root, self._messages, self._run_variables())
        return self._watch

    def _run_variables(self) -> dict[str, object]:
        return dict(BuiltIn().get_variables(no_decoration=True))
