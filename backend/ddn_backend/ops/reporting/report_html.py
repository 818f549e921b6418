"""A report as one HTML file: opens offline, asks nobody for anything, runs no script, light or dark as its reader's browser is."""

from collections.abc import Iterable, Iterator, Sequence

from robot_ddn_listener.cards.looks import COLOURS
from robot_ddn_listener.contract import ErrorType

from . import report_charts as charts
from . import wording
from .markup import Markup, Part, element
from .report import Bin, Price, Report, Slow, Timing, WorkerShare
from .report_causes import Cause
from .report_style import STYLE

POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # nothing is loaded and no script runs, whatever the texts hold
FEWEST_WEEKS_DAYS = 21
TASK_CHARACTERS = 8


def page(report: Report, made: str) -> str:
    """Return the whole file; `made` says when, in words."""
    title = f"Failure analysis{f' of {report.project}' if report.project else ''}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    span = f"{wording.clock(report.since)} to {wording.clock(report.until)}"
    zone = wording.zone(report.since, report.until)
    body = element(
        "body",
        element("header", element("h1", title), element("p", f"{span}. All times in {zone}.", class_="dim")),
        element("main", *(_sections(report) if report.total else _nothing(report))),
        element("footer", f"Made by robot-ddn-listener, {made}."),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _nothing(report: Report) -> Iterator[Markup]:
    yield element("p", "No analysis in this time. Take a longer one, or look whether the runs reach this backend.", class_="empty")


def _sections(report: Report) -> Iterator[Markup]:
    yield element("div", *_tiles(report), class_="tiles")
    yield _section("Success rate", element("div", charts.trend(report.bins, report.step), class_="wide"), _legend(), _how(report))
    yield _section("When analyses run", element("div", charts.heat(report.heat), class_="wide"))
    yield _section("Why tests failed", _causes_told(report), _causes(report.causes, "seen", badges=True))
    yield _section("What analyses were without", _parts_told(report), _causes(report.parts, "analyses"))
    if report.errors:
        yield _section("Why analyses failed", _causes(report.errors, "times"))
    yield _section("Seconds by error type", _timings("error type", report.by_type, badges=True))
    if report.by_step:
        yield _section("Seconds by step", _timings("step", report.by_step))
    yield _section("Slowest analyses", _slowest(report.slowest))
    if report.workers:
        yield _section("Workers", _workers(report.workers))
    yield _section("Tokens and cost", *_prices(report))


def _section(title: str, *parts: Part) -> Markup:
    return element("section", element("h2", title), *parts)


def _tiles(report: Report) -> Iterator[Markup]:
    ended = report.succeeded + report.failed
    yield _tile("analyses", wording.count(report.total), f"{report.open} open, {report.revoked} revoked, {report.reused} reused")
    yield _tile("succeeded", wording.rate(report.rate), f"{report.failed} of {ended} failed, {report.retried} needed another try")
    yield _tile("degraded", wording.share(report.degraded, ended), f"{report.degraded} without a configured part")
    yield _tile("seconds, p50", wording.seconds(report.timing.p50), f"mean {wording.seconds(report.timing.mean)}")
    yield _tile("seconds, p95", wording.seconds(report.timing.p95), f"longest {wording.seconds(report.timing.most)}")
    if report.waiting.count:
        yield _tile("waiting, p95", wording.seconds(report.waiting.p95), f"mean {wording.seconds(report.waiting.mean)}")
    yield _tile("cost", wording.dollars(report.price.cost_usd), f"{wording.count(report.price.calls)} calls of a model")


def _tile(name: str, value: str, note: str) -> Markup:
    return element("div", element("b", value), element("span", name), element("small", note), class_="tile")


def _legend() -> Markup:
    names = (("ok", "succeeded"), ("bad", "failed"), ("other", "revoked or open"), ("line", "success rate"))
    return element("p", [element("span", element("i", class_=key), name) for key, name in names], class_="legend")


def _how(report: Report) -> Markup:
    best = max((item for item in report.bins if item.rate is not None), key=lambda item: -(item.rate or 0), default=None)
    if best is None:
        return element("p", "None of them has ended yet.", class_="dim")
    return element("p", f"Lowest: {wording.rate(best.rate)}, {_of(best, report.step)}.", class_="dim")


def _of(item: Bin, step: str) -> str:
    if step == "hour":
        return f"in the hour from {item.start:%a %H:%M}"
    return f"on {item.start:%A, %Y-%m-%d}" if step == "day" else f"in the week from {item.start:%Y-%m-%d}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[Part]], numbers: Sequence[int] = ()) -> Markup:
    """Return a table; `numbers` are the columns that are aligned to the right."""
    classes = ["num" if place in numbers else None for place in range(len(columns))]
    head = element("tr", [element("th", name, class_=kind) for name, kind in zip(columns, classes, strict=True)])
    body = [element("tr", [element("td", cell, class_=kind) for cell, kind in zip(row, classes, strict=True)]) for row in rows]
    return element("div", element("table", element("thead", head), element("tbody", body)), class_="wide")


def _timings(name: str, timings: Sequence[Timing], *, badges: bool = False) -> Markup:
    most = max((item.p95 for item in timings), default=0.0)
    rows = [
        (
            _badge(item.name) if badges else item.name,
            wording.count(item.count),
            *map(wording.seconds, (item.mean, item.p50, item.p95, item.most)),
            charts.span(item, most),
        )
        for item in timings
    ]
    return _table((name, "analyses", "mean", "p50", "p95", "longest", "p50 to p95, mark: mean"), rows, (1, 2, 3, 4, 5))


def _badge(name: str) -> Markup:
    colour = COLOURS[ErrorType(name)]
    return element("span", name, class_="badge", style=f"background:{colour}")


def _causes_told(report: Report) -> Markup:
    shown = (
        f"The {len(report.causes)} most frequent of {report.cause_count} causes. "
        if report.cause_count > len(report.causes)
        else ""
    )
    return element("p", f"{shown}{recurrence_told(report)}", class_="dim")


def recurrence_told(report: Report) -> str:
    """Return in words what can be said of weekdays on which causes come back."""
    days = (report.until - report.since).days + 1
    if days < FEWEST_WEEKS_DAYS:
        return f"What comes back on a weekday can be told of three weeks or more; these are {days} days."
    if not any(cause.weekly for cause in (*report.causes, *report.errors, *report.parts)):
        return "None comes back on one weekday in a way that chance would not explain."
    return f"A weekday is named where chance does not explain it, against {report.active_days} days with analyses."


def _causes(causes: Sequence[Cause], counted: str, *, badges: bool = False) -> Markup:
    if not causes:
        return element("p", "Nothing.")
    rows = [
        (
            _badge(cause.kind) if badges else element("b", cause.kind),
            [element("span", cause.text, class_="text"), element("em", cause.weekly) if cause.weekly else None],
            wording.count(cause.count),
            wording.count(cause.days),
            charts.spark(cause.trend),
            element("time", f"{cause.last:%Y-%m-%d}"),
        )
        for cause in causes
    ]
    return _table(("kind", "what", counted, "days", "when", "last"), rows, (2, 3))


def _parts_told(report: Report) -> Markup | None:
    if not report.parts:
        return None
    return element(
        "p", f"{wording.share(report.degraded, report.succeeded + report.failed)} of the analyses are degraded.", class_="dim"
    )


def _slowest(slowest: Sequence[Slow]) -> Markup:
    rows = [
        (
            wording.seconds(item.run.seconds),
            [element("span", item.run.test_name or "(not told)", class_="text"), element("small", item.run.suite_name)],
            item.run.project,
            f"{item.step} {wording.seconds(item.step_seconds)}" if item.step else "–",
            item.run.worker,
            element("time", wording.clock(item.when)),
            element("code", item.run.task_id[:TASK_CHARACTERS]),
        )
        for item in slowest
    ]
    return _table(("seconds", "test", "project", "longest step", "worker", "when", "id"), rows, (0,))


def _workers(workers: Sequence[WorkerShare]) -> Markup:
    most = max(worker.timing.p95 for worker in workers)
    rows = [
        (
            worker.name,
            wording.count(worker.count),
            wording.share(worker.failed, worker.count),
            wording.share(worker.degraded, worker.count),
            wording.share(worker.busy, 1),
            wording.seconds(worker.timing.p50),
            wording.seconds(worker.timing.p95),
            charts.span(worker.timing, most),
        )
        for worker in workers
    ]
    return _table(
        ("worker", "analyses", "failed", "degraded", "busy (one thread: 100 %)", "p50", "p95", "p50 to p95, mark: mean"),
        rows,
        range(1, 7),
    )


def _prices(report: Report) -> Iterator[Markup]:
    if not report.price.calls:
        yield element("p", "No model was asked.")
        return
    yield element("div", charts.costs(report.bins, report.step), class_="wide")
    yield _priced("model", report.models)
    yield _priced("project", report.projects)


def _priced(name: str, prices: Sequence[Price]) -> Markup:
    rows = [
        (
            price.name,
            *map(wording.count, (price.analyses, price.calls, price.tokens_in, price.tokens_out)),
            wording.dollars(price.cost_usd),
        )
        for price in prices
    ]
    return _table((name, "analyses", "calls", "tokens in", "tokens out", "cost"), rows, range(1, 6))
