"""`ddn limit`: rate limits that change while workers run."""

import re

import click

from ..call_rates import SERVICES
from ..ops.steering.limits import MAX_CALLS_A_MINUTE, Rate, change, rates
from .here import backend_here, fail, settings_here

RATE = re.compile(r"(\d{1,9})(/min)?")
EXPECTED = f"expected N/min with N from 1 to {MAX_CALLS_A_MINUTE}, `off` for no limit, or `default`"


@click.command("limit")
@click.argument("service", required=False, type=click.Choice(SERVICES))
@click.argument("rate", required=False, metavar="[N/min|off|default]")
def limit_command(service: str | None, rate: str | None) -> None:
    """Show the rate limits, or change one for all workers, from the next call on: `ddn limit model 30/min`.

    It holds until it is changed again; `default` gives it back to the settings.
    """
    calls = _calls(rate) if rate is not None else None
    with backend_here() as backend:
        if service and rate is not None:
            change(backend.client, service, calls)
        for each in rates(backend.client, settings_here()):
            if service in (None, each.service):
                click.echo(_told(each))


def _calls(rate: str) -> int | None:
    """Return calls a minute, 0 for no limit, None for what is set."""
    if rate in ("off", "default"):
        return 0 if rate == "off" else None
    found = RATE.fullmatch(rate.replace(" ", ""))
    if not found or not 1 <= int(found[1]) <= MAX_CALLS_A_MINUTE:
        raise fail(f"Reading argument 'RATE' failed: {EXPECTED}, got '{rate}'.")
    return int(found[1])


def _told(rate: Rate) -> str:
    by = "as set" if rate.now == rate.configured else f"by an operator; {_shown(rate.configured)} as set"
    return f"{rate.service:<7} {_shown(rate.now)} ({by})"


def _shown(calls: int) -> str:
    return f"{calls}/min" if calls else "no limit"
