"""`ddn alert`: the rules, what is wrong now, and a test message over each route."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from robot_ddn_listener.errors import DdnError

from .. import bootstrap, settings
from ..ops.alerting.alert_rules import KINDS, AlertFile, Rule, Unit
from ..ops.alerting.alerts import try_targets
from ..ops.alerting.incident_store import IncidentStore
from ..ops.alerting.incidents import Incident, clock
from ..ops.running import endpoint
from ..ops.steering.reach import reach

if TYPE_CHECKING:
    from ..settings import Settings

WIDTH = 78  # where there is no terminal that tells its own


@click.command("alert")
@click.option("--test", "testing", is_flag=True, help="Send a test message over each ROUTE, or over all; 1 if one fails.")
@click.argument("routes", metavar="[ROUTE]...", nargs=-1)
@click.pass_context
def alert_command(context: click.Context, testing: bool, routes: tuple[str, ...]) -> None:
    """Show the rules of alerts and the incidents that are open.

    The file of rules is named by DDN_ALERTS; without it no alerts are sent.
    """
    settings.read_dotenv(Path.cwd())
    configured = settings.load()
    if routes and not testing:
        raise click.UsageError("Reading the arguments failed: expected --test before a ROUTE. Nothing was sent.")
    if not configured.alerts:
        raise click.UsageError(
            "Reading setting 'DDN_ALERTS' failed: expected a file of alert rules, got nothing. No alerts are sent."
        )
    console = _console()
    context.exit(_test(console, configured, routes) if testing else _show(console, configured))


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def _test(console: Console, configured: "Settings", routes: tuple[str, ...]) -> int:
    file, notifier = bootstrap.alerting(configured)
    for route in routes:
        if route not in file.routes:
            known = ", ".join(file.routes) or "(there are none)"
            raise click.UsageError(f"Reading argument 'ROUTE' failed: expected one of {known}, got '{route}'. Nothing was sent.")

    def done(target: str, problem: str) -> None:
        told = f"[red]failed[/]: {escape(problem)}" if problem else "[green]sent[/]"
        console.print(f"{escape(target)} ({escape(notifier.service(target))}): {told}")

    targets = [target for route in routes or file.routes for target in file.routes[route]]
    if not targets:
        console.print("There is no route in the file: nobody is told of anything.")
    return 0 if try_targets(notifier, tuple(targets), done) else 1


def _show(console: Console, configured: "Settings") -> int:
    file, _ = bootstrap.alerting(configured)
    console.print(_rules(file))
    try:
        with reach(endpoint.with_redis(configured)) as backend:
            incidents = [incident for incident in IncidentStore(backend.client).load() if not incident.resolved]
    except DdnError as error:
        console.print(f"Open incidents are not known: {error}", markup=False)
        return 1
    _tell(console, incidents)
    return 0


def _rules(file: AlertFile) -> Table:
    table = Table(title=f"Alert rules of {escape(str(file.path))}", title_justify="left", box=None, pad_edge=False)
    for column in ("rule", "project", "bad when", "for", "told"):
        table.add_column(column, overflow="fold")
    for rule in file.rules:
        name = f"{rule.name} {rule.label}".strip()
        table.add_row(*map(escape, (name, rule.project or "all", _bad_when(rule), f"{rule.hold:g} s", ", ".join(rule.routes))))
    return table


def _bad_when(rule: Rule) -> str:
    unit = KINDS[rule.name].unit
    if unit is Unit.PERCENT:
        word = "below" if rule.name == "success-rate" else "above"
        return f"{word} {rule.threshold:g} % in {rule.over / 60:g} min, {rule.minimum} runs or more"
    if rule.name == "workers":
        return f"fewer than {rule.threshold:g}"
    words = {"budget": "used up", "redis": "does not answer"}
    return words.get(rule.name) or f"more than {rule.threshold:g}{' s' if unit is Unit.SECONDS else ''}"


def _tell(console: Console, incidents: list[Incident]) -> None:
    console.print("\nNo incident is open." if not incidents else f"\nOpen incidents: {len(incidents)}")
    for incident in sorted(incidents, key=lambda incident: incident.since):
        where = f" ({incident.project})" if incident.project else ""
        untold = f" Not told yet: {', '.join(incident.untold)}." if incident.untold else ""
        text = f"{incident.rule}{where} since {clock(incident.since)}: {incident.text}{untold}"
        console.print(text, markup=False, style="red")
