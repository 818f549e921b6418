import json
import subprocess
import sys
from io import StringIO

import pytest
import robot
from robot.api import ExecutionResult

from robot_ddn_listener.attach import cards_in_file
from robot_ddn_listener.listener import DdnListener

FAILING = "*** Test Cases ***\nFails\n    Log    ${NOT THERE}\nPasses\n    Log    x\n"
DEAD = "redis=redis://127.0.0.1:1/0"


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a suite with a listener and returns the code, the result's path and what stderr got."""

    def robot_run(listener, suite=FAILING, **options):
        (tmp_path / "t.robot").write_text(suite)
        stderr = StringIO()
        code = robot.run(
            str(tmp_path / "t.robot"),
            listener=listener,
            stdout=StringIO(),
            stderr=stderr,
            outputdir=str(tmp_path),
            **{"log": None, "report": None, **options},
        )
        return code, tmp_path / "output.xml", stderr.getvalue()

    return robot_run


def test_the_package_is_the_listener_that_robot_finds_by_name(run):
    code, output, _ = run(f"robot_ddn_listener;{DEAD};wait=0")
    assert code == 1
    assert [facts.name for _, facts in cards_in_file(output)] == ["T.Fails"]


def test_a_wrong_argument_is_one_warning_and_the_default_goes_on(run):
    code, output, _ = run(f"robot_ddn_listener;{DEAD};wait=soon;wat=1", exitonerror=True)
    assert code == 1
    warnings = [message.message for message in ExecutionResult(output).errors.messages]
    assert len(warnings) == 2
    assert "'wait'" in warnings[1]
    assert "'wat=1'" in warnings[0]
    assert len(cards_in_file(output)) == 1


def test_arguments_in_any_order_and_form_never_keep_the_listener_from_being_loaded(run):
    code, output, _ = run("robot_ddn_listener;wait=0;loose;redis=redis://127.0.0.1:1/0", exitonerror=True)
    assert code == 1
    warnings = [message.message for message in ExecutionResult(output).errors.messages]
    assert len(warnings) == 1
    assert "'loose'" in warnings[0]
    assert len(cards_in_file(output)) == 1


class Broken(DdnListener):
    def _watching(self):
        raise ZeroDivisionError("on purpose")


def test_a_listener_that_stumbles_says_so_once_and_changes_nothing(run, capfd):
    suite = FAILING + "Fails Too\n    Log    ${NOT THERE}\n"
    code, output, stderr = run(Broken(), suite, exitonerror=True)
    assert (code, stderr) == (2, "")
    assert capfd.readouterr().err.count("end_test failed: ZeroDivisionError: on purpose. The run goes on.") == 1
    assert list(ExecutionResult(output).errors.messages) == []


PASSING = """
import json, sys
import robot
class Last:
    ROBOT_LISTENER_API_VERSION = 3
    ROBOT_LISTENER_PRIORITY = -2000
    def close(self):
        print(json.dumps(sorted(sys.modules)), file=sys.__stderr__)
robot.run(sys.argv[1], listener=["robot_ddn_listener", Last()], output=None, log=None, report=None)
"""


def test_a_passing_run_imports_nothing_heavy(tmp_path):
    (tmp_path / "t.robot").write_text("*** Test Cases ***\nPasses\n    Log    x\nSkips\n    Skip    x\n")
    done = subprocess.run([sys.executable, "-c", PASSING, tmp_path / "t.robot"], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stderr.splitlines()[-1]))
    assert "robot_ddn_listener.listener" in modules
    assert not modules & {"celery", "kombu", "redis", "robot_ddn_listener.broker", "robot_ddn_listener.rules", "ddn_backend"}


@pytest.mark.parametrize(("attach", "carried"), [("on", True), ("report", False), ("off", False)])
def test_attach_says_what_carries_the_cards(run, attach, carried):
    _, output, _ = run(f"robot_ddn_listener;{DEAD};wait=0;attach={attach}", report="report.html")
    assert bool(cards_in_file(output)) is carried
    assert ("Failure analysis" in (output.parent / "report.html").read_text(encoding="utf-8")) is (attach != "off")
    assert not list(output.parent.glob(".output.xml*"))


def test_with_switches_off_only_the_cards_are_written(run):
    _, output, _ = run(f"robot_ddn_listener;{DEAD};wait=0;tags=off;metadata=off")
    test = ExecutionResult(output).suite.tests[0]
    assert len(cards_in_file(output)) == 1
    assert list(test.tags) == []
    assert not getattr(test, "metadata", {})


def test_without_output_and_log_the_result_in_memory_is_annotated(run, tmp_path):
    code, output, _ = run(f"robot_ddn_listener;{DEAD};wait=0", output=None, report="report.html")
    assert (code, output.exists()) == (1, False)
    assert "ddn:test_error" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_switched_off_it_does_nothing(run, monkeypatch):
    monkeypatch.setenv("DDN_OFF", "1")
    _, output, _ = run(f"robot_ddn_listener;{DEAD}")
    assert cards_in_file(output) == ()
    assert not (output.parent / "ddn-spool").exists()


def test_what_a_teardown_that_is_no_keyword_leaves_is_redacted_like_all_else(run):
    secret = "open" + "sesame-7321"
    suite = (
        f"*** Settings ***\nSuite Teardown    ${{MISSING}}\n*** Variables ***\n${{DB_PASSWORD}}    {secret}\n"
        f"*** Test Cases ***\nPasses\n    Log    connecting with {secret} did not work    WARN\n"
    )
    _, output, _ = run(f"robot_ddn_listener;{DEAD};wait=0", suite)
    (report,) = (output.parent / "ddn-spool").iterdir()
    text = report.read_text()
    assert "did not work" in text
    assert secret not in text
