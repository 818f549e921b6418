"""`ddn search`: what retrieval finds for a text, with the grades it gets."""

import json
from collections.abc import Callable, Iterator, Mapping
from textwrap import shorten, wrap
from typing import Any

import click

Ask = Callable[[str, str, str | None], Mapping[str, Any]]

WIDTH = 78
INDENT = " " * 7
CAUSE_CHARACTERS = 2 * (WIDTH - len(INDENT))
QUERY_CHARACTERS = 40
LOWEST_SHOWN = 0.005  # what would be shown as 0.00 shares nothing with the text but a common word


def search_command(ask: Ask) -> click.Command:
    """Return the command; `ask(text, project, redis URL or None)` returns what `pipeline.lookup.look_up` does."""

    @click.command()
    @click.argument("text", metavar="TEXT")
    @click.option("--project", default="", envvar="DDN_PROJECT", help="Whose runbooks and past failures to search, too.")
    @click.option("--redis", metavar="URL", help="The backend's Redis; default: DDN_REDIS_URL, else this machine alone.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def search(text: str, project: str, redis: str | None, as_json: bool) -> None:
        """Show what the knowledge base has on TEXT, such as an error message, and how relevant it is."""
        if not text.strip():
            raise click.UsageError("Searching failed: expected a text such as an error message, got nothing. Nothing was searched.")
        found = ask(text, project, redis)
        click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_lines(found)))
        for note in found["degraded"]:
            click.echo(f"  degraded: {note}", err=True)

    return search


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    for place, a_search in enumerate(found["searches"]):
        yield a_search["source"] + (f", asked for: {shorten(a_search['query'], QUERY_CHARACTERS)}" if place else "")
        found_here = [passage for passage in a_search["passages"] if passage["grade"] >= LOWEST_SHOWN]
        for passage in found_here:
            yield from _passage_lines(passage)
        if not found_here:
            yield f"  nothing {'else ' if place else ''}was found"
    yield f"action: {found['action'] or 'none'}"
    if found["action"] != "correct":
        yield "Nothing that is surely about this text. A whole error message finds more than a few words."
    yield from (f"sent to {what}" for what in found["sent_to"])


def _passage_lines(passage: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {passage['grade']:.2f} {passage['standing']:<10} {passage['error_type']:<16} {passage['title']}"
    vouched = f" by {passage['confirmed_by']}" if passage["confirmed_by"] else ""
    ticket = f", {passage['ticket']}" if passage["ticket"] else ""
    yield f"       {passage['kind']}{vouched}{ticket}, graded by {passage['graded_by']}: {passage['id']}"
    yield from wrap(shorten(passage["cause"], CAUSE_CHARACTERS), WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
