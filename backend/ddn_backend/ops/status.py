"""How the stack is at this moment: its parts, the queue, and why nothing is analysed if so."""

import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import RedisError

from robot_ddn_listener.contract import HEARTBEAT_SECONDS, PAUSED_KEY, QUEUE, WORKERS_KEY

from ..errors import SettingsError
from ..settings import Settings
from . import addresses
from .endpoint import running
from .redis_check import check_redis, operators_client

HTTP_SECONDS = 3.0
INSPECT_SECONDS = 1.0  # that workers have to say how many analyses they are at


@dataclass(frozen=True, slots=True)
class PartState:
    """`note` says what is known of a part, or what is wrong with it."""

    name: str
    is_up: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """`waiting` reports are in the queue, `analysed` of the `taken` ones are being analysed; None where nobody could say.

    `paused` is the operator's reason, None while the queue is not paused.
    """

    parts: tuple[PartState, ...]
    waiting: int | None = None
    taken: int | None = None
    analysed: int | None = None
    paused: str | None = None

    @property
    def is_up(self) -> bool:
        return all(part.is_up for part in self.parts)


def read_status(settings: Settings) -> Status:
    """Return the status of the stack at the Redis of `settings`, of Flower and of the monitor; whatever does not answer is down."""
    try:
        check_redis(settings.redis_url)
        with operators_client(settings.redis_url) as client:
            return _with_redis(settings, client)
    except (SettingsError, RedisError, OSError) as error:
        down = PartState("Redis", False, str(error))
        return Status((down, *_web_parts(settings)))


def _with_redis(settings: Settings, client: Any) -> Status:
    memory, server = client.info("memory"), client.info("server")
    version = server.get("valkey_version") or server["redis_version"]
    redis = PartState("Redis", True, f"version {version}, {memory['used_memory_human']} of memory")
    beats = {name.decode("utf-8", "replace"): when for name, when in client.zrange(WORKERS_KEY, 0, -1, withscores=True)}
    active = _active(settings) if beats else {}
    reason = client.get(PAUSED_KEY)
    return Status(
        (redis, *_workers(beats, active), *_web_parts(settings)),
        waiting=client.llen(QUEUE),
        taken=client.hlen("unacked"),
        analysed=sum(active.values()) if active is not None else None,
        paused=None if reason is None else reason.decode("utf-8", "replace"),
    )


def _workers(beats: Mapping[str, float], active: Mapping[str, int]) -> tuple[PartState, ...]:
    if not beats:
        return (PartState("worker", False, "none is online. Start one: `ddn worker`, or all with `ddn up`"),)
    return tuple(_worker(name, time.time() - when, active.get(name)) for name, when in sorted(beats.items()))


def _worker(name: str, seconds: float, active: int | None) -> PartState:
    is_up = seconds <= HEARTBEAT_SECONDS
    busy = "" if active is None or not is_up else f", {active} being analysed"
    return PartState(f"worker {name}", is_up, f"last beat {max(seconds, 0):.0f} s ago{busy}")


def _active(settings: Settings) -> dict[str, int]:
    """Return how many analyses each worker is at; workers that do not say so in time are left out."""
    from ..app import create_app

    with create_app(settings) as app:
        found = app.control.inspect(timeout=INSPECT_SECONDS).active() or {}
    return {name: len(tasks) for name, tasks in found.items()}


def _web_parts(settings: Settings) -> tuple[PartState, ...]:
    here = running(settings.home_folder)
    metrics = (here and here.metrics) or addresses.url(settings.metrics_address, settings.metrics_port, "/metrics")
    flower = (here and here.flower) or addresses.url(settings.flower_address, settings.flower_port)
    return (_web_part("monitor", metrics, metrics), _web_part("Flower", flower, f"{flower}/healthcheck"))


def _web_part(name: str, shown: str, asked: str) -> PartState:
    """Return whether anybody answers there; a refusal is an answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(asked, timeout=HTTP_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        return PartState(name, error.code in (401, 403), shown if error.code in (401, 403) else f"{shown} answers {error.code}")
    except OSError as error:
        cause = getattr(error, "reason", error)
        return PartState(name, False, f"{shown} does not answer: {getattr(cause, 'strerror', None) or cause}".lower())
    return PartState(name, True, shown)
