"""`ddn report`: how the analyses went, for a terminal, as an HTML file, or as JSON; for people, and for cron."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import click
from rich.console import Console

from .. import bootstrap, settings
from ..errors import SettingsError
from ..ops.reporting import wording
from ..ops.reporting.looking_back import runs_between
from ..ops.reporting.report import Report, report
from ..ops.reporting.report_html import page
from .durations import Since
from .report_text import show

WIDTH = 78  # where there is no terminal that tells its own


@click.command("report")
@click.option("--since", type=Since(), default="7d", show_default=True, help="How far back to look, or a time.")
@click.option("--until", type=Since(), help="The end of that time; default: now.")
@click.option("--project", default="", help="Only this project's analyses.")
@click.option("--html", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write one HTML file that opens offline.")
@click.option("--json", "as_machine", is_flag=True, help="Print all figures as JSON.")
def report_command(since: datetime, until: datetime | None, project: str, file: Path | None, as_machine: bool) -> None:
    """Show success rate, speed, causes and what comes back weekly, degraded parts, workers, tokens and cost.

    \b
    From cron, each Monday at six, in a folder with the backend's .env:
      0 6 * * 1  cd /srv/ddn && ddn report --since 7d --html /srv/www/week.html
      0 6 1 * *  cd /srv/ddn && ddn report --since 31d --html /srv/www/month.html
    """
    now = datetime.now(UTC)
    until = until or now
    if since >= until:
        raise click.UsageError(
            f"Reading option '--since' failed: expected a time before {until.isoformat(timespec='minutes')}. Nothing was done."
        )
    settings.read_dotenv(Path.cwd())
    figures = _report(since, until, project)
    if file:
        _write(file, page(figures, wording.clock(now.astimezone()) + f" {now.astimezone():%Z}"))
        click.echo(f"Report of {figures.total} analyses: {file}", err=as_machine)
    if as_machine:
        click.echo(json.dumps(asdict(figures), indent=2, default=_plain))
    elif not file:
        console = Console(highlight=False)
        show(figures, console if console.is_terminal else Console(highlight=False, width=WIDTH))


def _report(since: datetime, until: datetime, project: str) -> Report:
    history = bootstrap.history(settings.load())
    try:
        return report(runs_between(history, since, until, project), since, until, project)
    finally:
        history.close()


def _write(file: Path, text: str) -> None:
    """Put the file in its place when it is whole: a web server may be showing the one before."""
    try:
        with NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.", encoding="utf-8", delete=False) as new:
            new.write(text)
        try:
            Path(new.name).chmod(0o666 & ~_umask())
            Path(new.name).replace(file)
        except OSError:
            Path(new.name).unlink()
            raise
    except OSError as error:
        raise SettingsError(f"Writing report '{file}' failed: {error.strerror}. Nothing was written.") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"Writing {type(value).__name__} as JSON failed: expected a time.")
