"""What kombu's own ways of taking messages would break when Redis or a worker goes away in the middle of it."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection, Queue

from ddn_backend.app import create_app
from ddn_backend.in_hand import UNACKED_INDEX
from ddn_backend.settings import load
from ddn_backend.taking import QoS
from robot_ddn_listener.contract import HEARTBEAT_SECONDS, QUEUE
from utest.conftest import RedisServer


@pytest.fixture
def connection(redis_server: RedisServer) -> Iterator[Connection]:
    """A worker's connection to the queue, in a process that has used kombu as it is."""
    with Connection(redis_server.url) as before:
        assert before.default_channel
    with create_app(load().model_copy(update={"redis_url": redis_server.url})) as app:
        connection = app.connection()
        yield connection
        connection.close()


def test_a_connection_that_is_lost_with_a_message_in_hand_can_be_closed(connection: Connection, redis_server: RedisServer) -> None:
    taken: list[Any] = []
    with connection.Producer() as producer:
        producer.publish({"a": "message"}, routing_key=QUEUE, declare=[Queue(QUEUE)])
    for queue, channel in ((QUEUE, connection.default_channel), ("another", connection.channel())):
        connection.Consumer(Queue(queue), channel, callbacks=[lambda body, message: taken.append(message)]).consume()
    connection.drain_events(timeout=30)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.05)  # both ask Redis for their next message
    with redis_server.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        connection.collect()  # as Celery does with a connection that it has lost; kombu lets go of it, with a channel left open
        connection.close()
        assert len(taken) == client.hlen("unacked") + client.llen(QUEUE) == 1  # in_hand.py hands it out again


def test_a_worker_that_is_killed_while_it_hands_out_again_holds_the_others_up_for_a_few_beats_only(
    connection: Connection, redis_server: RedisServer
) -> None:
    with redis_server.client() as client:

        class Watched(QoS):
            milliseconds = math.inf  # that others would be held up if the process died here

            def restore_by_tag(self, tag: Any, *arguments: Any, **options: Any) -> None:
                self.milliseconds = client.pttl(self.unacked_mutex_key)
                super().restore_by_tag(tag, *arguments, **options)

        client.zadd(UNACKED_INDEX, {"lost": 0})
        worker = Watched(connection.default_channel)
        worker.restore_visible()
    assert worker.milliseconds <= HEARTBEAT_SECONDS * 1000
