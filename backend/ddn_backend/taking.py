"""Taking messages from Redis so that none falls between queue and hand.

kombu pops a message and then notes that it is in hand (`unacked`). A worker that is frozen or killed in between takes the message
with it, and an idle one that is frozen has asked for its next message already. Here Redis itself moves it into a list of the
worker's own:

    ddn                    the queue
    ddn:taking:{worker}    the one message that is under way to the worker; it goes from there when it is noted as in hand

What is left in the list of a worker that is gone is put back by in_hand.py. What is no message at all, or far too large for one, is
set aside: kombu reads it before anybody can refuse it, and would end the worker's consumer.
"""

from collections.abc import Callable
from queue import Empty
from time import monotonic
from typing import Any

from celery.utils.log import get_logger
from kombu import transport
from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

from robot_ddn_listener.contract import QUEUE

UNREADABLE_KEY = "ddn:unreadable"  # a list of what was no message, the newest first
KEPT, KEPT_BYTES = 100, 4096  # of them, and of each
MAX_MESSAGE_BYTES = 4 * 1024 * 1024  # the largest report is less than a tenth of it, the record of the largest run less than half
NO_MESSAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # what kombu raises on what it cannot read

logger = get_logger(__name__)


_KOMBU: Any = redis  # it has no types
_ANY_CHANNEL: Any = object  # what Moving is mixed into


def taking_key(worker: str) -> str:
    """Return the key of the list of what is under way to the worker of that name."""
    return f"ddn:taking:{worker}"


def put_back(client: Any, worker: str) -> int:
    """Put what was under way to a worker back to where it is taken next; return how many messages that are."""
    count = 0
    while client.lmove(taking_key(worker), QUEUE, "LEFT", "RIGHT"):
        count += 1
    return count


def _read(item: bytes) -> Any:
    if len(item) > MAX_MESSAGE_BYTES:
        raise ValueError(f"Expected at most {MAX_MESSAGE_BYTES:,} bytes, got {len(item):,}.")
    return loads(bytes_to_str(item))  # type: ignore[no-untyped-call]


class QoS(_KOMBU.QoS):  # type: ignore[misc]
    """Survives a Redis that is gone when the connection to it is closed: kombu then looks for the host of a connection that it has
    let go, and the worker would end. What could not be put back is handed out again by in_hand.py."""

    def restore_unacked_once(self, stderr: Any = None) -> None:
        try:
            super().restore_unacked_once(stderr)
        except AttributeError as error:
            logger.warning("Putting back what was in hand failed: Redis is gone (%s). It is handed out again.", error)


class Moving(_ANY_CHANNEL):  # type: ignore[misc]
    """Makes a channel move instead of pop, once `worker` is known and where the one queue is ours; else all is kombu's."""

    QoS = QoS
    worker = ""  # the name of the worker in this process
    _moves = False

    def _brpop_start(self, timeout: float | None = None) -> None:
        self._moves = bool(self.worker) and list(self.active_queues) == [QUEUE]
        if not self._moves:
            super()._brpop_start(timeout)
            return
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        words = ("BLMOVE", QUEUE, taking_key(self.worker), "RIGHT", "LEFT", timeout or self.brpop_timeout or 0)
        self.client.connection.send_command(*words)

    def _brpop_read(self, **options: Any) -> bool:
        if not self._moves:
            return bool(super()._brpop_read(**options))
        try:
            item = self._moved(lambda: self.client.parse_response(self.client.connection, "BLMOVE", **options))
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()
        if item is None:
            raise Empty
        try:
            self.connection._deliver(_read(item), QUEUE)
        except NO_MESSAGE as error:
            self._set_aside(item, error)
        with self.conn_or_acquire() as client:
            client.lrem(taking_key(self.worker), 1, item)
        return True

    def _set_aside(self, item: bytes, error: Exception) -> None:
        """Keep what is no message for an operator to look at; what kombu raises on it would end the worker."""
        logger.error("Reading a message failed: %s: %.200s. It is kept in '%s'.", type(error).__name__, error, UNREADABLE_KEY)
        with self.conn_or_acquire() as client, client.pipeline() as pipe:
            pipe.lpush(UNREADABLE_KEY, item[:KEPT_BYTES]).ltrim(UNREADABLE_KEY, 0, KEPT - 1).execute()

    def _moved(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except self.connection_errors:
            self.client.connection.disconnect()  # so that the next look connects again
            raise


class Channel(Moving, _KOMBU.Channel):  # type: ignore[misc]
    """Of one Redis."""


class SentinelChannel(Moving, _KOMBU.SentinelChannel):  # type: ignore[misc]
    """Of the master that sentinels name."""


class Transport(_KOMBU.Transport):  # type: ignore[misc]
    Channel = Channel


class SentinelTransport(_KOMBU.SentinelTransport):  # type: ignore[misc]
    Channel = SentinelChannel


def move_instead_of_popping() -> None:
    """Let the connections of this process that are opened from now on be of this kind."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
    TRANSPORT_ALIASES["sentinel"] = f"{__name__}:SentinelTransport"
    getattr(transport, "_transport_cache", {}).clear()  # kombu remembers what it had before, where it was used already
