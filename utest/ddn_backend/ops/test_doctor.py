"""`ddn doctor` over real parts and stand-ins: what works, what is not configured, what fails and what to do then."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.cli.main import main
from ddn_backend.errors import PermanentError
from ddn_backend.ops.doctor import Health, Probe, examine
from servers import gemini
from servers.gemini import MODEL, GeminiServer
from servers.github import REPOSITORY, TOKEN, GitHubServer, Project
from servers.pinecone import KEY, PineconeServer

SECRETS = ("gem-" + "secret-key", KEY, TOKEN, "hook-" + "secret-path")


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return a function that runs it with these variables only and returns exit code, findings by part, and all that was told."""

    def run(**variables: str) -> tuple[int, dict[str, dict[str, str]], str]:
        for name in list(os.environ):
            if name.startswith(("DDN_", "REDIS_", "GEMINI", "GOOGLE", "PINECONE", "GITHUB_T", "FLOWER_")):
                monkeypatch.delenv(name)
        monkeypatch.chdir(tmp_path)
        for name, value in {"DDN_HOME": str(tmp_path / "home"), **variables}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as end:
            main(["doctor", "--json"])
        captured = capsys.readouterr()
        return int(end.value.code or 0), {one["part"]: one for one in json.loads(captured.out)}, captured.out + captured.err

    return run


@pytest.fixture
def services(tmp_path: Path) -> Iterator[tuple[dict[str, str], PineconeServer, GitHubServer]]:
    """Give the variables that name every service, each a stand-in that works."""
    project = Project(tmp_path / "checkout")
    project.commit(shop__py="pay()\n")
    (tmp_path / "alerts.toml").write_text(
        f'[routes]\nhook = "json://127.0.0.1:9/{SECRETS[3]}"\n[[rules]]\nname = "waiting"\nroute = "hook"\n', encoding="utf-8"
    )
    with GeminiServer([gemini.conclude()], key=SECRETS[0]) as model, PineconeServer() as pinecone, GitHubServer(project) as github:
        for name in ("ddn-knowledge-docs", "ddn-error-library"):
            pinecone.make(name)
        variables = {
            "DDN_MODEL": f"google:{MODEL}",
            "GEMINI_API_KEY": SECRETS[0],
            "GOOGLE_GEMINI_BASE_URL": model.url,
            "DDN_PINECONE_INDEX": "ddn",
            "PINECONE_API_KEY": KEY,
            "PINECONE_CONTROLLER_HOST": pinecone.host,
            "DDN_GITHUB_REPO": REPOSITORY,
            "GITHUB_TOKEN": TOKEN,
            "DDN_GITHUB_URL": github.url,
            "DDN_SOURCE_ROOT": str(project.root),
            "DDN_ALERTS": str(tmp_path / "alerts.toml"),
        }
        yield variables, pinecone, github


def test_nothing_configured_is_nothing_failing(doctor: Any) -> None:
    code, found, _ = doctor()
    assert code == 0
    assert {part for part, one in found.items() if one["health"] == "not configured"} == {
        *("Redis", "Pinecone", "model", "GitHub", "source", "alert routes")
    }
    assert all(one["remedy"] for one in found.values() if one["health"] != "ok")


def test_all_that_is_configured_works_and_no_secret_is_told(doctor: Any, services: Any) -> None:
    code, found, told = doctor(**services[0])
    assert {part: one["said"] for part, one in found.items() if one["health"] == "failing"} == {}
    assert code == 0
    assert found["model"]["said"] == gemini.ANSWERED_BY or MODEL in found["model"]["said"]
    assert "ddn-knowledge-docs: 0 documents" in found["Pinecone"]["said"]
    assert not [secret for secret in SECRETS if secret in told]


def test_each_part_that_fails_says_why_and_what_to_do(doctor: Any, services: Any, tmp_path: Path) -> None:
    variables, pinecone, _ = services
    pinecone.indexes.pop("ddn-error-library")
    (tmp_path / "alerts.toml").write_text('[[rules]]\nname = "weather"\n', encoding="utf-8")
    code, found, told = doctor(
        **{
            **variables,
            "DDN_REDIS_URL": "redis://:topsecret@127.0.0.1:1/0",
            "DDN_MODEL": "google:not-served",
            "GITHUB_TOKEN": "wrong",
            "DDN_SOURCE_ROOT": str(tmp_path / "nowhere"),
            "DDN_MONGO_URL": "mongodb://127.0.0.1:1/ddn?serverSelectionTimeoutMS=200",
        }
    )
    assert code == 1
    failing = {part: one for part, one in found.items() if one["health"] == "failing"}
    assert set(failing) >= {"Redis", "history", "Pinecone", "model", "GitHub", "source", "alert routes"}
    assert "'ddn-error-library' not found" in failing["Pinecone"]["said"]
    assert "not-served" in failing["model"]["said"]
    assert "weather" in failing["alert routes"]["said"]
    assert all(one["remedy"] for one in failing.values())
    assert "topsecret" not in told


def test_the_memory_policy_of_redis_is_looked_at(doctor: Any, redis_server: Any) -> None:
    with redis_server.client() as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            code, found, _ = doctor(DDN_REDIS_URL=redis_server.url)
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "noeviction")
    assert (code, found["Redis"]["health"], found["Redis memory policy"]["health"]) == (1, "ok", "failing")
    assert "allkeys-lru" in found["Redis memory policy"]["said"]
    assert "none is online" in found["worker"]["said"]


@pytest.mark.skipif(sys.platform == "win32", reason="root and modes are of POSIX")
def test_a_home_that_cannot_be_written_is_told(doctor: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, found, _ = doctor(DDN_HOME=str(tmp_path / "file" / "home"))
    assert (code, found["write access"]["health"]) == (1, "failing")


def test_a_part_that_hangs_costs_the_others_nothing_and_one_that_breaks_is_told() -> None:
    from threading import Event

    def broken() -> str:
        raise ValueError("odd")

    def refused() -> str:
        raise PermanentError("refused")

    never = Event()
    probes = [Probe("hangs", lambda: str(never.wait(30)), "a"), Probe("broken", broken, "b"), Probe("refused", refused, "c")]
    found = examine([*probes, Probe("fine", lambda: "all well", "d"), Probe("off", None, "e")], seconds=0.2)
    never.set()
    assert [(one.part, one.health, one.said) for one in found] == [
        ("hangs", Health.FAILING, "no answer within 0.2 s"),
        ("broken", Health.FAILING, "ValueError: odd"),
        ("refused", Health.FAILING, "refused"),
        ("fine", Health.OK, "all well"),
        ("off", Health.OFF, ""),
    ]


def test_a_monitor_and_a_flower_that_nobody_started_are_nothing_failing(doctor: Any, redis_server: Any) -> None:
    with redis_server.client() as client:
        client.zadd("ddn:workers", {"worker1@somewhere": time.time()})
    code, found, _ = doctor(DDN_REDIS_URL=redis_server.url, FLOWER_PORT="1", DDN_METRICS_PORT="1")
    assert [part for part, one in found.items() if one["health"] == "failing"] == []
    assert (code, found["monitor"]["health"], found["Flower"]["health"]) == (0, "not configured", "not configured")
    assert "ddn flower" in found["Flower"]["remedy"]
