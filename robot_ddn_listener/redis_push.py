"""Puts a task into the queue over a plain socket: a run without failures must not pay for Celery's import (.25 s) or redis-py's.

What is pushed is kombu's envelope of a task of Celery's protocol 2, as a worker takes it from the list that is its queue. Asking
Sentinel for the master, where there is one, and all that is sent to it have one deadline.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from .errors import BrokerError
from .redis_line import Line, line_to
from .run import QUEUE

if TYPE_CHECKING:
    from .redis_url import RedisAddress

SECONDS = 0.5  # from connecting to the last answer: all that a server which hangs may cost a run


class Producer:
    """A connection to the queue."""

    def __init__(self, line: Line):
        self._line = line

    def push(self, envelope: bytes) -> None:
        """Put one task at the end of the queue; BrokerError when the server did not say that it has it."""
        answer = self._line.ask("LPUSH", QUEUE, envelope)
        if not answer.startswith(b":"):
            raise BrokerError(f"Sending to {self._line.address.where} failed: Expected a number, got {answer!r:.80}.")


@contextmanager
def connected(address: "RedisAddress", seconds: float = SECONDS) -> Iterator[Producer]:
    """Give a connection to `address` that lasts for `seconds` in all; BrokerError when it cannot be had."""
    deadline = monotonic() + seconds
    if address.sentinels:
        from .sentinel import find_master  # only where there are any

        address = find_master(address, deadline)
    with line_to(address, deadline) as line:
        yield Producer(line)


def envelope(task: str, task_id: str, argument: Mapping[str, Any], argsrepr: str) -> bytes:
    """Return the message that makes a Celery worker call `task` with one argument, as it lies in Redis. Its result is not kept."""
    body = json.dumps([[argument], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    headers = {
        "lang": "py",
        "task": task,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "argsrepr": argsrepr,
        "kwargsrepr": "{}",
        "origin": "robot_ddn_listener",
        "ignore_result": True,
    }
    properties = {
        "correlation_id": task_id,
        "reply_to": "",
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": task_id,
    }
    message = {
        "body": base64.b64encode(body.encode("utf-8")).decode("ascii"),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": headers,
        "properties": properties,
    }
    return json.dumps(message).encode("ascii")
