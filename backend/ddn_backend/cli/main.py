"""`ddn`: thin commands over the listener's and the backend's parts. Exit codes: 0 done, 1 done in part, 2 unusable input."""

import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from robot_ddn_listener.errors import DdnError
from robot_ddn_listener.version import VERSION

from ..bootstrap import confirmed_failures, evaluated_pipeline, project_library, reranked_library
from .analyze import analyze
from .asking import ask
from .attach import attach
from .evaluate import evaluate_command
from .feedback import confirm, correct, explain, forget, show, undo
from .learn import learn_command
from .preview import preview
from .replay import replay
from .search import search_command

_OPERATORS: dict[str, str] = {
    "alert": "alert",
    "capacity": "capacity",
    "dead": "requeue",
    "flower": "flower",
    "monitor": "monitor",
    "limit": "limit",
    "pause": "pause",
    "purge": "revoke",
    "report": "report",
    "requeue": "requeue",
    "resume": "pause",
    "revoke": "revoke",
    "settings": "settings",
    "doctor": "doctor",
    "status": "status",
    "tasks": "tasks",
    "up": "up",
    "worker": "worker",
}
"""Commands for operators: name -> module of this package, in which it is NAME_command; imported when it is called."""


class Commands(click.Group):
    """The commands of `ddn`; those for operators are imported when they are called, for what they need is large."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *_OPERATORS})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if module := _OPERATORS.get(name):
            command = getattr(import_module(f".{module}", __package__), f"{name}_command")
            assert isinstance(command, click.Command)
            return command
        return super().get_command(context, name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(VERSION, prog_name="ddn")
@click.pass_context
def ddn(context: click.Context, debug: bool) -> None:
    """Root causes for failing Robot Framework tests."""
    context.obj["debug"] = debug


if TYPE_CHECKING:
    from ..knowledge.library import ProjectLibrary
    from ..ports import Document


def _search(text: str, project: str, redis: str | None) -> Mapping[str, Any]:
    return ask("search", text, project, redis=redis or "")


def _library() -> "ProjectLibrary":
    from ..settings import load  # needs the backend's extra, which the other commands do not

    return project_library(load())


def _confirmed() -> "Iterable[Document]":
    from ..settings import load

    return confirmed_failures(load())


for command in (
    analyze,
    attach,
    replay,
    preview,
    show,
    explain,
    confirm,
    correct,
    undo,
    forget,
    search_command(_search),
    learn_command(_library, _confirmed),
    evaluate_command(evaluated_pipeline, reranked_library),
):
    ddn.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `ddn` and end the process with its exit code."""
    seen = {"debug": False}
    try:
        code = ddn.main(sys.argv[1:] if arguments is None else list(arguments), prog_name="ddn", standalone_mode=False, obj=seen)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        click.echo(f"{context.command_path if context else 'ddn'}: {' '.join(error.format_message().split())}", err=True)
        code = 2
    except click.Abort:
        code = 130
    except ModuleNotFoundError as error:
        click.echo(f"ddn: Running this command failed: {error}. It needs robot-ddn-listener[backend].", err=True)
        code = 2
    except (DdnError, OSError) as error:
        if seen["debug"]:
            traceback.print_exc()
        click.echo(f"ddn: {error}", err=True)
        code = 2
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
