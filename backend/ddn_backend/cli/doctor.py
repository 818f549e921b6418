"""`ddn doctor`: is everything that is configured there, and what to do where it is not."""

import json
from dataclasses import asdict
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap

import click

from ..bootstrap import checks, dead_analyses
from ..ops.doctor import Finding, Health, examine
from ..ops.probes import probes, stack
from ..settings import load, read_dotenv

WIDTH = 78  # where there is no terminal

_MARKS = {Health.OK: ("ok", "green"), Health.OFF: ("-", "bright_black"), Health.FAILING: ("FAILING", "red")}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
@click.pass_context
def doctor_command(context: click.Context, as_json: bool) -> None:
    """Ask every configured part whether it works; exit code 1 where one does not."""
    read_dotenv(Path.cwd())
    settings = load()
    findings = [*stack(settings, lambda: dead_analyses(settings)), *examine(probes(settings, checks(settings)))]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _tell(findings)
    context.exit(any(finding.health is Health.FAILING for finding in findings))


def _tell(findings: list[Finding]) -> None:
    width = max(len(finding.part) for finding in findings)
    for finding in findings:
        mark, colour = _MARKS[finding.health]
        said = finding.said or finding.health.value
        click.echo(f"{click.style(f'{mark:<7}', fg=colour)}  {finding.part:<{width}}  {_wrapped(said, width + 11)}")
        if finding.remedy:
            click.echo(f"{'':<{width + 11}}{_wrapped(finding.remedy, width + 11)}")
    failing = [finding.part for finding in findings if finding.health is Health.FAILING]
    click.echo(f"\n{len(failing)} failing: {', '.join(failing)}." if failing else "\nAll that is configured works.")


def _wrapped(text: str, indent: int) -> str:
    columns = max(get_terminal_size((WIDTH, 24)).columns - indent, 30)
    return f"\n{'':<{indent}}".join(wrap(text, columns, break_long_words=False, break_on_hyphens=False))
