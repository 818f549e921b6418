"""Where our requests may go, and who may reach us: no redirect takes a key elsewhere, nothing listens for others by default."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.messages import ModelResponse, NativeToolReturnPart, TextPart

from ddn_backend.adapters.apprise_notifier import AppriseNotifier
from ddn_backend.adapters.gemini import AgentModel
from ddn_backend.adapters.github import GitHub
from ddn_backend.adapters.model_web import pages
from ddn_backend.adapters.pinecone import PineconeShelves
from ddn_backend.errors import BackendError, SettingsError
from ddn_backend.ports import CodeHostError, Notice, NoticeKind, NotifyError
from ddn_backend.settings import Settings, load
from servers.webhooks import WebhookServer

KEY = "stand-in" + "-key-of-ours"
HEADERS = ("authorization", "x-goog-api-key", "api-key")


class Elsewhere:
    """A server to which another one redirects; `keys` are those that came with a request, `first` those that the other one got,
    `visits` how often anybody came."""

    def __init__(self) -> None:
        self.visits = 0
        self.keys: list[str] = []
        self.first: list[str] = []
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), self._handler(seen)) for seen in (self.first, self.keys)]
        self.url, self._there = (f"http://127.0.0.1:{server.server_port}" for server in self._servers)
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _handler(self, seen: list[str]) -> type[BaseHTTPRequestHandler]:
        elsewhere = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                elsewhere.visits += seen is elsewhere.keys
                seen.extend(value for name, value in self.headers.items() if name.lower() in HEADERS)
                self.send_response(307 if seen is elsewhere.first else 200)
                if seen is elsewhere.first:
                    self.send_header("Location", f"{elsewhere._there}/latest/meta-data")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_POST = do_GET  # noqa: N815 - the name http.server looks for

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        return Handler


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    servers = Elsewhere()
    yield servers
    servers.close()


def test_github(elsewhere: Elsewhere) -> None:
    with pytest.raises(CodeHostError, match="redirects to another server"):
        GitHub("acme/shop", KEY, None, elsewhere.url).source("a.py", 1, 9, "main")
    assert elsewhere.first
    assert elsewhere.keys == []


def test_pinecone(elsewhere: Elsewhere) -> None:
    with pytest.raises(BackendError):
        PineconeShelves(KEY, "shop", host=elsewhere.url).check()
    assert elsewhere.first
    assert elsewhere.keys == []


@pytest.mark.parametrize("name", ["google:gemini-test", "openai:gpt-test"])
def test_a_model(name: str, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", elsewhere.url)
    is_google = name.startswith("google")
    model = AgentModel(name, KEY, elsewhere.url) if is_google else AgentModel(name)
    try:
        with pytest.raises(BackendError):
            model.check()
    finally:
        model.close()
    assert elsewhere.first
    assert elsewhere.keys == []


@pytest.mark.parametrize("scheme", ["json", "form", "xml"])
def test_a_route_of_alerts(scheme: str, elsewhere: Elsewhere, tmp_path: Path) -> None:
    address = elsewhere.url.replace("http://", f"{scheme}://ddn:{KEY}@") + f"/hook?+Api-Key={KEY}"
    notifier = AppriseNotifier({"hook": address}, tmp_path)
    with pytest.raises(NotifyError):
        notifier.send("hook", Notice("x", NoticeKind.OPENED, "A test's name", "x"))
    assert elsewhere.first
    assert elsewhere.keys == []
    assert elsewhere.visits == 0


@pytest.mark.parametrize(
    "address",
    [
        *(
            "file:///etc/passwd",
            "http://127.0.0.1/x",
            "https://127.0.0.1/x",
            "ftp://127.0.0.1/x",
            "gopher://127.0.0.1/x",
            "data:text/plain,x",
        ),
        *("javascript:x", "exec://x", "include://x", "config://127.0.0.1/x", "/etc/passwd", "\\\\host\\share"),
    ],
)
def test_a_route_that_is_no_service_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"route 'odd': expected a URL of apprise"):
        AppriseNotifier({"odd": address}, tmp_path / "alerts.toml")


def test_a_route_attaches_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(KEY)
    with WebhookServer() as hooks:
        address = f"form://127.0.0.1:{hooks.port}/x?attach={secret}&attachment=file://{secret}&attach-as=x"
        AppriseNotifier({"hook": address}, tmp_path).send("hook", Notice("x", NoticeKind.OPENED, "x", "x"))
        [posted] = hooks.posted
    assert KEY.encode() not in posted.body


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://github.example", "gopher://127.0.0.1:6379/_x", "api.github.com", "https://"]
)
def test_the_address_of_github_is_http(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDN_GITHUB_URL", url)
    with pytest.raises(SettingsError, match="DDN_GITHUB_URL"):
        load()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1:27017", "redis://127.0.0.1", "mongodb:///tmp/x.sock"])
def test_the_address_of_mongodb_is_its_own(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDN_MONGO_URL", url)
    with pytest.raises(SettingsError, match="DDN_MONGO_URL"):
        load()


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "//example.com/x", "ftp://example.com"]
)
def test_a_page_that_the_web_search_names_is_followed_by_nobody_and_named_only_if_http(url: str) -> None:
    found = TextPart("words"), NativeToolReturnPart("web_search", {"results": [{"title": "x", "url": url}]}, tool_call_id="1")
    assert pages(ModelResponse(list(found))) == ()


def test_defaults_are_for_this_machine_only() -> None:
    fields = Settings.model_fields
    assert {fields[name].default for name in ("flower_address", "metrics_address")} == {"127.0.0.1"}


def test_what_a_stack_opens_is_on_loopback_only(tmp_path: Path, wait_until: Any) -> None:
    from ddn_backend.ops.running.addresses import free_port

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DDN_", "FLOWER_", "REDIS_URL"))}
    ports = [free_port(), free_port()]
    environ = {**kept, "DDN_HOME": str(tmp_path / "home"), "FLOWER_PORT": str(ports[0]), "DDN_METRICS_PORT": str(ports[1])}
    command = [sys.executable, "-P", "-m", "ddn_backend.cli.main", "up", "--port", "0", "--workers", "1"]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(command, env=environ, stdout=said, stderr=said, cwd=tmp_path)
        try:
            wait_until(lambda: "Ready:" in (tmp_path / "said").read_text() or process.poll() is not None, "the stack")
            opened = _listening(_below(process.pid))
        finally:
            process.terminate()
            process.wait(60)
    assert {port for _, port in opened} >= set(ports), (tmp_path / "said").read_text()
    assert {address for address, _ in opened} == {"0100007F"}


def _below(pid: int) -> set[int]:
    """Return a process and all that it has started, and those what they have started."""
    found = {pid}
    parents = {
        int(place.name): int(re.sub(r".*\) \w ", "", (place / "stat").read_text(), flags=re.DOTALL).split()[0])
        for place in Path("/proc").iterdir()
        if place.name.isdecimal() and (place / "stat").exists()
    }
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _listening(pids: set[int]) -> set[tuple[str, int]]:
    """Return address, as /proc/net/tcp writes it, and port of each socket that one of these processes listens on."""
    inodes = {os.readlink(link) for pid in pids for link in _links(pid)}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    mine = [row[1].split(":") for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]
    return {(address, int(port, 16)) for address, port in mine}


def _links(pid: int) -> list[Path]:
    try:
        return [link for link in Path(f"/proc/{pid}/fd").iterdir() if os.path.islink(link)]
    except OSError:
        return []
