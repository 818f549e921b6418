"""What Celery is told of the Redis of a URL: as broker and as result backend, with TLS and Sentinel.

Celery's two halves read URLs differently, and Flower reads none of their options: what is said there is a setting, too.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from robot_ddn_listener.redis_url import RedisAddress, parse_redis_url

SENTINEL_SECONDS = 1.0  # of silence; the next one is asked then


def celery_url(url: str) -> str:
    """Return `url` as Celery's broker and result backend take it: several URLs, separated by ';', for several sentinels."""
    address = parse_redis_url(url)
    if address.path:
        return url.strip()
    if not address.sentinels:
        url = _url("rediss" if address.tls else "redis", address.host, address.port, address)
        return f"{url}?{urlencode(_as_text(address.tls))}" if address.tls else url
    return ";".join(_url("sentinel", host, port, address) for host, port in address.sentinels)


def celery_settings(url: str) -> dict[str, Any]:
    """Return what Celery must be told of the Redis of `url` beside `celery_url`; the transport's options are added to others."""
    address = parse_redis_url(url)
    settings: dict[str, Any] = {"broker_transport_options": {}}
    if address.tls:
        settings |= {"broker_use_ssl": dict(address.tls), "redis_backend_use_ssl": dict(address.tls)}
    if address.sentinels:
        options = {"master_name": address.master, "sentinel_kwargs": _sentinel_options(address)}
        settings |= {"broker_transport_options": options, "result_backend_transport_options": options}
    return settings


def _sentinel_options(address: RedisAddress) -> dict[str, Any]:
    """Return options of redis-py's client of a sentinel. Without a retry: instead of trying ten times it asks the next sentinel."""
    return {
        "username": address.sentinel_username or None,
        "password": address.sentinel_password or None,
        "socket_connect_timeout": SENTINEL_SECONDS,
        "socket_timeout": SENTINEL_SECONDS,
        "retry": None,
        **({"ssl": True, **address.tls} if address.tls else {}),
    }


def _as_text(tls: Mapping[str, str | bool]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in tls.items()}


def _url(scheme: str, host: str, port: int, address: RedisAddress) -> str:
    credentials = f"{quote(address.username, safe='')}:{quote(address.password, safe='')}@"
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{scheme}://{credentials if credentials != ':@' else ''}{place}/{address.db}"
