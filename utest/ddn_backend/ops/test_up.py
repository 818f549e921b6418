"""`ddn up`, `ddn worker`, `ddn flower` and `ddn status` given what they cannot use: one line, exit code 2, nothing left behind."""

import json
import os
import platform
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.cli.main import main
from ddn_backend.ops.running.endpoint import Endpoint, announce, running
from ddn_backend.ops.running.stack import command_for_testers
from robot_ddn_listener.contract import Analysis, FailureReport, Run, Stage, Verdict

Ddn = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ddn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ddn:
    """Return a function that runs `ddn` in an empty folder and returns exit code, stdout and stderr."""
    for name in ("DDN_REDIS_URL", "REDIS_URL", "FLOWER_USER", "FLOWER_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FLOWER_PORT", "0")
    monkeypatch.setenv("DDN_METRICS_PORT", "0")

    def run(*arguments: object, **environment: object) -> tuple[int, str, str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return end.value.code, captured.out, captured.err

    return run


@pytest.fixture
def taken() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_is_taken_is_told_before_anything_starts(ddn: Ddn, taken: int) -> None:
    for variable, what in (("FLOWER_PORT", "Flower"), ("DDN_METRICS_PORT", "the metrics")):
        code, _, said = ddn("up", "--port", 0, **{variable: taken})
        assert (code, said.count("\n")) == (2, 1)
        assert f"ddn: Opening port '127.0.0.1:{taken}' for {what} failed: address already in use. Set {variable}" in said
        os.environ[variable] = "0"  # until the fixture puts it back
    code, _, said = ddn("up", "--port", taken)
    assert (code, said.count("\n")) == (2, 1)
    assert "for Redis failed: address already in use. Name another port with --port, or name the Redis that" in said


def test_two_stacks_do_not_share_a_home(ddn: Ddn, tmp_path: Path) -> None:
    from robot_ddn_listener.runtime import open_lock, try_lock

    (tmp_path / "home" / "up").mkdir(parents=True, mode=0o700)
    lock = open_lock(tmp_path / "home" / "up" / "up.lock")
    assert try_lock(lock)
    code, _, said = ddn("up", "--port", 0)
    os.close(lock)
    assert (code, said.count("\n")) == (2, 1)
    assert "another `ddn up` runs with this DDN_HOME" in said


@pytest.mark.parametrize("command", ["up", "worker", "flower"])
def test_a_redis_that_is_not_there(ddn: Ddn, tmp_path: Path, command: str) -> None:
    (tmp_path / ".env").write_text("REDIS_URL=redis://:secret@127.0.0.1:1/0\n")
    code, _, said = ddn(command)
    assert (code, said.count("\n")) == (2, 1)
    assert "ddn: Connecting to redis at 127.0.0.1:1/0 failed: nobody listens there." in said
    assert "secret" not in said


@pytest.mark.parametrize("command", ["worker", "flower", "status"])
def test_no_redis_at_all(ddn: Ddn, command: str) -> None:
    code, _, said = ddn(command)
    assert (code, said.count("\n")) == (2, 1)
    assert "ddn: Reading setting 'DDN_REDIS_URL' failed: expected a URL such as" in said
    assert "start `ddn up`" in said


def test_flower_for_others_wants_a_login(ddn: Ddn, redis_server: Any) -> None:
    for command in (("flower", "--address", "0.0.0.0"), ("up",)):
        code, _, said = ddn(*command, DDN_REDIS_URL=redis_server.url, DDN_FLOWER_ADDRESS="0.0.0.0")
        assert (code, said.count("\n")) == (2, 1)
        assert "Set FLOWER_USER and FLOWER_PASSWORD" in said


def test_status_tells_what_is_down_and_why_nothing_is_analysed(ddn: Ddn, redis_server: Any, taken: int) -> None:
    with redis_server.client() as client:
        client.set("ddn:paused", "Pinecone is down")
        client.rpush("ddn", "a", "b")
    code, shown, _ = ddn("status", DDN_REDIS_URL=redis_server.url, FLOWER_PORT=1, DDN_METRICS_PORT=1)
    assert code == 1
    assert max(map(len, shown.splitlines())) <= 78
    assert "DOWN" in shown
    assert "none is online" in shown
    assert "Queue: 2 waiting, 0 taken by workers" in shown
    assert "Paused: Pinecone is down." in shown
    code, shown, _ = ddn("status", "--json")
    read = json.loads(shown)
    assert (code, read["up"], read["waiting"], read["paused"]) == (1, False, 2, "Pinecone is down")
    assert [part["name"] for part in read["parts"] if part["is_up"]] == ["Redis"]


def test_monitor_and_flower_are_missed_only_where_ddn_up_runs(ddn: Ddn, redis_server: Any, tmp_path: Path) -> None:
    with redis_server.client() as client:
        client.zadd("ddn:workers", {f"worker1@{platform.node()}": time.time()})
    code, shown, _ = ddn("status", DDN_REDIS_URL=redis_server.url, FLOWER_PORT=1, DDN_METRICS_PORT=1)
    assert (code, "DOWN" in shown) == (0, False)
    (tmp_path / "home" / "up").mkdir(mode=0o700)
    announce(tmp_path / "home", Endpoint(redis_server.url, "http://127.0.0.1:1", "http://127.0.0.1:1/metrics", os.getpid()))
    code, shown, _ = ddn("status")
    assert (code, shown.count("DOWN")) == (1, 2)


def test_status_counts_dead_letters(ddn: Ddn, redis_server: Any, tmp_path: Path) -> None:
    shown = ddn("status", DDN_REDIS_URL=redis_server.url)[1]
    assert "dead" not in shown
    history = SqliteHistory(tmp_path / "home" / "history" / "history.sqlite")
    for name in ("r-one", "r-two"):
        report = FailureReport(name, "shop", "f00d", Run("run"), "S", "Pays", "It failed.")
        answer = Analysis(name, "shop", "f00d", Stage.FINAL, Verdict.UNKNOWN)
        history.settle(report, answer, datetime.now(UTC), problem="GeminiError: 503")
    history.close()
    shown = ddn("status")[1]
    assert "2 dead letters: `ddn dead` tells why" in shown
    assert json.loads(ddn("status", "--json")[1])["dead"] == 2
    with redis_server.client() as client:
        client.set("ddn:history-host", "elsewhere")
    assert json.loads(ddn("status", "--json")[1])["dead"] is None


def test_a_container_is_alive_while_a_worker_of_its_own_beats(ddn: Ddn, redis_server: Any) -> None:
    ours = f"worker-7@{platform.node()}"
    with redis_server.client() as client:
        for name, seconds, expected in (("worker-7@elsewhere", 0, 1), (ours, 60, 1), (ours, 0, 0)):
            client.zadd("ddn:workers", {name: time.time() - seconds})
            assert ddn("status", "--alive", DDN_REDIS_URL=redis_server.url) == (expected, "", ""), name
    code, _, said = ddn("status", "--alive", DDN_REDIS_URL="redis://127.0.0.1:1/0")
    assert (code, said.count("\n")) == (2, 1)


def test_alert_rules_that_cannot_be_used_are_told_before_anything_starts(ddn: Ddn, tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").write_text('[routes]\nhook = "json://127.0.0.1:1"\n[[rules]]\nname = "weather"\nroute = "hook"\n')
    for command in (("up", "--port", 0), ("alert", "--test")):
        code, shown, said = ddn(*command, DDN_ALERTS=tmp_path / "alerts.toml")
        assert (code, shown, said.count("\n")) == (2, "", 1)
        assert "rule 1: name: expected one of success-rate, degraded" in said
        assert "got 'weather'" in said


def test_status_of_a_redis_that_is_not_there(ddn: Ddn) -> None:
    code, shown, _ = ddn("status", DDN_REDIS_URL="redis://127.0.0.1:1/0")
    assert code == 1
    assert "nobody listens there" in " ".join(shown.split())


def test_a_running_stack_is_found_by_commands_that_were_given_no_url(tmp_path: Path) -> None:
    (tmp_path / "up").mkdir()
    announce(tmp_path, Endpoint("redis://127.0.0.1:7/0", "http://f", "http://m", os.getpid()))
    assert (tmp_path / "up" / "endpoint.json").stat().st_mode & 0o777 == 0o600
    assert running(tmp_path) == Endpoint("redis://127.0.0.1:7/0", "http://f", "http://m", os.getpid())
    announce(tmp_path, Endpoint("redis://127.0.0.1:7/0", pid=2**22 + 1))  # there are no such processes
    assert running(tmp_path) is None


def test_what_a_tester_is_given_has_no_password() -> None:
    assert (
        command_for_testers("redis://:s3cret@host:6379/0")
        == 'robot --listener "robot_ddn_listener;redis=redis://***@host:6379/0" tests/'
    )
