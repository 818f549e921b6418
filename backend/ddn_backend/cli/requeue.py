"""`ddn requeue` and `ddn dead`: what failed, and to send it again."""

import json
from datetime import datetime
from typing import Any

import click

from robot_ddn_listener.cards.legible import clean, count, one_line
from robot_ddn_listener.contract import encode

from ..ops.steering.requeue import ANY_PART, Chosen, DeadLetter, chosen, dead_letters, requeue
from ..ports import Past, State
from .durations import Since
from .here import backend_here, fail, history_here

MAX_ERROR_CHARACTERS, MAX_NAME_CHARACTERS = 1000, 200
SHOWN = 20  # reports by name; of more the number tells enough


@click.command("requeue")
@click.option("--id", "ids", metavar="ID", multiple=True, help="This failure; its id or the beginning of it. May be repeated.")
@click.option("--failed", is_flag=True, help="Those whose analysis failed for good, see `ddn dead`.")
@click.option("--pending", is_flag=True, help="Those without a final answer: purged, revoked, or lost.")
@click.option(
    "--degraded", metavar="[PART]", is_flag=False, flag_value=ANY_PART, help="Those answered without PART, such as pinecone."
)
@click.option("--since", metavar="TIME", type=Since(), help="Those seen since then: 15m, 2h, 7d ago, or an ISO time.")
@click.option("--error-text", "text", metavar="TEXT", default="", help="Those with TEXT in error, problem or degraded notes.")
@click.option("--project", default="", help="Those of one project.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), default=1000, show_default=True, help="The newest N at most.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent.")
@click.pass_context
def requeue_command(context: click.Context, /, failed: bool, pending: bool, dry_run: bool, **given: Any) -> None:
    """Send reports from the history to the queue again, in full. Of several conditions all must hold."""
    if failed and pending:
        raise fail("Reading the options failed: nothing is both --failed and --pending.")
    wanted = Chosen(
        ids=given["ids"],
        state=State.FAILED if failed else State.PENDING if pending else None,
        part=given["degraded"] or "",
        since=given["since"],
        text=given["text"],
        project=given["project"],
        limit=given["limit"],
    )
    if wanted.is_empty:
        raise fail("Reading the options failed: expected which reports, by --id, --failed, --pending, --degraded, --since ...")
    with history_here() as history:
        reports = chosen(history, wanted)
    if not reports:
        click.echo("Nothing in the history is like that. Nothing was sent.")
        return
    _list(reports)
    if dry_run:
        click.echo(f"{count(len(reports), 'report')} would be sent.{_more(reports, wanted)}")
        return
    with backend_here() as backend:
        sent = requeue(backend, reports)
    click.echo(f"{count(sent.count, 'report')} sent to {backend.where}.{_more(reports, wanted)}")
    if sent.problem:
        click.echo(f"{count(len(reports) - sent.count, 'report')} not sent: {sent.problem}", err=True)
        context.exit(1)


def _list(reports: tuple[Past, ...]) -> None:
    for past in reports[:SHOWN]:
        click.echo(f"  {past.report.id[:8]}  {past.state:<8}  {_named(past)}")
    if len(reports) > SHOWN:
        click.echo(f"  ... and {len(reports) - SHOWN} more")


def _more(reports: tuple[Past, ...], wanted: Chosen) -> str:
    is_cut = not wanted.ids and len(reports) == wanted.limit
    return f" There may be older ones: these are the newest {wanted.limit}, see --limit." if is_cut else ""


@click.command("dead")
@click.option("--project", default="", help="Those of one project.")
@click.option("--since", metavar="TIME", type=Since(), help="Those seen since then: 15m, 2h, 7d ago, or an ISO time.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), default=20, show_default=True, help="The newest N at most.")
@click.option("--json", "as_json", is_flag=True, help="Print them for machines, one a line, with the whole report.")
def dead_command(project: str, since: datetime | None, limit: int, as_json: bool) -> None:
    """List dead letters: reports whose analysis failed for good, the newest first, with error and traceback.

    `ddn requeue --failed` sends them again.
    """
    with history_here() as history:
        number = 0
        for letter in dead_letters(history, project, since, limit):
            click.echo(json.dumps(_plain(letter)) if as_json else _shown(letter))
            number += 1
    if not as_json:
        again = " `ddn requeue --failed` sends them again." if number else ""
        click.echo(f"{count(number, 'dead letter')}.{again}")


def _shown(letter: DeadLetter) -> str:
    lines = [
        f"{letter.past.report.id}  {letter.past.seen:%Y-%m-%d %H:%M} UTC  {_named(letter.past)}",
        f"  {one_line(letter.error, MAX_ERROR_CHARACTERS)}",
        *(f"    {line}" for line in clean(letter.traceback).rstrip().splitlines()),
    ]
    return "\n".join(lines) + "\n"


def _plain(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.past.report.id,
        "seen": letter.past.seen.isoformat(),
        "error": letter.error,
        "traceback": letter.traceback,
        "report": encode(letter.past.report),
        "analysis": encode(letter.past.analysis),
    }


def _named(past: Past) -> str:
    return one_line(f"{past.report.project}: {past.report.test_name or past.report.suite_name}", MAX_NAME_CHARACTERS)
