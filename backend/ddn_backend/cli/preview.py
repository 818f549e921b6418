"""`ddn preview`: exactly what a model would be sent of the failures in output files."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from robot_ddn_listener.afterwards import analyze_suite
from robot_ddn_listener.annotation import Place
from robot_ddn_listener.attach import cards_in_result
from robot_ddn_listener.contract import FailureReport
from robot_ddn_listener.errors import OutputError
from robot_ddn_listener.gather import system_messages

from ..bootstrap import prompt_preview
from ..ports import Opening
from .analyze import load_result
from .options import output_files, read_options, run_of

WIDTH = 78
NOTE = """\
Nothing is sent. A model would get the instructions and the tools below with the
message of each group of failures. What its tools answer is sent when it calls
them. Nothing is asked of services: what Pinecone or GitHub find is missing here.
A running listener knows more of an exception than its output file does. What a
person has confirmed, or was diagnosed in the last days, is not sent again. With
DDN_MODEL_GRADES and DDN_WEB_SEARCH a model also gets what is to be graded, or
searched for."""


@click.command()
@click.argument("outputs", metavar="OUTPUT...", nargs=-1, required=True)
@click.option("--send", type=click.Choice(["message", "log", "code"]), help="What may be sent; default: DDN_SEND, else log.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: of each group instructions, message and tools.")
def preview(outputs: tuple[str, ...], send: str | None, as_json: bool) -> None:
    """Print what a model would be sent of each group of failures in OUTPUT; nothing is sent.

    Report ids are those of `ddn analyze` on the same files, and where the listener's cards stand in them, those of its run.
    """
    reports = _reports(outputs)
    with prompt_preview(send) as opening:
        openings = [opening(report) for report in reports]
    if as_json:
        click.echo(json.dumps([_plain(report, said) for report, said in zip(reports, openings, strict=True)], indent=2))
    else:
        click.echo("\n".join(_lines(reports, openings)))


def _reports(outputs: tuple[str, ...]) -> list[FailureReport]:
    settings, paths = read_options(), output_files(outputs)
    result = load_result(paths)
    sent = {place: facts.report_id for place, facts in cards_in_result(result.suite) if facts.role == "full"}
    reason = "Nothing is sent: this is a preview."
    tickets, outbox = analyze_suite(
        result.suite, settings, lambda: reason, threading.Event(), messages=system_messages(result.errors), run=run_of(paths)
    )
    outbox.close()
    reports = [_as_sent(ticket.report, [member.place for member in ticket.members], sent) for ticket in tickets]
    if not any(report.error_message for report in reports):
        raise OutputError(f"Previewing '{', '.join(outputs)}' failed: there is no failure in it that would be sent.")
    return [report for report in reports if report.error_message]


def _as_sent(report: FailureReport, places: Sequence[Place], sent: dict[Place, str]) -> FailureReport:
    return replace(report, id=next((sent[place] for place in places if place in sent), report.id))


def _plain(report: FailureReport, said: Opening) -> dict[str, Any]:
    tools = [{"name": tool.name, "description": tool.description, "parameters": tool.parameters} for tool in said.tools]
    return {"test": report.full_name, "instructions": said.instructions, "message": said.message, "tools": tools}


def _lines(reports: Sequence[FailureReport], openings: Sequence[Opening]) -> Iterator[str]:
    yield NOTE
    for instructions in dict.fromkeys(said.instructions for said in openings):
        yield from _part("instructions", instructions)
    declared = {tool.name: tool for said in openings for tool in said.tools}
    yield from _part("tools", "")
    for tool in declared.values():
        yield f"{tool.name}\n  {tool.description}\n  {json.dumps(tool.parameters, ensure_ascii=False)}"
    for report, said in zip(reports, openings, strict=True):
        yield from _part(f"message: {report.full_name}", said.message)
        if lacking := declared.keys() - {tool.name for tool in said.tools}:
            yield f"Without the tools {', '.join(sorted(lacking))}."


def _part(title: str, text: str) -> Iterator[str]:
    yield f"\n{title}\n{'=' * min(len(title), WIDTH)}"
    if text:
        yield text
