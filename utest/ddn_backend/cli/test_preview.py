"""`ddn preview` shows word for word what a model gets: compared with what a stand-in for the Gemini API received."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import robot

from ddn_backend.cli.main import main
from servers import gemini
from servers.gemini import MODEL, GeminiServer

SUITE = """*** Test Cases ***
Waits
    Log    glimmer level 3
    Fail    The gizmo was not amused.
Asks
    Log    ${NOT THERE}
Passes
    Log    all is wonderful
"""


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer([gemini.conclude()], key="stand-in") as running:
        yield running


@pytest.fixture
def ddn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any, server: GeminiServer) -> Callable[..., str]:
    variables = {"DDN_MODEL": f"google:{MODEL}", "GEMINI_API_KEY": "stand-in", "GOOGLE_GEMINI_BASE_URL": server.url}
    for name, value in {**variables, "DDN_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    for name in ("DDN_REDIS_URL", "REDIS_URL", "DDN_SEND", "DDN_RUN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        assert end.value.code == 0
        return str(capsys.readouterr().out)

    return run


def run_robot(folder: Path, **options: Any) -> None:
    (folder / "suite.robot").write_text(SUITE)
    quiet = {"stdout": StringIO(), "stderr": StringIO(), "log": None, "report": None}
    robot.run(str(folder / "suite.robot"), outputdir=str(folder), **quiet, **options)


@pytest.mark.parametrize("send", ["message", "log", "code"])
def test_what_is_shown_is_what_is_sent(
    ddn: Callable[..., str], server: GeminiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, send: str
) -> None:
    run_robot(tmp_path)
    monkeypatch.setenv("DDN_SEND", send)
    shown = {group["message"]: group for group in json.loads(ddn("preview", "output.xml", "--json"))}
    assert server.requests == []
    ddn("analyze", "output.xml")
    sent = {gemini.prompt(request): request for request in server.requests}
    assert len(sent) == 2
    assert shown.keys() == sent.keys()
    for message, group in shown.items():
        declared = [(tool["name"], tool["description"], tool["parameters"]) for tool in group["tools"]]
        assert (group["instructions"], declared) == (gemini.instructions(sent[message]), gemini.declared(sent[message]))
    assert ("glimmer" in str(shown)) == (send != "message")


def test_people_read_instructions_and_tools_once_and_each_groups_message(ddn: Callable[..., str], tmp_path: Path) -> None:
    run_robot(tmp_path)
    out = ddn("preview", "output.xml", "--send", "log")
    assert out.count("You find out why one automated test") == 1
    assert out.count("Read the failed test's log") == 1
    assert "message: Suite.Waits\n====" in out
    assert "| glimmer level 3" in out
    assert "wonderful" not in out


def test_a_report_that_a_listener_has_sent_has_its_id(ddn: Callable[..., str], tmp_path: Path) -> None:
    run_robot(tmp_path, listener="robot_ddn_listener;redis=redis://127.0.0.1:1/0;wait=0;run=nightly-7")
    sent = {json.loads(path.read_text())["id"] for path in (tmp_path / "ddn-spool").glob("*.json")}
    assert len(sent) == 2
    shown = ddn("preview", "output.xml")
    assert [name for name in sent if f"report: {name}\n" not in shown] == []


def test_without_a_model_or_a_key_it_shows_what_gemini_would_get(
    ddn: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_robot(tmp_path)
    for name in ("DDN_MODEL", "GEMINI_API_KEY"):
        monkeypatch.delenv(name)
    assert "final_result" in ddn("preview", "output.xml")
