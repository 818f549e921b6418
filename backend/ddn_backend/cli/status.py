"""`ddn status`: are all parts up, what waits, is the queue paused."""

import json
import platform
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from robot_ddn_listener.cards.legible import count

from ..bootstrap import dead_analyses
from ..ops.running.endpoint import with_redis
from ..ops.running.status import PartState, Status, is_alive, read_status
from ..settings import load, read_dotenv

WIDTH_WITHOUT_TERMINAL = 78


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
@click.option("--alive", is_flag=True, help="Say nothing; end with 0 when a worker of this machine beats, as for a container.")
def status_command(as_json: bool, alive: bool) -> int:
    """Show the parts of the stack and the queue. Ends with 1 when a part is down.

    Monitor and Flower count where `ddn up` runs here; else they may be on another machine.
    """
    read_dotenv(Path.cwd())
    settings = with_redis(load())
    if alive:
        return 0 if is_alive(settings, platform.node()) else 1
    status = read_status(settings, lambda: dead_analyses(settings))
    if as_json:
        click.echo(json.dumps({"up": status.is_up, **asdict(status)}, indent=2, ensure_ascii=False))
    else:
        _show(status)
    return 0 if status.is_up else 1


def _show(status: Status) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for part in status.parts:
        table.add_row(_mark(part), Text(part.name), Text(part.note))
    console.print(table)
    if status.waiting is not None:
        console.print(Text(f"\nQueue: {status.waiting} waiting, {_taken(status)}"))
    if status.dead:
        console.print(Text(f"{count(status.dead, 'dead letter')}: `ddn dead` tells why, `ddn requeue --failed` sends them again."))
    if status.paused is not None:
        console.print(Text(f"Paused: {status.paused or 'no reason was given'}. `ddn resume` goes on.", "bold yellow"))


def _mark(part: PartState) -> Text:
    if part.is_up:
        return Text("up", "green")
    return Text("DOWN", "bold red") if part.is_expected else Text("-", "bright_black")


def _taken(status: Status) -> str:
    analysed = "" if status.analysed is None else f", {status.analysed} of them being analysed"
    return f"{status.taken} taken by workers{analysed}"
