"""How Flower is set up and what its pages get to show of a task, read back from what Celery itself writes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.events.state import Task
from celery.utils.saferepr import saferepr
from hypothesis import given
from hypothesis import strategies as st

from ddn_backend.errors import SettingsError
from ddn_backend.ops.running.flower_view import check_access, configuration, format_task, read_result
from robot_ddn_listener.contract import TASK_NAME

ARGUMENTS = {"project": "shop", "suite_name": "Shop", "test_name": "Pays", "error_message": 'It said "no"', "error_type": "UNKNOWN"}
RESULT: dict[str, Any] = {
    "root_cause": "The shop's database\nwas down: C:\\shop.",
    "recommendation": "Start it {now}, or 'x': later",
    "confidence": 0.82,
    "error_type": "INFRA_ERROR",
    "test_name": "Pays",
    "degraded": ["pinecone: [1] timed out, it's slow", "github: 403"],
    "verdict": "diagnosed",
}


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """What Flower writes is for its user alone; the tests after these get their own umask back."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def task(**fields: Any) -> Task:
    arguments = json.dumps(ARGUMENTS, separators=(",", ":"))
    return Task(uuid="1", **{"name": TASK_NAME, "args": arguments, "kwargs": "{}", "state": "SUCCESS", **fields})


def test_an_analysis_has_its_fields_and_readable_texts() -> None:
    shown = format_task(task(result=saferepr(RESULT, 4096)))
    fields = shown.as_dict()
    assert {name: fields[name] for name in ("project", "suite", "test", "error_type", "confidence")} == {
        "project": "shop",
        "suite": "Shop",
        "test": "Pays",
        "error_type": "INFRA_ERROR",
        "confidence": "0.82",
    }
    assert fields["degraded"].startswith("pinecone: [1] timed out, it's slow; github")
    assert shown.args.splitlines()[:2] == ["project: shop", "suite_name: Shop"]
    assert shown.result.startswith("root_cause: The shop's database\nwas down: C:\\shop.\nrecommendation: Start it")
    assert set(fields) >= {"uuid", "name", "state", "received", "runtime", "worker", "traceback"}


def test_a_task_that_is_not_done_shows_what_the_rules_said() -> None:
    fields = format_task(task(state="STARTED")).as_dict()
    assert (fields["error_type"], fields["confidence"], fields["degraded"]) == ("UNKNOWN", "—", "—")


def test_a_failed_task_shows_its_error_and_its_seconds() -> None:
    shown = format_task(task(state="FAILURE", exception="TransientError('Searching index failed')", started=10.0, failed=12.5))
    assert shown.degraded == "TransientError('Searching index failed')"
    assert shown.result == "TransientError('Searching index failed')"
    assert shown.runtime == 2.5


def test_every_task_has_every_column() -> None:
    run = format_task(Task(uuid="2", name="tasks.record_run", args='{"project":"shop"}', state="SUCCESS"))
    strange = format_task(task(args="[{'id': '1'}]", result="None"))
    for shown in (run, strange):
        assert {"test", "error_type", "confidence", "degraded", "project"} <= set(shown.as_dict())
    assert (run.test, run.project, strange.test) == ("tasks.record_run", "shop", "—")
    assert strange.args == "[{'id': '1'}]"


def test_a_result_that_celery_cut_shows_what_is_left() -> None:
    cut = read_result(saferepr({**RESULT, "root_cause": "x" * 5000}, 1024))
    assert list(cut) == ["root_cause"]
    assert cut["root_cause"].startswith("xxx")


@given(st.text(st.characters(exclude_characters="\\")), st.lists(st.text(st.characters(exclude_characters="\\"))))
def test_what_is_read_is_what_was_written(cause: str, degraded: list[str]) -> None:
    read = read_result(saferepr({"root_cause": cause, "degraded": degraded, "verdict": "unknown"}, 100_000))
    assert read == {"root_cause": cause, "degraded": "; ".join(degraded), "verdict": "unknown"}


@given(st.text("'\\{[], :ab\n"))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert all(isinstance(value, str) for value in read_result(text).values())


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_may_look_without_a_login(address: str) -> None:
    check_access(address, has_login=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "", "::", "10.0.0.5", "flower.example"])
def test_others_need_a_login(address: str) -> None:
    check_access(address, has_login=True)
    with pytest.raises(SettingsError, match="Set FLOWER_USER and FLOWER_PASSWORD, or leave it at"):
        check_access(address, has_login=False)


def test_flower_keeps_its_state_in_a_private_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"DDN_HOME": str(tmp_path), "FLOWER_USER": "op", "FLOWER_PASSWORD": "pa:ss,w"}.items():
        monkeypatch.setenv(name, value)
    options = configuration()
    assert os.umask(0o022) == 0o077
    assert (options["address"], options["max_tasks"], options["persistent"]) == ("127.0.0.1", 10_000, True)
    assert options["basic_auth"] == ["op:pa:ss,w"]
    assert options["state_save_interval"] > 0
    assert Path(options["db"]).parent.stat().st_mode & 0o777 == 0o700


def test_half_a_login_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DDN_HOME", str(tmp_path))
    monkeypatch.setenv("FLOWER_USER", "op")
    monkeypatch.delenv("FLOWER_PASSWORD", raising=False)
    with pytest.raises(SystemExit) as end:
        configuration()
    assert end.value.code == 2
    assert "flower: Reading setting 'FLOWER_PASSWORD' failed" in capsys.readouterr().err


def test_celerys_own_command_is_as_careful(redis_server: Any, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("FLOWER_", "DDN_"))}
    (tmp_path / ".env").write_text(f"REDIS_URL={redis_server.url}\nDDN_HOME={tmp_path / 'home'}\n")
    command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "flower", "--address=0.0.0.0"]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "flower: Opening address '0.0.0.0' for Flower failed" in done.stderr
