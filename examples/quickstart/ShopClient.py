"""Keywords for a small web shop, and the shop itself: a server on this machine that has a defect."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.error import HTTPError
from urllib.request import urlopen

PRICES = {"pen": {"net": 1.90, "tax": 0.19}, "notebook": {"net": 18.0}}


class ShopClient:
    ROBOT_LIBRARY_SCOPE = "SUITE"

    def __init__(self):
        self._server = None

    def start_shop(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop_shop(self):
        self._server.shutdown()
        self._server.server_close()

    def open_page(self, path: str, shop: str = "") -> str:
        """Return the text of a page; `shop` is a host and port, by default of the shop that was started."""
        url = f"http://{shop or self._address()}{path}"
        try:
            with urlopen(url, timeout=2) as answer:
                return answer.read().decode()
        except HTTPError as error:
            print(f"GET {url} answered {error.code} {error.reason}\n{error.read().decode()}")
            raise

    def format_price(self, price: str) -> str:
        return f"{float(price):.2f} EUR"

    def total_of_basket(self, *items: str) -> float:
        return sum(self._gross(item) for item in items)

    def discounted(self, price: float, percent: float) -> float:
        return float(price) - float(percent) / 10

    def _address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def _gross(self, item: str) -> float:
        price = PRICES[item]
        return price["net"] * (1 + price["tax"])


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        status, answer = (
            (500, {"error": "NullPointerException at PaymentService.charge"}) if self.path == "/pay" else (200, {"ok": True})
        )
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass
