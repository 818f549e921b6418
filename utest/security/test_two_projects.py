"""Two projects on one backend, with equal failures: neither sees the other's verdicts, causes, shares, budgets or tools."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from robot_ddn_listener.contract import (
    HEARTBEAT_KEY,
    QUEUE,
    TASK_NAME,
    Analysis,
    FailureReport,
    LogLine,
    Run,
    decode,
    encode,
    verdict_key,
)
from servers import gemini
from servers.gemini import MODEL, GeminiServer

OURS = FailureReport("aaaaaa-1", "ours", "f00d", Run("run"), "S", "Pays", "The gizmo was not amused.", log=(LogLine("glimmer 3"),))
THEIRS = replace(OURS, id="bbbbbb-1", project="theirs")
SAID_OF_OURS = "The glimmer of OURS-ONLY ran out."


def _obedient(request: dict[str, Any]) -> gemini.Answer:
    """Search for all there is, then say which report it was."""
    if not gemini.results(request):
        return gemini.calls(
            ("search_past_failures", {"query": "gizmo amused"}), ("search_knowledge", {"query": "gizmo amused glimmer"})
        )
    name = "OURS-ONLY" if "report: aaaaaa" in gemini.prompt(request) else "THEIRS-ONLY"
    return gemini.conclude(root_cause=f"The {name} database was down.")


@pytest.fixture
def model() -> Iterator[GeminiServer]:
    with GeminiServer(_obedient) as server:
        yield server


@pytest.fixture
def ask(model: GeminiServer, redis_server: Any, tmp_path: Path, wait_until: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that has one of the worker's tasks done and returns its result."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DDN_", "GEMINI", "GOOGLE"))}
    environ = {**kept, "DDN_REDIS_URL": redis_server.url, "DDN_HOME": str(tmp_path / "home"), "DDN_MODEL": f"google:{MODEL}"}
    environ |= {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model.url, "DDN_DAY_TOKENS": "5000"}
    command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker"]
    with (tmp_path / "log").open("wb") as log, redis_server.client() as client:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=tmp_path)
        try:
            wait_until(lambda: client.exists(HEARTBEAT_KEY) or process.poll() is not None, "the heartbeat")
            with Celery(broker=redis_server.url, backend=redis_server.url, set_as_current=False) as plain:

                def asked(*arguments: Any, task: str = TASK_NAME, identity: str | None = None) -> Any:
                    sent = plain.send_task(task, list(arguments), task_id=identity, queue=QUEUE)
                    return sent.get(timeout=60, propagate=False)

                yield asked
        finally:
            process.kill()
            process.wait()


def test_equal_failures_of_two_projects_know_nothing_of_each_other(ask: Any, model: GeminiServer, redis_server: Any) -> None:
    def analysed(report: FailureReport) -> Analysis:
        ask(encode(report), identity=report.id)
        with redis_server.client() as client:
            return decode(Analysis, json.loads(client.get(verdict_key(report.project, report.id))))

    ours, theirs = analysed(OURS), analysed(THEIRS)
    assert (ours.root_cause, theirs.root_cause) == ("The OURS-ONLY database was down.", "The THEIRS-ONLY database was down.")
    assert (theirs.reused_from, theirs.similar, theirs.times_seen) == ("", (), 1)
    assert set(model.calls_by_report) == {OURS.id, THEIRS.id}
    with redis_server.client() as client:
        assert not client.exists(verdict_key("theirs", OURS.id), verdict_key("ours", THEIRS.id))

    words = {"error_type": "CONFIG_ERROR", "root_cause": SAID_OF_OURS, "recommendation": "Refill it."}
    ask("correct", OURS.id, "Ann", words, task="tasks.say")
    again = analysed(replace(OURS, id="aaaaaa-2", run=Run("2")))
    other = analysed(replace(THEIRS, id="bbbbbb-2", run=Run("2")))
    assert (again.confirmed_by, again.root_cause) == ("Ann", SAID_OF_OURS)
    assert (other.confirmed_by, other.reused_from) == ("", THEIRS.id)
    alike = analysed(replace(THEIRS, id="bbbbbb-3", fingerprint="beef", run=Run("3"), error_message="The gizmo was not amused!"))
    assert "OURS-ONLY" not in str(encode(alike))
    assert not any("OURS-ONLY" in json.dumps(request) for request in model.requests if "report: bbbbbb" in json.dumps(request))

    assert SAID_OF_OURS in json.dumps(ask("The gizmo was not amused.", "ours", task="tasks.search"))
    assert "OURS-ONLY" not in json.dumps(ask("The gizmo was not amused.", "theirs", task="tasks.search"))

    used_up = analysed(replace(THEIRS, id="bbbbbb-4", fingerprint="cafe", run=Run("4"), error_message="Another one."))
    assert any("tokens" in note for note in used_up.degraded)
    free = analysed(replace(OURS, id="aaaaaa-4", fingerprint="cafe", run=Run("4"), error_message="Another one."))
    assert free.engine.calls > 0

    for asked in (("fetch", OURS.id), ("forget", OURS.id), ("say", "undo", OURS.id, "Eve", {})):
        said = ask(*asked[1:], "theirs", task=f"tasks.{asked[0]}")
        assert said == ask(*(one if one != OURS.id else "aaaaaa-9" for one in asked[1:]), task=f"tasks.{asked[0]}") | {
            "problem": f"Finding failure '{OURS.id}' failed: nothing is kept under an id that begins so."
        }
    assert ask(OURS.id, "ours", task="tasks.fetch")["said"]["who"] == "Ann"

    ask(THEIRS.id, task="tasks.forget")
    assert ask(OURS.id, task="tasks.fetch")["report"]["id"] == OURS.id
    assert "problem" in ask(THEIRS.id, task="tasks.fetch")
