"""`ddn tasks`: the runs of analyses, once or as they change."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click
from redis import RedisError
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from robot_ddn_listener.cards.legible import count, one_line
from robot_ddn_listener.contract import ErrorType

from ..ops.running.endpoint import running
from ..ops.running.redis_check import operators_client
from ..ops.steering.listing import changed, listed
from ..ports import History, TaskRun, TaskState, WantedRuns
from ..settings import Settings
from .durations import Since
from .here import history_here, settings_here

REFRESH_SECONDS = 1.0
WIDTH = 78  # columns where there is no terminal
MAX_CHARACTERS = 200  # of a name, of what went wrong
COLOURS = {TaskState.FAILURE: "red", TaskState.RETRY: "yellow", TaskState.STARTED: "cyan", TaskState.REVOKED: "magenta"}
STATES = [state.value for state in TaskState]
ERROR_TYPES = [kind.value for kind in ErrorType]

Look = Callable[[], tuple[TaskRun, ...]]


@click.command("tasks")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES, case_sensitive=False), help="May be repeated.")
@click.option("--error-type", type=click.Choice(ERROR_TYPES, case_sensitive=False))
@click.option("--project", default="", help="Those of one project.")
@click.option("--worker", metavar="NAME", default="", help="Those of one worker, such as celery@host.")
@click.option("--since", metavar="TIME", type=Since(), help="Those with news since then: 15m, 2h, 7d ago, or an ISO time.")
@click.option("--text", default="", help="Those with this in test, suite, error message, error or degraded notes.")
@click.option("--follow", is_flag=True, help="Go on until Ctrl-C; without a terminal each change is a line.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), default=50, show_default=True, help="The latest N at most.")
@click.option("--json", "as_json", is_flag=True, help="Print them for machines, one a line.")
def tasks_command(follow: bool, as_json: bool, states: tuple[str, ...], error_type: str | None, **wanted: Any) -> int:
    """List the runs of analyses, the latest first. Of several conditions all must hold.

    All CODE_ERROR analyses that failed in the last hour: ddn tasks --error-type CODE_ERROR --state FAILURE --since 1h
    """
    settings = _with_stack(settings_here())
    runs = WantedRuns(states=tuple(map(TaskState, states)), error_type=error_type or "", **wanted)
    troubles: list[str] = []
    with history_here() as history:

        def look() -> tuple[TaskRun, ...]:
            return _listed(history, runs, settings, troubles)

        if follow:
            _follow(look, as_json)
        elif as_json:
            for run in look():
                _print_json(run)
        else:
            _console().print(_table(look()))
    return 1 if troubles else 0


def _with_stack(settings: Settings) -> Settings:
    """Return the settings with the Redis of the `ddn up` that runs here, where none is named; without either, too."""
    here = None if settings.redis_url else running(settings.home_folder)
    return settings.model_copy(update={"redis_url": here.redis_url}) if here else settings


def _listed(history: History, wanted: WantedRuns, settings: Settings, troubles: list[str]) -> tuple[TaskRun, ...]:
    """Return the runs; where Redis does not answer those of the history, and why goes to `troubles`, and is told once."""
    if not settings.redis_url:
        return listed(history, wanted)
    try:
        with operators_client(settings.redis_url) as client:
            return listed(history, wanted, client)
    except RedisError as error:
        if (trouble := str(error).rstrip(".")) not in troubles:
            troubles.append(trouble)
            click.echo(f"Reading the queue failed: {trouble}. Only what the history knows is listed.", err=True)
        return listed(history, wanted)


def _follow(look: Look, as_json: bool) -> None:
    console = _console()
    try:
        if console.is_terminal and not console.is_dumb_terminal and not as_json:
            _refresh(look, console)
        else:
            _print_changes(look, as_json)
    except KeyboardInterrupt:
        pass


def _refresh(look: Look, console: Console) -> None:
    with Live(_table(look()), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH_SECONDS)
            live.update(_table(look()), refresh=True)


def _print_changes(look: Look, as_json: bool) -> None:
    seen: dict[str, str] = {}
    while True:
        for run in changed(seen, look()):
            _print_json(run) if as_json else click.echo(_line(run))
        time.sleep(REFRESH_SECONDS)


def _print_json(run: TaskRun) -> None:
    click.echo(json.dumps(asdict(run)))


def _table(runs: tuple[TaskRun, ...]) -> Table:
    caption = Text(count(len(runs), "run"))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1), collapse_padding=True, caption=caption)
    table.caption_justify = "left"
    for name, width in (("time (UTC)", 14), ("state", 7), ("type", 6), ("task", 8), ("sec", 5)):
        table.add_column(name, width=width, no_wrap=True, justify="right" if name == "sec" else "left")
    table.add_column("project, test, trouble", ratio=1, overflow="fold")
    for run in runs:
        what = one_line(f"{run.project}: {run.test_name}", MAX_CHARACTERS)
        trouble = one_line(run.error or "; ".join(run.degraded), MAX_CHARACTERS)
        table.add_row(
            _latest(run),
            Text(run.state.value, style=COLOURS.get(run.state, "")),
            _kind(run),
            run.task_id[:8],
            f"{run.seconds:.1f}" if run.seconds else "",
            Text(f"{what}\n{trouble}" if trouble else what),
        )
    return table


def _line(run: TaskRun) -> str:
    trouble = run.error or "; ".join(run.degraded)
    parts = (_latest(run), run.state.value, _kind(run), run.task_id, run.worker, run.project, run.test_name, trouble)
    return "  ".join(one_line(part, MAX_CHARACTERS) for part in parts if part)


def _latest(run: TaskRun) -> str:
    """Return the latest time that is known, e.g. ``01-31 12:00:59``."""
    return max(run.queued, run.started, run.finished)[5:19].replace("T", " ")


def _kind(run: TaskRun) -> str:
    return run.error_type.removesuffix("_ERROR").replace("DEPENDENCY", "DEPEND")


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)
