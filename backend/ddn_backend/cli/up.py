"""`ddn up`: the whole stack of one machine in the foreground."""

import os
import signal
import sys
import threading
from pathlib import Path
from time import sleep

import click

from robot_ddn_listener.redis_url import shown_url

from ..ops.alerting import alert_rules
from ..ops.running import addresses, endpoint, stack
from ..ops.running.console import Console
from ..ops.running.flower_view import check_access
from ..ops.running.supervisor import OURS, Supervisor
from ..settings import Settings, environment, load, read_dotenv

DEFAULT_PORT = 6379
READY_LOOK_SECONDS = 0.5


@click.command("up")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port of the Redis that is started where DDN_REDIS_URL names none; 0 takes any.",
)
@click.option("--workers", type=click.IntRange(1, 64), help="How many workers; else DDN_WORKERS, else 4.")
def up_command(port: int, workers: int | None) -> int:
    """Run Redis, workers, monitor and Flower in the foreground.

    What dies or hangs is started again. Ctrl-C ends all, running analyses first; a second Ctrl-C ends at once.
    """
    read_dotenv(Path.cwd())
    settings = _with_ports(load())
    if settings.alerts:
        alert_rules.read(Path(settings.alerts), environment())  # the monitor would tell it late, among what others say
    console = Console(sys.stdout)
    with stack.redis_of(settings, port, console) as redis:
        settings = settings.model_copy(update={"redis_url": redis.url})
        return _run(settings, redis, workers or settings.workers, console)


def _run(settings: Settings, redis: stack.Redis, workers: int, console: Console) -> int:
    parts = stack.parts(settings, workers, with_monitor=_has_monitor())
    supervisor = Supervisor(
        parts,
        _environment(settings),
        console,
        beats=lambda: stack.beats(redis.url),
        finish_seconds=settings.task_seconds,
        also=redis.look,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, supervisor.interrupt)

    def started() -> None:
        _announce(settings, redis.is_ours, console)
        names = {part.beats_as for part in parts if part.beats_as}
        threading.Thread(target=_tell_when_ready, args=(settings, names, console), name="ddn-ready", daemon=True).start()

    try:
        return supervisor.run(started)
    finally:
        endpoint.withdraw(settings.home_folder)


def _with_ports(settings: Settings) -> Settings:
    """Return the settings with a port for Flower and the metrics, each free; SettingsError where one is not."""
    check_access(settings.flower_address, has_login=bool(settings.flower_user))
    ports = {
        "flower_port": settings.flower_port or addresses.free_port(),
        "metrics_port": settings.metrics_port or addresses.free_port(),
    }
    addresses.check_free(settings.flower_address, ports["flower_port"], "Flower", "Set FLOWER_PORT to another one.")
    if _has_monitor():
        addresses.check_free(settings.metrics_address, ports["metrics_port"], "the metrics", "Set DDN_METRICS_PORT to another one.")
    return settings.model_copy(update=ports)


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **environment(),
        "DDN_REDIS_URL": settings.redis_url,
        "FLOWER_PORT": str(settings.flower_port),
        "DDN_METRICS_PORT": str(settings.metrics_port),
        "PYTHONUNBUFFERED": "1",
    }


def _has_monitor() -> bool:
    from .main import ddn

    return ddn.get_command(click.Context(ddn), "monitor") is not None


def _announce(settings: Settings, is_ours: bool, console: Console) -> None:
    flower = addresses.url(settings.flower_address, settings.flower_port)
    metrics = addresses.url(settings.metrics_address, settings.metrics_port, "/metrics")
    folder = settings.home_folder / endpoint.FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    endpoint.announce(settings.home_folder, endpoint.Endpoint(settings.redis_url, flower, metrics, os.getpid()))
    lines = [f"Flower   {flower}", *([f"Metrics  {metrics}"] if _has_monitor() else []), _redis_line(settings, is_ours)]
    lines.append(f"Testers  {stack.command_for_testers(settings.redis_url)}")
    console.say(OURS, "\n".join(lines))


def _redis_line(settings: Settings, is_ours: bool) -> str:
    where = shown_url(settings.redis_url)
    if is_ours:
        return f"Redis    {where}, reachable from this machine only; for others set DDN_REDIS_URL to a Redis of yours"
    return f"Redis    {where}" + (", *** is its password" if stack.has_password(settings.redis_url) else "")


def _tell_when_ready(settings: Settings, workers: set[str], console: Console) -> None:
    """Wait until all workers beat and Flower listens, and say so."""
    while not (
        workers <= set(stack.beats(settings.redis_url) or ())
        and addresses.listens(settings.flower_address, settings.flower_port)
        and (not _has_monitor() or addresses.listens(settings.metrics_address, settings.metrics_port))
    ):
        sleep(READY_LOOK_SECONDS)
    console.say(OURS, f"Ready: {len(workers)} workers.")
