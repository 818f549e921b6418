"""The monitor's HTTP server: /metrics for Prometheus, /health for whoever restarts what is not well."""

import base64
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from ...errors import SettingsError
from ..running.addresses import is_loopback, url
from .metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

SLOW_CLIENT_SECONDS = 10
POLL_SECONDS = 0.1  # how soon it ends when it is told to

Health = Callable[[], Mapping[str, bool]]


class MetricsServer:
    """Serves from its own threads until it is closed. With `user` and `password` /metrics wants them; /health, which tells of
    nothing but parts that are up or down, never does."""

    def __init__(self, address: str, port: int, metrics: Metrics, health: Health, user: str = "", password: str = "") -> None:
        """Listen at once; SettingsError where that cannot be, or must not be without a password."""
        _check(address, user, password)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(metrics)
        application = _application(make_wsgi_app(registry), health, _credentials(user, password))
        kind = type("Server", (_Server,), {"address_family": socket.AF_INET6 if ":" in address else socket.AF_INET})
        try:
            self._server = kind((address, port), _Quiet)
        except OSError as error:
            cause = (error.strerror or str(error)).lower()
            raise SettingsError(
                f"Opening port '{address}:{port}' for metrics failed: {cause}. "
                "Set DDN_METRICS_PORT or DDN_METRICS_ADDRESS to another. The monitor does not start."
            ) from error
        self._server.set_app(application)
        self.url = url(address, self._server.server_port)
        threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), name="ddn-metrics", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = True

    def server_bind(self) -> None:
        """Leave out the look-up of the host's name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Quiet(WSGIRequestHandler):
    timeout = SLOW_CLIENT_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """One line a scrape would hide all else."""


def _application(metrics: "WSGIApplication", health: Health, credentials: str) -> "WSGIApplication":
    def application(environ: dict[str, Any], start: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/health":
            parts = dict(health())
            status = "200 OK" if all(parts.values()) else "503 Service Unavailable"
            return _answer(start, status, json.dumps(parts), "application/json")
        if path != "/metrics":
            return _answer(start, "404 Not Found", "Here are /metrics and /health.\n")
        if credentials and not hmac.compare_digest(environ.get("HTTP_AUTHORIZATION", "").encode(), credentials.encode()):
            return _answer(start, "401 Unauthorized", "A user and password are needed.\n", authenticate=True)
        return metrics(environ, start)

    return application


def _answer(start: "StartResponse", status: str, text: str, kind: str = "text/plain", *, authenticate: bool = False) -> list[bytes]:
    body = text.encode()
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    start(status, [*headers, ("WWW-Authenticate", 'Basic realm="ddn"')] if authenticate else headers)
    return [body]


def _credentials(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user and password else ""


def _check(address: str, user: str, password: str) -> None:
    if bool(user) != bool(password):
        raise SettingsError(
            "Reading setting 'DDN_METRICS_USER' failed: expected it together with DDN_METRICS_PASSWORD, got one of the two. "
            "The monitor does not start."
        )
    if not is_loopback(address) and not password:
        raise SettingsError(
            f"Opening address '{address}' for metrics failed: other machines reach it, and there is no password. "
            "Set DDN_METRICS_USER and DDN_METRICS_PASSWORD, or DDN_METRICS_ADDRESS=127.0.0.1. The monitor does not start."
        )
