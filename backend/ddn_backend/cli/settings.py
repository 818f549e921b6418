"""`ddn settings`: every setting of the backend, its present value, and what it is for."""

from pathlib import Path

import click

from ..ops.settings_table import dotenv, markdown, settings, shown
from ..settings import load, read_dotenv


@click.command("settings")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print docs/settings.md.")
@click.option("--dotenv", "as_dotenv", is_flag=True, help="Print a .env file with all defaults.")
def settings_command(as_markdown: bool, as_dotenv: bool) -> None:
    """List every setting with its present value; secrets are not shown."""
    if as_markdown or as_dotenv:
        click.echo(markdown() if as_markdown else dotenv(), nl=False)
        return
    read_dotenv(Path.cwd())
    present = load()
    width = max(len(setting.variable) for setting in settings())
    for setting in settings():
        value = shown(setting, present)
        mark = " " if value == setting.default else "*"
        click.echo(f"{mark} {setting.variable:<{width}}  {value or '-'}\n{'':<{width + 4}}{setting.meaning}")
    click.echo("\n* differs from its default")
