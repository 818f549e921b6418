"""How the stack is at this moment: its parts, the queue, and why nothing is analysed if so."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from socket import gethostname
from typing import Any

from redis import RedisError

from robot_ddn_listener.contract import HEARTBEAT_SECONDS, HISTORY_HOST_KEY, PAUSED_KEY, QUEUE, WORKERS_KEY

from ...errors import SettingsError
from ...ports import HistoryError
from ...settings import Settings
from . import addresses
from .endpoint import running
from .redis_check import check_redis, operators_client

HTTP_SECONDS = 3.0
INSPECT_SECONDS = 1.0  # that workers have to say how many analyses they are at


@dataclass(frozen=True, slots=True)
class PartState:
    """`note` says what is known of a part, or what is wrong with it. One that is not `is_expected` may be down: it does not run
    here, and nothing says that it should."""

    name: str
    is_up: bool
    note: str = ""
    is_expected: bool = True


@dataclass(frozen=True, slots=True)
class Status:
    """`waiting` reports are in the queue, `analysed` of the `taken` ones are being analysed; None where nobody could say.

    `dead` analyses failed for good. `paused` is the operator's reason, None while the queue is not paused.
    """

    parts: tuple[PartState, ...]
    waiting: int | None = None
    taken: int | None = None
    analysed: int | None = None
    dead: int | None = None
    paused: str | None = None

    @property
    def is_up(self) -> bool:
        return all(part.is_up or not part.is_expected for part in self.parts)


def is_alive(settings: Settings, host: str) -> bool:
    """Return whether a worker of this host beats; SettingsError where Redis does not answer."""
    check_redis(settings.redis_url)
    with operators_client(settings.redis_url) as client:
        beats = _beats(client)
    return any(name.endswith(f"@{host}") and time.time() - when <= HEARTBEAT_SECONDS for name, when in beats.items())


def read_status(settings: Settings, dead: Callable[[], int]) -> Status:
    """Return the status of the stack at the Redis of `settings`, of Flower and of the monitor; whatever does not answer is down.

    `dead` counts the analyses that failed for good; HistoryError where nobody can.
    """
    try:
        check_redis(settings.redis_url)
        with operators_client(settings.redis_url) as client:
            return _with_redis(settings, client, dead)
    except (SettingsError, RedisError, OSError) as error:
        down = PartState("Redis", False, str(error))
        return Status((down, *_web_parts(settings)))


def _with_redis(settings: Settings, client: Any, dead: Callable[[], int]) -> Status:
    memory, server = client.info("memory"), client.info("server")
    version = server.get("valkey_version") or server["redis_version"]
    redis = PartState("Redis", True, f"version {version}, {memory['used_memory_human']} of memory")
    beats = _beats(client)
    active = _active(settings) if beats else {}
    reason = client.get(PAUSED_KEY)
    return Status(
        (redis, *_workers(beats, active), *_web_parts(settings)),
        waiting=client.llen(QUEUE),
        taken=client.hlen("unacked"),
        analysed=sum(active.values()) if active is not None else None,
        dead=_dead(settings, client, dead),
        paused=None if reason is None else reason.decode("utf-8", "replace"),
    )


def _beats(client: Any) -> dict[str, float]:
    return {name.decode("utf-8", "replace"): when for name, when in client.zrange(WORKERS_KEY, 0, -1, withscores=True)}


def _dead(settings: Settings, client: Any, dead: Callable[[], int]) -> int | None:
    """Return how many there are; None where the history is on another machine, or does not answer."""
    keeper = client.get(HISTORY_HOST_KEY)
    if not settings.mongo_url and keeper and keeper.decode("utf-8", "replace") != gethostname():
        return None
    try:
        return dead()
    except HistoryError:
        return None


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
    from ...app import create_app

    with create_app(settings) as app:
        found = app.control.inspect(timeout=INSPECT_SECONDS).active() or {}
    return {name: len(tasks) for name, tasks in found.items()}


def _web_parts(settings: Settings) -> tuple[PartState, ...]:
    """Return the parts that `ddn up` starts as well; where it does not run they may be on another machine, or nowhere."""
    here = running(settings.home_folder)
    metrics = (here and here.metrics) or addresses.url(settings.metrics_address, settings.metrics_port, "/metrics")
    flower = (here and here.flower) or addresses.url(settings.flower_address, settings.flower_port)
    parts = (_web_part("monitor", metrics, metrics), _web_part("Flower", flower, f"{flower}/healthcheck"))
    return parts if here else tuple(replace(part, is_expected=part.is_up) for part in parts)


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
