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

from ddn_backend.adapters.gemini import AgentModel
from ddn_backend.adapters.github import GitHub
from ddn_backend.adapters.pinecone import PineconeShelves
from ddn_backend.errors import BackendError
from ddn_backend.ports import CodeHostError
from ddn_backend.settings import Settings

KEY = "stand-in" + "-key-of-ours"
HEADERS = ("authorization", "x-goog-api-key", "api-key")


class Elsewhere:
    """A server to which another one redirects; `keys` are those that came with a request, `first` those that the other one got."""

    def __init__(self) -> None:
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
