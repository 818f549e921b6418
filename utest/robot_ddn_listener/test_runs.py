"""What runs tell when they end: real runs, a real Redis, and the files of runs that reached none."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import robot

from robot_ddn_listener import kept_runs, runs
from robot_ddn_listener.contract import QUEUE, RUN_TASK_NAME, RunRecord
from robot_ddn_listener.run_message import unpacked
from robot_ddn_listener.settings import Settings

PASSING = "*** Test Cases ***\nPasses\n    No Operation\n"
MIXED = """
*** Settings ***
Suite Setup       No Operation
*** Test Cases ***
Passes
    No Operation
Fails
    Log    ${NOT THERE}
Fails Alike
    Log    ${NOT THERE}
Skips
    Skip    today
Opted Out
    [Tags]    DDN:off
    Fail    on purpose
"""
NOBODY = "redis://127.0.0.1:1/0"


class Ended:
    """A run that is over."""

    def __init__(self, folder: Path, code: int, stderr: str):
        self.folder = folder
        self.code = code
        self.stderr = stderr


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Ended]:
    """Return a function that runs suites, by file name, with the listener and these arguments."""

    def robot_run(arguments: str, files: dict[str, str] | str = PASSING, **options: Any) -> Ended:
        named = {"t.robot": files} if isinstance(files, str) else files
        for name, text in named.items():
            (tmp_path / "s" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "s" / name).write_text(text)
        listener = f"robot_ddn_listener;{arguments}" if arguments else "robot_ddn_listener"
        stderr = StringIO()
        options = {"outputdir": str(tmp_path / "out"), "log": None, "report": None, "listener": listener, **options}
        code = robot.run(str(tmp_path / "s"), stdout=StringIO(), stderr=stderr, **options)
        return Ended(tmp_path / "out", code, stderr.getvalue())

    return robot_run


@pytest.fixture
def told(redis_server: Any) -> Callable[[], list[RunRecord]]:
    """Return a function that takes the recorded runs out of the queue, the oldest first."""

    def take() -> list[RunRecord]:
        with redis_server.client() as client:
            tasks = [json.loads(task) for task in reversed(client.lrange(QUEUE, 0, -1))]
            client.delete(QUEUE)
        bodies = [json.loads(base64.b64decode(task["body"])) for task in tasks if task["headers"]["task"] == RUN_TASK_NAME]
        return [unpacked(arguments[0]) for arguments, _, _ in bodies]

    return take


def outcomes(record: RunRecord) -> dict[str, str]:
    return {outcome.test: outcome.status for outcome in record.outcomes}


def kept(url: str = NOBODY) -> list[Path]:
    name = kept_runs.of_redis(f"redis at {url.removeprefix('redis://')}") if url else kept_runs.of_embedded("")
    folder = kept_runs.folder_of(os.environ, name)
    return kept_runs.waiting(folder) if folder else []


def test_a_passing_run_tells_how_its_tests_ended(run: Any, told: Any, redis_server: Any) -> None:
    assert run(f"redis={redis_server.url};project=shop;run=r1").code == 0
    [record] = told()
    assert (record.project, record.run.id, record.run.name) == ("shop", "r1", "S")
    assert outcomes(record) == {"S.T.Passes": "PASS"}
    assert record.outcomes[0].seconds >= 0


def test_a_run_with_failures_tells_their_fingerprints_too(run: Any, told: Any, redis_server: Any) -> None:
    run(f"redis={redis_server.url};wait=0", MIXED)
    with redis_server.client() as client:
        [report] = [
            json.loads(base64.b64decode(task["body"]))[0][0]
            for task in map(json.loads, client.lrange(QUEUE, 0, -1))
            if task["headers"]["task"] != RUN_TASK_NAME
        ]
    [record] = told()
    assert outcomes(record) == {
        "S.T.Passes": "PASS",
        "S.T.Fails": "FAIL",
        "S.T.Fails Alike": "FAIL",
        "S.T.Skips": "SKIP",
        "S.T (suite setup)": "PASS",
    }
    fingerprints = {outcome.test: outcome.fingerprint for outcome in record.outcomes}
    assert fingerprints["S.T.Fails"] == fingerprints["S.T.Fails Alike"] == report["fingerprint"] != ""
    assert fingerprints["S.T.Passes"] == ""
    assert (record.run.id, record.project) == (report["run"]["id"], report["project"])
    assert report["full_name"] in fingerprints


def test_tests_that_fail_by_their_suites_teardown_have_failed(run: Any, told: Any, redis_server: Any) -> None:
    suite = "*** Settings ***\nSuite Teardown    Log    ${NOT THERE}\n" + PASSING
    run(f"redis={redis_server.url};wait=0", suite)
    [record] = told()
    assert outcomes(record) == {"S.T.Passes": "FAIL", "S.T (suite teardown)": "FAIL"}
    assert len({outcome.fingerprint for outcome in record.outcomes} - {""}) == 1


def test_tests_that_did_not_run_have_neither_passed_nor_failed(run: Any, told: Any, redis_server: Any) -> None:
    suite = "*** Test Cases ***\nFails\n    Fail    on purpose\nIs Not Run\n    No Operation\n"
    run(f"redis={redis_server.url};wait=0", suite, exitonfailure=True)
    [record] = told()
    assert outcomes(record) == {"S.T.Fails": "FAIL", "S.T.Is Not Run": "NOT RUN"}


@pytest.mark.parametrize("options", [{"dryrun": True}, {"variable": "X:1"}], ids=["a dry run", "switched off"])
def test_who_is_off_tells_nothing(
    run: Any, told: Any, redis_server: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "dryrun" not in options:
        monkeypatch.setenv("DDN_OFF", "1")
    run(f"redis={redis_server.url}", **options)
    assert told() == []
    assert kept() == kept("") == []


def test_no_secret_of_a_tests_name_or_a_remote_leaves(
    run: Any, told: Any, redis_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "0p3ns3same")
    suite = "*** Test Cases ***\nPays with 0p3ns3same\n    No Operation\nFails with 0p3ns3same\n    Fail    x\n"
    run(f"redis={redis_server.url};wait=0", suite)
    [record] = told()
    assert sorted(outcomes(record)) == ["S.T.Fails with <redacted:environment>", "S.T.Pays with <redacted:environment>"]


def test_a_secret_that_only_a_variable_knows_does_not_leave_with_a_failed_test(run: Any, told: Any, redis_server: Any) -> None:
    suite = "*** Variables ***\n${DB PASSWORD}    hunter2horse\n*** Test Cases ***\nFails with hunter2horse\n    Fail    x\n"
    run(f"redis={redis_server.url};wait=0", suite)
    [record] = told()
    assert list(outcomes(record)) == ["S.T.Fails with <redacted:variable>"]


def test_with_a_pattern_that_cannot_be_used_nothing_leaves(run: Any, told: Any, redis_server: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("DDN_REDACT", "(")
    ended = run(f"redis={redis_server.url};wait=0")
    assert (ended.code, told(), kept(redis_server.url)) == (0, [], [])


def test_processes_of_pabot_tell_their_parts_of_one_run(run: Any, told: Any, redis_server: Any) -> None:
    for index in ("0", "1"):
        run(f"redis={redis_server.url}", variable=[f"PABOTQUEUEINDEX:{index}", "PABOTLIBURI:127.0.0.1:8270"])
    first, second = told()
    assert first.run.id == second.run.id != ""


def test_what_no_redis_took_is_kept_for_it_alone_and_sent_by_the_next_run(
    run: Any, told: Any, redis_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(f"redis={NOBODY};run=r1").code == 0
    [path] = kept()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    run(f"redis={redis_server.url};run=r2")
    assert [record.run.id for record in told()] == ["r2"]
    assert kept() == [path]

    name = kept_runs.of_redis(f"redis at 127.0.0.1:{redis_server.port}/0")
    home = Path(os.environ["DDN_HOME"]) / kept_runs.RUNS
    path.parent.rename(home / name)
    (home / name / "0-broken.json").write_text("{")
    run(f"redis={redis_server.url};run=r3")
    assert [record.run.id for record in told()] == ["r3", "r1"]
    assert [left.name for left in (home / name).iterdir()] == ["0-broken.json.broken"]


def test_one_run_sends_few_of_many_that_wait(run: Any, told: Any, redis_server: Any) -> None:
    name = kept_runs.of_redis(f"redis at 127.0.0.1:{redis_server.port}/0")
    message = kept_runs.read(keep_one(run))
    for _ in range(runs.REPLAYED + 5):
        kept_runs.keep(os.environ, name, message)
    run(f"redis={redis_server.url}")
    assert len(told()) == 1 + runs.REPLAYED
    assert len(kept(redis_server.url)) == 5


def keep_one(run: Any) -> Path:
    run(f"redis={NOBODY}")
    [path] = kept()
    return path


def test_without_a_redis_the_embedded_runtime_has_it_later(run: Any) -> None:
    run("run=r1")
    [path] = kept("")
    assert unpacked(kept_runs.read(path)).run.id == "r1"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_runs, "MAX_KEPT", 3)
    paths = [kept_runs.keep(os.environ, "embedded", {"n": n}) for n in range(5)]
    assert kept("") == paths[:1:-1]


def test_who_has_neither_a_redis_nor_a_backend_keeps_nothing(tmp_path: Path) -> None:
    """A Python without the backend: the package alone is on its path."""
    assert not runs.is_wanted(Settings()) or runs.backend_installed()
    suite = tmp_path / "t.robot"
    suite.write_text(PASSING)
    script = (
        "import importlib.util, sys; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'ddn_backend' else find(name, *more)\n"
        "import robot; sys.exit(robot.run(sys.argv[1], listener='robot_ddn_listener', output=None, log=None, report=None))"
    )
    done = subprocess.run([sys.executable, "-c", script, suite], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(Path(os.environ["DDN_HOME"]).iterdir()) == []


@pytest.fixture
def unusable_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DDN_HOME", str(tmp_path / "file" / "home"))


@pytest.mark.parametrize("arguments", ["", f"redis={NOBODY};wait=0"])
@pytest.mark.parametrize(("suite", "code"), [(PASSING, 0), (MIXED.replace("Opted Out", "Opted"), 3)])
def test_where_nothing_can_be_kept_nothing_is_said_and_the_run_is_as_it_was(
    run: Any, unusable_home: None, capfd: Any, arguments: str, suite: str, code: int
) -> None:
    ended = run(arguments or "wait=0", suite, exitonerror=True)
    assert (ended.code, ended.stderr) == (code, "")
    assert capfd.readouterr().err == ""


def test_a_passing_run_imports_nothing_heavy_to_tell_of_it(redis_server: Any, tmp_path: Path) -> None:
    (tmp_path / "t.robot").write_text(PASSING)
    script = """
import json, sys
import robot
class Last:
    ROBOT_LISTENER_API_VERSION = 3
    ROBOT_LISTENER_PRIORITY = -2000
    def close(self):
        print(json.dumps(sorted(sys.modules)), file=sys.__stderr__)
robot.run(sys.argv[1], listener=["robot_ddn_listener;redis=" + sys.argv[2], Last()], output=None, log=None, report=None)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "t.robot", redis_server.url], capture_output=True, text=True, check=True
    )
    modules = set(json.loads(done.stderr.splitlines()[-1]))
    heavy = {"celery", "kombu", "redis", "ddn_backend"}
    ours = {f"robot_ddn_listener.{name}" for name in ("contract", "broker", "redact", "rules", "watch", "gather")}
    assert "robot_ddn_listener.redis_push" in modules
    assert modules & (heavy | ours) == set()
    with redis_server.client() as client:
        assert client.llen(QUEUE) == 1
