"""Does Redis answer, and if not: what is wrong with it, in one line that says what to do."""

import socket
import ssl
from typing import TYPE_CHECKING

import redis
from redis import exceptions
from redis.sentinel import MasterNotFoundError

from robot_ddn_listener.broker import redis_client
from robot_ddn_listener.redis_url import RedisAddress, parse_redis_url

from ...errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 3.0  # of silence: operators' networks are slower than what a test run may wait for
OLDEST_VERSION = (6, 2)  # Celery's transport asks for commands that came with it


def operators_client(url: str) -> "redis.Redis":
    """Return a client of the Redis at `url`, which is usable (settings check it), not connected yet."""
    return redis_client(parse_redis_url(url), PATIENCE_SECONDS)


def check_redis(url: str) -> None:
    """Return when the Redis at `url` can be used; SettingsError that tells what to do when it cannot."""
    address = parse_redis_url(url)
    try:
        with operators_client(url) as client:
            client.ping()
            version = _version(client)
    except (exceptions.RedisError, OSError) as error:
        cause = address.without_password(_cause(error, address))
        raise SettingsError(f"Connecting to {address.where} failed: {cause}") from error
    if version and version < OLDEST_VERSION:
        found, wanted = (".".join(map(str, numbers)) for numbers in (version, OLDEST_VERSION))
        raise SettingsError(f"Connecting to {address.where} failed: it is version {found}. {wanted} or newer is needed.")


def _version(client: "redis.Redis") -> tuple[int, ...]:
    """Return the server's version; empty where this user may not ask for it."""
    try:
        text = str(client.info("server").get("redis_version", ""))
    except exceptions.NoPermissionError:
        return ()
    return tuple(int(part) for part in text.split(".")[:2] if part.isdecimal())


def _cause(error: BaseException, address: RedisAddress) -> str:
    if isinstance(error, exceptions.NoPermissionError):
        return f"its user may not do that ({error}). Give it the commands and keys that docs/operations.md names."
    if isinstance(error, exceptions.AuthenticationError):
        wrong = "the user or password is wrong" if address.password else "it wants a password"
        return f"{wrong}. Correct DDN_REDIS_URL: {'sentinel' if address.sentinels else 'redis'}://:PASSWORD@HOST:PORT/DB."
    if isinstance(error, exceptions.BusyLoadingError):
        return "it is still reading its files. Start again in a moment."
    if isinstance(error, MasterNotFoundError):
        return f"{error}. Start one, or correct DDN_REDIS_URL: sentinel://HOST:PORT,HOST:PORT/DB?master_name=NAME&sentinel_password=PASSWORD."
    for kind, cause in _OUTSIDE:
        if any(isinstance(step, kind) for step in _chain(error)):
            return cause
    return f"{str(error).strip().rstrip('.') or type(error).__name__}. Is that a Redis, and DDN_REDIS_URL its URL?"


_OUTSIDE: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "nobody listens there. Start Redis, or correct DDN_REDIS_URL; `ddn up` without a URL brings its own."),
    (socket.gaierror, "no host of that name is known. Correct DDN_REDIS_URL."),
    (FileNotFoundError, "there is no such socket. Start Redis, or correct DDN_REDIS_URL."),
    (PermissionError, "this user may not use the socket. Change its owner or mode, or DDN_REDIS_URL."),
    (
        ssl.SSLCertVerificationError,
        "its certificate is not to be trusted. Name its authority: ?ssl_ca_certs=FILE in DDN_REDIS_URL.",
    ),
    (ssl.SSLError, "it does not speak TLS as expected. Write redis:// instead of rediss:// where it speaks none."),
    (TimeoutError, f"no answer within {PATIENCE_SECONDS:g} s. Is a firewall between, or the server hung?"),
    (exceptions.TimeoutError, f"no answer within {PATIENCE_SECONDS:g} s. Is a firewall between, or the server hung?"),
)


def _chain(error: BaseException | None) -> "Iterator[BaseException]":
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
