"""The embedded runtime seen from inside: one for each directory, and what it does when things go wrong around it."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ddn_backend import embedded
from ddn_backend.embedded import MAX_LOG_BYTES, BoundedLog
from ddn_backend.valkey_server import ValkeyServer, binaries
from robot_ddn_listener import runtime
from robot_ddn_listener.contract import HEARTBEAT_KEY, QUEUE
from utest.conftest import missing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the embedded runtime does not run on native Windows")


def run_embedded(runtimes: Any, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "ddn_backend.embedded", *arguments]
    return subprocess.run(command, env=runtimes.environ, capture_output=True, text=True, timeout=60)


def test_a_second_runtime_for_the_same_directory_leaves_at_once(runtimes: Any) -> None:
    runtimes.acquire()
    before = runtimes.endpoint
    second = run_embedded(runtimes, str(runtimes.place))
    assert (second.returncode, runtimes.endpoint) == (0, before)


def test_started_by_hand_it_writes_to_nothing_but_its_log_and_ends_unused(runtimes: Any) -> None:
    unused = run_embedded(runtimes, str(runtimes.place))
    assert (unused.returncode, unused.stdout, unused.stderr) == (0, "", "")
    log = (runtimes.place / "runtime.log").read_text()
    assert log.rstrip().endswith("Ended.")


def test_a_wrong_directory_or_none_is_said(runtimes: Any, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    refused = run_embedded(runtimes, str(tmp_path / "open"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Expected a directory with mode 0700, got 0755" in refused.stderr
    assert run_embedded(runtimes).returncode == 2


def test_its_worker_heart_beats(runtimes: Any) -> None:
    runtimes.acquire()
    with runtimes.client() as client:
        assert client.get(HEARTBEAT_KEY).startswith(b"embedded-")


def test_it_ends_when_its_server_dies(runtimes: Any, wait_until: Any) -> None:
    runtimes.acquire()
    (server,) = runtimes.pids - {runtimes.endpoint["pid"]}
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: not runtimes.running(), "the runtime to end")
    assert runtimes.endpoint == {}
    assert "The server is gone." in (runtimes.place / "runtime.log").read_text()


def test_it_ends_when_it_is_terminated(runtimes: Any, wait_until: Any) -> None:
    runtimes.acquire()
    os.kill(runtimes.endpoint["pid"], signal.SIGTERM)
    wait_until(lambda: not runtimes.running(), "the runtime to end")
    assert runtimes.endpoint == {}


def test_waiting_reports_are_worked_off_before_it_ends(runtimes: Any, wait_until: Any) -> None:
    from celery import Celery

    lease = runtimes.acquire()
    worker = runtimes.endpoint["pid"]
    os.kill(worker, signal.SIGSTOP)
    with Celery(broker=lease.url, set_as_current=False) as plain:
        for number in range(40):
            plain.send_task("tasks.analyze_test_failure", [{"id": str(number), "project": "shop"}], queue=QUEUE)
    lease.close()
    os.kill(worker, signal.SIGCONT)
    wait_until(lambda: not runtimes.running(), "the runtime to end")
    runtimes.acquire()
    with runtimes.client() as client:
        assert (client.llen(QUEUE), client.hlen("unacked")) == (0, 0)
        assert len(client.keys("ddn:shop:verdict:*")) == 40


def test_the_server_has_no_port_and_a_private_socket(runtimes: Any) -> None:
    lease = runtimes.acquire()
    with runtimes.client() as client:
        settings = client.config_get("port", "appendonly", "unixsocketperm")
    assert (settings["port"], settings["appendonly"]) == ("0", "yes")
    assert Path(lease.url.removeprefix("redis+socket://")).stat().st_mode & 0o077 == 0


def test_a_server_that_an_earlier_runtime_left_behind_is_shut_down(tmp_path: Path) -> None:
    if not list(binaries()):
        missing("redis-server")
    left_behind, ours = ValkeyServer(tmp_path), ValkeyServer(tmp_path)
    left_behind.start()
    try:
        ours.start()
        assert (left_behind.is_alive(), ours.is_alive()) == (False, True)
    finally:
        ours.stop()
        left_behind.stop()
    assert not ours.is_alive()


def test_servers_that_cannot_be_run_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin" / "valkey-server"
    broken.parent.mkdir()
    broken.write_text("no program")
    broken.chmod(0o700)
    monkeypatch.setenv("PATH", str(broken.parent))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        runtime.RuntimeStartError, match=r"Starting a Valkey server in .* failed: .*valkey-server: .*Exec format error"
    ):
        ValkeyServer(tmp_path).start()


def test_a_full_log_starts_over_and_others_go_on_writing_to_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab") as other:
        log = BoundedLog(path)
        other.write(b"x" * (MAX_LOG_BYTES + 1))
        other.flush()
        log.emit(logging.makeLogRecord({"msg": "after"}))
        other.write(b"from another\n")
    log.stream.close()
    assert path.read_text() == "after\nfrom another\n"


def test_the_module_is_the_program() -> None:
    assert embedded.main([]) == 2
