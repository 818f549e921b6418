"""`ddn capacity`: what arrives, how long it takes, how busy the workers are, and what other numbers of them would give."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from .. import bootstrap, settings
from ..ops.reporting.capacity import BUSY_ENOUGH, Estimate, Load, choices, measured, needed
from ..ops.reporting.looking_back import runs_between
from .durations import Since

WIDTH = 78  # where there is no terminal that tells its own
RATE = click.FloatRange(0, 1e6)
SECONDS = click.FloatRange(0, 1e6, min_open=True)


@click.command("capacity")
@click.option("--workers", type=click.IntRange(1, 100_000), help="What so many workers would give.")
@click.option("--since", type=Since(), default="1d", show_default=True, help="How far back to look.")
@click.option("--rate", type=RATE, help="Arrivals a minute to plan for, instead of the busiest hour's.")
@click.option("--seconds", type=SECONDS, help="Seconds an analysis takes, instead of what was measured.")
@click.option("--json", "as_machine", is_flag=True, help="Print JSON.")
@click.pass_context
def capacity_command(
    context: click.Context, workers: int | None, since: datetime, rate: float | None, seconds: float | None, as_machine: bool
) -> None:
    """Show whether there are enough workers, and what N of them would give.

    A worker is what analyses one report at a time: `ddn up` runs DDN_WORKERS processes with DDN_CONCURRENCY threads each, which
    is so many workers.
    """
    settings.read_dotenv(Path.cwd())
    configured = settings.load()
    until, history = datetime.now(UTC), bootstrap.history(configured)
    try:
        load = measured(runs_between(history, since, until), since, until)
    finally:
        history.close()
    plan_rate, plan_seconds = load.busiest_rate if rate is None else rate, seconds or load.service_seconds
    present = configured.workers * configured.concurrency
    estimates = choices(present, workers or 0, plan_rate, plan_seconds) if plan_rate and plan_seconds else []
    if as_machine:
        click.echo(json.dumps(_machine(load, plan_rate, plan_seconds, present, estimates), indent=2))
        return
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=WIDTH)
    for line in _measured(load, since, until):
        console.print(line, markup=False)
    if not estimates:
        console.print("Nothing to plan for: give --rate and --seconds, or a longer --since.")
        return
    console.print(f"\nPlanned for {plan_rate:.3g} arrivals a minute that take {plan_seconds:.3g} s each:")
    console.print(_table(estimates, configured.concurrency, present, needed(plan_rate, plan_seconds), workers or 0))
    for line in _explained(configured.workers, configured.concurrency):
        console.print(line, markup=False)


def _measured(load: Load, since: datetime, until: datetime) -> Iterator[str]:
    yield f"From {_clock(since)} to {_clock(until)}:"
    if not load.arrived:
        yield "  no analysis arrived"
        return
    busiest = f"{load.busiest_rate:.3g} in the hour from {_local(load.busiest)}"
    yield f"  arrivals      {load.arrived}, {load.rate:.3g} a minute; {busiest}"
    if load.served:
        yield f"  service time  {_mean_and_p95(load.service_seconds, load.service_p95_seconds)}, of {load.served} analyses"
    if load.waited:
        yield f"  waiting       {_mean_and_p95(load.wait_seconds, load.wait_p95_seconds)}, of {load.waited} that were seen to start"
    yield f"  at once       {load.most_at_once} at most"


def _mean_and_p95(mean: float, p95: float) -> str:
    return f"mean {mean:.3g} s, p95 {p95:.3g} s"


def _table(estimates: Iterable[Estimate], threads: int, present: int, enough: int, asked: int) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("workers", f"{threads} a process", "a minute", "busy", "mean wait", "p95 wait"):
        table.add_column(column, justify="right")
    table.add_column("")
    for item in estimates:
        notes = {"now": item.workers == present, "enough": item.workers == enough, "asked": item.workers == asked}
        row = (
            str(item.workers),
            f"{math.ceil(item.workers / threads)}",
            f"{item.per_minute:.4g}",
            f"{100 * item.utilisation:.0f} %",
        )
        waits = (_wait(item.wait_seconds), _wait(item.wait_p95_seconds))
        table.add_row(*row, *waits, ", ".join(note for note, holds in notes.items() if holds))
    return table


def _explained(processes: int, threads: int) -> Iterator[str]:
    yield f"A worker is one thread: DDN_WORKERS={processes} x DDN_CONCURRENCY={threads} are {processes * threads}."
    yield f"Enough: busy for {100 * BUSY_ENOUGH:.0f} % of the time at most. Waiting is an estimate (M/M/c,"
    yield "Erlang C) for reports that come one by one; those that a broken run sends at"
    yield "once wait longer."


def _wait(seconds: float) -> str:
    return "grows" if math.isinf(seconds) else f"{seconds:.1f} s"


def _machine(load: Load, rate: float, seconds: float, present: int, estimates: Iterable[Estimate]) -> dict[str, Any]:
    return {
        "measured": asdict(load),
        "planned": {"rate": rate, "service_seconds": seconds, "needed": needed(rate, seconds), "present": present},
        "estimates": [_finite(item) for item in estimates],
    }


def _finite(item: Estimate) -> dict[str, Any]:
    """JSON has no infinity: a wait without end is null."""
    plain = asdict(replace(item))
    return {name: None if isinstance(value, float) and math.isinf(value) else value for name, value in plain.items()}


def _clock(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M %Z}"


def _local(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone():%m-%d %H:%M}" if text else ""
