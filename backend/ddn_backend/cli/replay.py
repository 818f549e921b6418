"""`ddn replay`: reports that Redis did not take during a run are sent now."""

import os
from pathlib import Path

import click

from robot_ddn_listener import spool
from robot_ddn_listener.connection import connect
from robot_ddn_listener.errors import SpoolError

from .options import read_options


@click.command()
@click.argument("folder", metavar="FOLDER")
@click.option("--redis", metavar="URL", help="The backend's Redis; default: DDN_REDIS_URL, else the embedded runtime.")
@click.pass_context
def replay(context: click.Context, folder: str, redis: str | None) -> None:
    """Send the reports that a run kept in its output FOLDER because Redis did not take them. Safe to run again."""
    settings = read_options(redis=redis)
    if not Path(folder).is_dir():
        raise SpoolError(f"Replaying '{folder}' failed: expected the output folder of a run. Nothing was sent.")
    if not spool.pending(Path(folder)):
        click.echo(f"No undelivered reports in '{folder}'.")
        return
    transport = connect(settings.redis, dict(os.environ))
    if isinstance(transport, str):
        raise SpoolError(f"Replaying '{folder}' failed: {transport} Nothing was sent, the reports stay.")
    try:
        replayed = spool.replay(Path(folder), transport.submit)
    finally:
        transport.close()
    click.echo(f"{len(replayed.sent)} sent to {transport.where}, {len(replayed.left)} left, {len(replayed.broken)} unreadable.")
    problems = replayed.failed | replayed.broken
    for path, problem in problems.items():
        click.echo(f"  {path}: {problem}", err=True)
    context.exit(1 if replayed.left or problems else 0)
