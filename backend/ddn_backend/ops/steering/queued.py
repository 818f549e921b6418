"""The analyses that are under way, as kombu keeps them on Redis.

ddn       a list of messages that wait, the newest first
unacked   a hash of those that a worker has taken and not ended: running, about to run, or to be tried again later
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from redis import Redis

from robot_ddn_listener.contract import QUEUE, TASK_NAME, FailureReport, decode
from robot_ddn_listener.errors import ContractError

UNACKED = "unacked"
AT_A_TIME = 50  # of up to a third of a megabyte each


@dataclass(frozen=True, slots=True)
class Message:
    """A message with an analysis. `raw` is what stands in the list, empty where it is not there; `body` as Celery packs it."""

    task_id: str
    retries: int
    body: str
    raw: bytes = b""

    @property
    def report(self) -> FailureReport | None:
        """What is to be analysed; None where it cannot be read."""
        try:
            return decode(FailureReport, json.loads(base64.b64decode(self.body))[0][0])
        except (ValueError, LookupError, TypeError, ContractError):
            return None


def waiting(client: "Redis") -> Iterator[Message]:
    """Yield the analyses that wait, the newest first. What is sent meanwhile may be missing, what waits all the time is not."""
    start = 0
    while raws := _listed(client, start):
        yield from (message for raw in raws if (message := _read(raw)))
        start += len(raws)


def take_out(client: "Redis", before: Callable[[Message], None]) -> Iterator[Message]:
    """Take all analyses that wait out of the queue; yield those that no worker took first.

    `before` is called with each while it still waits; where it raises, that one and the rest stay in the queue.
    """
    left: Any = client.llen(QUEUE)
    start = 0
    while left > 0 and (raws := _listed(client, start)):
        left -= len(raws)
        for raw in raws:
            message = _read(raw)
            if message is None:  # a tester's question, which is nobody's to take away
                start += 1
                continue
            before(message)
            if take(client, message):
                yield message


def take(client: "Redis", message: Message) -> bool:
    """Take one message out of the queue; False when a worker was faster."""
    return bool(client.lrem(QUEUE, 1, message.raw))  # type: ignore[arg-type]


def in_hand(client: "Redis") -> tuple[Message, ...]:
    """Return the analyses that workers have taken."""
    values: Any = client.hvals(UNACKED)
    return tuple(message for value in values if (message := _read_unacked(value)))


def _listed(client: "Redis", start: int) -> list[bytes]:
    raws: Any = client.lrange(QUEUE, start, start + AT_A_TIME - 1)
    return list(raws)


def _read(raw: bytes) -> Message | None:
    """Return an analysis; None for a task of another kind, and for what is no message."""
    try:
        return _message(json.loads(raw), raw)
    except (ValueError, KeyError, TypeError):
        return None


def _read_unacked(raw: bytes) -> Message | None:
    try:
        return _message(json.loads(raw)[0])
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _message(plain: Any, raw: bytes = b"") -> Message | None:
    if isinstance(plain, str):  # in the hash it may be packed once more
        plain = json.loads(plain)
    headers = plain["headers"]
    if headers["task"] != TASK_NAME:
        return None
    return Message(str(headers["id"]), int(headers.get("retries") or 0), str(plain["body"]), raw)
