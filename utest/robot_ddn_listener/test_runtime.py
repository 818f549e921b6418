"""The embedded runtime as the listener meets it: found, started once, shared, ended, and never in the way of the next one."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from robot_ddn_listener import runtime
from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import QUEUE, FailureReport, Run, Stage
from robot_ddn_listener.errors import RuntimeStartError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the embedded runtime does not run on native Windows")

ACQUIRE = """
import json, os, sys
from robot_ddn_listener import runtime
sys.stdin.readline()
lease = runtime.acquire(os.environ, 30)
print((runtime.directory(os.environ) / "endpoint.json").read_text(), flush=True)
sys.stdin.readline()
"""

HAND_DOWN = """
import os, subprocess, sys
from robot_ddn_listener import runtime
lease = runtime.acquire(os.environ, 30)
reader, writer = os.pipe()
if os.fork() == 0:
    os.close(writer)
    os.read(reader, 1)
    os._exit(0)
os.set_inheritable(reader, True)
subprocess.Popen([sys.executable, "-c", f"import os; os.read({reader}, 1)"], close_fds=False)
os.close(reader)
print("ready", flush=True)
sys.stdin.readline()
lease.close()
print("closed", flush=True)
sys.stdin.readline()
"""

TAKE_AND_DIE = """
import os, sys
from kombu import Connection
queue = Connection(sys.argv[1]).SimpleQueue(sys.argv[2])
queue.get(timeout=10)
os._exit(0)
"""


def report(name: str = "Pays by card") -> FailureReport:
    return FailureReport(
        id=f"id of {name}",
        project="shop",
        fingerprint="f00d",
        run=Run("r1"),
        suite_name="Checkout",
        test_name=name,
        error_message="The gizmo was not amused.",
    )


def python(script: str, environ: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-c", script, *arguments], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def final_verdict(url: str, wanted: FailureReport, wait_until: Any) -> Any:
    broker = Broker(url)
    try:
        return wait_until(lambda: _final(broker, wanted), "the final verdict")
    finally:
        broker.close()


def _final(broker: Broker, wanted: FailureReport) -> Any:
    analysis = broker.verdicts(wanted.project, [wanted.id]).get(wanted.id)
    return analysis if analysis and analysis.stage is Stage.FINAL else None


def submit(url: str, *reports: FailureReport) -> None:
    broker = Broker(url)
    for sent in reports:
        broker.submit(sent)
    broker.close()


def test_this_installation_can_run_the_backend(runtimes: Any) -> None:
    assert runtime.backend_installed()


def test_the_directory_is_private_and_below_ddn_home(tmp_path: Path) -> None:
    place = runtime.directory({"DDN_HOME": str(tmp_path / "deep" / "home")})
    assert place.parent == tmp_path / "deep" / "home"
    assert (place.stat().st_mode & 0o777, place.parent.stat().st_mode & 0o777) == (0o700, 0o700)


def test_processes_of_one_run_share_a_directory_and_other_backend_settings_do_not(tmp_path: Path) -> None:
    environ = {"DDN_HOME": str(tmp_path), "DDN_RUN": "1", "DDN_PROJECT": "a"}
    assert runtime.directory(environ) == runtime.directory({**environ, "DDN_RUN": "2", "DDN_PROJECT": "b", "HOME": "/"})
    assert runtime.directory(environ) != runtime.directory({**environ, "DDN_MODEL": "some-model"})
    assert runtime.directory(environ) != runtime.directory({**environ, "DDN_REDACT": "CUST"})  # its worker takes these secrets out


def test_a_directory_that_others_can_read_is_refused(tmp_path: Path) -> None:
    environ = {"DDN_HOME": str(tmp_path)}
    runtime.directory(environ).chmod(0o750)
    with pytest.raises(RuntimeStartError, match=r"Expected a directory with mode 0700, got 0750"):
        runtime.directory(environ)


def test_a_link_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    environ = {"DDN_HOME": str(tmp_path)}
    place = runtime.directory(environ)
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RuntimeStartError, match="Expected a directory"):
        runtime.directory(environ)


def test_a_home_that_everybody_can_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o777)
    with pytest.raises(RuntimeStartError, match="only its owner can write to"):
        runtime.directory({"DDN_HOME": str(tmp_path / "home")})


def test_without_a_usable_home_the_directory_is_below_the_temporary_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    place = runtime.directory({"HOME": str(tmp_path / "file")})
    assert place.parent == tmp_path / f"ddn-{os.getuid()}"


def test_a_second_lease_is_on_the_same_runtime(runtimes: Any) -> None:
    first = runtimes.acquire()
    endpoint = runtimes.endpoint
    second = runtimes.acquire()
    assert (first.url, endpoint) == (second.url, runtimes.endpoint)
    assert first.url.startswith("redis+socket:///")


def test_what_the_runtime_leaves_on_disk_is_private(runtimes: Any) -> None:
    runtimes.acquire()
    modes = {path.name: path.lstat().st_mode & 0o777 for path in [runtimes.place, *runtimes.place.rglob("*")]}
    assert {name: f"{mode:o}" for name, mode in modes.items() if mode & 0o077} == {}
    assert {"endpoint.json", "runtime.log", "appendonlydir"} <= set(modes)
    socket = Path(runtimes.endpoint["url"].removeprefix("redis+socket://"))  # elsewhere where the path would be too long for one
    assert f"{socket.lstat().st_mode & 0o077:o} {socket.parent.lstat().st_mode & 0o077:o}" == "0 0"


def test_racing_processes_start_one_runtime(runtimes: Any) -> None:
    racers = [python(ACQUIRE, runtimes.environ) for _ in range(3)]
    try:
        for racer in racers:
            print(file=racer.stdin, flush=True)
        endpoints = [json.loads(racer.stdout.readline()) for racer in racers if racer.stdout]
        runtimes.pids |= {endpoint["pid"] for endpoint in endpoints}
    finally:
        for racer in racers:
            racer.communicate("\n")
    assert len(endpoints) == len(racers)
    assert len({endpoint["pid"] for endpoint in endpoints}) == 1
    assert (runtimes.place / "runtime.log").read_text().count("Ready at") == 1


def test_it_ends_with_its_last_lease_and_keeps_only_its_history(runtimes: Any, wait_until: Any) -> None:
    first, second = runtimes.acquire(), runtimes.acquire()
    first.close()
    submit(second.url, report())
    final_verdict(second.url, report(), wait_until)
    assert len(runtimes.running()) == 2
    second.close()
    wait_until(lambda: not runtimes.running(), "the runtime to end")
    left = {path.name for path in runtimes.place.iterdir()}
    assert left == {"appendonlydir", "runtime.log", "clients.lock", "runtime.lock", "server.lock", "spawn.lock"}


def test_it_ends_when_its_client_is_killed(runtimes: Any, wait_until: Any) -> None:
    client = python(ACQUIRE, runtimes.environ)
    print(file=client.stdin, flush=True)
    assert client.stdout
    pid = json.loads(client.stdout.readline())["pid"]
    runtimes.pids.add(pid)
    client.kill()
    client.communicate()
    wait_until(lambda: not runtimes.running(), "the runtime to end")


def test_it_stays_for_its_idle_time_after_each_lease_however_short(runtimes: Any, wait_until: Any) -> None:
    runtimes.environ["DDN_IDLE"] = "1"
    runtimes.acquire().close()
    first = runtimes.endpoint["pid"]
    pids = []
    end = monotonic() + 2

    def lease_for_a_moment() -> bool:
        runtimes.acquire().close()
        pids.append(runtimes.endpoint.get("pid"))
        return monotonic() > end

    wait_until(lease_for_a_moment, "leases for longer than the idle time")
    assert set(pids) == {first}


def test_child_processes_of_a_test_do_not_keep_it_alive(runtimes: Any, wait_until: Any) -> None:
    client = python(HAND_DOWN, runtimes.environ)
    try:
        assert client.stdout
        assert client.stdout.readline() == "ready\n"
        runtimes.pids.add(runtimes.endpoint["pid"])
        print(file=client.stdin, flush=True)
        assert client.stdout.readline() == "closed\n"
        wait_until(lambda: not runtimes.running(), "the runtime to end")
        assert client.poll() is None
    finally:
        client.communicate("\n")


def test_after_a_kill_the_next_one_starts_and_nothing_of_the_old_one_runs(runtimes: Any, wait_until: Any) -> None:
    runtimes.acquire()
    old = set(runtimes.pids)
    killed = runtimes.endpoint["pid"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: runtimes.is_gone(killed), "the kill")
    new = runtimes.acquire()
    submit(new.url, report())
    assert final_verdict(new.url, report(), wait_until).report_id == report().id
    wait_until(lambda: not old & set(runtimes.running()), "the old processes to end")


def test_reports_that_a_killed_runtime_had_not_answered_are_answered_by_the_next(runtimes: Any, wait_until: Any) -> None:
    lease = runtimes.acquire()
    worker = runtimes.endpoint["pid"]
    os.kill(worker, signal.SIGSTOP)
    submit(lease.url, report("waiting"), report("under work"))
    # The stopped worker may have asked for one message already: Redis has given it away, but nobody has seen it.
    wait_until(lambda: _waiting(runtimes) >= 1, "reports in the queue")
    python(TAKE_AND_DIE, runtimes.environ, lease.url, QUEUE).communicate()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: runtimes.is_gone(worker), "the kill")
    lease.close()
    new = runtimes.acquire()
    assert final_verdict(new.url, report("under work"), wait_until).report_id == report("under work").id


def _waiting(runtimes: Any) -> int:
    with runtimes.client() as client:
        return int(client.llen(QUEUE))


def test_the_runtime_stays_while_a_guest_lives_though_nobody_holds_a_lease(runtimes: Any, wait_until: Any) -> None:
    guest = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lease = runtimes.acquire()
    url, pid = lease.url, runtimes.endpoint["pid"]
    lease.keep_for(guest.pid)
    lease.close()
    submit(url, report())
    assert final_verdict(url, report(), wait_until).report_id == report().id
    end = monotonic() + 1  # within which it would have looked often enough to end
    wait_until(lambda: pid not in runtimes.running() or monotonic() > end, "a while")
    assert pid in runtimes.running()
    guest.communicate(b"\n")
    wait_until(lambda: pid not in runtimes.running(), "the end of the runtime")
    assert not list(runtimes.place.glob("guest-*"))


def test_a_guest_of_another_time_keeps_nothing_up(runtimes: Any) -> None:
    (runtimes.place / f"guest-{os.getpid()}-1").touch()
    (runtimes.place / "guest-x-").touch()
    assert not runtime.has_guest(runtimes.place)
    assert not list(runtimes.place.glob("guest-*"))


def test_an_endpoint_file_without_a_runtime_is_not_believed(runtimes: Any) -> None:
    (runtimes.place / "endpoint.json").write_text(json.dumps({"url": "redis+socket:///nowhere", "pid": 1, "version": "0"}))
    assert runtimes.acquire().url != "redis+socket:///nowhere"


@pytest.mark.parametrize("name", ["deep" * 40, "a b%41?#"], ids=["too long for a socket", "not plain in a URL"])
def test_any_directory_will_do(runtimes: Any, tmp_path_factory: pytest.TempPathFactory, wait_until: Any, name: str) -> None:
    runtimes.environ["DDN_HOME"] = str(tmp_path_factory.mktemp("x") / name)
    url = runtimes.acquire().url
    submit(url, report())
    assert final_verdict(url, report(), wait_until)
    runtimes.end()
    assert not Path(url.removeprefix("redis+socket://")).parent.exists()


def test_a_history_that_the_server_cannot_read_is_set_aside(runtimes: Any, wait_until: Any) -> None:
    runtimes.acquire()
    runtimes.end()
    for path in (runtimes.place / "appendonlydir").glob("*.manifest"):
        path.write_text("not a manifest\n")
    assert runtimes.acquire().url
    assert (runtimes.place / "appendonlydir.broken").is_dir()


def test_a_runtime_that_cannot_start_says_why(runtimes: Any) -> None:
    runtimes.environ["DDN_CONCURRENCY"] = "many"
    with pytest.raises(
        RuntimeStartError, match=r"runtime failed: Reading setting 'DDN_CONCURRENCY' failed: expected a valid integer, got 'many'\."
    ):
        runtimes.acquire()


def test_a_runtime_that_is_not_ready_in_time_is_not_waited_for_and_ends_unused(runtimes: Any, wait_until: Any) -> None:
    with pytest.raises(RuntimeStartError, match="not ready in time"):
        runtimes.acquire(seconds=0)
    wait_until(lambda: "Ended." in (runtimes.place / "runtime.log").read_text(), "the late runtime to end")


def test_foreign_variables_do_not_steer_the_runtime(runtimes: Any, wait_until: Any) -> None:
    runtimes.environ |= {"REDIS_URL": "gopher://", "CELERY_BROKER_URL": "redis://127.0.0.1:1/0", "PYTHONWARNINGS": "error"}
    url = runtimes.acquire().url
    submit(url, report())
    assert final_verdict(url, report(), wait_until)
