"""What workers have in hand. What one had that is gone is handed out again within half a minute, not only when the visibility
timeout is over, which has to be longer than any analysis takes.

    ddn:in-hand    a hash: of each worker the delivery tags of what it took and did not end, with when it told so by its own
                   clock, and until when, by that of Redis, this holds

A message is given back where no worker that lives has it. Of that each worker is sure only where all that live tell what they have
(one of an older version does not), told so after the message was taken, and where it has itself seen Redis for long enough: after
a Redis that was away all lists are old.
"""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

from celery.bootsteps import StartStopStep
from celery.utils.log import get_logger
from celery.worker import state
from redis import Redis, RedisError

from robot_ddn_listener.contract import HEARTBEAT_SECONDS, WORKERS_KEY

from . import taking

IN_HAND_KEY = "ddn:in-hand"
UNACKED_INDEX = "unacked_index"  # kombu's: a sorted set of delivery tags with the time at which they were taken
TELL_SECONDS = 1.0
LOOKS = 3  # a worker looks for what is left behind at each third time that it tells what it has
MARGIN_SECONDS = 1.0  # between taking a message and telling of it

# Only where it is still the same delivery: what another has given back, and a third taken, is nobody's loss.
_GIVE_BACK = """if tonumber(redis.call('zscore', KEYS[1], ARGV[1]) or 0) == tonumber(ARGV[2]) then
    return redis.call('zadd', KEYS[1], 'XX', 'CH', 0, ARGV[1]) end return 0"""

logger = get_logger(__name__)


class InHand(StartStopStep):  # type: ignore[misc]
    """Runs in the loop that takes messages, so that what it tells is complete. `longest_seconds` is the visibility timeout."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    longest_seconds = 0.0

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._entry: Any = None
        self._since = 0.0
        self._times = 0
        taking.Moving.worker = consumer.hostname

    def start(self, consumer: Any) -> None:
        self._since = time.monotonic()
        self._look(consumer)
        try:
            taking.put_back(consumer.app.backend.client, consumer.hostname)  # of this worker's life before
        except RedisError as error:
            logger.warning("Putting back what was under way failed: %s. It is tried when this worker starts again.", error)
        self._entry = consumer.timer.call_repeatedly(TELL_SECONDS, consumer.call_soon, (self._look, consumer))

    def stop(self, consumer: Any) -> None:
        """What is still in hand is finished; nobody is to take it away meanwhile."""
        if self._entry:
            self._entry.cancel()
            self._entry = None
        try:
            tell(consumer.app.backend.client, consumer.hostname, _tags(), self.longest_seconds, takes_more=False)
        except RedisError as error:
            logger.warning("Telling what is in hand failed: %s. Others may begin it, too.", error)

    def _look(self, consumer: Any) -> None:
        client = consumer.app.backend.client
        self._times += 1
        try:
            tell(client, consumer.hostname, _tags(), HEARTBEAT_SECONDS)
            if self._times % LOOKS == 0 and time.monotonic() - self._since > HEARTBEAT_SECONDS and (count := give_back(client)):
                logger.warning("%d messages of workers that are gone are handed out again.", count)
        except RedisError:  # the heartbeat, which comes as often, tells of it
            self._since = time.monotonic()


def in_hand(longest_seconds: float) -> type[InHand]:
    """Return the step for workers whose messages Redis hands out again after that time, whatever they tell."""
    return type("InHand", (InHand,), {"longest_seconds": longest_seconds, "__module__": __name__})


def tell(client: "Redis", name: str, tags: Iterable[str], seconds: float, *, takes_more: bool = True) -> None:
    """Say that the worker of that name has these messages, and that this holds for so long; what `takes_more` has to tell again."""
    at = time.time() + (0 if takes_more else seconds)
    told = {"at": at, "until": _now(client) + seconds, "tags": list(tags)}
    client.hset(IN_HAND_KEY, name, json.dumps(told))


def give_back(client: "Redis") -> int:
    """Make what no living worker has due at once; return how many messages that are."""
    told = dict(_told(client))
    taken: Any = client.zrangebyscore(UNACKED_INDEX, "(0", "+inf", withscores=True)  # what is at 0 is due already
    living: Any = client.zrangebyscore(WORKERS_KEY, time.time() - HEARTBEAT_SECONDS, "+inf")
    if not told or any(name not in told for name in living):
        return 0
    kept = {tag for one in told.values() for tag in one["tags"]}
    before = min(one["at"] for one in told.values()) - MARGIN_SECONDS
    lost = [(tag, score) for tag, score in taken if score < before and tag.decode("utf-8", "replace") not in kept]
    return sum(int(client.eval(_GIVE_BACK, 1, UNACKED_INDEX, tag, repr(score))) for tag, score in lost)


def _told(client: "Redis") -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield what holds of what workers told; what does not is forgotten."""
    now = _now(client)
    lists: Any = client.hgetall(IN_HAND_KEY)
    for name, value in lists.items():
        told = json.loads(value)
        if told["until"] >= now:
            yield name, told
        else:
            taking.put_back(client, name.decode("utf-8", "replace"))
            client.hdel(IN_HAND_KEY, name)


def _now(client: "Redis") -> float:
    seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1e6


def _tags() -> set[str]:
    requests = (*state.scheduled_requests, *state.reserved_requests, *state.active_requests)
    return {str(request.message.delivery_tag) for request in requests}
