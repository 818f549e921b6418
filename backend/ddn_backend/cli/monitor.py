"""`ddn monitor`: Celery's events into the history, /metrics for Prometheus, alerts."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socket import gethostname

import click

from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import HISTORY_HOST_KEY

from .. import bootstrap
from ..errors import SettingsError
from ..ops.monitoring.metrics import Metrics
from ..ops.monitoring.metrics_server import MetricsServer
from ..ops.monitoring.monitor import Monitor, Outside, Pace
from ..ops.running.endpoint import with_redis
from ..ops.running.redis_check import check_redis, operators_client
from ..settings import Settings, load, read_dotenv

LOST_MARGIN_SECONDS = 120  # beyond the visibility timeout, after which Celery itself hands a report out again


@click.command("monitor")
@click.option("--interval", type=click.FloatRange(0.1, 300), default=5.0, show_default=True, help="Seconds between two samples.")
def monitor_command(interval: float) -> None:
    """Run the monitor in the foreground.

    It writes every task run into the history, serves /metrics and /health, and sends alerts. Analyses go on without it; what it
    missed it reads in the history.
    """
    read_dotenv(Path.cwd())
    settings = with_redis(load())
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("kombu").setLevel(logging.WARNING)
    check_redis(settings.redis_url)
    if not settings.mongo_url:
        _check_host(settings)
    with _monitor(settings, interval) as (monitor, url), _stopped_by_signals() as stop:
        click.echo(f"Metrics at {url}/metrics")
        monitor.run(stop)


def _check_host(settings: Settings) -> None:
    """Refuse to write a second history beside the workers' one: reports and counts would come from half of each."""
    with operators_client(settings.redis_url) as client:
        keeper = client.get(HISTORY_HOST_KEY)
    host = keeper.decode("utf-8", "replace") if isinstance(keeper, bytes) else ""
    if host and host != gethostname():
        raise SettingsError(
            f"Opening the history failed: workers on '{host}' keep it in a file there. "
            "Run the monitor on that machine, or set DDN_MONGO_URL to the same database for all. The monitor does not start."
        )


@contextmanager
def _monitor(settings: Settings, interval: float) -> Iterator[tuple[Monitor, str]]:
    from ..app import VISIBILITY_MARGIN_SECONDS, create_app

    metrics = Metrics()
    with (
        closing(bootstrap.history(settings)) as history,
        closing(Broker(settings.redis_url)) as broker,
        operators_client(settings.redis_url) as client,
        create_app(settings) as app,
    ):
        alerts = bootstrap.alerts(settings, client)
        outside = Outside(
            app,
            client,
            history,
            bootstrap.used_up_today(settings, client),
            broker.submit,
            alerts.look if alerts else lambda snapshot: None,
        )
        lost = settings.task_seconds + VISIBILITY_MARGIN_SECONDS + LOST_MARGIN_SECONDS
        monitor = Monitor(outside, metrics, Pace(interval, lost=lost), settings.keep_days)
        password = settings.metrics_password.get_secret_value()
        server = MetricsServer(
            settings.metrics_address, settings.metrics_port, metrics, monitor.health, settings.metrics_user, password
        )
        try:
            yield monitor, server.url
        finally:
            server.close()
            if alerts:
                alerts.close()


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
