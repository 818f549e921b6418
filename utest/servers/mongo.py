"""A stand-in for MongoDB's wire protocol on loopback, for what a real one does on bad days: refuse, hang, hang up.

It answers every command with `ok`, unless told otherwise by name: `refused["insert"] = (11600, "shutting down")`.
"""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bson

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
HEADER = struct.Struct("<iiii")
HELLO = {
    "ismaster": True,
    "isWritablePrimary": True,
    "helloOk": True,
    "maxBsonObjectSize": 16 * 1024 * 1024,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "ok": 1.0,
}


class MongoStandIn(socketserver.ThreadingTCPServer):
    """`refused` holds code and message by command, `hanging` commands that are never answered, `commands` what was asked."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.refused: dict[str, tuple[int, str]] = {}
        self.hanging: set[str] = set()
        self.commands: list[str] = []
        self.ended = threading.Event()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        self.commands.append(name)
        if name in self.hanging:
            self.ended.wait()
        if name in self.refused:
            code, message = self.refused[name]
            return {"ok": 0.0, "code": code, "errmsg": message}
        if name.lower() in ("hello", "ismaster"):
            return HELLO
        empty = {"cursor": {"id": 0, "ns": "ddn.x", "firstBatch": []}} if name in ("find", "aggregate") else {}
        return {"ok": 1.0, "n": 0, **empty}


class _Connection(socketserver.BaseRequestHandler):
    server: MongoStandIn

    def handle(self) -> None:
        while header := self._read(HEADER.size):
            length, request, _, operation = HEADER.unpack(header)
            body = self._read(length - HEADER.size)
            answer = self.server.answer(_command(operation, body))
            self.request.sendall(_reply(operation, request, bson.encode(answer)))

    def _read(self, count: int) -> bytes:
        chunks = b""
        while len(chunks) < count:
            try:
                chunk = self.request.recv(count - len(chunks))
            except ConnectionError:
                return b""
            if not chunk:
                return b""
            chunks += chunk
        return chunks


def _command(operation: int, body: bytes) -> dict[str, Any]:
    if operation == OP_QUERY:
        start = body.index(b"\0", 4) + 1 + 8  # flags, the collection's name, skip and limit
        return dict(bson.decode(body[start : start + int.from_bytes(body[start : start + 4], "little")]))
    start = 5  # flags and the kind of the first section: the command itself
    return dict(bson.decode(body[start : start + int.from_bytes(body[start : start + 4], "little")]))


def _reply(operation: int, request: int, document: bytes) -> bytes:
    if operation == OP_QUERY:
        body, kind = struct.pack("<iqii", 8, 0, 0, 1) + document, OP_REPLY
    else:
        body, kind = struct.pack("<iB", 0, 0) + document, OP_MSG
    return HEADER.pack(HEADER.size + len(body), 0, request, kind) + body


@contextmanager
def mongo_stand_in() -> Iterator[MongoStandIn]:
    """Run one until the block ends."""
    with MongoStandIn() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()
