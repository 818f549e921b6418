"""Redis URLs, taken apart by ourselves: kombu and redis-py read them differently, and a wrong one must be told early."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

EXPECTED = "redis://HOST:PORT/DB, rediss://HOST:PORT/DB or redis+socket:///PATH?virtual_host=DB"

_TLS_OPTIONS = {"ssl_cert_reqs", "ssl_check_hostname", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_SCHEME = re.compile(r"[\w+.-]+")
_HARMLESS = re.compile(r"((?:[\w.-]*|\[[\da-fA-F:.]+\])(?::\d*)?(?:/[^?#]*)?)(?:[?#].*)?", re.DOTALL)


class UnusableUrlError(ValueError):
    """What was got instead of a usable URL, without any part of it that may be a password."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A Redis URL taken apart, so that kombu and redis-py, whose URLs differ, are told the same.

    `path` is that of a unix socket, instead of host and port. `where` names the place without its password.
    """

    host: str = "localhost"
    port: int = 6379
    db: int = 0
    path: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Mapping[str, str | bool] | None = None

    @property
    def where(self) -> str:
        if self.path:
            return f"redis at {self.path}" + (f" (database {self.db})" if self.db else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis at {host}:{self.port}/{self.db}" + (" (TLS)" if self.tls else "")

    def without_password(self, text: str) -> str:
        return text.replace(self.password, "***") if self.password else text


def parse_redis_url(url: str) -> RedisAddress:
    """Return what `url` says; UnusableUrlError, which never holds a password, when it cannot be used."""
    return _address(url.strip())


def shown_url(url: str) -> str:
    """Return `url` without whatever may be a password, also where it is written so wrongly that it does not parse."""
    scheme, mark, rest = url.strip().rpartition("://")
    credentials, at, place = rest.rpartition("@")
    harmless = _HARMLESS.fullmatch(place)
    if "?" in credentials or not harmless or not (_SCHEME.fullmatch(scheme) or not mark):
        return f"{scheme}://***" if _SCHEME.fullmatch(scheme) else "***"
    return scheme + mark + ("***@" if at else "") + harmless[1]


def _address(url: str) -> RedisAddress:
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme == "sentinel":
        raise UnusableUrlError("got Sentinel, which is not supported: name the Redis master itself")
    if scheme not in ("redis", "rediss", "redis+socket"):
        raise UnusableUrlError(f"got the scheme '{scheme}'" if _SCHEME.fullmatch(scheme) else "got no such scheme")
    if ";" in url:
        raise UnusableUrlError("got several servers, separated by ';'")
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        return _socket_address(parts, options) if scheme == "redis+socket" else _tcp_address(parts, options)
    except UnusableUrlError:
        raise
    except ValueError:
        # The cause would show what stands where the port should: a part of the password when that is not percent-encoded.
        raise UnusableUrlError("got something that cannot be split into host, port and path") from None


def _tcp_address(parts: SplitResult, options: dict[str, str]) -> RedisAddress:
    tls = _tls(options) if parts.scheme == "rediss" else None
    _refuse_others(parts, options, _TLS_OPTIONS if tls else set())
    return RedisAddress(
        host=unquote(parts.hostname or "localhost"),
        port=parts.port or 6379,
        db=_database(parts.path),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
    )


def _socket_address(parts: SplitResult, options: dict[str, str]) -> RedisAddress:
    _refuse_others(parts, options, {"virtual_host"})
    if parts.hostname:
        raise UnusableUrlError("got a host: the path of a socket follows three slashes")
    if parts.path in ("", "/"):
        raise UnusableUrlError("got no path of a socket")
    return RedisAddress(
        path=unquote(parts.path),
        db=_database(options.get("virtual_host", "")),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _database(text: str) -> int:
    number = text.removeprefix("/")
    if not re.fullmatch(r"[0-9]{0,4}", number):
        raise UnusableUrlError("got a database that is not a number")
    return int(number or 0)


def _tls(options: dict[str, str]) -> dict[str, str | bool]:
    verify = options.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if verify not in ("required", "optional", "none"):
        raise UnusableUrlError("got an 'ssl_cert_reqs' other than required, optional and none")
    tls: dict[str, str | bool] = {name: value for name, value in options.items() if name in _TLS_OPTIONS}
    check_hostname = verify != "none" and options.get("ssl_check_hostname", "true").lower() != "false"
    return tls | {"ssl_cert_reqs": verify, "ssl_check_hostname": check_hostname}


def _refuse_others(parts: SplitResult, options: dict[str, str], known: set[str]) -> None:
    for name in options:
        if name not in known:
            # An '@' after the '?' means that the '?' may stand in a password that is not percent-encoded.
            nameable = name.isidentifier() and "@" not in parts.query
            raise UnusableUrlError(f"got the option '{name}'" if nameable else "got an unknown option")
