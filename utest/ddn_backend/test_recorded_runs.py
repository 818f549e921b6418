"""Recorded runs on the backend's side: a real worker takes them, the embedded runtime finds them, novelty follows from them."""

import base64
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.errors import PermanentError
from ddn_backend.ports import HistoryBrokenError
from ddn_backend.recorded_runs import Intake, take_in, take_run
from robot_ddn_listener import kept_runs
from robot_ddn_listener.contract import (
    HEARTBEAT_KEY,
    QUEUE,
    TASK_NAME,
    Analysis,
    ExceptionInfo,
    FailureReport,
    Frame,
    Git,
    Novelty,
    Run,
    decode,
    encode,
    verdict_key,
)
from robot_ddn_listener.redis_push import connected
from robot_ddn_listener.redis_url import parse_redis_url
from robot_ddn_listener.run_message import packed
from robot_ddn_listener.runs import envelope

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def message(run: str, status: str = "PASS", commit: str = "", when: datetime | None = None, test: str = "S.T") -> dict[str, Any]:
    moment = (when or datetime.now(UTC)).isoformat()
    return packed("shop", Run(run, "S", git=Git("", commit, "main", False)), moment, [(test, status, 0.1, "")])


@pytest.fixture
def history(tmp_path: Path) -> Iterator[SqliteHistory]:
    opened = SqliteHistory(tmp_path / "history" / "history.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository whose second commit changed the line that fails."""
    place = tmp_path / "checkout"
    place.mkdir()
    for content in ("pay = 1\n", "pay = 1 / 0\n"):
        (place / "shop.py").write_text(content)
        git(place, "init", "-b", "main", ".")
        git(place, "add", ".")
        git(place, "commit", "-m", f"make it {content.strip()}")
    return place


def git(place: Path, *arguments: str) -> str:
    names = {f"GIT_{role}_{part}": "a@b" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    done = subprocess.run(["git", *arguments], cwd=place, check=True, capture_output=True, text=True, env={**os.environ, **names})
    return done.stdout.strip()


@pytest.fixture
def worker(redis_server: Any, tmp_path: Path, checkout: Path, wait_until: Any) -> Iterator[Path]:
    """A worker as an operator starts it; gives its log."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DDN_")}
    mine = {"DDN_REDIS_URL": redis_server.url, "DDN_HOME": str(tmp_path / "home"), "DDN_SOURCE_ROOT": str(checkout)}
    command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker"]
    (tmp_path / "home").mkdir(mode=0o700)
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env={**kept, **mine}, stdout=log, stderr=log, cwd=tmp_path)
        try:
            with redis_server.client() as client:
                wait_until(lambda: client.get(HEARTBEAT_KEY) or process.poll() is not None, "the heartbeat")
            assert process.poll() is None, (tmp_path / "worker.log").read_text()
            yield tmp_path / "worker.log"
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def analysed(redis_server: Any) -> Callable[..., Analysis]:
    """Return a function that has a failure of one test analysed in a run at a commit."""

    def send(run: str, commit: str) -> Analysis:
        frame = Frame("shop.py", 1, "pay", own=True)
        report = FailureReport(
            id=f"report-{run}",
            project="shop",
            fingerprint="f00d",
            run=Run(run, git=Git("", commit, "main", False)),
            suite_name="S",
            test_name="T",
            full_name="S.T",
            error_message="ZeroDivisionError: division by zero",
            exception=ExceptionInfo("ZeroDivisionError", "division by zero", (frame,)),
        )
        with Celery(broker=redis_server.url, backend=redis_server.url, set_as_current=False) as plain:
            plain.send_task(TASK_NAME, [encode(report)], task_id=report.id, queue=QUEUE).get(timeout=30)
        with redis_server.client() as client:
            return decode(Analysis, json.loads(client.get(verdict_key("shop", report.id))))

    return send


@pytest.fixture
def tell(redis_server: Any, history_of_worker: SqliteHistory, wait_until: Any) -> Callable[..., None]:
    """Return a function that tells of a run as the listener does, and returns when the history knows of it."""

    def push(sent: dict[str, Any]) -> None:
        with connected(parse_redis_url(redis_server.url)) as line:
            line.push(envelope(sent))
        known = sent["run"]["id"]
        wait_until(lambda: any(run.run.id == known for run in history_of_worker.runs("shop", LONG_AGO)), "the run to be recorded")

    return push


@pytest.fixture
def history_of_worker(worker: Path, tmp_path: Path) -> Iterator[SqliteHistory]:
    opened = SqliteHistory(tmp_path / "home" / "history" / "history.sqlite")
    yield opened
    opened.close()


def test_a_pass_in_between_makes_it_regressed_and_the_commits_since_are_suspects(analysed: Any, tell: Any, checkout: Path) -> None:
    old, new = git(checkout, "rev-parse", "HEAD~1"), git(checkout, "rev-parse", "HEAD")
    assert analysed("run-1", "0" * 40).novelty is Novelty.NEW
    tell(message("run-2", "PASS", old))
    answer = analysed("run-3", new)
    assert answer.novelty is Novelty.REGRESSED
    [suspect] = answer.suspects
    assert (suspect.commit, suspect.file) == (new, "shop.py")
    assert "last pass" in suspect.why


def test_passing_and_failing_at_one_commit_makes_it_flaky_and_what_is_no_run_is_refused(
    analysed: Any, tell: Any, redis_server: Any, worker: Path, wait_until: Any
) -> None:
    bomb = message("bomb") | {"outcomes": base64.b64encode(b"no zlib").decode()}
    with connected(parse_redis_url(redis_server.url)) as line:
        line.push(envelope(bomb))
    tell(message("run-1", "FAIL", "c0ffee"))
    tell(message("run-2", "PASS", "c0ffee"))
    assert analysed("run-3", "d00d").novelty is Novelty.FLAKY
    wait_until(lambda: "RunRecord.outcomes" in worker.read_text(), "the error")
    with redis_server.client() as client:  # nobody reads what comes of a recorded run
        assert [key for key in client.keys("celery-task-meta-*") if not key.endswith(b"report-run-3")] == []


def test_what_is_no_run_is_refused(history: SqliteHistory) -> None:
    with pytest.raises(PermanentError, match=r"Reading the record of a run failed: .*RunRecord"):
        take_run({"project": "shop"}, history)
    with pytest.raises(PermanentError, match="Keeping run 'r1'"):
        take_run(message("r1") | {"when": "yesterday"}, history)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "home" / kept_runs.RUNS / "embedded"
    for each in (*reversed(place.parents[:2]), place):
        each.mkdir(mode=0o700, exist_ok=True)
    return place


def keep(folder: Path, kept: dict[str, Any]) -> Path:
    path = kept_runs.keep({"DDN_HOME": str(folder.parents[1])}, folder.name, kept)
    assert path
    return path


def test_files_are_taken_in_once_and_broken_ones_set_aside(history: SqliteHistory, folder: Path, caplog: Any) -> None:
    for run in ("r1", "r2"):
        keep(folder, message(run))
    keep(folder, message("r3") | {"outcomes": 7})
    (folder / "0.json").write_bytes(b"\xff{")
    with caplog.at_level(logging.WARNING):
        assert take_in(folder, history) == 2
    assert {run.run.id for run in history.runs("shop", LONG_AGO)} == {"r1", "r2"}
    assert sorted(path.suffix for path in folder.iterdir()) == [".broken", ".broken"]
    assert caplog.text.count("It is set aside.") == 2
    assert take_in(folder, history) == 0


def test_a_file_that_is_taken_in_twice_is_one_run(history: SqliteHistory, folder: Path) -> None:
    kept = message("r1")
    for _ in range(2):
        keep(folder, kept)
        take_in(folder, history)
    assert len(history.runs("shop", LONG_AGO)) == 1


class Down:
    def record_run(self, run: Any) -> None:
        raise HistoryBrokenError("The disk is gone.")


def test_a_history_that_fails_costs_no_file(folder: Path) -> None:
    path = keep(folder, message("r1"))
    with pytest.raises(HistoryBrokenError):
        take_in(folder, Down())  # type: ignore[arg-type]
    assert path.exists()


def test_the_intake_goes_on_as_long_as_it_lives(history: SqliteHistory, folder: Path, tmp_path: Path, wait_until: Any) -> None:
    keep(folder, message("r1"))
    intake = Intake(folder, lambda: SqliteHistory(tmp_path / "history" / "history.sqlite"))
    intake.start()
    try:
        intake.wait(30)
        assert [run.run.id for run in history.runs("shop", LONG_AGO)] == ["r1"]
        path = keep(folder, message("r2"))
        wait_until(lambda: not path.exists(), "the next run to be taken in")
    finally:
        intake.stop()
    assert len(history.runs("shop", LONG_AGO)) == 2


def test_nothing_is_taken_from_a_folder_that_others_may_write_to(folder: Path, wait_until: Any, caplog: Any) -> None:
    path = keep(folder, message("r1"))
    folder.chmod(0o777)
    intake = Intake(folder, Down)  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        intake.start()
        intake.wait(30)
        intake.stop()
    assert path.exists()
    assert "mode 0700" in caplog.text


def test_the_embedded_runtime_knows_of_them_before_it_is_ready(runtimes: Any) -> None:
    home = Path(runtimes.environ["DDN_HOME"])
    for number in range(3):
        kept_runs.keep(runtimes.environ, kept_runs.of_embedded(""), message(f"r{number}"))
    runtimes.acquire()
    assert kept_runs.waiting(home / kept_runs.RUNS / "embedded") == []
    kept = SqliteHistory(home / "history" / "history.sqlite")
    assert len(kept.runs("shop", LONG_AGO)) == 3
    kept.close()
