"""`ddn revoke` and `ddn purge`: analyses that are not wanted."""

from collections.abc import Iterator

import click

from robot_ddn_listener.cards.legible import count

from ..ops.steering.queued import waiting
from ..ops.steering.reach import Backend, now, operator
from ..ops.steering.revoke import purge, revoke, revoke_pending
from ..ports import History
from .here import backend_here, fail, history_here


@click.command("revoke")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--pending", is_flag=True, help="All that wait in the queue.")
def revoke_command(ids: tuple[str, ...], pending: bool) -> None:
    """Revoke analyses: one that waits never runs, one that runs stops at its next step. An ID may be its beginning.

    The card keeps the best answer so far and says who revoked it. `ddn requeue --id ID` sends it again.
    """
    if bool(ids) == pending:
        raise fail("Reading the arguments failed: expected ids, or --pending, one of both.")
    with backend_here() as backend, history_here() as history:
        for line in _revoked(backend, history, ids, f"revoked by {operator()} at {now():%Y-%m-%d %H:%M} UTC"):
            click.echo(line)


def _revoked(backend: Backend, history: History, ids: tuple[str, ...], why: str) -> Iterator[str]:
    """Revoke one after the other, and yield what to say of it."""
    if not ids:
        number = len(revoke_pending(backend, history, why).queued)
        again = " `ddn requeue --pending` sends what has no answer again." if number else ""
        yield f"{count(number, 'report')} revoked.{again}"
    for beginning in ids:
        found = revoke(backend, history, beginning, why)
        yield from (f"Revoked '{report_id}': it never runs." for report_id in found.queued)
        yield from (f"Revoked '{report_id}': it stops at its next step." for report_id in found.running)


@click.command("purge")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge_command(yes: bool) -> None:
    """Take all reports that wait out of the queue. They are kept in the history: `ddn requeue --pending` sends them again."""
    with backend_here() as backend, history_here() as history:
        number = sum(1 for _ in waiting(backend.client))
        if not number:
            click.echo("Nothing waits.")
            return
        if not (yes or _agreed(f"Take {count(number, 'report')} out of the queue of {backend.where}?")):
            click.echo("Nothing was taken out.")
            return
        begun = now()
        purged = purge(backend, history, f"purged by {operator()} at {begun:%Y-%m-%d %H:%M} UTC")
    click.echo(f"{count(purged.kept, 'report')} taken out and kept in the history. `ddn requeue --pending` sends them again.")
    if purged.unreadable:
        click.echo(f"{count(purged.unreadable, 'message')} taken out that no report could be read from; gone.")
    if purged.running:
        click.echo(f"{purged.running} in the hands of workers left alone; `ddn revoke ID` stops one.")


def _agreed(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort:
        raise fail("Asking whether to purge failed: nobody answered. Give --yes.") from None
