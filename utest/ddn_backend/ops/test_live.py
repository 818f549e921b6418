"""Steering the queue while it runs: pause, revoke, limits, purge, requeue, on a real Redis, with a real worker and history."""

import io
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.result import AsyncResult
from kombu import pools

from ddn_backend import revocation, tasks
from ddn_backend.adapters.budgets import LaterError, RedisBudget
from ddn_backend.adapters.call_limit import CallLimit
from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.app import configuration
from ddn_backend.cli.main import main
from ddn_backend.errors import PermanentError
from ddn_backend.heartbeat import heartbeat
from ddn_backend.ops.steering.limits import change, rates
from ddn_backend.ops.steering.listing import listed
from ddn_backend.ops.steering.pause import pause, paused, resume
from ddn_backend.ops.steering.queued import in_hand, waiting
from ddn_backend.ops.steering.reach import Backend, reach
from ddn_backend.ops.steering.requeue import ANY_PART, Chosen, chosen, dead_letters, requeue
from ddn_backend.ops.steering.revoke import Revoked, purge, revoke, revoke_pending
from ddn_backend.pipeline import Parts, Pipeline, thresholds
from ddn_backend.pipeline.retrieve import Shipped
from ddn_backend.ports import HistoryError, Passage, State, TaskRun, TaskState, WantedRuns
from ddn_backend.revocation import Revocations
from ddn_backend.settings import Settings, load
from robot_ddn_listener.contract import (
    PAUSED_KEY,
    QUEUE,
    TASK_NAME,
    WORKERS_KEY,
    Analysis,
    FailureReport,
    Run,
    Stage,
    Verdict,
    encode,
)

pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # Celery's own call

NOW = datetime.now(UTC)
BY = "revoked by anna"


def report(name: str, **fields: Any) -> FailureReport:
    fields = {"project": "shop", "error_message": "The gizmo was not amused.", **fields}
    return FailureReport(f"{name}-0000", fingerprint=name, run=Run("run"), suite_name="S", test_name=name, **fields)


class Shelf:
    """A knowledge base without documents, in which a search takes until `gate` is open; `entered` tells that one began."""

    def __init__(self) -> None:
        self.gate, self.entered = threading.Event(), threading.Event()
        self.gate.set()

    def search(self, query: str, limit: int = 5) -> tuple[Passage, ...]:
        self.entered.set()
        assert self.gate.wait(30)
        return ()


@pytest.fixture
def settings(redis_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of this process, and of what is started from it."""
    (tmp_path / "home").mkdir(mode=0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDN_REDIS_URL", redis_server.url)
    monkeypatch.setenv("DDN_HOME", str(tmp_path / "home"))
    return load()


@pytest.fixture
def backend(settings: Settings) -> Iterator[Backend]:
    pools.reset()  # connections of earlier tests, which the server has closed since
    with reach(settings) as reached:
        yield reached


@pytest.fixture
def history(settings: Settings) -> Iterator[SqliteHistory]:
    kept = SqliteHistory(settings.home_folder / "history" / "history.sqlite")
    yield kept
    kept.close()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def worker(settings: Settings, history: SqliteHistory, shelf: Shelf) -> Callable[[], Any]:
    """`with worker():` runs one, over `history` and `shelf`."""

    @contextmanager
    def run() -> Iterator[None]:
        app = Celery("ddn_backend", broker=settings.redis_url, backend=settings.redis_url, set_as_current=False)
        app.conf.update(configuration(settings))
        app.steps["consumer"].add(heartbeat(has_local_history=True))
        revocation.listen()
        pipeline = Pipeline(Parts(library=Shipped(shelf), thresholds=thresholds.load(), history=history))
        tasks.register(app, lambda: pipeline)
        with start_worker(app, pool="threads", concurrency=2, perform_ping_check=False, shutdown_timeout=30):
            yield

    return run


@pytest.fixture
def told(backend: Backend, wait_until: Any) -> Iterator[list[dict[str, Any]]]:
    """All events of tasks while the test runs."""
    events: list[dict[str, Any]] = []
    with backend.app.connection_for_read() as connection:
        receiver = backend.app.events.Receiver(connection, handlers={"*": events.append})
        thread = threading.Thread(target=receiver.capture, kwargs={"limit": None, "timeout": None, "wakeup": False})
        thread.start()
        wait_until(lambda: backend.client.pubsub_numpat(), "the receiver")
        yield events
        receiver.should_stop = True
        with backend.app.events.default_dispatcher() as dispatcher:
            dispatcher.send("wake-up")
        thread.join(10)


def revoked_ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["uuid"] for event in events if event["type"] == "task-revoked"]


def state(backend: Backend, report_id: str) -> str:
    return str(AsyncResult(report_id, app=backend.app).state)


def verdict(backend: Backend, name: str) -> Analysis:
    return backend.broker.verdicts("shop", [f"{name}-0000"])[f"{name}-0000"]


def is_answered(backend: Backend, name: str) -> bool:
    return state(backend, f"{name}-0000") == "SUCCESS"


def test_a_pause_tells_listeners_the_reason_and_operators_who_and_when(backend: Backend) -> None:
    pause(backend, "Pinecone\n is down", "anna", NOW)
    assert backend.broker.idle_reason() == "the queue is paused: Pinecone is down"
    assert str(paused(backend.client)) == f"The queue is paused: Pinecone is down (by anna at {NOW:%Y-%m-%d %H:%M} UTC)."
    assert str(resume(backend)).startswith("The queue is paused: Pinecone is down")
    assert paused(backend.client) is None
    assert resume(backend) is None


def test_a_pause_of_another_program_counts_as_well(backend: Backend) -> None:
    backend.client.set(PAUSED_KEY, "by hand")
    assert str(paused(backend.client)) == "The queue is paused: by hand."


def test_a_worker_stops_taking_reports_when_it_is_paused_and_goes_on_after(backend: Backend, worker: Any, wait_until: Any) -> None:
    with worker():
        wait_until(lambda: backend.client.zcard(WORKERS_KEY), "the worker")
        pause(backend, "upgrade", "anna", NOW)
        backend.broker.submit(report("one"))
        assert backend.client.blpop("never", 0.3) is None
        assert [message.task_id for message in waiting(backend.client)] == ["one-0000"]
        resume(backend)
        wait_until(lambda: is_answered(backend, "one"), "the answer")


def test_what_waits_and_is_revoked_never_runs_and_is_kept(
    backend: Backend, history: SqliteHistory, worker: Any, shelf: Shelf, told: Any, wait_until: Any
) -> None:
    for name in ("alpha1", "alpha2", "alpha3"):
        backend.broker.submit(report(name))
    assert revoke(backend, history, "alpha1", BY) == Revoked(queued=("alpha1-0000",))
    assert [message.task_id for message in waiting(backend.client)] == ["alpha3-0000", "alpha2-0000"]
    assert state(backend, "alpha1-0000") == "REVOKED"
    wait_until(lambda: revoked_ids(told) == ["alpha1-0000"], "the event")
    answer = verdict(backend, "alpha1")
    assert (answer.stage, answer.degraded) == (Stage.FINAL, ("analysis: revoked by anna",))

    past = history.find("alpha1-0000")
    assert past
    assert past.report == report("alpha1")
    backend.broker.submit(report("alpha1"))  # the listener's first try, which it thought was lost
    with worker():
        wait_until(lambda: is_answered(backend, "alpha2") and is_answered(backend, "alpha3"), "the others")
        wait_until(lambda: not backend.client.llen(QUEUE) and not in_hand(backend.client), "the end")
    assert state(backend, "alpha1-0000") == "REVOKED"
    assert verdict(backend, "alpha1") == answer


def test_what_runs_and_is_revoked_stops_at_its_next_step_with_the_best_answer_so_far(
    backend: Backend, history: SqliteHistory, worker: Any, shelf: Shelf, told: Any, wait_until: Any
) -> None:
    shelf.gate.clear()
    backend.broker.submit(report("runs", error_message="ConnectionRefusedError: [Errno 111] Connection refused"))
    with worker():
        assert shelf.entered.wait(30)
        assert revoke(backend, history, "runs-0", BY) == Revoked(running=("runs-0000",))
        shelf.gate.set()
        wait_until(lambda: state(backend, "runs-0000") == "REVOKED", "the state")
        wait_until(lambda: revoked_ids(told) == ["runs-0000"], "the event")
        wait_until(lambda: not in_hand(backend.client), "the acknowledgement")
    answer = verdict(backend, "runs")
    assert (answer.stage, answer.error_type, answer.degraded) == (Stage.FINAL, "INFRA_ERROR", ("analysis: revoked by anna",))
    assert not [event for event in told if event["type"] in ("task-failed", "task-succeeded")]
    past = history.find("runs-0000")
    assert past
    assert past.state is State.PENDING


def test_all_pending_are_revoked_and_questions_of_testers_stay(
    backend: Backend, history: SqliteHistory, told: Any, wait_until: Any
) -> None:
    backend.app.send_task("tasks.search", ["", ""], queue=QUEUE)
    names = [f"p{number:02}" for number in range(60)]
    for name in names:
        backend.broker.submit(report(name))
    assert sorted(revoke_pending(backend, history, BY).queued) == [f"{name}-0000" for name in names]
    assert backend.client.llen(QUEUE) == 1
    wait_until(lambda: len(revoked_ids(told)) == 60, "the events")
    assert {event["hostname"] for event in told if event["type"] == "task-revoked"} == {"nobody"}
    with pytest.raises(revocation.RevokedError, match=BY):
        revocation.Revocations(backend.client).check("p07-0000")


@pytest.mark.parametrize(
    ("beginning", "words"),
    [
        ("same-1", "several|2 ids begin like that"),
        ("same", "at least 6 characters"),
        ("nobody-knows", "no analysis has an id that begins so"),
        ("answered", "it is not under way, its state is 'answered'"),
    ],
)
def test_what_cannot_be_revoked_is_told(beginning: str, words: str, backend: Backend, history: SqliteHistory) -> None:
    for name in ("same-11", "same-12"):
        backend.broker.submit(report(name))
    known = report("answered")
    history.settle(known, Analysis(known.id, "shop", stage=Stage.FINAL, verdict=Verdict.DIAGNOSED), NOW)
    with pytest.raises(PermanentError, match=words):
        revoke(backend, history, beginning, BY)
    assert len(list(waiting(backend.client))) == 2


def test_purged_reports_are_kept_and_can_be_sent_again(
    backend: Backend, history: SqliteHistory, worker: Any, shelf: Shelf, wait_until: Any
) -> None:
    for name in ("one", "two"):
        backend.broker.submit(report(name))
    backend.app.send_task(TASK_NAME, [{"id": "broken"}], task_id="broken", queue=QUEUE)
    purged = purge(backend, history, "purged by anna")
    assert (purged.kept, purged.unreadable, purged.running) == (2, 1, 0)
    assert backend.client.llen(QUEUE) == 0
    assert (verdict(backend, "one").stage, verdict(backend, "one").degraded) == (Stage.INTERIM, ("analysis: purged by anna",))

    reports = chosen(history, Chosen(state=State.PENDING))
    assert requeue(backend, reports).count == 2
    with worker():
        wait_until(lambda: is_answered(backend, "one") and is_answered(backend, "two"), "the answers")
    assert (verdict(backend, "one").stage, verdict(backend, "one").degraded) == (Stage.FINAL, ())


def test_nothing_leaves_the_queue_when_the_history_does_not_take_it(backend: Backend, history: SqliteHistory) -> None:
    backend.broker.submit(report("one"))
    history.close()
    with pytest.raises(HistoryError):
        purge(backend, history, "purged by anna")
    assert backend.client.llen(QUEUE) == 1


def test_what_was_revoked_here_or_in_flower_or_answered_runs_when_it_is_sent_again(
    backend: Backend, history: SqliteHistory, worker: Any, shelf: Shelf, wait_until: Any
) -> None:
    history.keep(report("again"), NOW)
    with worker():
        wait_until(lambda: backend.client.zcard(WORKERS_KEY), "the worker")
        backend.app.control.revoke("again-0000", reply=True, timeout=5, limit=1)
        revocation.Revocations(backend.client).revoke("again-0000", BY)
        assert requeue(backend, chosen(history, Chosen(ids=("again-",)))).count == 1
        wait_until(lambda: is_answered(backend, "again"), "the answer")

        shelf.entered.clear()
        requeue(backend, chosen(history, Chosen(ids=("again-0000",))))
        assert shelf.entered.wait(30)
        wait_until(lambda: verdict(backend, "again").stage is Stage.FINAL, "the second answer")


@pytest.fixture
def kept(history: SqliteHistory) -> SqliteHistory:
    """Four reports: one that failed, two degraded (one of them old, of another project), one answered."""
    failed, slow, old, fine = report("failed"), report("slow"), report("oldone", project="bank"), report("fine")
    final = Analysis("", "shop", stage=Stage.FINAL, verdict=Verdict.DIAGNOSED)
    for which, when, answer, problem in (
        (failed, NOW, replace(final, degraded=("analysis: KeyError: 'x'",)), "KeyError: 'x'"),
        (slow, NOW, replace(final, degraded=("pinecone: timed out after 3 s",)), ""),
        (old, NOW - timedelta(days=2), replace(final, degraded=("pinecone: refused", "github: refused")), ""),
        (fine, NOW, final, ""),
    ):
        history.keep(which, when)
        history.settle(which, replace(answer, report_id=which.id, project=which.project), when, problem=problem)
    return history


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Chosen(state=State.FAILED), ["failed"]),
        (Chosen(part="pinecone"), ["slow", "oldone"]),
        (Chosen(part=ANY_PART), ["failed", "slow", "oldone"]),
        (Chosen(part="pinecone", since=NOW - timedelta(hours=1)), ["slow"]),
        (Chosen(part="github", project="shop"), []),
        (Chosen(text="REFUSED"), ["oldone"]),
        (Chosen(since=NOW - timedelta(hours=1), limit=1), ["failed"]),
        (Chosen(ids=("oldone", "fine-0000", "oldone-0")), ["oldone", "fine"]),
        (Chosen(ids=("oldone", "fine-0000"), part="github"), ["oldone"]),
        (Chosen(ids=("failed",), since=NOW + timedelta(hours=1)), []),
    ],
)
def test_all_conditions_of_requeue_must_hold(wanted: Chosen, found: list[str], kept: SqliteHistory) -> None:
    assert [past.report.test_name for past in chosen(kept, wanted)] == found


def test_dead_letters_have_error_and_traceback(kept: SqliteHistory) -> None:
    run = TaskRun("k", "failed-0000", TaskState.FAILURE, finished=NOW.isoformat(), error="KeyError", traceback="Traceback: here")
    kept.record_task_runs((run,))
    [letter] = dead_letters(kept)
    assert (letter.past.report, letter.error, letter.traceback) == (report("failed"), "KeyError: 'x'", "Traceback: here")


def test_rates_hold_as_set_until_an_operator_says_otherwise(backend: Backend, settings: Settings) -> None:
    def shown() -> list[tuple[str, int, int]]:
        return [(rate.service, rate.configured, rate.now) for rate in rates(backend.client, settings)]

    assert shown() == [("model", 0, 0), ("github", 10, 10)]
    change(backend.client, "model", 30)
    change(backend.client, "github", 0)
    assert shown() == [("model", 0, 30), ("github", 10, 0)]
    change(backend.client, "model", None)
    assert shown() == [("model", 0, 0), ("github", 10, 0)]


def test_a_rate_that_is_changed_holds_for_the_next_call_of_every_worker(backend: Backend) -> None:
    client = backend.client
    model, github = RedisBudget(client, "m", calls_per_minute=1), CallLimit(client, "ddn:github", "acme", 1)
    model.before_call("shop", "run", 1)
    assert github.take() == 0
    with pytest.raises(LaterError, match="1 calls a minute over all workers are used up"):
        model.before_call("shop", "run", 0.1)
    assert github.take() > 1

    for service in ("model", "github"):
        change(client, service, 2)
    assert [model.before_call("shop", "run", 1), model.before_call("shop", "run", 1)] == ["", ""]
    assert [github.take(), github.take()] == [0, 0]
    with pytest.raises(LaterError, match="2 calls a minute"):
        model.before_call("shop", "run", 0.1)
    assert github.take() > 1

    for service in ("model", "github"):
        change(client, service, 0)
    assert {model.before_call("shop", "run", 1) for _ in range(5)} == {""}
    assert {github.take() for _ in range(5)} == {0}
    github.hold(60)
    assert github.take() > 50  # what GitHub itself asks for is always kept to


def ddn(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("revoke",), "expected ids, or --pending"),
        (("revoke", "abcdef", "--pending"), "expected ids, or --pending"),
        (("revoke", "nobody-knows"), "no analysis has an id that begins so"),
        (("pause", " "), "expected some words"),
        (("limit", "model", "fast"), "expected N/min with N from 1 to 1000000, `off` for no limit, or `default`, got 'fast'"),
        (("limit", "model", "0"), "expected N/min"),
        (("limit", "fuel", "1"), "'fuel' is not one of"),
        (("requeue",), "expected which reports"),
        (("requeue", "--failed", "--pending"), "nothing is both"),
        (("requeue", "--id", "nobody-knows"), "nothing is kept under an id that begins so"),
        (("requeue", "--since", "soon"), "Reading option '--since' failed: expected such as 90s, 15m, 2h, 7d"),
        (("tasks", "--since", "2y"), "Reading option '--since' failed"),
        (("tasks", "--state", "LOST"), "'LOST' is not one of"),
    ],
)
def test_wrong_options_are_one_line_and_exit_code_2(
    arguments: tuple[str, ...], words: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ddn(*arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert said.startswith("ddn")


@pytest.mark.parametrize("command", [("pause", "x"), ("resume",), ("revoke", "abcdef"), ("limit",), ("purge", "--yes")])
def test_a_redis_that_is_down_is_one_line(
    command: tuple[str, ...], settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DDN_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    assert ddn(*command) == 2
    said = capsys.readouterr().err
    assert "Connecting to redis at 127.0.0.1:1/0 failed: nobody listens there" in said
    assert len(said.splitlines()) == 1
    assert "secret" not in said


def test_tasks_of_a_redis_that_is_down_are_those_of_the_history(
    settings: Settings, history: SqliteHistory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    history.record_task_runs((TaskRun("k", "t1", TaskState.SUCCESS, finished=NOW.isoformat()),))
    monkeypatch.setenv("DDN_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    assert ddn("tasks", "--json") == 1
    said = capsys.readouterr()
    assert '"task_id": "t1"' in said.out
    assert said.err.startswith("Reading the queue failed: ")
    assert (said.err.count("\n"), "secret" in said.err) == (1, False)


def test_purge_asks_and_tells_how_many(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.broker.submit(report("one"))
    for answer, code, words in (("", 2, "Give --yes"), ("n\n", 0, "Nothing was taken out"), ("y\n", 0, "1 report taken out")):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert ddn("purge") == code
        said = capsys.readouterr()
        assert words in said.out + said.err
    assert backend.client.llen(QUEUE) == 0
    assert ddn("purge") == 0
    assert "Nothing waits" in capsys.readouterr().out


def test_requeue_shows_what_it_would_send(kept: SqliteHistory, backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert ddn("requeue", "--degraded", "--dry-run", "--since", "1h") == 0
    assert "2 reports would be sent." in capsys.readouterr().out
    assert backend.client.llen(QUEUE) == 0
    assert ddn("requeue", "--degraded", "pinecone", "--project", "bank") == 0
    assert "oldone" in (said := capsys.readouterr().out)
    assert "1 report sent to" in said
    [message] = waiting(backend.client)
    assert message.report == report("oldone", project="bank")
    assert ddn("requeue", "--error-text", "gone fishing") == 0
    assert "Nothing in the history is like that" in capsys.readouterr().out


def test_requeue_tells_what_redis_did_not_take(kept: SqliteHistory, backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.client.config_set("maxmemory", 1)
    try:
        assert ddn("requeue", "--degraded") == 1
    finally:
        backend.client.config_set("maxmemory", 0)
    said = capsys.readouterr()
    assert "0 reports sent" in said.out
    assert "3 reports not sent: Sending to" in said.err


def test_dead_shows_errors_with_their_tracebacks(kept: SqliteHistory, capsys: pytest.CaptureFixture[str]) -> None:
    assert ddn("dead") == 0
    said = capsys.readouterr().out
    assert "KeyError: 'x'" in said
    assert "1 dead letter." in said
    assert ddn("dead", "--json") == 0
    assert '"id": "failed-0000"' in capsys.readouterr().out


def test_what_was_revoked_while_no_monitor_ran_is_listed_once_an_end(
    backend: Backend, history: SqliteHistory, worker: Any, wait_until: Any
) -> None:
    def revoked() -> list[tuple[str, str]]:
        runs = listed(history, WantedRuns(states=(TaskState.REVOKED,)), backend.client)
        return sorted((run.task_id, run.error_type) for run in runs)

    for name in ("waits1", "waits2"):
        backend.broker.submit(report(name))
    revoke_pending(backend, history, BY)
    assert revoked() == [("waits1-0000", "UNKNOWN"), ("waits2-0000", "UNKNOWN")] == revoked()
    history.keep(report("begun"), NOW)
    Revocations(backend.client).revoke("begun-0000", BY)
    backend.broker.submit(report("begun"))
    with worker():
        wait_until(lambda: ("begun-0000", "UNKNOWN") in revoked(), "the revoked run")
        requeue(backend, chosen(history, Chosen(ids=("waits1-0000",))))
        wait_until(lambda: is_answered(backend, "waits1"), "the answer")
    assert len(revoked()) == 3
    runs = listed(history, WantedRuns(task_id="waits1-0000"), backend.client)
    assert all(run.state is TaskState.REVOKED or run.state is TaskState.SUCCESS for run in runs)


def test_the_queue_is_listed_where_no_monitor_ran(
    backend: Backend, kept: SqliteHistory, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = TaskRun(
        "k",
        "t1",
        TaskState.FAILURE,
        project="shop",
        test_name="Pays",
        error_type="CODE_ERROR",
        finished=NOW.isoformat(),
        error="No",
    )
    kept.record_task_runs((failed, replace(failed, key="k2", task_id="t2", finished=(NOW - timedelta(hours=3)).isoformat())))
    backend.broker.submit(report("waits"))
    assert ddn("tasks", "--json", "--state", "queued") == 0
    assert '"task_id": "waits-0000"' in (said := capsys.readouterr().out)
    assert len(said.splitlines()) == 1
    assert ddn("tasks", "--error-type", "CODE_ERROR", "--state", "FAILURE", "--since", "1h") == 0
    said = capsys.readouterr().out
    assert "t1" in said
    assert "1 run" in said
    assert "t2" not in said
    assert max(map(len, said.splitlines())) <= 78


@pytest.mark.parametrize("terminal", [False, True])
def test_following_shows_what_changes_until_it_is_interrupted(
    terminal: bool, backend: Backend, wait_until: Any, tmp_path: Path
) -> None:
    main_end, program_end = os.openpty()
    command = [sys.executable, "-m", "ddn_backend.cli.main", "tasks", "--follow"]
    with (tmp_path / "said").open("wb") as file:
        process = subprocess.Popen(
            command,
            stdout=program_end if terminal else file,
            stderr=subprocess.STDOUT,
            # In the background of a shell the signal is ignored, and a program that starts so leaves it alone.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    os.close(program_end)
    said = b""

    def shows(text: bytes) -> bool:
        nonlocal said
        if terminal and select.select([main_end], [], [], 0)[0]:
            said += os.read(main_end, 65536)
        elif not terminal:
            said = (tmp_path / "said").read_bytes()
        return text in said

    try:
        if terminal:
            wait_until(lambda: shows(b"0 runs"), "the table")
        backend.broker.submit(report("follow"))
        wait_until(lambda: shows(b"QUEUED"), "the change")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        os.close(main_end)
    assert shows(b"Traceback") is False if not terminal else b"Traceback" not in said


def test_encoding_of_a_report_survives_the_queue(backend: Backend) -> None:
    sent = report("whole", error_message="Käse 🧀", tags=("a", "b"))
    backend.broker.submit(sent)
    [message] = waiting(backend.client)
    assert message.report
    assert encode(message.report) == encode(sent)
