"""What dead workers had in hand is handed out again soon; what living ones have is left to them."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from ddn_backend.in_hand import IN_HAND_KEY, UNACKED_INDEX, give_back, tell
from ddn_backend.taking import taking_key
from robot_ddn_listener.contract import HEARTBEAT_SECONDS, QUEUE, WORKERS_KEY
from utest.conftest import RedisServer


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Any]:
    with redis_server.client() as client:
        yield client


def take(client: Any, tag: str, seconds_ago: float = 5.0) -> None:
    client.zadd(UNACKED_INDEX, {tag: time.time() - seconds_ago})


def live(client: Any, name: str, *tags: str, seconds: float = HEARTBEAT_SECONDS) -> None:
    client.zadd(WORKERS_KEY, {name: time.time()})
    tell(client, name, tags, seconds)


def due(client: Any) -> set[bytes]:
    return set(client.zrangebyscore(UNACKED_INDEX, 0, 0))


def test_what_no_living_worker_has_is_due_at_once(client: Any) -> None:
    for tag in ("mine", "others", "lost"):
        take(client, tag)
    live(client, "celery@a", "mine")
    live(client, "celery@b", "others")
    assert give_back(client) == 1
    assert due(client) == {b"lost"}
    assert give_back(client) == 0


def test_what_a_worker_told_holds_until_it_is_too_old(client: Any) -> None:
    take(client, "taken")
    live(client, "celery@a")
    tell(client, "celery@gone", ["taken"], 60)
    assert give_back(client) == 0
    tell(client, "celery@gone", ["taken"], -1)
    assert give_back(client) == 1
    assert client.hkeys(IN_HAND_KEY) == [b"celery@a"]


def test_a_worker_that_starts_again_has_nothing_of_what_it_had(client: Any) -> None:
    take(client, "taken")
    live(client, "celery@a", "taken")
    assert give_back(client) == 0
    live(client, "celery@a")
    assert give_back(client) == 1


def test_what_was_taken_since_a_worker_told_is_left_alone(client: Any) -> None:
    take(client, "just now", seconds_ago=0)
    live(client, "celery@a")
    assert give_back(client) == 0
    take(client, "earlier")
    tell(client, "celery@slow", [], 60)
    told = json.loads(client.hget(IN_HAND_KEY, "celery@slow"))
    client.hset(IN_HAND_KEY, "celery@slow", json.dumps({**told, "at": told["at"] - 30}))
    assert give_back(client) == 0  # the slow one may have taken it since


def test_a_worker_that_ends_keeps_what_it_finishes_and_holds_nothing_else_up(client: Any) -> None:
    take(client, "finished soon")
    tell(client, "celery@ending", ["finished soon"], 60, takes_more=False)
    take(client, "lost", seconds_ago=3)
    live(client, "celery@a")
    told = json.loads(client.hget(IN_HAND_KEY, "celery@ending"))
    assert told["at"] > time.time()
    assert give_back(client) == 1
    assert due(client) == {b"lost"}


def test_beside_a_worker_that_does_not_tell_nothing_is_taken_back(client: Any) -> None:
    take(client, "taken")
    live(client, "celery@a")
    client.zadd(WORKERS_KEY, {"celery@of-an-older-version": time.time()})
    assert give_back(client) == 0


def test_a_message_that_was_handed_out_again_meanwhile_is_left_to_who_has_it(client: Any) -> None:
    take(client, "taken")
    live(client, "celery@a")

    class SlowClient(redis.Redis):
        def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any:
            take(client, "taken", seconds_ago=1)  # another worker has it by now
            return super().eval(script, numkeys, *keys_and_args)

    with SlowClient(connection_pool=client.connection_pool) as slow:
        assert give_back(slow) == 0
    assert due(client) == set()


def test_what_was_under_way_to_a_worker_that_is_gone_is_put_back_and_taken_next(client: Any) -> None:
    client.lpush(QUEUE, "later")
    client.lpush(taking_key("celery@gone"), "lost")
    client.lpush(taking_key("celery@a"), "under way")
    live(client, "celery@a")
    tell(client, "celery@gone", [], -1)
    give_back(client)
    assert (client.lrange(QUEUE, 0, -1), client.llen(taking_key("celery@gone"))) == ([b"later", b"lost"], 0)
    assert client.lrange(taking_key("celery@a"), 0, -1) == [b"under way"]
