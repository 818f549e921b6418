"""`ddn show`, `explain`, `confirm`, `correct`, `undo`, `forget`: a tester's questions and words, with the Redis URL alone."""

import getpass
import json
from collections.abc import Callable, Iterator
from typing import Any

import click

from robot_ddn_listener.contract import ErrorType

from .asking import ask
from .told import explained, shown

Command = Callable[..., Any]
KINDS = [kind.value for kind in ErrorType if kind is not ErrorType.UNKNOWN]


def _common(command: Command) -> Command:
    command = click.option("--project", default="", envvar="DDN_PROJECT", help="Only a failure of this project; default: any.")(
        command
    )
    command = click.option("--redis", metavar="URL", default="", help="The backend's Redis; default: DDN_REDIS_URL.")(command)
    return click.argument("failure", metavar="ID")(command)


def _as_json(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print the report and the analysis as JSON.")(command)


def _print(answer: dict[str, Any], told: Callable[[dict[str, Any]], Iterator[str]], as_json: bool) -> None:
    click.echo(json.dumps(answer, indent=2) if as_json else "\n".join(told(answer)))


def _asked(task: str, *arguments: Any, project: str, redis: str) -> dict[str, Any]:
    return ask(task, *arguments, *([project] if project else []), redis=redis)


def _person(command: Command) -> Command:
    return click.option("--who", default=getpass.getuser, help="Your name; default: that of your account.")(_common(command))


@click.command()
@_common
@_as_json
def show(failure: str, project: str, redis: str, as_json: bool) -> None:
    """Print the whole report and analysis of a failure. ID is the card's task or report id, or how it begins."""
    _print(_asked("fetch", failure, project=project, redis=redis), shown, as_json)


@click.command()
@_common
@_as_json
def explain(failure: str, project: str, redis: str, as_json: bool) -> None:
    """Say why a failure got its verdict, or why none: rule, passages with grades, model, steps, what was degraded."""
    _print(_asked("fetch", failure, project=project, redis=redis), explained, as_json)


@click.command()
@_person
@click.option("--ticket", default="", help="The ticket that tracks the cause, such as ABC-123.")
def confirm(failure: str, project: str, redis: str, who: str, ticket: str) -> None:
    """Confirm the cause of a failure: it holds at once for the same failure, and is found for similar ones."""
    _asked("say", "confirm", failure, who, {"ticket": ticket}, project=project, redis=redis)
    click.echo("Confirmed.")


@click.command()
@_person
@click.option("--error-type", required=True, type=click.Choice(KINDS, case_sensitive=False))
@click.option("--root-cause", required=True, help="What it really was, in one sentence.")
@click.option("--recommendation", default="", help="What helps.")
@click.option("--ticket", default="", help="The ticket that tracks the cause, such as ABC-123.")
def correct(failure: str, project: str, redis: str, who: str, **words: str) -> None:
    """Say what the cause of a failure really was."""
    _asked("say", "correct", failure, who, words, project=project, redis=redis)
    click.echo("Corrected.")


@click.command()
@_person
def undo(failure: str, project: str, redis: str, who: str) -> None:
    """Take back the last word that was said of a failure; an earlier one stands again."""
    standing = _asked("say", "undo", failure, who, {}, project=project, redis=redis)["analysis"]
    click.echo(f"Taken back. Now it is: {standing['root_cause']}" if standing else "Taken back.")


@click.command()
@_common
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(failure: str, project: str, redis: str, yes: bool) -> None:
    """Delete what the backend keeps of a failure, and what was said of it."""
    if not yes:
        click.confirm(f"Delete all that is kept of failure '{failure}'?", abort=True)
    click.echo(f"Deleted {_asked('forget', failure, project=project, redis=redis)['forgotten']} records.")
