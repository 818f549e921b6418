"""`ddn search`: what retrieval finds for a text, with the grades it gets."""

import json
from collections.abc import Callable, Iterator, Mapping
from textwrap import shorten
from typing import Any

import click

Ask = Callable[[str, str, str | None], Mapping[str, Any]]

WIDTH = 100


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
        yield f"{a_search['source']}{', query rewritten' if place else ''}:"
        for passage in a_search["passages"]:
            yield from _passage_lines(passage)
        if not a_search["passages"]:
            yield "  nothing was found"
    yield f"action: {found['action'] or 'none'}"
    yield from (f"sent to {what}" for what in found["sent_to"])


def _passage_lines(passage: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {passage['grade']:.2f} {passage['standing']:<10} {passage['error_type']:<16} {passage['title']}"
    vouched = f" by {passage['confirmed_by']}" if passage["confirmed_by"] else ""
    ticket = f", {passage['ticket']}" if passage["ticket"] else ""
    yield f"       {passage['kind']}{vouched}{ticket}, graded by {passage['graded_by']}: {passage['id']}"
    yield f"       {shorten(passage['cause'], WIDTH)}"
