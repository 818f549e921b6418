"""The charts of a report as inline SVG: no scripts, colours by classes so that they follow the reader's theme."""

from collections.abc import Iterable, Iterator, Sequence

from . import wording
from .markup import Markup, element
from .recurrence import WEEKDAYS
from .report import Bin, Timing

WIDTH = 960.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 46.0, 10.0, 26.0
MOST_LABELS = 14
HEAT_STEPS = 6


def trend(bins: Sequence[Bin], step: str) -> Markup:
    """Return the analyses of each bin by how they ended, and the line of the success rate."""
    height = 240.0
    most = _round_up(max((item.succeeded + item.failed + item.other for item in bins), default=0))
    plot, width = height - TOP - BOTTOM, (WIDTH - LEFT - RIGHT) / max(len(bins), 1)

    def bars() -> Iterator[Markup]:
        for number, item in enumerate(bins):
            below = TOP + plot
            parts = [("ok", item.succeeded), ("bad", item.failed), ("other", item.other)]
            for name, value in parts:
                size = plot * value / most
                below -= size
                if value:
                    yield element(
                        "rect",
                        class_=name,
                        x=LEFT + width * number + width * 0.12,
                        y=below,
                        width=width * 0.76,
                        height=max(size, 1.0),
                        rx=1.5,
                    )

    rates = [
        (LEFT + width * (number + 0.5), TOP + plot * (1 - item.rate)) for number, item in enumerate(bins) if item.rate is not None
    ]
    return _figure(
        height,
        f"Analyses a {step} and their success rate",
        _grid(most, plot),
        bars(),
        element("polyline", class_="line", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in rates)) if len(rates) > 1 else None,
        [element("circle", class_="dot", cx=x, cy=y, r=2.6) for x, y in rates] if len(rates) <= 62 else None,
        _labels(bins, step, width, height),
        [_tip(item, step, LEFT + width * number, width, plot) for number, item in enumerate(bins)],
    )


def costs(bins: Sequence[Bin], step: str) -> Markup:
    """Return what each bin cost."""
    height = 150.0
    most = max((item.cost_usd for item in bins), default=0.0) or 1.0
    plot, width = height - TOP - BOTTOM, (WIDTH - LEFT - RIGHT) / max(len(bins), 1)
    return _figure(
        height,
        f"Cost a {step}",
        element("text", wording.dollars(most), x=LEFT - 6, y=TOP + 4, class_="end"),
        element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=TOP + plot, y2=TOP + plot),
        [
            element(
                "rect",
                element("title", f"{_name(item, step)}: {wording.dollars(item.cost_usd)}"),
                class_="money",
                x=LEFT + width * number + width * 0.12,
                y=TOP + plot * (1 - item.cost_usd / most),
                width=width * 0.76,
                height=plot * item.cost_usd / most,
                rx=1.5,
            )
            for number, item in enumerate(bins)
            if item.cost_usd
        ],
        _labels(bins, step, width, height),
    )


def heat(counts: Sequence[Sequence[int]]) -> Markup:
    """Return the analyses by weekday and hour, with the sums of both."""
    most = max((count for row in counts for count in row), default=0) or 1
    left, size, high = 88.0, (WIDTH - 88.0 - 60.0) / 24, 24.0
    hours = [sum(row[hour] for row in counts) for hour in range(24)]

    def cells() -> Iterator[Markup]:
        for weekday, row in enumerate(counts):
            y = 4 + weekday * high
            yield element("text", WEEKDAYS[weekday], x=left - 8, y=y + high / 2 + 4, class_="end")
            yield element("text", wording.count(sum(row)), x=WIDTH - 52, y=y + high / 2 + 4)
            for hour, count in enumerate(row):
                level = 0 if not count else 1 + min(HEAT_STEPS - 1, HEAT_STEPS * count // (most + 1))
                tip = element("title", f"{WEEKDAYS[weekday]} {hour:02d}:00: {count}")
                yield element(
                    "rect", tip, class_=f"heat h{level}", x=left + hour * size, y=y, width=size - 2, height=high - 2, rx=3
                )

    below = 4 + 7 * high
    return _figure(
        below + 40,
        "Analyses by weekday and hour",
        cells(),
        [element("text", f"{hour:02d}", x=left + (hour + 0.5) * size, y=below + 14, class_="mid") for hour in range(24)],
        [
            element("text", wording.count(count), x=left + (hour + 0.5) * size, y=below + 31, class_="mid dim")
            for hour, count in enumerate(hours)
            if count
        ],
        element("text", "sum", x=left - 8, y=below + 31, class_="end dim"),
    )


def span(item: Timing, most: float) -> Markup:
    """Return one line: from p50 to p95, with a mark at the mean."""
    scale = 220.0 / (most or 1.0)
    tip = f"p50 {wording.seconds(item.p50)}, mean {wording.seconds(item.mean)}, p95 {wording.seconds(item.p95)}"
    return element(
        "svg",
        element("title", tip),
        element("line", class_="grid", x1=0, x2=220, y1=8, y2=8),
        element("rect", class_="span", x=item.p50 * scale, y=3, width=max(2.0, (item.p95 - item.p50) * scale), height=10, rx=3),
        element("rect", class_="mark", x=min(217.0, item.mean * scale), y=1, width=3, height=14, rx=1),
        viewBox="0 0 220 16",
        class_="inline",
        role="img",
        aria_label=tip,
    )


def spark(counts: Sequence[int]) -> Markup:
    """Return small bars of how often something was seen, bin by bin."""
    most, width = max(counts, default=0) or 1, 120.0 / max(len(counts), 1)
    return element(
        "svg",
        element("line", class_="grid", x1=0, x2=120, y1=21.5, y2=21.5),
        [
            element(
                "rect",
                class_="bad",
                x=number * width,
                y=21 - 20 * count / most,
                width=max(1.0, width - 0.6),
                height=20 * count / most,
            )
            for number, count in enumerate(counts)
            if count
        ],
        viewBox="0 0 120 22",
        class_="spark",
        role="img",
        aria_label="when it was seen",
    )


def _figure(height: float, label: str, *parts: Markup | Iterable[Markup] | None) -> Markup:
    return element("svg", *parts, viewBox=f"0 0 {WIDTH:.0f} {height:.0f}", class_="chart", role="img", aria_label=label)


def _grid(most: int, plot: float) -> Iterator[Markup]:
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = TOP + plot * (1 - part)
        yield element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        if part in (0.0, 0.5, 1.0):
            yield element("text", f"{most * part:g}", x=LEFT - 6, y=y + 4, class_="end")
            yield element("text", f"{100 * part:.0f} %", x=WIDTH - RIGHT + 6, y=y + 4, class_="rate")


def _labels(bins: Sequence[Bin], step: str, width: float, height: float) -> Iterator[Markup]:
    every = max(1, -(-len(bins) // MOST_LABELS))
    for number, item in enumerate(bins):
        if number % every == 0:
            name = f"{item.start:%H:%M}" if step == "hour" else f"{item.start:%b} {item.start.day}"
            yield element("text", name, x=LEFT + width * (number + 0.5), y=height - 8, class_="mid")


def _tip(item: Bin, step: str, x: float, width: float, plot: float) -> Markup:
    told = f"{_name(item, step)}: {item.succeeded} succeeded, {item.failed} failed, {item.other} other, {item.degraded} degraded"
    title = element("title", f"{told}, success rate {wording.rate(item.rate)}")
    return element("rect", title, class_="tip", x=x, y=TOP, width=width, height=plot)


def _name(item: Bin, step: str) -> str:
    return f"{item.start:%a %H:%M}" if step == "hour" else f"{item.start:%a %Y-%m-%d}"


def _round_up(value: int) -> int:
    """Return the next number that halves well: 4, 10, 20, 40, 50, 100..."""
    size = next(step for step in _steps() if step >= value)
    return int(size)


def _steps() -> Iterator[int]:
    scale = 1
    while True:
        yield from (scale * step for step in (4, 6, 8, 10, 12, 16, 20, 24, 30))
        scale *= 10
