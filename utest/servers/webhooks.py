"""A web server on loopback that takes what is posted to it, and a proxy that is Slack and PagerDuty to who goes through it.

The vendors' addresses are fixed in their clients. A client that is told of the proxy (HTTPS_PROXY) and of the certificate
(REQUESTS_CA_BUNDLE) speaks to this one as it does to them.
"""

import json
import shutil
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

ANSWERS = {"hooks.slack.com": (200, b"ok"), "events.pagerduty.com": (202, b'{"status":"success"}')}


@dataclass(frozen=True)
class Posted:
    """`host` is the one the client asked for."""

    host: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class WebhookServer:
    """Answers with `statuses`, one each, then as the host does; while `is_hung` not at all. `certificate` makes it a TLS proxy."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.posted: list[Posted] = []
        self.statuses: list[int] = []
        self.is_hung = False
        self.stopping = threading.Event()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if certificate:
            self.tls.load_cert_chain(certificate)
        self._server = _Server(("127.0.0.1", 0), type("_Bound", (_Handler,), {"hooks": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def __enter__(self) -> "WebhookServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    hooks: WebhookServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    tunnelled_to = ""

    def do_CONNECT(self) -> None:
        self.tunnelled_to = self.path.partition(":")[0]
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.rfile.close()
        self.wfile.close()
        self.connection = self.hooks.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.hooks.is_hung:
            self.hooks.stopping.wait()
            return
        status, answer = ANSWERS.get(self.tunnelled_to, (200, b""))
        status = self.hooks.statuses.pop(0) if self.hooks.statuses else status
        if status < 300:
            self.hooks.posted.append(Posted(self.tunnelled_to, self.path, dict(self.headers.items()), body))
        self.wfile.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        pass


def vendors_certificate(folder: Path) -> Path:
    """Return a file with a key and a certificate of the vendors' names, which vouches for itself; needs `openssl`."""
    key, certificate, both = folder / "key.pem", folder / "cert.pem", folder / "vendors.pem"
    openssl = shutil.which("openssl")
    assert openssl
    names = ",".join(f"DNS:{name}" for name in ANSWERS)
    make = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=vendors", "-addext", f"subjectAltName={names}"]
    subprocess.run([*make, *files], check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    return both
