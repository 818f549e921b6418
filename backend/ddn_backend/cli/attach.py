"""`ddn attach`: answers that came late go into the output file, and log and report are made anew."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from robot.api import ResultWriter
from robot.errors import DataError

from robot_ddn_listener.attach import attach_to_file, cards_in_file
from robot_ddn_listener.connection import connect
from robot_ddn_listener.errors import OutputError
from robot_ddn_listener.late import Fetched, FoundCard, fetch_answers, groups, late_annotations, tickets_of
from robot_ddn_listener.render import View, console_lines
from robot_ddn_listener.settings import Settings
from robot_ddn_listener.ticket import Delivery, Ticket
from robot_ddn_listener.waiting import ProgressLine, StopOnSignal

from .options import output_files, read_options, settings_options

RPA_BYTES = 1000  # at the start of an output file, in which it says what kind of run it was


@click.command()
@click.argument("outputs", metavar="OUTPUT...", nargs=-1, required=True)
@click.option("--log", default="log.html", show_default=True, help="Name of the log beside the output file, or NONE.")
@click.option("--report", default="report.html", show_default=True, help="Name of the report beside the output file, or NONE.")
@settings_options
@click.pass_context
def attach(
    context: click.Context,
    outputs: tuple[str, ...],
    log: str,
    report: str,
    redis: str | None,
    project: str | None,
    wait: float | None,
) -> None:
    """Write answers that came after the run into OUTPUT, and make log and report of it again."""
    settings = read_options(redis=redis, project=project, wait=wait)
    found = [(path, _cards(path)) for path in output_files(outputs)]  # all are read before anything is written
    still_open = 0
    for path, cards in found:
        still_open += _attach(path, cards, settings)
        _rebuild(path, log, report)
    context.exit(1 if still_open else 0)


def _cards(path: Path) -> Sequence[FoundCard]:
    cards = cards_in_file(path)
    if not cards:
        raise OutputError(
            f"Attaching to '{path}' failed: no analysis stands in it, expected an output file of a run with the listener. "
            f"For other files there is `ddn analyze`. Nothing was written."
        )
    return cards


def _attach(path: Path, cards: Sequence[FoundCard], settings: Settings) -> int:
    tickets = tickets_of(cards)
    view = View(
        output=str(path),
        flower_url=settings.flower_url,
        tags=settings.tags,
        metadata=settings.metadata,
        noun="task" if _is_rpa(path) else "test",
        corrections=True,
    )
    fetched = _fetch(tickets, settings)
    attach_to_file(path, late_annotations(cards, tickets, fetched.better, view))
    click.echo("\n".join(console_lines(tickets, view, groups(cards, tickets, fetched.better))))
    if fetched.still_open:
        click.echo(f"{fetched.still_open} of {len(tickets)} answers are still open. {fetched.idle}".rstrip(), err=True)
    return fetched.still_open


def _fetch(tickets: Sequence[Ticket], settings: Settings) -> Fetched:
    pending = sum(ticket.delivery is not Delivery.ANSWERED for ticket in tickets)
    if not pending:
        return Fetched()
    transport = connect(settings.redis, dict(os.environ))
    if isinstance(transport, str):
        return Fetched(still_open=pending, idle=transport)
    try:
        with StopOnSignal() as stop, ProgressLine() as progress:
            return fetch_answers(tickets, transport, settings.wait, stop, progress)
    finally:
        transport.close()


def _rebuild(path: Path, log: str, report: str) -> None:
    try:
        ResultWriter(str(path)).write_results(outputdir=str(path.parent), output=None, log=log, report=report, stdout=sys.stderr)
    except DataError as error:
        raise OutputError(f"Making log and report of '{path}' failed: {error} The answers stand in the output file.") from error


def _is_rpa(path: Path) -> bool:
    with open(path, "rb") as file:
        start = file.read(RPA_BYTES)
    return any(mark in start for mark in (b'rpa="true"', b'"rpa": true', b'"rpa":true'))
