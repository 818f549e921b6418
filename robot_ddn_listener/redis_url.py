"""Redis URLs, taken apart by ourselves: kombu and redis-py read them differently, and a wrong one must be told early."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

EXPECTED = (
    "redis://HOST:PORT/DB, rediss://HOST:PORT/DB, redis+socket:///PATH?virtual_host=DB "
    "or sentinel://HOST:PORT,HOST:PORT/DB?master_name=NAME"
)
SENTINEL_PORT = 26379

_TLS_OPTIONS = {"ssl_cert_reqs", "ssl_check_hostname", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_SENTINEL_OPTIONS = {"master_name", "sentinel_username", "sentinel_password"}
_SCHEME = re.compile(r"[\w+.-]+")
_HOST = r"(?:[\w.-]*|\[[\da-fA-F:.]+\])(?::\d*)?"
_HARMLESS = re.compile(rf"({_HOST}(?:,{_HOST})*(?:/[^?#]*)?)(?:[?#].*)?", re.DOTALL)


class UnusableUrlError(ValueError):
    """What was got instead of a usable URL, without any part of it that may be a password."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A Redis URL taken apart, so that kombu and redis-py, whose URLs differ, are told the same.

    `path` is that of a unix socket, instead of host and port. So are `sentinels`, (host, port) of each, which are asked where the
    Redis that they call `master` is. `where` names the place without its password.
    """

    host: str = "localhost"
    port: int = 6379
    db: int = 0
    path: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Mapping[str, str | bool] | None = None
    sentinels: tuple[tuple[str, int], ...] = ()
    master: str = ""
    sentinel_username: str = ""
    sentinel_password: str = field(default="", repr=False)

    @property
    def where(self) -> str:
        if self.path:
            return f"redis at {self.path}" + (f" (database {self.db})" if self.db else "")
        if self.sentinels:
            place = f"redis master '{self.master}' of sentinel " + ",".join(_place(*each) for each in self.sentinels)
        else:
            place = f"redis at {_place(self.host, self.port)}"
        return f"{place}/{self.db}" + (" (TLS)" if self.tls else "")

    def without_password(self, text: str) -> str:
        for password in filter(None, (self.password, self.sentinel_password)):
            text = text.replace(password, "***")
        return text


def parse_redis_url(url: str) -> RedisAddress:
    """Return what `url` says; UnusableUrlError, which never holds a password, when it cannot be used."""
    return _address(url.strip())


def shown_url(url: str) -> str:
    """Return `url` without whatever may be a password, also where it is written so wrongly that it does not parse.

    Options are shown where it does parse: without those of TLS and Sentinel nobody else could use it.
    """
    url = url.strip()
    try:
        parse_redis_url(url)
    except UnusableUrlError:
        return _harmless(url)
    place, mark, options = url.partition("#")[0].partition("?")
    shown = (
        f"{name}=***" if unquote(name) == "sentinel_password" else name + equals + value for name, equals, value in _pairs(options)
    )
    return _harmless(place) + mark + "&".join(shown)


def _pairs(options: str) -> Iterator[tuple[str, str, str]]:
    return (option.partition("=") for option in options.split("&"))


def _harmless(url: str) -> str:
    scheme, mark, rest = url.rpartition("://")
    credentials, at, place = rest.rpartition("@")
    harmless = _HARMLESS.fullmatch(place)
    if "?" in credentials or not harmless or not (_SCHEME.fullmatch(scheme) or not mark):
        return f"{scheme}://***" if _SCHEME.fullmatch(scheme) else "***"
    return scheme + mark + ("***@" if at else "") + harmless[1]


def _address(url: str) -> RedisAddress:
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme not in _READERS:
        raise UnusableUrlError(f"got the scheme '{scheme}'" if _SCHEME.fullmatch(scheme) else "got no such scheme")
    if ";" in url:
        raise UnusableUrlError("got several servers, separated by ';'" + (": write ','" if scheme == "sentinel" else ""))
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        return _READERS[scheme](parts, options)
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


def _sentinel_address(parts: SplitResult, options: dict[str, str]) -> RedisAddress:
    is_tls = any(name == "ssl" or name in _TLS_OPTIONS for name in options)
    _refuse_others(parts, options, {"ssl", *_TLS_OPTIONS, *_SENTINEL_OPTIONS})
    if options.get("ssl", "true").lower() != "true":
        raise UnusableUrlError("got an 'ssl' other than true")
    if not re.fullmatch(r"[\w.-]+", options.get("master_name", "")):
        raise UnusableUrlError("got no 'master_name' of letters, digits and '.-_'")
    hosts = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    if not all(host.hostname for host in hosts):
        raise UnusableUrlError("got no host of a sentinel")
    return RedisAddress(
        db=_database(parts.path),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=_tls(options) if is_tls else None,
        sentinels=tuple((unquote(host.hostname or ""), host.port or SENTINEL_PORT) for host in hosts),
        master=options["master_name"],
        sentinel_username=options.get("sentinel_username", ""),
        sentinel_password=options.get("sentinel_password", ""),
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


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_READERS: dict[str, Callable[[SplitResult, dict[str, str]], RedisAddress]] = {
    "redis": _tcp_address,
    "rediss": _tcp_address,
    "redis+socket": _socket_address,
    "sentinel": _sentinel_address,
}
