"""A stand-in for Pinecone on loopback: control plane (describe, list, create for model, delete) and data plane (upsert records,
search with rerank, list, delete, namespaces, stats), as the SDK of version 10 speaks to them.

"Embedding" is the set of a text's words; the "reranker" grades by the share of a record's words that the query has. Each index that
is made gets an address of its own, and a deleted one's address answers 404. Faults are set by `fail` and `stall`.
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "pcsk-" + "k" * 20

_WORD = re.compile(r"[A-Za-z]{3,}")


@dataclass
class Index:
    """One index. One without a `model` was made for vectors of the user's own, of `dimension`."""

    address: str
    model: str = "llama-text-embed-v2"
    dimension: int = 1024
    namespaces: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)


@dataclass
class Fault:
    status: int
    part: str
    times: int
    headers: Mapping[str, str]
    message: str


class PineconeServer:
    """Use as a context manager; `host` is what the client is given."""

    def __init__(self) -> None:
        self.indexes: dict[str, Index] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.created: list[dict[str, Any]] = []
        self._made = 0
        self._faults: list[Fault] = []
        self._stalled, self._stall_part = threading.Event(), ""
        self._stalled.set()
        self._lock = threading.RLock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "PineconeServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stalled.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def make(self, name: str, model: str = "llama-text-embed-v2", dimension: int = 1024) -> Index:
        """Make an index behind the client's back."""
        with self._lock:
            self._made += 1
            index = self.indexes[name] = Index(f"/at/{name}-{self._made}", model, dimension)
            return index

    def fail(self, status: int, part: str = "", times: int = 1000, message: str = "", **headers: str) -> None:
        """Answer the next `times` requests whose path has `part` in it with `status`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._faults.append(Fault(status, part, times, named, message or f"status {status} as asked"))

    def mend(self) -> None:
        """No more faults."""
        self._faults.clear()
        self._stalled.set()

    def stall(self, part: str = "") -> None:
        """From now on do not answer requests whose path has `part` in it, until `mend`."""
        self._stall_part = part
        self._stalled.clear()

    def paths(self, part: str = "") -> list[str]:
        """Return the paths that were asked for and have `part` in them."""
        return [path for _, path, _ in self.asked if part in path]

    def answer(self, method: str, target: str, body: bytes, key: str) -> tuple[int, Any, Mapping[str, str]]:
        """Return status, JSON and headers."""
        url = urlsplit(target)
        sent = _body(body)
        with self._lock:
            self.asked.append((method, url.path, sent))
            fault = next((fault for fault in self._faults if fault.part in url.path and fault.times > 0), None)
            if fault:
                fault.times -= 1
        if self._stall_part in url.path:
            self._stalled.wait(30)
        if fault:
            return fault.status, _error(fault.status, fault.message), fault.headers
        if key != KEY:
            return 401, _error(401, f"Invalid API Key: {key}"), {}
        with self._lock:
            status, answer = self._route(method, url.path, sent, parse_qs(url.query))
        return status, answer, {}

    def _route(self, method: str, path: str, sent: Any, asked: dict[str, list[str]]) -> tuple[int, Any]:
        if path.startswith("/at/"):
            _, _, place, rest = path.split("/", 3)
            index = next((index for index in self.indexes.values() if index.address == f"/at/{place}"), None)
            return self._at(index, rest, sent, asked) if index else (404, _error(404, "Not Found"))
        if (method, path) == ("POST", "/indexes/create-for-model"):
            return self._create(sent)
        name = path.removeprefix("/indexes/")
        if name not in self.indexes:
            return 404, _error(404, f"Resource {name} not found")
        return (200, self._described(name)) if method == "GET" else (202, self.indexes.pop(name) and {})

    def _create(self, sent: Any) -> tuple[int, Any]:
        if sent["name"] in self.indexes:
            return 409, _error(409, "Resource already exists")
        self.created.append(sent)
        self.make(sent["name"], sent["embed"]["model"])
        return 201, self._described(sent["name"])

    def _described(self, name: str) -> dict[str, Any]:
        index = self.indexes[name]
        vector = {"type": "dense_vector", "dimension": index.dimension, "metric": "cosine"}
        text = {"type": "semantic_text", "model": index.model, "metric": "cosine"}
        return {
            "name": name,
            "host": f"{self.host}{index.address}",
            "status": {"ready": True, "state": "Ready"},
            "schema": {"fields": {"text": text} if index.model else {"vector": vector}},
            "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
            "deletion_protection": "disabled",
        }

    def _at(self, index: Index, rest: str, sent: Any, asked: dict[str, list[str]]) -> tuple[int, Any]:
        if rest == "describe_index_stats":
            return 200, {"namespaces": {}, "dimension": index.dimension, "totalVectorCount": 0}
        if rest == "namespaces":
            return 200, {"namespaces": [{"name": name, "record_count": str(len(kept))} for name, kept in index.namespaces.items()]}
        if rest == "vectors/list":
            return _listed(index, asked)
        if rest == "vectors/delete":
            return _deleted(index, sent)
        _, _, name, verb = rest.split("/")
        if not index.model:
            return 400, _error(400, f"Vector dimension 1024 does not match the dimension of the index {index.dimension}")
        return _upserted(index, unquote(name), sent) if verb == "upsert" else _searched(index, unquote(name), sent)


def _upserted(index: Index, name: str, records: list[dict[str, Any]]) -> tuple[int, Any]:
    if len(records) > 96:
        return 400, _error(400, f"Batch size exceeds the limit of 96: {len(records)}")
    index.namespaces.setdefault(name, {}).update({record.pop("_id"): record for record in records})
    return 201, {}


def _searched(index: Index, name: str, sent: dict[str, Any]) -> tuple[int, Any]:
    query = _words(sent["query"]["inputs"]["text"])
    records = index.namespaces.get(name, {})
    near = sorted(records.items(), key=lambda item: -len(query & _words(item[1]["text"])))[: sent["query"]["top_k"]]
    hits: list[dict[str, Any]] = [
        {"_id": key, "_score": _share(query, record[sent["rerank"]["rank_fields"][0]]), "fields": _fields(record, sent["fields"])}
        for key, record in near
    ]
    hits = sorted(hits, key=lambda hit: -hit["_score"])[: sent["rerank"]["top_n"]]
    return 200, {"result": {"hits": hits}, "usage": {"read_units": 1, "embed_total_tokens": 9, "rerank_units": 1}}


def _listed(index: Index, asked: dict[str, list[str]]) -> tuple[int, Any]:
    names = sorted(index.namespaces.get(asked.get("namespace", [""])[0], {}))
    names = [name for name in names if name.startswith(asked.get("prefix", [""])[0])]
    start, size = int(asked.get("paginationToken", ["0"])[0]), int(asked.get("limit", ["100"])[0])
    page: dict[str, Any] = {"vectors": [{"id": name} for name in names[start : start + size]], "namespace": ""}
    if start + size < len(names):
        page["pagination"] = {"next": str(start + size)}
    return 200, page


def _deleted(index: Index, sent: dict[str, Any]) -> tuple[int, Any]:
    if sent["namespace"] not in index.namespaces:
        return 404, _error(404, "Namespace not found")
    for name in sent["ids"]:
        index.namespaces[sent["namespace"]].pop(name, None)
    return 200, {}


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def _share(query: frozenset[str], text: str) -> float:
    return round(len(query & _words(text)) / max(len(query), 1), 4)


def _fields(record: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name in wanted}


def _body(body: bytes) -> Any:
    lines = [json.loads(line) for line in body.splitlines() if line.strip()]
    is_records = bool(lines) and isinstance(lines[0], dict) and "_id" in lines[0]
    return lines if is_records else lines[0] if lines else None


def _error(status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": f"S{status}", "message": message}, "status": status}


def _handler(server: PineconeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body leave together: Nagle would cost 40 ms
        disable_nagle_algorithm = True

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer, headers = server.answer(self.command, self.path, body, self.headers.get("Api-Key", ""))
            packed = json.dumps(answer).encode()
            try:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(packed)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(packed)
                self.wfile.flush()
            except OSError:  # the client did not wait
                self.close_connection = True

        do_GET = do_POST = do_DELETE = _any  # noqa: N815 - the names http.server looks for

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler
