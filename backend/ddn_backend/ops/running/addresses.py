"""Addresses that parts listen on: are they for this machine only, and are they free?"""

import ipaddress
import socket

from ...errors import SettingsError


def is_loopback(address: str) -> bool:
    """Return whether only this machine reaches what listens on `address`; an empty one is all of them."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def check_free(address: str, port: int, what: str, remedy: str) -> None:
    """SettingsError when `what` could not listen there; `remedy` tells what to change."""
    if problem := _problem(address, port):
        raise SettingsError(f"Opening port '{address}:{port}' for {what} failed: {problem}. {remedy}")


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port on which nobody listens."""
    with _socket(address) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def reachable(address: str) -> str:
    """Return the host under which this machine reaches what listens on `address`."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared, not bound


def url(address: str, port: int, path: str = "") -> str:
    """Return the http URL of what listens there, as this machine sees it."""
    host = reachable(address)
    return f"http://[{host}]:{port}{path}" if ":" in host else f"http://{host}:{port}{path}"


def listens(address: str, port: int) -> bool:
    """Return whether somebody listens there."""
    try:
        with socket.create_connection((reachable(address), port), timeout=1):
            return True
    except OSError:
        return False


def _problem(address: str, port: int) -> str:
    try:
        with _socket(address) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that has just ended is no hindrance
            probe.bind((address, port))
            probe.listen(1)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def _socket(address: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
