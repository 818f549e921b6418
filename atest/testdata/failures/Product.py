"""A product under test, with a defect, and what a test of it needs."""

import socket

ORDERS = {"4711": {"total": 20}}


class Product:
    def order(self, number: str) -> dict[str, int]:
        """Return an order."""
        return ORDERS[number]

    def discount_of(self, number: str) -> int:
        """Return an order's discount, which the product forgot to store."""
        return self._read(self.order(number))

    def connect(self, port: int) -> None:
        """Connect to the product's service on this machine."""
        socket.create_connection(("127.0.0.1", port), timeout=1).close()

    def _read(self, order: dict[str, int]) -> int:
        return order["discount"]
