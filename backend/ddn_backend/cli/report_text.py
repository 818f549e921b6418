"""A report on a terminal, 78 columns wide where it is none."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..ops.reporting import wording
from ..ops.reporting.markup import printable
from ..ops.reporting.recurrence import WEEKDAYS
from ..ops.reporting.report import Bin, Price, Report, Slow, Timing, WorkerShare
from ..ops.reporting.report_causes import Cause
from ..ops.reporting.report_html import recurrence_told

BAR = 24
BLOCKS = " ▁▂▃▄▅▆▇█"
MOST_ROWS = 31  # bins that are shown; of more the latest
MOST_CAUSES = 8
MOST_SLOW = 5


def show(report: Report, console: Console) -> None:
    """Print the report."""
    whose = f" of {report.project}" if report.project else ""
    console.print(_text(f"Failure analysis{whose}"), style="bold")
    zone = wording.zone(report.since, report.until)
    console.print(_text(f"{wording.clock(report.since)} to {wording.clock(report.until)}, all times in {zone}"))
    if not report.total:
        console.print("No analysis in this time.")
        return
    for line in _summary(report):
        console.print(_text(line))
    for title, part in _parts(report):
        console.print()
        console.print(Text(title, style="bold"))
        console.print(part)


def _summary(report: Report) -> Iterator[str]:
    ended = report.succeeded + report.failed
    states = f"{report.failed} failed, {report.revoked} revoked, {report.open} open"
    yield f"{wording.count(report.total)} analyses, {wording.rate(report.rate)} succeeded: {states}"
    degraded = f"{wording.share(report.degraded, ended)} degraded"
    yield f"{degraded}, {report.retried} needed another try, {report.reused} reused"
    took = report.timing
    yield f"mean {wording.seconds(took.mean)}, p50 {wording.seconds(took.p50)}, p95 {wording.seconds(took.p95)}"
    if report.waiting.count:
        yield f"waited mean {wording.seconds(report.waiting.mean)}, p95 {wording.seconds(report.waiting.p95)}"


def _parts(report: Report) -> Iterator[tuple[str, RenderableType]]:
    yield f"Success rate by {report.step}", _trend(report.bins[-MOST_ROWS:], report.step)
    yield "By weekday, and by hour of the day", _heat(report)
    yield "Seconds by error type", _timings("error type", report.by_type)
    if report.by_step:
        yield "Seconds by step", _timings("step", report.by_step)
    yield "Why tests failed", Group(_causes(report.causes), _text(recurrence_told(report)))
    if report.parts:
        yield "What analyses were without", _causes(report.parts)
    if report.errors:
        yield "Why analyses failed", _causes(report.errors)
    yield "Slowest analyses", _slowest(report.slowest[:MOST_SLOW])
    if report.workers:
        yield "Workers", _workers(report.workers)
    if report.price.calls:
        yield "Tokens and cost", _prices((*report.models, *report.projects))
    else:
        yield "Tokens and cost", Text("No model was asked.")


def _trend(bins: Sequence[Bin], step: str) -> Table:
    most = max((_all(item) for item in bins), default=0) or 1
    table = _table(step, ">rate", ">analyses", ">failed", ">degraded", "")
    for item in bins:
        name = f"{item.start:%a %H:%M}" if step == "hour" else f"{item.start:%a %m-%d}"
        bar = "█" * round(BAR * _all(item) / most) or ("▏" if _all(item) else "")
        _row(table, name, wording.rate(item.rate), wording.count(_all(item)), str(item.failed), str(item.degraded), bar)
    return table


def _all(item: Bin) -> int:
    return item.succeeded + item.failed + item.other


def _heat(report: Report) -> Table:
    table = _table("", ">analyses", "00    06    12    18   23")
    for weekday, row in enumerate(report.heat):
        _row(table, WEEKDAYS[weekday], wording.count(sum(row)), _spark(row))
    _row(table, "all days", wording.count(report.total), _spark([sum(row[hour] for row in report.heat) for hour in range(24)]))
    return table


def _spark(counts: Sequence[int]) -> str:
    most = max(counts, default=0) or 1
    return "".join(BLOCKS[-(-8 * count // most)] for count in counts)


def _timings(name: str, timings: Iterable[Timing]) -> Table:
    table = _table(name, ">analyses", ">mean", ">p50", ">p95", ">longest")
    for item in timings:
        _row(table, item.name, wording.count(item.count), *map(wording.seconds, (item.mean, item.p50, item.p95, item.most)))
    return table


def _causes(causes: Sequence[Cause]) -> Table:
    table = _table(">times", ">days", "kind", "what")
    for cause in causes[:MOST_CAUSES]:
        what = f"{cause.text}\n  {cause.weekly}" if cause.weekly else cause.text
        _row(table, wording.count(cause.count), str(cause.days), cause.kind, what)
    return table


def _slowest(slowest: Iterable[Slow]) -> Table:
    table = _table(">seconds", "test", "longest step", "when", "id")
    for item in slowest:
        step = f"{item.step} {wording.seconds(item.step_seconds)}" if item.step else "–"
        _row(table, wording.seconds(item.run.seconds), item.run.test_name, step, f"{item.when:%m-%d %H:%M}", item.run.task_id[:8])
    return table


def _workers(workers: Iterable[WorkerShare]) -> Table:
    table = _table("worker", ">analyses", ">failed", ">degraded", ">busy", ">p50", ">p95")
    for one in workers:
        shares = (wording.share(part, one.count) for part in (one.failed, one.degraded))
        times = map(wording.seconds, (one.timing.p50, one.timing.p95))
        _row(table, one.name, wording.count(one.count), *shares, wording.share(one.busy, 1), *times)
    return table


def _prices(prices: Iterable[Price]) -> Table:
    table = _table("model, project", ">analyses", ">calls", ">tokens in", ">tokens out", ">cost")
    for price in prices:
        counts = map(wording.count, (price.analyses, price.calls, price.tokens_in, price.tokens_out))
        _row(table, price.name, *counts, wording.dollars(price.cost_usd))
    return table


def _table(*columns: str) -> Table:
    """Return a table; the columns with a > are aligned to the right."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left", overflow="fold")
    return table


def _row(table: Table, *cells: str) -> None:
    table.add_row(*map(_text, cells))


def _text(text: str) -> Text:
    """Return a text that is shown as it is: names and messages may hold what rich, or a terminal, reads as an order."""
    return Text(printable(text))
