"""Redis servers of a benchmark's own, and a stand-in for the backend that answers at once."""

import base64
import json
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from timing import wait_for

from robot_ddn_listener.contract import (
    QUEUE,
    TASK_NAME,
    VERDICT_SECONDS,
    Analysis,
    ErrorType,
    FailureReport,
    Stage,
    Verdict,
    decode,
    encode,
    verdict_key,
)


class Redis:
    """A server of our own, for one benchmark."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int):
        self._process = process
        self._port = port
        self.url = f"redis://127.0.0.1:{port}/0"

    def beat(self) -> None:
        self._say("SET ddn:heartbeat bench")

    def pause(self, reason: str) -> None:
        self._say(f'SET ddn:paused "{reason}"')

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def workers(self) -> int:
        """Return how many workers beat."""
        return int(self._say("ZCARD ddn:workers").lstrip(":"))

    def _say(self, command: str) -> str:
        with socket.create_connection(("127.0.0.1", self._port), 5) as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.recv(100).decode().strip()


@contextmanager
def redis_server(place: Path) -> Iterator[Redis]:
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if not binary:
        raise SystemExit("Benchmarks with Redis need redis-server or valkey-server on PATH.")
    place.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(place), "--save", ""]
    process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: _listens(port), "the Redis server")
        yield Redis(process, port)
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def answering(url: str) -> Iterator[None]:
    """A stand-in for the backend: takes each report from the queue and publishes a final verdict."""
    import redis

    client, ended = redis.Redis.from_url(url, socket_timeout=5), threading.Event()
    client.set("ddn:heartbeat", "bench")

    def answer() -> None:
        while not ended.is_set():
            if message := client.brpop([QUEUE], timeout=1):
                task = json.loads(message[1])
                if task["headers"]["task"] != TASK_NAME:
                    continue
                report = decode(FailureReport, json.loads(base64.b64decode(task["body"]))[0][0])
                said = Analysis(report.id, report.project, report.fingerprint, Stage.FINAL, Verdict.DIAGNOSED)
                said = replace(said, error_type=ErrorType.TEST_ERROR, root_cause="It was answered by the bench.", confidence=0.9)
                client.set(verdict_key(report.project, report.id), json.dumps(encode(said)), ex=VERDICT_SECONDS)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        client.close()
