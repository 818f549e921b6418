"""`ddn pause` and `ddn resume`."""

import click

from ..ops.steering.pause import one_line, pause, paused, resume
from ..ops.steering.reach import now, operator
from .here import backend_here, fail


@click.command("pause")
@click.argument("reason")
def pause_command(reason: str) -> None:
    """Let workers take nothing new, and say why: REASON, such as "Pinecone is down", is what every card shows.

    It holds until `ddn resume`, whatever is restarted. Listeners go on sending, and do not wait for answers.
    """
    if not one_line(reason):
        raise fail("Reading argument 'REASON' failed: expected some words, which testers read on their cards, got none.")
    with backend_here() as backend:
        pause(backend, reason, operator(), now())
        click.echo(f"{paused(backend.client)} What runs goes on, nothing new begins. `ddn resume` ends it.")


@click.command("resume")
def resume_command() -> None:
    """Let workers take reports again."""
    with backend_here() as backend:
        before = resume(backend)
        click.echo(f"Resumed. {str(before).replace(' is ', ' was ', 1)}" if before else "The queue was not paused.")
