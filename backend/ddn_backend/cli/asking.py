"""A question to the backend, through a Celery task over the Redis that the runs use."""

import os
from typing import Any

from robot_ddn_listener.connection import EmbeddedBroker, connect
from robot_ddn_listener.contract import QUEUE
from robot_ddn_listener.errors import BrokerError, DdnError

from ..celery_redis import celery_settings, celery_url

ANSWER_SECONDS = 30.0


def ask(task: str, *arguments: Any, redis: str = "") -> dict[str, Any]:
    """Return what the backend answers; BrokerError when it cannot be reached, does not answer, or has no answer."""
    transport = connect(redis or os.environ.get("DDN_REDIS_URL", ""), dict(os.environ))
    if isinstance(transport, str):
        raise BrokerError(f"Asking the backend failed: {transport}")
    try:
        if idle := transport.idle_reason():
            raise BrokerError(f"Asking the backend at {transport.where} failed: {idle}.")
        url = transport.url if isinstance(transport, EmbeddedBroker) else redis or os.environ["DDN_REDIS_URL"]
        answer = _answer(url, task, arguments, transport.where)
    finally:
        transport.close()
    if problem := answer.get("problem"):
        raise BrokerError(str(problem))
    return answer


def _answer(url: str, task: str, arguments: tuple[Any, ...], where: str) -> dict[str, Any]:
    from celery import Celery

    settings = celery_settings(url)
    url = celery_url(url)
    # All this is given, and the producer too, so that no CELERY_* variable of the user takes part.
    with Celery("ddn", loader="celery.loaders.app:AppLoader", config_source=settings, fixups=(), set_as_current=False) as app:
        app.backend_cls = url
        try:
            with app.connection_for_write(url) as connection:
                producer = app.amqp.Producer(connection, auto_declare=False)
                words = {"queue": QUEUE, "expires": ANSWER_SECONDS, "producer": producer}
                sent = app.send_task(f"tasks.{task}", list(arguments), **words)
            answer = sent.get(timeout=ANSWER_SECONDS)
        except Exception as error:  # Celery gives whatever the task raised as it was, and its own errors in many kinds
            said = str(error) if isinstance(error, DdnError) else f"{type(error).__name__}: {error}."
            raise BrokerError(f"Asking the backend at {where} failed: {said}") from error
    return dict(answer)
