"""`ddn monitor` as an operator starts it, with a real worker and a real Redis: what it writes, serves and survives."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from prometheus_client.parser import text_string_to_metric_families

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.cli.main import main
from ddn_backend.ports import TaskRun, TaskState, WantedRuns
from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import HEARTBEAT_KEY, HISTORY_HOST_KEY, QUEUE, TASK_NAME, FailureReport, Run, encode

REPORT = FailureReport("r1", "shop", "f00d", Run("run"), "Checkout", "Pays by card", "Variable '${X}' not found.")


@dataclass(frozen=True)
class Served:
    """A running monitor."""

    process: "subprocess.Popen[bytes]"
    url: str

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Return every sample: its name, then its label values in the order of the labels' names."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    def health(self) -> tuple[int, dict[str, bool]]:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def ended(self, state: str) -> float:
        return sum(value for key, value in self.metrics().items() if key[0] == "ddn_runs_total" and state in key)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "home").mkdir(mode=0o700)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DDN_", "REDIS_"))}
    return {**kept, "DDN_HOME": str(tmp_path / "home"), "DDN_METRICS_PORT": "0"}


@pytest.fixture
def monitor(environ: dict[str, str], tmp_path: Path) -> Callable[[str], Any]:
    """`with monitor(redis_url) as served` runs a monitor; what it tells is in monitor.log."""

    @contextmanager
    def run(redis_url: str) -> Iterator[Served]:
        command = [sys.executable, "-P", "-m", "ddn_backend.cli.main", "monitor", "--interval", "0.1"]
        with (tmp_path / "monitor.log").open("ab") as log:
            process = subprocess.Popen(
                command, env={**environ, "DDN_REDIS_URL": redis_url}, stdout=subprocess.PIPE, stderr=log, cwd=tmp_path
            )
            try:
                assert process.stdout
                told = process.stdout.readline().decode()
                assert told.startswith("Metrics at http://127.0.0.1:"), (tmp_path / "monitor.log").read_text()
                yield Served(process, told.removeprefix("Metrics at ").strip().removesuffix("/metrics"))
            finally:
                process.kill()
                process.wait()
                if process.stdout:
                    process.stdout.close()

    return run


@pytest.fixture
def worker(redis_server: Any, environ: dict[str, str], tmp_path: Path, wait_until: Any) -> Iterator[None]:
    command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**environ, "DDN_REDIS_URL": redis_server.url}, stdout=log, stderr=log, cwd=tmp_path
        )
        try:
            with redis_server.client() as client:
                wait_until(lambda: client.get(HEARTBEAT_KEY) or process.poll() is not None, "the heartbeat")
            yield
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def kept(environ: dict[str, str]) -> Callable[[], dict[str, TaskRun]]:
    """Return the task runs in the history, by their tasks; of one task there is one."""

    def read() -> dict[str, TaskRun]:
        history = SqliteHistory(Path(environ["DDN_HOME"]) / "history" / "history.sqlite")
        try:
            runs = history.task_runs(WantedRuns())
        finally:
            history.close()
        assert len({run.task_id for run in runs}) == len(runs)
        return {run.task_id: run for run in runs}

    return read


def test_counts_agree_whatever_is_killed(redis_server: Any, worker: None, monitor: Any, kept: Any, wait_until: Any) -> None:
    broker = Broker(redis_server.url)
    with monitor(redis_server.url) as served:
        wait_until(lambda: all(served.health()[1].values()), "the monitor")
        broker.submit(REPORT)
        with Celery(broker=redis_server.url, set_as_current=False) as plain:
            plain.send_task(TASK_NAME, [{**encode(REPORT), "id": "bad", "log": 7}], task_id="bad", queue=QUEUE)
        wait_until(lambda: served.ended("SUCCESS") == 1 and served.ended("FAILURE") == 1, "both ends")
        wait_until(lambda: served.metrics()["ddn_unwritten_runs",] == 0, "the history")
        metrics = served.metrics()
        run = kept()["r1"]
        assert (run.state, run.project, run.test_name, run.error_type) == (TaskState.SUCCESS, "shop", "Pays by card", "TEST_ERROR")
        assert run.queued <= run.started <= run.finished
        assert (run.worker.partition("@")[0], run.rule_id, run.verdict) == ("celery", "variable-not-found", "diagnosed")
        assert run.seconds > 0
        assert "condense" in run.step_seconds
        assert "Reading the failure report failed" in kept()["bad"].error
        assert "Traceback" in kept()["bad"].traceback
        assert (metrics["ddn_workers_online",], metrics["ddn_queue_depth",], metrics["ddn_redis_up",]) == (1, 0, 1)
        assert metrics["ddn_worker_memory_bytes", run.worker] > 10_000_000
        assert metrics["ddn_worker_threads", run.worker] == 8
        assert metrics["ddn_redis_memory_bytes",] > 100_000
        assert metrics["ddn_analysis_seconds_count", "TEST_ERROR"] == 1
        assert metrics["ddn_step_seconds_count", "condense"] == 1
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
    broker.submit(replace(REPORT, id="r2"))  # analysed while no monitor runs
    wait_until(lambda: broker.verdicts("shop", ["r2"]) and broker.verdicts("shop", ["r2"])["r2"].stage == "final", "its answer")
    with redis_server.client() as client:
        client.flushall()
    with monitor(redis_server.url) as served:
        wait_until(lambda: served.ended("SUCCESS") == 2, "what was missed")
        assert served.ended("FAILURE") == 1
        assert sorted(kept()) == ["bad", "r1", "r2"]
        assert kept()["r1"] == run
        served.process.terminate()
        assert served.process.wait(30) == 0
    broker.close()


@contextmanager
def own_redis(port: int, place: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(place), "--save", ""], stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_redis_that_goes_and_returns_is_told_and_found_again(
    monitor: Any, kept: Any, wait_until: Any, free_port: Callable[[], int], tmp_path: Path
) -> None:
    port = free_port()
    with own_redis(port, tmp_path):
        wait_until(lambda: listens(port), "the Redis")
        serving = monitor(f"redis://127.0.0.1:{port}/0")
        served = serving.__enter__()
        wait_until(lambda: served.health()[0] == 200, "the monitor")
    try:
        wait_until(lambda: not any(served.health()[1][part] for part in ("redis", "events")), "the loss to be seen")
        assert served.health()[0] == 503
        metrics = served.metrics()
        assert (metrics["ddn_redis_up",], metrics["ddn_events_up",]) == (0, 0)
        assert ("ddn_queue_depth",) not in metrics  # an old figure would look like a new one
        with own_redis(port, tmp_path):
            wait_until(lambda: served.health()[0] == 200, "the Redis to be found")
            broker = Broker(f"redis://127.0.0.1:{port}/0")
            broker.submit(REPORT)
            broker.close()
            wait_until(lambda: served.metrics()["ddn_open_runs", "QUEUED"] == 1, "its event")
            wait_until(lambda: served.metrics()["ddn_queue_depth",] == 1, "the depth of the queue")
            wait_until(lambda: "r1" in kept(), "the history")
    finally:
        serving.__exit__(None, None, None)


def listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def free_port() -> Callable[[], int]:
    from ddn_backend.ops.running.addresses import free_port

    return free_port


def test_a_second_history_is_not_written_beside_that_of_workers_elsewhere(
    redis_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDN_REDIS_URL", redis_server.url)
    monkeypatch.setenv("DDN_HOME", str(tmp_path / "home"))
    with redis_server.client() as client:
        client.set(HISTORY_HOST_KEY, "elsewhere")
    with pytest.raises(SystemExit) as end:
        main(["monitor"])
    assert end.value.code == 2
    assert "workers on 'elsewhere' keep it in a file there" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"DDN_REDIS_URL": "redis://127.0.0.1:1/0"}, "127.0.0.1:1/0 failed: nobody listens there"),
        ({"DDN_METRICS_ADDRESS": "0.0.0.0"}, "Set DDN_METRICS_USER and DDN_METRICS_PASSWORD"),
        ({"DDN_METRICS_USER": "ada"}, "got one of the two"),
        ({"DDN_METRICS_PORT": "taken"}, "address already in use"),
        ({"DDN_METRICS_PORT": "x"}, "DDN_METRICS_PORT"),
        ({"DDN_ALERTS": "nowhere.toml"}, "nowhere.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_used_is_one_line(
    variables: dict[str, str],
    told: str,
    redis_server: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    taken = {"DDN_METRICS_PORT": str(redis_server.port)} if variables.get("DDN_METRICS_PORT") == "taken" else {}
    for name, value in {"DDN_REDIS_URL": redis_server.url, "DDN_HOME": str(tmp_path / "home"), **variables, **taken}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as end:
        main(["monitor"])
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1
