"""A real worker with a model behind it: consent, the model's verdict, reuse, and what a failing model leaves for whom."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from ddn_backend.cli.main import main
from robot_ddn_listener.contract import (
    HEARTBEAT_KEY,
    QUEUE,
    TASK_NAME,
    Analysis,
    FailureReport,
    LogLine,
    Novelty,
    Run,
    Stage,
    Verdict,
    decode,
    encode,
    verdict_key,
)
from servers import gemini
from servers.gemini import MODEL, GeminiServer

KEY = "stand-in" + "-key"
REPORT = FailureReport(
    id="r1",
    project="shop",
    fingerprint="f00d",
    run=Run("run"),
    suite_name="S",
    test_name="Pays by card",
    error_message="The gizmo was not amused.",
    log=(LogLine("glimmer level 3"),),
)


@pytest.fixture
def model() -> Iterator[GeminiServer]:
    with GeminiServer([gemini.conclude()], key=KEY) as running:
        yield running


@pytest.fixture
def worker(redis_server: Any, tmp_path: Path, wait_until: Any) -> Callable[..., Any]:
    """`with worker(NAME=value, ...)` runs a worker with these variables."""

    @contextmanager
    def run(**variables: str) -> Iterator[None]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DDN_", "GEMINI", "GOOGLE"))}
        environ = {**kept, "DDN_REDIS_URL": redis_server.url, "DDN_HOME": str(tmp_path / "home"), **variables}
        (tmp_path / "home").mkdir(mode=0o700, exist_ok=True)
        command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker"]
        with (tmp_path / "worker.log").open("wb") as log:
            process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=tmp_path)
            try:
                with redis_server.client() as client:
                    wait_until(lambda: client.get(HEARTBEAT_KEY) or process.poll() is not None, "the heartbeat")
                assert process.poll() is None, (tmp_path / "worker.log").read_text()
                yield
            finally:
                process.kill()
                process.wait()

    return run


@pytest.fixture
def analysed(redis_server: Any) -> Callable[..., tuple[str, Analysis]]:
    """Return a function that sends a report and returns the task's state and the final verdict."""

    def send(report: FailureReport) -> tuple[str, Analysis]:
        with Celery(broker=redis_server.url, backend=redis_server.url, set_as_current=False) as plain:
            result = plain.send_task(TASK_NAME, [encode(report)], task_id=report.id, queue=QUEUE)
            result.get(timeout=60, propagate=False)
            state = result.state
        with redis_server.client() as client:
            return state, decode(Analysis, json.loads(client.get(verdict_key(report.project, report.id))))

    return send


def with_model(server: GeminiServer, **more: str) -> dict[str, str]:
    return {"DDN_MODEL": f"google:{MODEL}", "GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": server.url, **more}


def test_the_model_concludes_and_the_next_equal_failure_costs_nothing(worker: Any, analysed: Any, model: GeminiServer) -> None:
    with worker(**with_model(model)):
        state, first = analysed(REPORT)
        assert (state, first.stage, first.verdict) == ("SUCCESS", Stage.FINAL, Verdict.DIAGNOSED)
        assert first.root_cause == "The shop's database was down."
        assert (first.engine.model, first.engine.calls, first.novelty) == (gemini.ANSWERED_BY, 1, Novelty.NEW)
        assert [evidence.quote for evidence in first.evidence] == ["The gizmo was not amused."]
        assert any(note.startswith("gemini") for note in first.sent_to)
        _, again = analysed(replace(REPORT, id="r2", run=Run("next")))
        assert (again.root_cause, again.reused_from, again.engine.calls) == (first.root_cause, "r1", 0)
        assert (again.novelty, again.times_seen) == (Novelty.KNOWN, 2)
    assert len(model.requests) == 1


def test_a_key_alone_sends_nothing(worker: Any, analysed: Any, model: GeminiServer) -> None:
    with worker(GEMINI_API_KEY=KEY, GOOGLE_GEMINI_BASE_URL=model.url, PINECONE_API_KEY=KEY, GITHUB_TOKEN=KEY):
        state, answer = analysed(REPORT)
    assert (state, answer.sent_to, answer.engine.model) == ("SUCCESS", (), "")
    assert model.requests == []


def test_a_model_on_trial_that_grades_and_searches_the_web_is_recorded_and_not_shown(
    worker: Any, analysed: Any, ddn: Any, model: GeminiServer
) -> None:
    def answers(request: dict[str, Any]) -> gemini.Answer:
        if gemini.is_web_search(request):
            return gemini.grounded("Gizmos want glimmer.", ("Gizmos", "https://gizmo.example/"))
        if gemini.is_grading(request):
            return gemini.grades(*[0.0] * gemini.prompt(request).count("## passage "))
        return gemini.conclude()

    model.script = answers
    odd = replace(REPORT, id="aaaa-1", error_message="The gizmo was not amused. No such file or directory: 'x'")
    with worker(**with_model(model, DDN_SHADOW="1", DDN_MODEL_GRADES="1", DDN_WEB_SEARCH="1")):
        state, answer = analysed(odd)
        told = ddn("explain", "aaaa-1")[1]
    assert (state, answer.stage, answer.engine.model, answer.shadow) == ("SUCCESS", Stage.FINAL, "", None)
    assert "database" not in answer.root_cause
    assert {note.partition(":")[0] for note in answer.sent_to} == {"gemini", "gemini, to grade passages", "gemini, web search"}
    assert "recorded, not shown" in told
    assert "The shop's database was down." in told


def test_where_only_messages_may_be_sent_no_log_line_reaches_the_model(worker: Any, analysed: Any, model: GeminiServer) -> None:
    with worker(**with_model(model, DDN_SEND="message")):
        analysed(REPORT)
    sent = json.dumps(model.requests)
    assert "The gizmo was not amused." in sent
    assert "glimmer" not in sent


def test_a_model_that_refuses_leaves_the_draft_to_the_reader_and_the_error_to_the_operator(worker: Any, analysed: Any) -> None:
    with GeminiServer([gemini.refusal()], key=KEY) as refusing, worker(**with_model(refusing)):
        state, answer = analysed(replace(REPORT, error_message="Variable '${X}' not found."))
    assert state == "FAILURE"
    assert (answer.stage, answer.verdict, answer.engine.rule_id) == (Stage.FINAL, Verdict.DIAGNOSED, "variable-not-found")
    assert any(note.startswith("gemini:") for note in answer.degraded)


@pytest.fixture
def ddn(redis_server: Any, capsys: Any) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs `ddn` against the Redis and returns exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--redis", redis_server.url])
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return run


def test_a_tester_asks_confirms_corrects_undoes_searches_and_forgets(
    worker: Any, analysed: Any, ddn: Any, redis_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = replace(REPORT, id="aaaa-1", error_message="Variable '${X}' not found.")
    with worker(), redis_server.client() as client:
        analysed(wanted)
        with monkeypatch.context() as tester:
            for name in ("BROKER_URL", "BROKER_READ_URL", "BROKER_WRITE_URL", "RESULT_BACKEND"):
                tester.setenv(f"CELERY_{name}", "redis://127.0.0.1:1/0")  # of the tester's own Celery: it takes no part
            assert ddn("show", "aaaa-1", "--json")[0] == 0
        assert json.loads(ddn("show", "aaaa-1", "--json")[1])["report"]["error_message"] == wanted.error_message
        code, out, _ = ddn("explain", "aaaa-1")
        assert code == 0
        assert "Rule         variable-not-found" in out
        assert "Seconds      condense" in out
        assert "relevant (lexical): The variable does not exist" in out
        assert [line for line in out.splitlines() if (len(line) > 78 and "https://" not in line) or "{'" in line] == []
        code, out, _ = ddn("show", "aaaa-1")
        assert code == 0
        assert "Rule         variable-not-found" in out
        assert "glimmer level 3" in out

        assert ddn("confirm", "aaaa-1", "--who", "Dana", "--ticket", "ABC-1")[:2] == (0, "Confirmed.\n")
        _, confirmed = analysed(replace(wanted, id="bbbb-2", run=Run("2")))
        assert (confirmed.confirmed_by, confirmed.verdict) == ("Dana", Verdict.DIAGNOSED)

        words = ("--error-type", "CONFIG_ERROR", "--root-cause", "The secret store was sealed.", "--who", "Kim")
        code, _, err = ddn("correct", "aaaa-1", "--error-type", "CONFIG_ERROR", "--root-cause", " ")
        assert (code, err.count("\n")) == (2, 1)
        assert "Correcting failure 'aaaa-1' failed: expected the root cause in words, got none." in err
        assert ddn("correct", "aaaa-1", *words)[0] == 0
        _, corrected = analysed(replace(wanted, id="cccc-3", run=Run("3")))
        assert (corrected.confirmed_by, corrected.root_cause) == ("Kim", "The secret store was sealed.")
        found = json.loads(ddn("search", "Variable '${X}' not found.", "--project", "shop", "--json")[1])
        assert "The secret store was sealed." in json.dumps(found)

        assert "variable" in ddn("undo", "aaaa-1", "--who", "Kim")[1].lower()
        assert client.exists("celery-task-meta-aaaa-1", verdict_key("shop", "aaaa-1")) == 2
        assert ddn("forget", "aaaa-1", "--yes")[0] == 0
        assert client.exists("celery-task-meta-aaaa-1", verdict_key("shop", "aaaa-1")) == 0
        code, _, err = ddn("show", "aaaa-1")
        assert code == 2
        assert "nothing is kept" in err


def test_a_question_that_nobody_answers_says_why(ddn: Any) -> None:
    code, _, err = ddn("explain", "aaaa-1")
    assert code == 2
    assert "no worker is online" in err
