"""The Celery app: `celery -A ddn_backend worker` and `celery -A ddn_backend flower`.

Late acknowledgement and a visibility timeout make Redis hand a report out again when its worker died; prefetching one each
keeps reports where other workers can take them. Analyses wait for the network, so the pool is threads; threads know no time
limits, so a longer analysis is only delivered again.
"""

import logging
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from celery import Celery, signals
from celery.utils.log import get_logger

from robot_ddn_listener.contract import QUEUE, VERDICT_SECONDS

from . import bootstrap, revocation, tasks
from .heartbeat import heartbeat
from .ops.endpoint import with_redis
from .settings import Settings, load, prefer_flower_configuration, read_dotenv

FLOWER_CONFIGURATION = Path(__file__).with_name("flowerconfig.py")
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
    url = _with_certificates_checked(settings.redis_url)
    app = Celery("ddn_backend", broker=url, backend=url)
    app.conf.update(configuration(settings))
    app.steps["consumer"].add(heartbeat(has_local_history=not settings.mongo_url))
    pipeline = _once(lambda: bootstrap.backend_pipeline(settings, app.backend.client))
    revocation.listen()
    _prepare_when_ready(app, lambda: bootstrap.prune(pipeline(), settings))
    tasks.register(app, pipeline)
    tasks.register_runs(app, pipeline)
    tasks.register_desk(app, _once(lambda: bootstrap.desk(pipeline(), tasks.Verdicts(app.backend.client))))
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


def _prepare_when_ready(app: Celery, prepare: Callable[[], None]) -> None:
    """Call `prepare` beside a worker that is ready: else the first report would wait for imports and old history."""

    def run() -> None:
        try:
            prepare()
        except Exception as error:  # noqa: BLE001 - whatever cannot be built: each analysis meets it again, and tells it
            logger.error("Preparing the worker failed: %s", error)

    def start(sender: Any, **signal_arguments: Any) -> None:
        if sender.app is app:
            threading.Thread(target=run, name="ddn-prepare").start()  # no daemon: one that is in SQLite at the exit would crash

    signals.worker_ready.connect(start, weak=False)


def _with_certificates_checked(url: str) -> str:
    """Celery refuses a TLS URL that does not say what to do with the server's certificate."""
    if not url.startswith("rediss://") or "ssl_cert_reqs=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=required"
