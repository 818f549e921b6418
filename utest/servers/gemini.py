"""A stand-in for the Gemini API on loopback: generateContent and models.get of /v1 and /v1beta, and OpenAI's chat completions.

A test says what is answered: a function of the request, or a list used up in order (its last one stays). What was asked is kept.
"""

import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

MODEL = "gemini-test-flash"
ANSWERED_BY = "gemini-test-flash-001"

_PATH = re.compile(r"/(v1|v1beta)/models/([^/:]+)(?::(\w+))?")
_REPORT = re.compile(r"report: (\S+)")


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    body: Any
    status: int = 200
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


def call(name: str, **arguments: Any) -> Answer:
    return calls((name, arguments))


def calls(*wanted: tuple[str, dict[str, Any]], thought: str = "") -> Answer:
    parts: list[dict[str, Any]] = [{"text": thought}] if thought else []
    return _candidate([*parts, *({"functionCall": {"name": name, "args": arguments}} for name, arguments in wanted)])


def conclude(**fields: Any) -> Answer:
    plain = {
        "error_type": "INFRA_ERROR",
        "root_cause": "The shop's database was down.",
        "recommendation": "Start it.",
        "confidence": 0.9,
        "evidence": [{"quote": "The gizmo was not amused.", "where": "error message"}],
        "missing": [],
    }
    return call("final_result", **{**plain, **fields})


def grades(*values: float) -> Answer:
    return call("final_result", grades=list(values))


def grounded(words: str, *pages: tuple[str, str]) -> Answer:
    """Return `words` as found by Google Search on `pages` (title, address), all of which rest on the first page."""
    answer = _candidate([{"text": words}])
    answer.body["candidates"][0]["groundingMetadata"] = {
        "webSearchQueries": ["gizmo not amused"],
        "groundingChunks": [{"web": {"title": title, "uri": uri}} for title, uri in pages],
        "groundingSupports": [{"segment": {"endIndex": len(words.encode()), "text": words}, "groundingChunkIndices": [0]}],
    }
    return answer


def text(words: str) -> Answer:
    return _candidate([{"text": words}])


def empty() -> Answer:
    return _candidate([])


def refusal() -> Answer:
    return _candidate([], "SAFETY")


def blocked() -> Answer:
    return Answer({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": _usage(), "modelVersion": ANSWERED_BY})


def malformed() -> Answer:
    return Answer(b'{"candidates": [{"content": {"parts": [{"te')


def error(status: int, message: str = "It went wrong.", code: str = "INTERNAL", details: Sequence[Any] = ()) -> Answer:
    return Answer({"error": {"code": status, "message": message, "status": code, "details": list(details)}}, status)


def too_many_requests(seconds: float) -> Answer:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds:g}s"}
    return error(429, "Quota exceeded for requests per minute.", "RESOURCE_EXHAUSTED", [retry])


def slow(seconds: float, then: Answer) -> Answer:
    return Answer(then.body, then.status, seconds)


def _candidate(parts: list[dict[str, Any]], finish: str = "STOP") -> Answer:
    content = {"role": "model", "parts": parts}
    return Answer(
        {
            "candidates": [{"content": content, "finishReason": finish, "index": 0}],
            "usageMetadata": _usage(),
            "modelVersion": ANSWERED_BY,
            "responseId": "response-1",
        }
    )


def _usage() -> dict[str, int]:
    return {"promptTokenCount": 1000, "candidatesTokenCount": 50, "totalTokenCount": 1050}


Script = Sequence[Answer] | Callable[[dict[str, Any]], Answer]


class GeminiServer:
    """Serves while its `with` block runs; `script` may be changed at any time."""

    def __init__(self, script: Script = (), models: Sequence[str] = (MODEL,), key: str = "") -> None:
        self.models = models
        self.key = key
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.calls_by_report: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.script = script
        self._server = _Server(("127.0.0.1", 0), _Exchange)
        self._server.stand_in = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def script(self) -> Script:
        return self._script

    @script.setter
    def script(self, script: Script) -> None:
        """Begin a new script, at its beginning."""
        self._script, self._used = script, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def sent(self) -> str:
        """All that any request carried."""
        return "\n".join(json.dumps(request, ensure_ascii=False) for request in self.requests)

    def __enter__(self) -> "GeminiServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, request: dict[str, Any], key: str) -> Answer:
        """Return what the script says to `request`."""
        with self._lock:
            self.paths.append(path)
            refused = self._refused(path, key)
            if refused or not request:
                return refused or Answer({"name": f"models/{path.rpartition('/')[2]}"})
            self.requests.append(request)
            if found := _REPORT.search(json.dumps(request)):
                self.calls_by_report[found[1].split("\\n")[0]] += 1
            script, position = self._script, self._used
            self._used += 1
        said = script(request) if callable(script) else script[min(position, len(script) - 1)]  # outside the lock: it may wait
        return as_chat_completion(said) if path.endswith("/chat/completions") else said

    def _refused(self, path: str, key: str) -> Answer | None:
        if self.key and key != self.key:
            return error(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT")
        if path.endswith("/chat/completions"):
            return None
        match = _PATH.fullmatch(path)
        if not match or match[2] not in self.models:
            return error(404, f"models/{match[2] if match else '?'} is not found for API version v1beta.", "NOT_FOUND")
        return None


def as_chat_completion(said: Answer) -> Answer:
    """Return a Gemini answer as OpenAI's API would give it."""
    if said.status != 200 or not isinstance(said.body, dict):
        return said
    parts = said.body["candidates"][0]["content"]["parts"]
    tool_calls = [
        {"id": f"call-{n}", "type": "function", "function": {"name": one["name"], "arguments": json.dumps(one["args"])}}
        for n, one in enumerate(part["functionCall"] for part in parts if "functionCall" in part)
    ]
    words = "".join(part.get("text", "") for part in parts) or None
    message = {"role": "assistant", "content": words, "tool_calls": tool_calls or None}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tool_calls else "stop"}
    usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "local-model-7b", "choices": [choice], "usage": usage}
    return Answer(body, seconds=said.seconds)


def results(request: dict[str, Any]) -> list[str]:
    """Return what tools answered so far, as the request carries it."""
    parts = [part for content in request.get("contents", []) for part in content.get("parts", [])]
    return [json.dumps(part["functionResponse"]["response"]) for part in parts if "functionResponse" in part]


def offered(request: dict[str, Any]) -> set[str]:
    """Return the names of the tools that the request offers."""
    return {one["name"] for tool in request.get("tools", []) for one in tool.get("functionDeclarations", [])}


def declared(request: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return name, description and JSON schema of the tools that the request offers."""
    tools = (one for tool in request.get("tools", []) for one in tool.get("functionDeclarations", []))
    return [(one["name"], one["description"], one["parameters_json_schema"]) for one in tools]


def instructions(request: dict[str, Any]) -> str:
    """Return what the system is told."""
    return "".join(part["text"] for part in request["systemInstruction"]["parts"])


def is_web_search(request: dict[str, Any]) -> bool:
    return any("googleSearch" in tool or "google_search" in tool for tool in request.get("tools", []))


def is_grading(request: dict[str, Any]) -> bool:
    return any("grades" in str(schema) for name, _, schema in declared(request) if name == "final_result")


def prompt(request: dict[str, Any]) -> str:
    """Return the first message of the user."""
    return "".join(part.get("text", "") for part in request["contents"][0]["parts"])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # many connect at once
    stand_in: GeminiServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # who asked was killed
            super().handle_error(request, client_address)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, request: dict[str, Any]) -> None:
        key = self.headers.get("x-goog-api-key") or self.headers.get("Authorization", "").removeprefix("Bearer ")
        answer = self.server.stand_in.answer(self.path.partition("?")[0], request, key)  # type: ignore[attr-defined]
        if answer.seconds:
            time.sleep(answer.seconds)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        try:
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:
            self.close_connection = True  # the client did not wait

    def log_message(self, format: str, *args: Any) -> None:
        pass
