"""The broker at one moment: how much waits and how long, who works, and what operators have said.

kombu keeps a queue as a list for each priority, the oldest message at its end, and what workers have in hand in one hash.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from redis import Redis, RedisError
from redis.exceptions import NoPermissionError

from robot_ddn_listener.contract import HEARTBEAT_SECONDS, PAUSED_KEY, QUEUE, SENT_HEADER, WORKERS_KEY

from ...worker_load import load_key
from ..steering.queued import UNACKED
from .snapshot import Snapshot, WorkerState

PRIORITIES = ("", "\x06\x163", "\x06\x166", "\x06\x169")  # what kombu puts behind a queue's name
QUEUES = tuple(f"{QUEUE}{priority}" for priority in PRIORITIES)

Sent = Callable[[str], float]


class BrokerState:
    """Looks at the Redis of `client`; `sent` returns the Unix time at which a task was sent as far as events told, else 0."""

    def __init__(self, client: "Redis", sent: Sent) -> None:
        self._client = client
        self._sent = sent
        self._first_seen: dict[str, float] = {}  # of the oldest messages that nobody knows the time of

    def look(self, when: datetime | None = None) -> Snapshot:
        """Return what Redis tells; where it does not answer, a snapshot that says so."""
        when = when or datetime.now(UTC)
        try:
            return self._looked(when)
        except RedisError as error:
            return Snapshot(when, broker_problem=str(error).strip().rstrip(".") or type(error).__name__)

    def _looked(self, when: datetime) -> Snapshot:
        with self._client.pipeline(transaction=False) as batch:
            for queue in QUEUES:
                batch.llen(queue)
            for queue in QUEUES:
                batch.lindex(queue, -1)
            batch.hlen(UNACKED)
            batch.zrangebyscore(WORKERS_KEY, when.timestamp() - HEARTBEAT_SECONDS, "+inf", withscores=True)
            batch.get(PAUSED_KEY)
            *queues, unacked, beats, paused = batch.execute()
        lengths, oldest = queues[: len(QUEUES)], queues[len(QUEUES) :]
        return Snapshot(
            when,
            waiting=sum(lengths),
            oldest_seconds=self._oldest([message for message in oldest if message], when.timestamp()),
            unacked=unacked,
            workers=self._workers(beats, when.timestamp()),
            paused=paused.decode("utf-8", "replace") if paused is not None else None,
            redis_bytes=self._memory(),
        )

    def _oldest(self, messages: list[bytes], now: float) -> float:
        """Return the age of the oldest of `messages`: by its header, by the event that told of it, or since it was first seen."""
        headers = [_headers(message) for message in messages]
        ids = {str(header.get("id")) for header in headers}
        self._first_seen = {task_id: seen for task_id, seen in self._first_seen.items() if task_id in ids}
        return max((max(0.0, now - self._sent_at(header, now)) for header in headers), default=0.0)

    def _sent_at(self, headers: dict[str, Any], now: float) -> float:
        told, task_id = headers.get(SENT_HEADER), str(headers.get("id"))
        if isinstance(told, int | float) and 0 < told <= now:
            return float(told)
        return self._sent(task_id) or self._first_seen.setdefault(task_id, now)

    def _workers(self, beats: list[tuple[bytes, float]], now: float) -> tuple[WorkerState, ...]:
        names = [name.decode("utf-8", "replace") for name, _ in beats]
        with self._client.pipeline(transaction=False) as batch:
            for name in names:
                batch.hgetall(load_key(name))
            loads = batch.execute() if names else []
        return tuple(
            _worker(name, max(0.0, now - beat), {key.decode(): value.decode() for key, value in load.items()})
            for name, (_, beat), load in zip(names, beats, loads, strict=True)
        )

    def _memory(self) -> int:
        try:
            memory: Any = self._client.info("memory")
        except NoPermissionError:  # an operator's choice: all else is told
            return 0
        return int(memory.get("used_memory", 0))


def _worker(name: str, beat_seconds: float, load: dict[str, str]) -> WorkerState:
    try:
        busy, threads, memory = (int(load.get(field, 0)) for field in ("busy", "threads", "memory"))
        return WorkerState(name, beat_seconds, busy, threads, float(load.get("cpu", 0)), memory)
    except ValueError:  # of another version
        return WorkerState(name, beat_seconds)


def _headers(message: bytes) -> dict[str, Any]:
    try:
        headers = json.loads(message)["headers"]
    except (ValueError, KeyError, TypeError):
        return {}
    return headers if isinstance(headers, dict) else {}
