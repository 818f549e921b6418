"""What compose.yaml deploys: who may do what on Redis, by the very file that it uses; and that its parts fit each other."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from conftest import _free_port, _wait_until, missing
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from redis.exceptions import NoPermissionError

from ddn_backend.cli.asking import ask
from ddn_backend.ops.settings_table import settings
from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import HEARTBEAT_KEY, QUEUE, FailureReport, Run, Stage, verdict_key

BACKEND = Path(__file__).parents[2] / "backend"
USERS = ("backend", "listener", "tester")
REPORT = FailureReport("r-acl-1", "shop", "f00d", Run("run"), "S", "Pays", "ConnectionRefusedError: [Errno 111] Connection refused")


class Guarded:
    """A server with the users of users.acl.template; a user's password is its name, doubled."""

    def __init__(self, port: int):
        self.port = port

    def url(self, user: str) -> str:
        return f"redis://{user}:{user}{user}@127.0.0.1:{self.port}/0"

    def client(self, user: str) -> Any:
        return redis.Redis.from_url(self.url(user))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if not binary:
        missing("redis-server")
    place, port = tmp_path_factory.mktemp("acl"), _free_port()
    template = (BACKEND / "users.acl.template").read_text(encoding="utf-8")
    lines = [line for line in template.splitlines() if not line.startswith("#")]
    users = "\n".join(lines) + "\n"
    for user in USERS:
        users = users.replace(f"@{user.upper()}_PASSWORD@", user + user)
    (place / "users.acl").write_text(users)
    options = {"--port": str(port), "--bind": "127.0.0.1", "--dir": str(place), "--save": "", "--aclfile": str(place / "users.acl")}
    process = subprocess.Popen([str(binary), *(word for pair in options.items() for word in pair)], stdout=subprocess.DEVNULL)
    server = Guarded(port)
    try:
        with server.client("backend") as client:
            _wait_until(lambda: process.poll() is not None or _pings(client), "the Redis server")
        assert process.poll() is None
        yield server
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def worker(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    place = tmp_path_factory.mktemp("worker")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DDN_")}
    environ = {**kept, "DDN_REDIS_URL": guarded.url("backend"), "DDN_HOME": str(place)}
    with (place / "log").open("wb") as log:
        command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker"]
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=place)
    try:
        with guarded.client("backend") as client:
            _wait_until(lambda: client.get(HEARTBEAT_KEY) or process.poll() is not None, "the heartbeat")
        assert process.poll() is None, (place / "log").read_text()
        yield
    finally:
        process.kill()
        process.wait()


def _pings(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_a_listener_is_answered_and_a_tester_has_its_questions_answered(guarded: Guarded, worker: None) -> None:
    broker = Broker(guarded.url("listener"))
    try:
        assert broker.idle_reason() == ""
        broker.submit(REPORT)
        _wait_until(
            lambda: (found := broker.verdicts("shop", [REPORT.id])) and found[REPORT.id].stage is Stage.FINAL, "the final verdict"
        )
    finally:
        broker.close()
    told = ask("fetch", REPORT.id, redis=guarded.url("tester"))
    assert told["report"]["id"] == REPORT.id


@pytest.mark.parametrize(
    "command",
    [
        ("LRANGE", QUEUE, 0, -1),
        ("RPOP", QUEUE),
        ("DEL", QUEUE),
        ("LPUSH", "other", "x"),
        ("SET", verdict_key("shop", "r"), "x"),
        ("GET", "celery-task-meta-r"),
        ("GET", "ddn:limits"),
        ("SET", "ddn:paused", "x"),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("CONFIG", "GET", "*"),
        ("FLUSHALL",),
        ("EVAL", "return 1", "0"),
        ("ACL", "LIST"),
        ("MONITOR",),
        ("SUBSCRIBE", "celery-task-meta-r"),
        ("PUBLISH", "celery-task-meta-r", "x"),
    ],
)
def test_a_listener_may_do_nothing_else(guarded: Guarded, command: tuple[object, ...]) -> None:
    with guarded.client("listener") as client, pytest.raises(NoPermissionError):
        client.execute_command(*command)


@pytest.mark.parametrize(
    "command",
    [
        ("LRANGE", QUEUE, 0, -1),
        ("DEL", QUEUE),
        ("DEL", "_kombu.binding.ddn"),
        ("DEL", verdict_key("shop", "r")),
        ("SET", verdict_key("shop", "r"), "x"),
        ("SET", "celery-task-meta-r", "x"),
        ("KEYS", "*"),
        ("MONITOR",),
        ("PSUBSCRIBE", "*"),
        ("SUBSCRIBE", "ddn"),
    ],
)
def test_a_tester_may_read_and_delete_results_and_nothing_else(guarded: Guarded, command: tuple[object, ...]) -> None:
    with guarded.client("tester") as client:
        assert client.execute_command("DEL", "celery-task-meta-r") == 0
        with pytest.raises(NoPermissionError):
            client.execute_command(*command)


def test_nobody_comes_in_without_a_name(guarded: Guarded) -> None:
    with redis.Redis(port=guarded.port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def locked() -> dict[str, str]:
    lines = (BACKEND / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pinned = (line.split()[0].split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {canonicalize_name(name.partition("[")[0]): version for name, version in pinned}


def test_the_lock_has_every_requirement_in_a_version_that_is_allowed() -> None:
    config = ConfigParser()
    config.read(BACKEND.parent / "setup.cfg", encoding="utf-8")
    lines = [*config["options"]["install_requires"].split("\n"), *config["options.extras_require"]["backend"].split("\n")]
    wanted = [Requirement(line) for line in lines if line.strip()]
    assert len(wanted) > 10
    missing_or_wrong = {
        str(requirement): locked().get(canonicalize_name(requirement.name))
        for requirement in wanted
        if not requirement.specifier.contains(locked().get(canonicalize_name(requirement.name), "0"))
    }
    assert missing_or_wrong == {}


def test_what_compose_sets_are_settings_and_what_it_starts_are_commands() -> None:
    compose = yaml.safe_load((BACKEND / "compose.yaml").read_text(encoding="utf-8"))
    ours = {name: service for name, service in compose["services"].items() if service.get("image") == "robot-ddn-backend"}
    assert set(ours) == {"worker", "monitor", "flower"}
    known = {setting.variable for setting in settings()}
    assert {variable for service in ours.values() for variable in service["environment"]} <= known
    for service in ours.values():
        assert service["healthcheck"]["test"][0] == "CMD"
        name = service["command"][0]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ddn_backend.cli.main", name, "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_the_passwords_of_compose_are_in_the_example() -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+)[:}]", (BACKEND / "compose.yaml").read_text(encoding="utf-8")))
    assert wanted <= set(re.findall(r"^#?([A-Z_]+)=", (BACKEND / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
