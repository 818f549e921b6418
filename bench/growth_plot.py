"""Growth as an SVG: a small plot for each figure, all with the same axes, so that a slope means the same everywhere."""

import math
from collections.abc import Iterator, Sequence

from growth_law import Growth, number

COLUMNS = 3
WIDTH, HEIGHT = 310.0, 232.0  # of one plot with its words
LEFT, RIGHT, TOP, BOTTOM = 40.0, 70.0, 66.0, 52.0  # around what is drawn; on the right stand the costs
MARGIN = 20.0
MOST_SIZE, LEAST_COST, MOST_COST = 16.0, 0.5, 20.0  # multiples of the first point, at the ends of the axes
LINE, GREY, PALE, DARK = "#2563eb", "#6b7280", "#e5e7eb", "#111827"


def plotted(found: Sequence[Growth]) -> str:
    """Return logarithmic axes, size and cost as multiples of those at the left; the dashed line is what linear would be."""
    rows = math.ceil(len(found) / COLUMNS)
    width, height = COLUMNS * WIDTH + 2 * MARGIN, rows * HEIGHT + 2 * MARGIN + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" font-family="sans-serif">',
        "<title>How cost grows with size</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        _text(MARGIN + 8, MARGIN + 8, "How cost grows", size=16, weight="bold"),
        _text(MARGIN + 8, MARGIN + 26, "Both axes are multiples of the first point, logarithmic; the dashed line is linear."),
    ]
    for place, growth in enumerate(found):
        x, y = MARGIN + place % COLUMNS * WIDTH, MARGIN + 34 + place // COLUMNS * HEIGHT
        parts += [f'<g transform="translate({x:g},{y:g})">', *_panel(growth), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _panel(growth: Growth) -> Iterator[str]:
    yield _text(8, 24, growth.name, size=13, weight="bold")
    yield _text(8, 41, growth.says.replace("`", ""), size=11, colour=GREY)
    yield _text(8, 58, growth.law)
    for multiple in (1, 10):
        y = _y(multiple)
        yield f'<line x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}" stroke="{PALE}"/>'
        yield _text(LEFT - 6, y + 4, f"{multiple}x", anchor="end", colour=GREY)
    yield f'<polyline points="{_points([(1, 1), (MOST_SIZE, MOST_SIZE)])}" fill="none" stroke="#9ca3af" stroke-dasharray="4 4"/>'
    points = [(size / growth.sizes[0], cost / growth.costs[0]) for size, cost in zip(growth.sizes, growth.costs, strict=True)]
    yield f'<polyline points="{_points(points)}" fill="none" stroke="{LINE}" stroke-width="2"/>'
    for size, cost in points:
        yield f'<circle cx="{_x(size):.1f}" cy="{_y(cost):.1f}" r="3" fill="{LINE}"/>'
    yield _text(_x(1) + 2, _y(points[0][1]) + 16, f"{number(growth.costs[0])} {growth.of}")
    yield _text(_x(points[-1][0]) + 8, _y(points[-1][1]) + 4, f"{number(growth.costs[-1])} {growth.of}")
    yield _text(_x(1), HEIGHT - BOTTOM + 34, number(growth.sizes[0]), colour=GREY, anchor="middle")
    yield _text(_x(points[-1][0]), HEIGHT - BOTTOM + 34, f"{number(growth.sizes[-1])} {growth.unit}", colour=GREY, anchor="middle")


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_x(size):.1f},{_y(cost):.1f}" for size, cost in points)


def _x(size: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(max(size, 1.0)) / math.log(MOST_SIZE)


def _y(cost: float) -> float:
    share = math.log(max(cost, LEAST_COST) / LEAST_COST) / math.log(MOST_COST / LEAST_COST)
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(share, 1.0)


def _text(x: float, y: float, words: str, size: int = 12, weight: str = "", anchor: str = "", colour: str = DARK) -> str:
    more = (f' font-weight="{weight}"' if weight else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{more}>{words}</text>'
