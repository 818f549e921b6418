"""Who is set aside when a worker dies, and what becomes of a try whose next one cannot be queued."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery.exceptions import Reject

from ddn_backend.app import create_app
from ddn_backend.deliveries import MAX_BEGINNINGS, Deliveries, PoisonError
from ddn_backend.settings import load
from robot_ddn_listener.contract import TASK_NAME, FailureReport, Run, encode
from utest.conftest import RedisServer


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Any]:
    with redis_server.client() as client:
        yield client


def killed(client: Any, report_id: str, times: int) -> None:
    """Let it be a report that was begun so often and never ended."""
    client.set(f"ddn:deliveries:{report_id}", times)


def test_a_report_that_was_begun_three_times_and_never_ended_is_set_aside(client: Any) -> None:
    killed(client, "poison", MAX_BEGINNINGS)
    with pytest.raises(PoisonError, match="the worker was killed 3 times"), Deliveries(client).begun("poison"):
        pass
    with Deliveries(client).begun("poison"):  # it was sent again
        pass


def test_reports_at_their_last_beginning_are_analysed_one_by_one(client: Any, wait_until: Callable[..., Any]) -> None:
    inside, leave = list[str](), threading.Event()

    def analyse(report_id: str) -> None:
        with Deliveries(client).begun(report_id):
            inside.append(report_id)
            leave.wait(30)

    for name in ("one", "other"):
        killed(client, name, MAX_BEGINNINGS - 1)
    killed(client, "beside", 1)
    threads = [threading.Thread(target=analyse, args=(name,)) for name in ("one", "other", "beside", "new")]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(inside) == 3, "three to be at work")
    [waits] = {"one", "other"} - set(inside)
    assert int(client.get(f"ddn:deliveries:{waits}")) == MAX_BEGINNINGS - 1  # not begun: if the worker dies now it has lost nothing
    leave.set()
    for thread in threads:
        thread.join(30)
    assert waits in inside


def test_a_try_whose_next_one_cannot_be_queued_goes_back_into_the_queue() -> None:
    app = create_app(load().model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    app.conf.update(task_publish_retry_policy={"max_retries": 0}, broker_connection_timeout=0.1, redis_retry_on_timeout=False)
    app.conf.result_backend_transport_options = {"retry_policy": {"max_retries": 0}}
    task = app.tasks[TASK_NAME]
    report = FailureReport("id", "shop", "f", Run("r"), "Suite", "Test", "It failed.")
    request = {"id": "id", "args": [encode(report)], "kwargs": {}, "retries": 0, "argsrepr": "", "delivery_info": {}}
    task.push_request(**request, called_directly=False, is_eager=False)
    try:
        with pytest.raises(Reject) as raised:
            task.run(encode(report))
    finally:
        task.pop_request()
    assert raised.value.requeue
