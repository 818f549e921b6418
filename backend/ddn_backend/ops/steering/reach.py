"""The backend as an operator reaches it: its Redis, its Celery app, and the way reports go in."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis, RedisError

from robot_ddn_listener.broker import Broker
from robot_ddn_listener.connection import EmbeddedBroker, connect
from robot_ddn_listener.contract import HEARTBEAT_SECONDS, WORKERS_KEY
from robot_ddn_listener.errors import BrokerError

from ...settings import Settings, environment
from ..running.endpoint import running
from ..running.redis_check import check_redis

REVOKED_EVENT = "task-revoked"
NOBODY = "nobody"
COMMAND_SECONDS = 1.0  # that all workers together have; one that is frozen does not answer


@dataclass(frozen=True, slots=True)
class Backend:
    """`app` is a Celery app as workers have it, `broker` sends reports as listeners do; `where` has no password in it."""

    app: Celery
    broker: Broker | EmbeddedBroker

    @property
    def client(self) -> "Redis":
        client: Redis = self.app.backend.client
        return client

    @property
    def where(self) -> str:
        return self.broker.where

    def some_worker(self) -> str:
        """Return the name of the worker that beat last, as far as one is known."""
        names: Any = self.client.zrange(WORKERS_KEY, -1, -1)
        return names[0].decode("utf-8", "replace") if names else NOBODY

    def command(self, name: str, **arguments: Any) -> None:
        """Give all workers a remote control command, and wait until those that live have followed, or COMMAND_SECONDS."""
        living = self.client.zcount(WORKERS_KEY, time.time() - HEARTBEAT_SECONDS, "+inf")
        if living:
            self.app.control.broadcast(name, arguments=arguments, reply=True, timeout=COMMAND_SECONDS, limit=living)

    def show_revoked(self, report_ids: list[str], why: str) -> None:
        """Show tasks that no worker has seen as revoked: in Redis, and by Celery's event to Flower and the monitor.

        Such an event has to name a worker. A name of our own would become a worker in Flower that is offline for ever.
        """
        if not report_ids:
            return
        worker = self.some_worker()
        for report_id in report_ids:
            self.app.backend.mark_as_revoked(report_id, why)
        with self.app.connection_for_write() as connection, self.app.events.Dispatcher(connection, hostname=worker) as tell:
            for report_id in report_ids:
                tell.send(REVOKED_EVENT, uuid=report_id, terminated=False, signum="", expired=False)
            if worker == NOBODY:
                tell.send("worker-offline")


@contextmanager
def reach(settings: Settings) -> Iterator[Backend]:
    """Give the backend: at the Redis of `settings`, of a `ddn up` that runs here, or the embedded runtime; else BrokerError."""
    from ...app import create_app

    if not settings.redis_url and (here := running(settings.home_folder)):
        settings = settings.model_copy(update={"redis_url": here.redis_url})
    if settings.redis_url:
        check_redis(settings.redis_url)
    broker = connect(settings.redis_url, environment())
    if isinstance(broker, str):
        raise BrokerError(f"Reaching the backend failed: {broker}")
    try:
        url = broker.url if isinstance(broker, EmbeddedBroker) else settings.redis_url
        with create_app(settings.model_copy(update={"redis_url": url})) as app:
            app.backend.client.ping()
            yield Backend(app, broker)
    except (RedisError, OperationalError) as error:
        cause = str(error).strip().rstrip(".") or type(error).__name__
        raise BrokerError(f"Asking Redis at {broker.where} failed: {cause}. Start it, or set DDN_REDIS_URL to another.") from error
    finally:
        broker.close()


def operator() -> str:
    """Return who gives the orders, by the name of the account, for people to read."""
    try:
        return getuser()
    except (KeyError, OSError):  # no account has this number, as in some containers
        return "somebody"


def now() -> datetime:
    return datetime.now(UTC)
