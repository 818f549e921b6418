"""Stand-in for RequestsLibrary (requests and urllib3)."""

from scripted import Scripted, error


def _pool(host, port, cause):
    return f"HTTPConnectionPool(host='{host}', port={port}): Max retries exceeded with url: /api (Caused by {cause})"


def _answered(status, reason, body, url):
    return [
        f"INFO: GET Request : url={url} \n path_url=/api \n headers={{'Accept': '*/*'}} \n body=None \n",
        f"INFO: GET Response : url={url} \n status={status}, reason={reason} \n headers={{'Content-Type': 'application/json'}} \n "
        f"body={body} \n",
        error("HTTPError", f"{status} {'Client' if status < 500 else 'Server'} Error: {reason} for url: {url}"),
    ]


_NEW = "NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f21>: Failed to establish a new connection: {}')"
_ENDINGS = {
    ("GET", "http://localhost:8088/api"): error(
        "ConnectionError", _pool("localhost", 8088, _NEW.format("[Errno 111] Connection refused"))
    ),
    ("GET", "http://stock.internal/api"): error(
        "ConnectionError", _pool("stock.internal", 80, _NEW.format("[Errno -2] Name or service not known"))
    ),
    ("GET", "http://10.20.0.7/api"): error(
        "ConnectTimeout", _pool("10.20.0.7", 80, "ConnectTimeoutError('timed out. (connect timeout=5)')")
    ),
    ("GET", "https://intra.example/api"): error(
        "SSLError",
        "HTTPSConnectionPool(host='intra.example', port=443): Max retries exceeded with url: /api (Caused by SSLError("
        "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer "
        "certificate (_ssl.c:1006)')))",
    ),
    ("GET", "shop.example/api"): error(
        "MissingSchema", "Invalid URL 'shop.example/api': No scheme supplied. Perhaps you meant https://shop.example/api?"
    ),
    ("GET", "https://shop.example/api/me"): _answered(
        401, "Unauthorized", '{"error": "token expired"}', "https://shop.example/api/me"
    ),
    ("GET", "https://shop.example/api/total"): _answered(
        500,
        "Internal Server Error",
        '{"error": "TypeError: unsupported operand type(s) for +: NoneType and Decimal in total.py line 41"}',
        "https://shop.example/api/total",
    ),
    ("GET", "https://shop.example/api/busy"): _answered(
        503, "Service Unavailable", "<h1>503 Service Unavailable</h1>", "https://shop.example/api/busy"
    ),
    ("GET", "https://shop.example/api/limited"): _answered(
        429, "Too Many Requests", '{"error": "slow down"}', "https://shop.example/api/limited"
    ),
    ("GET", "https://shop.example/api/ordres"): _answered(
        404, "Not Found", '{"error": "no such path"}', "https://shop.example/api/ordres"
    ),
    ("POST", "https://shop.example/api/orders"): _answered(
        400, "Bad Request", '{"error": "field quantity must be a number, got three"}', "https://shop.example/api/orders"
    ),
}


class RequestsLibrary(Scripted):
    def __init__(self):
        super().__init__(_ENDINGS)
