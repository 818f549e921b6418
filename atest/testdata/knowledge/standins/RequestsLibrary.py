"""Stand-in for RequestsLibrary, with the messages of requests, urllib3 and OpenSSL."""

import json

from scripted import Scripted, error


def _pool(host, port, cause, scheme="HTTPS"):
    return f"{scheme}ConnectionPool(host='{host}', port={port}): Max retries exceeded with url: /v2/orders (Caused by {cause})"


def _tls(host, cause):
    return error("SSLError", _pool(host, 443, f"SSLError(SSLError(1, '{cause} (_ssl.c:1028)'))"))


def _untrusted(host, cause):
    return error(
        "SSLError",
        _pool(
            host,
            443,
            f"SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {cause} "
            "(_ssl.c:1028)'))",
        ),
    )


def _parse(text):
    try:
        json.loads(text)
    except ValueError as failure:
        return failure
    raise AssertionError("Expected text that is not JSON.")


KEYWORDS = ("Create Session", "GET", "POST")
ENDINGS = {
    ("GET", "https://api.example/orders"): error(
        "HTTPError", "500 Server Error: Internal Server Error for url: https://api.example/orders?page=2"
    ),
    ("POST On Session", "orders"): AssertionError("Url: https://api.example/orders Expected status: 500 != 201"),
    ("GET", "https://api.example/me"): error("HTTPError", "401 Client Error: Unauthorized for url: https://api.example/me"),
    ("GET On Session", "partner"): AssertionError("Url: https://partner.example/stock Expected status: 401 != 200"),
    ("Decode Token", "session"): error("ExpiredSignatureError", "Signature has expired"),
    ("DELETE", "https://api.example/users/7"): error(
        "HTTPError", "403 Client Error: Forbidden for url: https://api.example/users/7"
    ),
    ("GET", "https://api.example/v3/items"): error(
        "HTTPError", "404 Client Error: Not Found for url: https://api.example/v3/items"
    ),
    ("POST", "https://api.example/users"): error(
        "HTTPError", "422 Client Error: Unprocessable Entity for url: https://api.example/users"
    ),
    ("PUT", "https://api.example/users/3"): AssertionError("Url: https://api.example/users/3 Expected status: 400 != 200"),
    ("GET", "https://api.example/search"): error(
        "HTTPError", "429 Client Error: Too Many Requests for url: https://api.example/search?q=lamp"
    ),
    ("GET", "https://gateway.example/health"): error(
        "HTTPError", "503 Server Error: Service Temporarily Unavailable for url: https://gateway.example/health"
    ),
    ("GET", "https://gateway.example/export"): error(
        "HTTPError", "504 Server Error: Gateway Time-out for url: https://gateway.example/export"
    ),
    ("GET On Session", "warehouse"): ValueError("Non-existing index or alias 'warehouse'."),
    ("GET", "http://127.0.0.1:18080/ready"): error(
        "ConnectionError",
        _pool(
            "127.0.0.1",
            18080,
            "NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7fd2f81b3a90>: Failed to establish a new "
            "connection: [Errno 111] Connection refused')",
            "HTTP",
        ),
    ),
    ("GET", "https://10.20.30.40/"): error(
        "ConnectTimeout",
        _pool(
            "10.20.30.40",
            443,
            "ConnectTimeoutError(<urllib3.connection.HTTPSConnection object at 0x7f5c2d3e1f10>, 'Connection to 10.20.30.40 "
            "timed out. (connect timeout=8)')",
        ),
    ),
    ("POST", "https://api.example/reports"): error(
        "ReadTimeout", "HTTPSConnectionPool(host='api.example', port=443): Read timed out. (read timeout=25)"
    ),
    ("POST", "https://api.example/uploads"): error(
        "ConnectionError", "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"
    ),
    ("GET", "https://api.example/stream"): error(
        "ChunkedEncodingError",
        "(\"Connection broken: ConnectionResetError(104, 'Connection reset by peer')\", ConnectionResetError(104, 'Connection "
        "reset by peer'))",
    ),
    ("Read Json", "login page"): _parse("\n\n  <!doctype html><title>Sign in</title>"),
    ("Read Json", "python notation"): _parse("{'id': 7, 'open': True}"),
    ("GET", "api.example/orders"): error(
        "MissingSchema", "Invalid URL 'api.example/orders': No scheme supplied. Perhaps you meant https://api.example/orders?"
    ),
    ("GET", "None/orders"): error("InvalidSchema", "No connection adapters were found for 'None/orders'"),
    ("GET", "https://git.corp.example/"): _untrusted("git.corp.example", "self-signed certificate in certificate chain"),
    ("GET", "https://old.example/"): _untrusted("old.example", "certificate has expired"),
    ("GET", "https://192.0.2.15/"): _untrusted("192.0.2.15", "IP address mismatch, certificate is not valid for \\'192.0.2.15\\'."),
    ("GET", "https://localhost:8081/"): _tls("localhost", "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
    ("GET", "https://printer.example/"): _tls(
        "printer.example", "[SSL: UNSAFE_LEGACY_RENEGOTIATION_DISABLED] unsafe legacy renegotiation disabled"
    ),
    ("GET", "https://outside.example/"): error(
        "ProxyError",
        _pool(
            "outside.example",
            443,
            "ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 407 Proxy Authentication Required'))",
        ),
    ),
    ("GET", "https://orders.svc.cluster.local/"): error(
        "ConnectionError",
        _pool(
            "orders.svc.cluster.local",
            443,
            "NameResolutionError(\"HTTPSConnection(host='orders.svc.cluster.local', port=443): Failed to resolve "
            "'orders.svc.cluster.local' ([Errno -2] Name or service not known)\")",
        ),
    ),
    ("GET", "https://mirror.example/"): error(
        "ConnectionError",
        _pool(
            "mirror.example",
            443,
            'NameResolutionError("<urllib3.connection.HTTPSConnection object at 0x7f1e>: Failed to resolve '
            "'mirror.example' ([Errno -3] Temporary failure in name resolution)\")",
        ),
    ),
    ("GET", "https://172.31.9.9/"): error(
        "ConnectionError",
        _pool(
            "172.31.9.9",
            443,
            "NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7f8a>: Failed to establish a new "
            "connection: [Errno 113] No route to host')",
        ),
    ),
}


class RequestsLibrary(Scripted):
    def __init__(self):
        super().__init__(ENDINGS, KEYWORDS)
