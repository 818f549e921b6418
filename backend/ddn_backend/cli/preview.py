"""`ddn preview`: exactly what a model would be sent of the failures in output files."""

import threading

import click

from robot_ddn_listener.afterwards import analyze_suite
from robot_ddn_listener.errors import OutputError
from robot_ddn_listener.gather import system_messages
from robot_ddn_listener.ticket import Ticket

from ..bootstrap import prompt_preview
from .analyze import load_result
from .options import output_files, read_options


@click.command()
@click.argument("outputs", metavar="OUTPUT...", nargs=-1, required=True)
@click.option("--send", type=click.Choice(["message", "log", "code"]), help="What may be sent; default: DDN_SEND, else log.")
def preview(outputs: tuple[str, ...], send: str | None) -> None:
    """Print the prompt that a model would get for each group of failures in OUTPUT; nothing is sent."""
    settings = read_options()
    result = load_result(output_files(outputs))
    reason = "Nothing is sent: this is a preview."
    tickets, outbox = analyze_suite(
        result.suite, settings, lambda: reason, threading.Event(), messages=system_messages(result.errors)
    )
    outbox.close()
    tickets = [ticket for ticket in tickets if ticket.report.error_message]
    if not tickets:
        raise OutputError(f"Previewing '{', '.join(outputs)}' failed: there is no failure in it that would be sent.")
    prompt = prompt_preview(send)
    for ticket in tickets:
        click.echo(_titled(ticket) + prompt(ticket.report) + "\n")


def _titled(ticket: Ticket) -> str:
    name = ticket.report.full_name
    return f"{name}\n{'=' * min(len(name), 78)}\n"
