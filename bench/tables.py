"""What benchmarks told, as a table for the console and as the rows of docs/performance.md and docs/scaling.md."""

from collections.abc import Iterator, Sequence

from figures import BACKEND, RUN, SERVICE, Figure, Results
from growth_law import Growth, number


def text(results: Results) -> Iterator[str]:
    """Yield the lines of a table: figure, wanted, measured, reached."""
    rows = [_cells(figure, results) for figure in (*RUN, *BACKEND)]
    rows = [("figure", "wanted", "reached", "measured"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])


def _cells(figure: Figure, results: Results) -> tuple[str, str, str, str]:
    return figure.name, figure.wanted, figure.reached(results), figure.measured(results) or "not measured"


def markdown(results: Results) -> Iterator[str]:
    """Yield the tables of docs/performance.md and docs/scaling.md below their titles, without rows that were not measured."""
    for title, (head, rows) in _tables(results).items():
        if rows:
            yield from ["", title, "", head, _rule(head), *rows]


def replaced(document: str, results: Results) -> str:
    """Return `document` with its tables as they were measured now: rows are known by their first cell, new ones come last."""
    measured, title, missing, lines = _tables(results), "", dict[str, str](), list[str]()
    for line in [*document.split("\n"), ""]:
        title = line if line.startswith("## ") else title
        head, rows = measured.get(title, ("", []))
        if line and line == head:
            missing = {_first_cell(row): row for row in rows}
        if not line.startswith("| "):
            lines += missing.values()
            missing = {}
        lines.append(missing.pop(_first_cell(line), line))
    return "\n".join(lines[:-1])


def _tables(results: Results) -> dict[str, tuple[str, list[str]]]:
    """Return the head and the rows of each table by the title above it."""
    figures = "| figure | wanted | measured | with |"
    grown = [_grown(Growth.told(told)) for name, told in results.items() if name.startswith("growth ")]
    is_served = {"service, waiting", "service, without a model", "service, with a model"} <= results.keys()
    return {
        "## What a run pays": (figures, [_row(_measured(one, results)) for one in RUN if one.measured(results)]),
        "## What the backend does": (figures, [_row(_measured(one, results)) for one in BACKEND if one.measured(results)]),
        "## How cost grows": ("| figure | from | to | law | why |", [_row(row) for row in grown]),
        "## What one analysis takes": (
            "| part | without a model | with one call of a model | grows with |",
            [_row(_served(*row, results)) for row in SERVICE] if is_served else [],
        ),
    }


def _rule(head: str) -> str:
    return _row(["---"] * (head.count("|") - 1))


def _first_cell(line: str) -> str:
    return line.partition(" | ")[0]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _measured(figure: Figure, results: Results) -> Sequence[str]:
    missed = "**missed**: " if figure.reached(results) == "no" else ""
    return figure.name, figure.wanted or "-", missed + figure.measured(results), f"`{figure.command}`"


def _grown(growth: Growth) -> Sequence[str]:
    (small, *_, large), (least, *_, most) = growth.sizes, growth.costs
    start = f"{number(small)} {growth.unit}: {number(least)} {growth.of}"
    return growth.says, start, f"{number(large)}: {number(most)} {growth.of}", growth.law, growth.why


def _served(part: str, form: str, once: str, what: str, grows_with: str, results: Results) -> Sequence[str]:
    if once:
        return part, form.format(results[f"service, {once}"][what]), "the same", grows_with
    without, with_one = (results[f"service, {how} a model"][what] for how in ("without", "with"))
    return part, form.format(without), form.format(with_one), grows_with
