"""The Celery app: `celery -A ddn_backend worker` and `celery -A ddn_backend flower`.

Late acknowledgement and a visibility timeout make Redis hand a report out again when its worker died; prefetching one each
keeps reports where other workers can take them. Analyses wait for the network, so the pool is threads; threads know no time
limits, so a longer analysis is only delivered again.
"""

import threading
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from celery import Celery
from celery.bootsteps import StartStopStep
from celery.utils.log import get_logger
from redis import RedisError

from robot_ddn_listener.contract import HEARTBEAT_KEY, HEARTBEAT_SECONDS, QUEUE, VERDICT_SECONDS

from . import bootstrap, tasks
from .errors import SettingsError
from .settings import Settings, load

VISIBILITY_MARGIN_SECONDS = 60  # a report is handed out again this long after its deadline: never while it is analysed
BEAT_SECONDS = HEARTBEAT_SECONDS / 3  # two beats may get lost

T = TypeVar("T")

logger = get_logger(__name__)


@cache
def command_line_app() -> Celery:
    """Return the app of this process, by its environment; for Celery's command line."""
    settings = load()
    if not settings.redis_url:
        raise SettingsError(
            "Reading setting 'DDN_REDIS_URL' failed: expected a URL such as redis://host:6379/0, got nothing. "
            "The backend does not start."
        )
    return create_app(settings)


def create_app(settings: Settings) -> Celery:
    """Return a Celery app for `settings`; it connects when it is used."""
    url = _with_certificates_checked(settings.redis_url)
    app = Celery("ddn_backend", broker=url, backend=url)
    app.conf.update(configuration(settings))
    app.steps["consumer"].add(Heartbeat)
    pipeline = _once(lambda: bootstrap.backend_pipeline(settings, app.backend.client))
    tasks.register(app, pipeline)
    tasks.register_desk(app, _once(lambda: bootstrap.desk(pipeline(), tasks.Verdicts(app.backend.client).replace)))
    return app


def configuration(settings: Settings) -> dict[str, Any]:
    """Return Celery's settings."""
    return {
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "result_expires": VERDICT_SECONDS,
        "task_default_queue": QUEUE,
        "task_acks_late": True,
        "task_track_started": True,
        "task_send_sent_event": True,
        "worker_send_task_events": True,
        "worker_pool": "threads",
        "worker_concurrency": settings.concurrency,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # threads cannot be cancelled
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            "visibility_timeout": settings.task_seconds + VISIBILITY_MARGIN_SECONDS,
            # Without these two an abandoned report was not handed out again within 90 s.
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
        },
        "redis_socket_connect_timeout": 5,
        "redis_socket_timeout": 10,
        "redis_retry_on_timeout": True,
    }


def _once(build: Callable[[], T]) -> Callable[[], T]:
    """Return a function that builds when it is first called; other threads wait for that instead of building as well."""
    lock, built = threading.Lock(), list[T]()

    def get() -> T:
        with lock:
            if not built:
                built.append(build())
            return built[0]

    return get


def _with_certificates_checked(url: str) -> str:
    """Celery refuses a TLS URL that does not say what to do with the server's certificate."""
    if not url.startswith("rediss://") or "ssl_cert_reqs=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=required"


class Heartbeat(StartStopStep):  # type: ignore[misc]
    """Tells listeners that a worker takes reports: it runs in the loop that takes them, so it stops when that hangs."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._entry: Any = None

    def start(self, consumer: Any) -> None:
        self._beat(consumer)
        self._entry = consumer.timer.call_repeatedly(BEAT_SECONDS, self._beat, (consumer,))

    def stop(self, consumer: Any) -> None:
        if self._entry:
            self._entry.cancel()
            self._entry = None
        try:
            client = consumer.app.backend.client
            if client.get(HEARTBEAT_KEY) == consumer.hostname.encode():  # else another worker has taken over
                client.delete(HEARTBEAT_KEY)
        except RedisError as error:
            logger.warning("Removing the heartbeat failed: %s. It expires within %d s.", error, HEARTBEAT_SECONDS)

    def _beat(self, consumer: Any) -> None:
        try:
            consumer.app.backend.client.set(HEARTBEAT_KEY, consumer.hostname, ex=HEARTBEAT_SECONDS)
        except RedisError as error:
            logger.warning("Sending the heartbeat failed: %s. Listeners do not wait for this worker.", error)
