"""A real Redis (or Valkey) on loopback, a real worker on it, and a look into what they hold."""

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from conditions import PATIENCE_SECONDS, missing, wait_until
from Programs import LONGEST_SECONDS
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn

from ddn_backend.valkey_server import binaries
from robot_ddn_listener.contract import HEARTBEAT_KEY, QUEUE, TASK_NAME, WORKERS_KEY


@library(scope="SUITE")
class Servers:
    """One server and one worker for each suite that wants them; `End Servers` ends both."""

    def __init__(self) -> None:
        self._redis: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._port = 0

    @keyword
    def unused_redis_url(self) -> str:
        """Return the URL of a port on which nobody listens; `Start Redis` listens there later."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        return self._url

    @keyword
    def start_redis(self) -> str:
        """Start a server and return its URL."""
        binary = shutil.which("redis-server") or shutil.which("valkey-server") or next(iter(binaries()), None)
        if not binary:
            raise missing("A Redis server")
        if not self._port:
            self.unused_redis_url()
        folder = self._folder()
        options = {"--port": str(self._port), "--bind": "127.0.0.1", "--dir": str(folder), "--save": "", "--appendonly": "no"}
        words = [word for pair in options.items() for word in pair]
        with open(folder / "redis.txt", "wb") as said:
            self._redis = subprocess.Popen([binary, *words], stdout=said, stderr=said)
        wait_until(lambda: is_answered(self._client()), "the Redis server answers")
        return self._url

    @keyword
    def start_worker(self, **environment: str) -> None:
        """Start a worker as an operator does, and wait until its heart beats. Its history is in `Worker Home`.

        Free named arguments are environment variables.
        """
        command = [sys.executable, "-m", "celery", "-A", "ddn_backend", "worker"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DDN_")}
        folder, started = self._folder(), time.time()
        with open(folder / "worker.txt", "wb") as said:
            self._worker = subprocess.Popen(
                command,
                cwd=folder,
                env={**kept, "DDN_REDIS_URL": self._url, "DDN_HOME": self.worker_home(), **environment},
                stdout=said,
                stderr=said,
            )
        # Its own: the last beat of one that was killed holds for a while.
        wait_until(lambda: self._client().zcount(WORKERS_KEY, started, "+inf"), "the worker's heart beats", LONGEST_SECONDS)

    @keyword
    def end_worker(self) -> None:
        """End the worker as an operator does: what it has in hand is finished."""
        assert self._worker
        self._worker.terminate()
        self._worker.wait(PATIENCE_SECONDS)
        self._worker = None

    @keyword
    def worker_home(self) -> str:
        """Return the worker's DDN_HOME, for operators' commands on its machine."""
        return str(self._folder() / "home")

    @keyword
    def pretend_that_a_worker_lives(self) -> None:
        self._client().set(HEARTBEAT_KEY, "silent", ex=600)

    @keyword
    def empty_redis(self) -> None:
        self._client().flushall()
        self._client().config_resetstat()

    @keyword
    def freeze_redis(self) -> None:
        self._running_redis().send_signal(signal.SIGSTOP)

    @keyword
    def thaw_redis(self) -> None:
        self._running_redis().send_signal(signal.SIGCONT)

    @keyword
    def number_of_waiting_reports(self) -> int:
        return int(self._client().llen(QUEUE))

    @keyword
    def number_of_waiting_analyses(self) -> int:
        """Without other tasks, such as the record that a run sends at its end."""
        return sum(TASK_NAME.encode() in message for message in self._client().lrange(QUEUE, 0, -1))

    @keyword
    def wait_until_a_report_has_arrived(self) -> None:
        """Wait until one is in the queue, under way to a worker, or in hand; one that is answered was."""

        client = self._client()

        def arrived() -> bool:
            is_waiting = self.number_of_waiting_analyses() or client.hlen("unacked")
            return bool(is_waiting or _keys(client, "ddn:taking:*", "ddn:*:verdict:*"))

        wait_until(arrived, "a report has arrived")

    @keyword
    def wait_until_verdicts_are_asked_for(self) -> None:
        """Wait until the listener reads verdicts for the second time: it is in the middle of its wait."""
        wait_until(lambda: self._calls("mget") >= 3, "verdicts are asked for")

    @keyword
    def verdict_is_there(self, report_id: str) -> None:
        wait_until(lambda: list(self._client().scan_iter(f"ddn:*:verdict:{report_id}")), f"the verdict on {report_id} is there")

    @keyword
    def everything_in_redis(self) -> str:
        """Return all keys with all they hold, as text; Celery's base64 unpacked."""
        client = self._client()
        return "\n".join(f"{key!r} {_unpacked(_value(client, key))}" for key in client.scan_iter())

    @keyword
    def end_servers(self) -> None:
        for process in (self._worker, self._redis):
            if process:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(PATIENCE_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(PATIENCE_SECONDS)
        self._worker = self._redis = None

    @property
    def _url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def _folder(self) -> Path:
        suite = BuiltIn().get_variable_value("${SUITE NAME}").rpartition(".")[2]
        folder = Path(BuiltIn().get_variable_value("${OUTPUT DIR}"), suite.lower(), "servers")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _client(self) -> redis.Redis:
        return redis.Redis(host="127.0.0.1", port=self._port, socket_timeout=PATIENCE_SECONDS)

    def _running_redis(self) -> "subprocess.Popen[bytes]":
        if not self._redis:
            raise AssertionError("No Redis server was started.")
        return self._redis

    def _calls(self, command: str) -> int:
        return int(self._client().info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0))


def is_answered(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _keys(client: redis.Redis, *patterns: str) -> list[bytes]:
    return [key for pattern in patterns for key in client.scan_iter(pattern)]


def _value(client: Any, key: bytes) -> bytes:
    readers: dict[str, Callable[[], Any]] = {
        "string": lambda: client.get(key),
        "list": lambda: client.lrange(key, 0, -1),
        "set": lambda: client.smembers(key),
        "hash": lambda: client.hgetall(key),
        "zset": lambda: client.zrange(key, 0, -1),
    }
    value = readers[client.type(key).decode()]()
    return value if isinstance(value, bytes) else repr(value).encode()


def _unpacked(value: bytes) -> str:
    """Return `value` followed by whatever in it can be read as base64, so that nothing hides in a message's body."""
    text = value.decode("utf-8", "replace")
    parts = [text]
    for word in text.replace("\\", '"').split('"'):
        if len(word) > 40:
            try:
                parts.append(base64.b64decode(word, validate=True).decode("utf-8", "replace"))
            except ValueError:
                continue
    return "\n".join(parts)
