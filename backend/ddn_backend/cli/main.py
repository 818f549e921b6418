"""`ddn`: thin commands over the listener's and the backend's parts. Exit codes: 0 done, 1 done in part, 2 unusable input."""

import sys
import traceback
from collections.abc import Sequence

import click

from robot_ddn_listener.errors import DdnError
from robot_ddn_listener.version import VERSION

from .analyze import analyze
from .attach import attach
from .replay import replay


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(VERSION, prog_name="ddn")
def ddn(debug: bool) -> None:
    """Root causes for failing Robot Framework tests."""


for command in (analyze, attach, replay):
    ddn.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `ddn` and end the process with its exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = ddn.main(arguments, prog_name="ddn", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = 2
    except click.Abort:
        code = 130
    except DdnError as error:
        if "--debug" in arguments:
            traceback.print_exc()
        click.echo(f"ddn: {error}", err=True)
        code = 2
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
