"""How cost grows: the main figures at 1x, 3x and 10x, with the law they follow: `python bench/growth.py [--to growth.svg]`.

    run         seconds of CPU that the listener adds to a run over an empty one, by failing tests of 7 causes
    held        milliseconds (p50) that a failing test holds its thread, by failing tests of the run
    end         seconds of output_file() after the last test, all answers in, by the size of the output file
    recorded    milliseconds that telling how a run's tests ended holds it, by its passing tests
    attach      seconds of CPU for one output file, by its size, every tenth test failed
    condense    milliseconds for one log, by its lines (2,000 is the most that are looked at closely)
    rules       milliseconds for one report, by the lines of its log
    analysis    milliseconds for one analysis without a model, by what the history already holds
    return      milliseconds for one analysis of a failure that came back, by how often it did
    queue       milliseconds of one worker for each report, by the reports that wait, without a model
    worker      megabytes of that worker, by the analyses it has done
    report      milliseconds for `ddn report --html`, by the analyses of its time

The law is read from the exponent between the ends: cost grows as size to that power. 1 is linear, 0 does not grow.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import growth_backend
import growth_run
from growth_law import Growth, number
from growth_plot import plotted
from timing import told

MEASURES: tuple[Callable[[Path, int], Iterable[Growth]], ...] = (
    growth_run.of_run,
    growth_run.of_held,
    growth_run.of_end,
    growth_run.of_recorded,
    growth_run.of_attach,
    growth_backend.of_condense,
    growth_backend.of_rules,
    growth_backend.of_analysis,
    growth_backend.of_return,
    growth_backend.of_worker,
    growth_backend.of_report,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, help="Write the plot, an SVG, there.")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    found = list(_measured(options.runs))
    if options.to:
        options.to.write_text(plotted(found), encoding="utf-8")


def _measured(runs: int) -> Iterator[Growth]:
    for measure in MEASURES:
        with TemporaryDirectory(prefix="ddn-bench-") as folder:
            for growth in measure(Path(folder), runs):
                steps = zip(growth.sizes, growth.costs, strict=True)
                said = ", ".join(f"{number(size)} {growth.unit}: {number(cost)} {growth.of}" for size, cost in steps)
                print(f"{growth.name:9} {said}; {growth.law}")
                told(f"growth {growth.name}", growth.figures())
                yield growth


if __name__ == "__main__":
    main()
