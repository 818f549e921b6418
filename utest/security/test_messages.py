"""What anybody who reaches the Redis can put there: a real worker refuses it, stays small, and answers the next report."""

import base64
import bz2
import json
import lzma
import os
import subprocess
import sys
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu import compression
from kombu.exceptions import DecodeError

from ddn_backend.app import create_app
from ddn_backend.settings import Settings
from robot_ddn_listener.contract import HEARTBEAT_KEY, QUEUE, RUN_TASK_NAME, TASK_NAME, FailureReport, Run, encode
from robot_ddn_listener.run_message import MAX_OUTCOMES_BYTES

HUGE = 300 * 1024 * 1024  # bytes that a bomb unpacks to
MOST_KB = 250 * 1024  # that the worker may ever take for itself
PARTS = 10
PACKERS: dict[str, Callable[[bytes], bytes]] = {  # by the names that kombu gives them
    "application/x-gzip": lambda body: zlib.compress(body, 1),
    "application/x-bz2": bz2.compress,
    "application/x-lzma": lambda body: lzma.compress(body, preset=0),
}
REPORT = encode(FailureReport("r1", "shop", "f00d", Run("run"), "S", "Pays by card", "The gizmo was not amused."))


@pytest.fixture(scope="module")
def worker(redis_session: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator["subprocess.Popen[bytes]"]:
    folder = tmp_path_factory.mktemp("worker")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DDN_")}
    environ = {**kept, "DDN_REDIS_URL": redis_session.url, "DDN_HOME": str(folder / "home"), "DDN_CONCURRENCY": "2"}
    with redis_session.client() as client, (folder / "log").open("wb") as log:
        client.flushall()
        command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker"]
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=folder)
        try:
            deadline = time.monotonic() + 30
            while not client.exists(HEARTBEAT_KEY):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            yield process
        finally:
            process.kill()
            process.wait()


class Boom:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def message(body: bytes, **fields: Any) -> bytes:
    """Return a task's message with that body, as it stands in the queue."""
    identity = str(uuid.uuid4())
    headers = {"lang": "py", "task": TASK_NAME, "id": identity, "root_id": identity, "retries": 0, "argsrepr": "", "kwargsrepr": ""}
    properties = {"delivery_info": {"exchange": "", "routing_key": QUEUE}, "delivery_tag": identity, "body_encoding": "base64"}
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-type": fields.pop("content_type", "application/json"),
            "content-encoding": fields.pop("content_encoding", "utf-8"),
            "headers": {**headers, **fields},
            "properties": {**properties, "correlation_id": identity},
        }
    ).encode()


def pickled(tmp_path: Path, content_type: str = "application/x-python-serialize") -> bytes:
    import pickle

    body = pickle.dumps(([Boom(tmp_path / "boom")], {}, {}))
    return message(body, content_type=content_type, content_encoding="binary")


@cache
def bomb(content_type: str) -> bytes:
    """Return a message that unpacks to HUGE bytes of JSON, made of equal parts: all of these formats may be put together."""
    pack = PACKERS[content_type]
    part = pack(b"x" * (HUGE // PARTS))
    return message(pack(b'[["') + part * PARTS + pack(b'"], {}, {}]'), compression=content_type)


def nested(depth: int) -> bytes:
    return message(b"[" + b"[" * depth + b"]" * depth + b", {}, {}]")


def large(size: int) -> bytes:
    report = {**REPORT, "id": str(uuid.uuid4()), "log": [{"text": "x" * 1000}] * (size // 1000)}
    return message(json.dumps([[report], {}, {}]).encode())


def recorded_run(row: bytes) -> bytes:
    """Return a message with the record of a run whose outcomes, unpacked, are small enough, but for the objects they become."""
    rows = b"[" + (row + b",") * ((MAX_OUTCOMES_BYTES - 100) // (len(row) + 1)) + row + b"]"
    record = {"version": 1, "project": "shop", "run": {"id": "r"}, "when": "2026-11-24T12:00:00+00:00", "counts": {}}
    packed = {**record, "outcomes": base64.b64encode(zlib.compress(rows, 1)).decode()}
    return message(json.dumps([[packed], {}, {}]).encode(), task=RUN_TASK_NAME)


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "pickle": pickled,
    "yaml": lambda _: message(b"!!python/object/apply:os.system ['true']", content_type="application/x-yaml"),
    "zlib bomb": lambda _: bomb("application/x-gzip"),
    "bz2 bomb": lambda _: bomb("application/x-bz2"),
    "lzma bomb": lambda _: bomb("application/x-lzma"),
    "a compression nobody knows": lambda _: message(b"[[1], {}, {}]", compression="application/zstd"),
    "msgpack": lambda _: message(b"\x93\x90\x80\x80", content_type="application/x-msgpack", content_encoding="binary"),
    "pickle called JSON": lambda folder: pickled(folder, "application/json"),
    "an encoding nobody knows": lambda _: message(b"[[1], {}, {}]", content_encoding="zlib_codec"),
    "10 MB of empty lists": lambda _: message(b"[[[" + b"[]," * 3_300_000 + b"[]]], {}, {}]"),
    "100,000 levels": lambda _: nested(100_000),
    "900 levels": lambda _: nested(900),
    "a run of ten million empty rows": lambda _: recorded_run(b"[]"),
    "a run of ten million empty objects": lambda _: recorded_run(b"{}"),
    "a run of rows in rows": lambda _: recorded_run(b"[[1.5,1.5]]"),
    "no JSON": lambda _: message(b"\xff\x00{"),
    "10 MB": lambda _: large(10_000_000),
    "nothing of the kind": lambda _: b"\xff\xfe nothing",
    "no properties": lambda _: b'{"body": 1}',
    "a list": lambda _: b"[1, 2]",
    "another task": lambda _: message(b"[[], {}, {}]", task="os.system"),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_worker_refuses_it_and_answers_the_next_report(
    hostile: Callable[[Path], bytes], worker: Any, redis_session: Any, tmp_path: Path, wait_until: Any
) -> None:
    with (
        redis_session.client() as client,
        Celery(broker=redis_session.url, backend=redis_session.url, set_as_current=False) as plain,
    ):
        client.lpush(QUEUE, hostile(tmp_path))
        for _ in range(2):  # the queue is first in, first out: the second answer comes after the hostile one was met
            identity = str(uuid.uuid4())
            answered = plain.send_task(TASK_NAME, [{**REPORT, "id": identity}], task_id=identity, queue=QUEUE)
            assert answered.get(timeout=30)["test_name"] == "Pays by card"
        wait_until(lambda: not client.hlen("unacked") and not client.llen(QUEUE), "all is answered or refused")
    assert worker.poll() is None
    assert not (tmp_path / "boom").exists()
    peak = next(line for line in Path(f"/proc/{worker.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < MOST_KB


def test_nothing_that_kombu_can_unpack_is_unpacked() -> None:
    """Also what is installed elsewhere only, such as brotli and zstandard: kombu knows it as soon as its package is there."""
    create_app(Settings(redis_url="redis://127.0.0.1:1/0"))
    for content_type in compression.encoders():  # type: ignore[no-untyped-call]
        with pytest.raises(DecodeError, match="Compressed"):
            compression.decompress(PACKERS.get(content_type, bytes)(b"x"), content_type)  # type: ignore[no-untyped-call]
