"""What a worker tells at each beat, and what it is told: that it lives, that an operator has paused the queue, and that no
other machine keeps a history of its own.

    ddn:heartbeat      exists while any worker lives, for listeners
    ddn:workers        all workers that live, with the time of their last beat, for operators
    ddn:worker:{name}  how much that worker does at present, see worker_load.py
    ddn:paused         written by operators: while it is there nothing new is taken from the queue, after a restart neither
    ddn:history-host   the machine whose SQLite file is the history; workers elsewhere do not start beside it
"""

import time
from typing import Any

from celery.bootsteps import StartStopStep
from celery.exceptions import WorkerShutdown
from celery.utils.log import get_logger
from celery.worker import state
from redis import RedisError

from robot_ddn_listener.contract import HEARTBEAT_KEY, HEARTBEAT_SECONDS, HISTORY_HOST_KEY, PAUSED_KEY, QUEUE, WORKERS_KEY

from .worker_load import Load, load_key

BEAT_SECONDS = 1.0  # so soon a pause holds, and many beats may get lost
REMEMBERED_SECONDS = 600  # that a worker which is gone can still be seen with its last beat
EX_FAILURE = 1

logger = get_logger(__name__)


class Heartbeat(StartStopStep):  # type: ignore[misc]
    """Runs in the loop that takes reports, so it stops when that hangs."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    has_local_history = False

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._entry: Any = None
        self._load = Load()
        self._has_paused = False  # so that a queue which somebody cancelled in another way is left alone

    def start(self, consumer: Any) -> None:
        if reason := self._beat(consumer):
            logger.critical("%s This worker does not start.", reason)
            raise WorkerShutdown(EX_FAILURE)
        self._entry = consumer.timer.call_repeatedly(BEAT_SECONDS, consumer.call_soon, (self._beat_on, consumer))

    def stop(self, consumer: Any) -> None:
        if self._entry:
            self._entry.cancel()
            self._entry = None
        try:
            self._take_leave(consumer.app.backend.client, consumer.hostname)
        except RedisError as error:
            logger.warning("Removing the heartbeat failed: %s. It expires within %d s.", error, HEARTBEAT_SECONDS)

    def _take_leave(self, client: Any, name: str) -> None:
        client.zrem(WORKERS_KEY, name)
        client.delete(load_key(name))
        if client.zcount(WORKERS_KEY, _still_living(), "+inf"):
            return  # others live: listeners must not see a gap
        for key, ours in ((HEARTBEAT_KEY, name), (HISTORY_HOST_KEY, _host(name))):
            if client.get(key) == ours.encode():
                client.delete(key)

    def _beat_on(self, consumer: Any) -> None:
        if reason := self._beat(consumer):
            logger.critical("%s This worker ends.", reason)
            state.should_stop = EX_FAILURE

    def _beat(self, consumer: Any) -> str:
        """Beat, and follow what operators want; return why this worker must not run, or nothing."""
        client, name = consumer.app.backend.client, consumer.hostname
        try:
            if reason := self._why_not(client, name):
                return reason
            is_paused = _told(client, name, self._load.told(consumer.pool.limit))
        except RedisError as error:
            logger.warning("Sending the heartbeat failed: %s. Listeners do not wait for this worker.", error)
            return ""
        if is_paused != self._has_paused:
            self._has_paused = is_paused
            (consumer.cancel_task_queue if is_paused else consumer.add_task_queue)(QUEUE)
            logger.warning("The queue is %s.", "paused: nothing new is taken from it" if is_paused else "worked off again")
        return ""

    def _why_not(self, client: Any, name: str) -> str:
        """Return which machine's history is in the way; one history that two machines do not share would be two."""
        host = _host(name)
        if self.has_local_history:
            client.set(HISTORY_HOST_KEY, host, nx=True, ex=HEARTBEAT_SECONDS)
        keeper = client.get(HISTORY_HOST_KEY)
        if keeper is not None and keeper.decode("utf-8", "replace") != host:
            return _refusal(keeper.decode("utf-8", "replace"))
        if not self.has_local_history:
            return ""
        client.expire(HISTORY_HOST_KEY, HEARTBEAT_SECONDS)
        living = (member.decode("utf-8", "replace") for member in client.zrangebyscore(WORKERS_KEY, _still_living(), "+inf"))
        return next((_refusal(_host(worker)) for worker in living if _host(worker) != host), "")


def heartbeat(*, has_local_history: bool) -> type[Heartbeat]:
    """Return the step for workers whose history is a file on their own machine, or for those that share one."""
    return type("Heartbeat", (Heartbeat,), {"has_local_history": has_local_history, "__module__": __name__})


def _told(client: Any, name: str, load: dict[str, str]) -> bool:
    """Tell that this worker lives; return whether the queue is paused."""
    with client.pipeline(transaction=False) as beat:
        beat.set(HEARTBEAT_KEY, name, ex=HEARTBEAT_SECONDS)
        beat.zadd(WORKERS_KEY, {name: time.time()})
        beat.zremrangebyscore(WORKERS_KEY, "-inf", time.time() - REMEMBERED_SECONDS)
        beat.expire(WORKERS_KEY, REMEMBERED_SECONDS)
        beat.hset(load_key(name), mapping=load)
        beat.expire(load_key(name), REMEMBERED_SECONDS)
        beat.exists(PAUSED_KEY)
        return bool(beat.execute()[-1])


def _still_living() -> float:
    return time.time() - HEARTBEAT_SECONDS


def _host(name: str) -> str:
    """Return the machine's part of a worker's name, celery@host."""
    return name.rpartition("@")[2]


def _refusal(other: str) -> str:
    return (
        f"Opening the history failed: workers run on '{other}', too, and SQLite is one machine's. "
        "Set DDN_MONGO_URL to the same database for all workers."
    )
