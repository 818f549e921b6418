"""`ddn worker`: one worker in the foreground."""

import os
import platform
from pathlib import Path

import click

from ..ops.running.endpoint import with_redis
from ..ops.running.redis_check import check_redis
from ..settings import load, read_dotenv


@click.command("worker")
@click.option("--name", default="", help="Its name in Flower, NAME or NAME@HOST; made from the process id where none is given.")
def worker_command(name: str) -> int:
    """Run one worker: it takes failure reports from Redis and answers them.

    Ctrl-C or SIGTERM ends it after its running analyses.
    """
    read_dotenv(Path.cwd())
    settings = with_redis(load())
    check_redis(settings.redis_url)
    name = name or f"worker-{os.getpid()}"

    import warnings

    from celery.exceptions import SecurityWarning

    from ..app import command_line_app

    warnings.filterwarnings("ignore", category=SecurityWarning)  # of running as root: only JSON is accepted
    worker = command_line_app().Worker(
        hostname=name if "@" in name else f"{name}@{platform.node()}", loglevel=settings.log_level, quiet=True
    )
    worker.start()
    return int(worker.exitcode or 0)
