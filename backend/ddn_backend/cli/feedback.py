"""`ddn show`, `explain`, `confirm`, `correct`, `undo`, `forget`: a tester's questions and words, with the Redis URL alone."""

import getpass
import json
from collections.abc import Callable, Iterator
from typing import Any

import click

from robot_ddn_listener.contract import Analysis, ErrorType, decode

from .asking import ask

Command = Callable[..., Any]
KINDS = [kind.value for kind in ErrorType if kind is not ErrorType.UNKNOWN]


def _common(command: Command) -> Command:
    command = click.option("--redis", metavar="URL", default="", help="The backend's Redis; default: DDN_REDIS_URL.")(command)
    return click.argument("failure", metavar="ID")(command)


def _person(command: Command) -> Command:
    return click.option("--who", default=getpass.getuser, help="Your name; default: that of your account.")(_common(command))


@click.command()
@_common
def show(failure: str, redis: str) -> None:
    """Print the whole report and analysis of a failure as JSON. ID is the card's task or report id, or how it begins."""
    click.echo(json.dumps(ask("fetch", failure, redis=redis), indent=2))


@click.command()
@_common
def explain(failure: str, redis: str) -> None:
    """Say why a failure got its verdict, or why none: steps, rule, passages with grades, what was degraded."""
    click.echo("\n".join(_explained(ask("fetch", failure, redis=redis))))


@click.command()
@_person
@click.option("--ticket", default="", help="The ticket that tracks the cause, such as ABC-123.")
def confirm(failure: str, redis: str, who: str, ticket: str) -> None:
    """Confirm the cause of a failure: it holds at once for the same failure, and is found for similar ones."""
    ask("say", "confirm", failure, who, {"ticket": ticket}, redis=redis)
    click.echo("Confirmed.")


@click.command()
@_person
@click.option("--error-type", required=True, type=click.Choice(KINDS, case_sensitive=False))
@click.option("--root-cause", required=True, help="What it really was, in one sentence.")
@click.option("--recommendation", default="", help="What helps.")
@click.option("--ticket", default="", help="The ticket that tracks the cause, such as ABC-123.")
def correct(failure: str, redis: str, who: str, **words: str) -> None:
    """Say what the cause of a failure really was."""
    ask("say", "correct", failure, who, words, redis=redis)
    click.echo("Corrected.")


@click.command()
@_person
def undo(failure: str, redis: str, who: str) -> None:
    """Take back the last word that was said of a failure; an earlier one stands again."""
    standing = ask("say", "undo", failure, who, {}, redis=redis)["analysis"]
    click.echo(f"Taken back. Now it is: {standing['root_cause']}" if standing else "Taken back.")


@click.command()
@_common
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(failure: str, redis: str, yes: bool) -> None:
    """Delete what the backend keeps of a failure, and what was said of it."""
    if not yes:
        click.confirm(f"Delete all that is kept of failure '{failure}'?", abort=True)
    click.echo(f"Deleted {ask('forget', failure, redis=redis)['forgotten']} records.")


def _explained(answer: dict[str, Any]) -> Iterator[str]:
    report = answer["report"]
    yield f"{report['full_name'] or report['test_name']} ({answer['state']}, seen {answer['seen'][:19]})"
    if said := answer.get("said"):
        words = f"{said['error_type']}, {said['root_cause']} {said['ticket']}".rstrip()
        yield f"a person    {said['who']}, {said['when'][:10]}: {words}"
    if not answer["analysis"]:
        yield f"No analysis yet. {answer['problem_of_task']}".rstrip()
        return
    analysis = decode(Analysis, answer["analysis"])
    engine = analysis.engine
    yield f"verdict     {analysis.verdict.value}, {analysis.error_type.value}, confidence {analysis.confidence:.2f}"
    yield from _told("cause", analysis.root_cause)
    yield from (f'evidence    "{item.quote}" ({item.where})' for item in analysis.evidence)
    yield from _told("rule", engine.rule_id or "none matched")
    yield from _told("model", engine.model)
    yield from _told("confirmed", analysis.confirmed_by)
    yield from _told("reused", analysis.reused_from)
    yield from _told("retrieval", engine.crag_action)
    yield from (f"missing     {item}" for item in analysis.missing)
    yield from (f"degraded    {item}" for item in (*analysis.degraded, answer["problem_of_task"]) if item)
    yield from (f"sent to     {item}" for item in analysis.sent_to)
    seconds = ", ".join(f"{name} {taken:.3f}" for name, taken in engine.step_seconds.items())
    yield f"seconds     {seconds}"
    if engine.calls:
        yield f"model calls {engine.calls}, {engine.tokens_in:,} + {engine.tokens_out:,} tokens, ${engine.cost_usd:.4f}"
    for step in analysis.trace:
        yield f"  {step.thought or step.action}"
        yield from (f"    {line}" for line in step.observation.splitlines())


def _told(name: str, text: str) -> Iterator[str]:
    if text:
        yield f"{name:<12}{text}"
