"""The Celery app: `celery -A ddn_backend worker` and `celery -A ddn_backend flower`.

Late acknowledgement and a visibility timeout make Redis hand a report out again when its worker died; prefetching one each
keeps reports where other workers can take them. Analyses wait for the network, so the pool is threads; threads know no time
limits, so a longer analysis is only delivered again.
"""

import gc
import logging
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from celery import Celery, signals
from celery.utils.log import get_logger
from kombu import compression
from kombu.exceptions import DecodeError

from robot_ddn_listener.contract import QUEUE, VERDICT_SECONDS

from . import bootstrap, revocation, tasks
from .celery_redis import celery_settings, celery_url
from .heartbeat import heartbeat
from .in_hand import in_hand
from .ops.running.endpoint import with_redis
from .settings import Settings, load, prefer_flower_configuration, read_dotenv
from .taking import move_instead_of_popping

FLOWER_CONFIGURATION = Path(__file__).with_name("flowerconfig.py")
MUTEX_SECONDS = 10
VISIBILITY_MARGIN_SECONDS = 60  # a report is handed out again this long after its deadline: never while it is analysed

T = TypeVar("T")

logger = get_logger(__name__)


@cache
def command_line_app() -> Celery:
    """Return the app of this process, by its environment; for Celery's command line."""
    read_dotenv(Path.cwd())
    settings = with_redis(load())
    prefer_flower_configuration(FLOWER_CONFIGURATION)
    logging.getLogger(tasks.__name__).setLevel(settings.log_level)  # Celery's own default tells of warnings only
    return create_app(settings)


def create_app(settings: Settings) -> Celery:
    """Return a Celery app for `settings`; it connects when it is used."""
    url = celery_url(settings.redis_url)
    _take_no_compressed_messages()
    move_instead_of_popping()
    app = Celery("ddn_backend", broker=url, backend=url)
    app.conf.update(configuration(settings))
    app.steps["consumer"].add(heartbeat(has_local_history=not settings.mongo_url))
    app.steps["consumer"].add(in_hand(settings.task_seconds + VISIBILITY_MARGIN_SECONDS))
    pipeline = _once(lambda: bootstrap.backend_pipeline(settings, app.backend.client))
    revocation.listen()
    _prepare_beside(app, lambda: bootstrap.prepare(pipeline(), settings))
    tasks.register(app, pipeline)
    tasks.register_runs(app, pipeline)
    tasks.register_desk(app, _once(lambda: bootstrap.desk(pipeline(), tasks.Verdicts(app.backend.client))))
    return app


def configuration(settings: Settings) -> dict[str, Any]:
    """Return Celery's settings."""
    of_redis = celery_settings(settings.redis_url)
    return {
        **of_redis,
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
            **of_redis["broker_transport_options"],
            "visibility_timeout": settings.task_seconds + VISIBILITY_MARGIN_SECONDS,
            # Without these two an abandoned report was not handed out again within 90 s.
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
            # A worker that is killed while it hands out again holds the others up for that long; kombu's default is 5 minutes.
            "unacked_mutex_expire": MUTEX_SECONDS,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
        },
        "redis_socket_connect_timeout": 5,
        "redis_socket_timeout": 10,
        "redis_retry_on_timeout": True,
        # A Redis that starts again, or whose replica takes over, is borne for some ten seconds: a state that could not be stored
        # would end the task before it began, and its report would wait for the visibility timeout.
        "result_backend_always_retry": True,
        "result_backend_max_retries": 10,
        "result_backend_base_sleep_between_retries_ms": 50,
        "result_backend_max_sleep_between_retries_ms": 2_000,
    }


def _take_no_compressed_messages() -> None:
    """Ours are not compressed, and kombu unpacks without a limit: a message of half a megabyte took two gigabytes of a worker."""

    def refuse(body: bytes) -> bytes:
        raise DecodeError("Compressed messages are not taken.")

    for content_type in compression.encoders():  # type: ignore[no-untyped-call]
        compression.register(refuse, refuse, content_type)  # type: ignore[no-untyped-call]


def _once(build: Callable[[], T]) -> Callable[[], T]:
    """Return a function that builds when it is first called; other threads wait for that instead of building as well."""
    lock, built = threading.Lock(), list[T]()

    def get() -> T:
        with lock:
            if not built:
                built.append(build())
            return built[0]

    return get


def _prepare_beside(app: Celery, prepare: Callable[[], None]) -> None:
    """Call `prepare` beside a worker that starts: else its first reports would wait for imports and old history."""

    def run() -> None:
        try:
            prepare()
            gc.freeze()  # what was imported stays: the garbage collector need not look at it again and again
        except Exception as error:  # noqa: BLE001 - whatever cannot be built: each analysis meets it again, and tells it
            logger.error("Preparing the worker failed: %s", error)

    def start(instance: Any, **signal_arguments: Any) -> None:
        if instance.app is app:
            threading.Thread(target=run, name="ddn-prepare").start()  # no daemon: one that is in SQLite at the exit would crash

    signals.celeryd_after_setup.connect(start, weak=False)
