"""All benchmarks with moderate sizes, in less than 25 minutes on two cores, and one table in the end: `python bench/all.py`.

Each is a process of its own; what it prints stands before the table. A figure that is missed is no failure of this command, a
benchmark that breaks is. With --full the sizes are those of docs/performance.md, which takes about an hour and a quarter:

    python bench/all.py --full --results figures.jsonl --markdown      # run, and print the documents' rows
    python bench/all.py --full --only held --results held.jsonl        # one of them again
    python bench/all.py --read figures.jsonl held.jsonl --markdown     # no run: the rows of both, of two alike the later
    python bench/all.py --read figures.jsonl --into docs/performance.md docs/scaling.md      # writes these rows there
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import tables
from figures import Results
from timing import environment, machine, python

HERE = Path(__file__).parent
SESSION = "session"
SCRIPT = "script "


class Benchmark(NamedTuple):
    """A script with its moderate arguments, and those of --full."""

    script: str
    moderate: str
    full: str


BENCHMARKS = (
    Benchmark("listener.py", "--only passing --runs 5 --tests 800", "--only passing --runs 15"),
    Benchmark("listener.py", "--only failing --runs 5 --tests 800", "--only failing --runs 15"),
    Benchmark("listener.py", "--only nobody --runs 5", "--only nobody --runs 15"),
    Benchmark("listener.py", "--only held --runs 5", "--only held --runs 5"),
    Benchmark("listener.py", "--only end --runs 5", "--only end --runs 15"),
    Benchmark("listener.py", "--only import --runs 15", "--only import --runs 31"),
    Benchmark("recorded_runs.py", "--runs 5", "--runs 15"),
    Benchmark("attaching.py", "--runs-of-large 3", "--runs-of-large 5"),
    Benchmark("broker.py", "", ""),
    Benchmark("causes.py", "", ""),
    Benchmark("throughput.py", "--only rules --rounds 5 --reports 400", "--only rules --reports 1500"),
    Benchmark("throughput.py", "--only reuse --rounds 5 --reports 400", "--only reuse --reports 1500"),
    Benchmark("throughput.py", "--only model --rounds 1", "--only model --reports 1000"),
    Benchmark("throughput.py", "--only one --singly 20", "--only one"),
    Benchmark("throughput.py", "--only own", "--only own"),
    Benchmark("throughput.py", "--only steady --steady 5000", "--only steady"),
    Benchmark("service.py", "--reports 300", "--reports 1000"),
    Benchmark("condense.py", "--megabytes 10 --tries 10", ""),
    Benchmark("growth.py", "--runs 3", "--runs 5 --to docs/images/growth.svg"),
    Benchmark("kill.py", "--reports 60 --kills 5 --restarts 1", ""),
    Benchmark("fuzz.py", "--minutes 0.5", "--minutes 10"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="", help="Run the benchmarks with this in their command alone.")
    parser.add_argument("--results", type=Path, help="Keep the figures there, a line of JSON each.")
    parser.add_argument("--read", type=Path, nargs="+", help="Run nothing; show the figures that are kept there.")
    parser.add_argument("--markdown", action="store_true", help="Print the rows of docs/performance.md and docs/scaling.md, too.")
    parser.add_argument("--into", type=Path, nargs="+", default=[], help="Put these rows where the documents have such rows.")
    options = parser.parse_args()
    told, failed = (_read(options.read), []) if options.read else _run(options.full, options.only, options.results)
    results = {one["benchmark"]: one for one in told}
    _show(told, results)
    if options.markdown:
        print("\n".join(tables.markdown(results)))
    for document in options.into:
        document.write_text(tables.replaced(document.read_text(encoding="utf-8"), results), encoding="utf-8")
    sys.exit("\n".join(failed) or 0)


def _run(full: bool, only: str, kept: Path | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Run the benchmarks one after the other; return what they told, and the commands that ended with an error."""
    start, load = time.monotonic(), os.getloadavg()[0]
    told, failed = list[dict[str, Any]](), list[str]()
    for benchmark in BENCHMARKS:
        arguments = (benchmark.full if full else benchmark.moderate).split()
        name = " ".join([benchmark.script, *arguments])
        if only not in name:
            continue
        print(f"--- {name}", flush=True)
        begun, used = time.monotonic(), _cpu_of_children()
        code = _told_by(benchmark.script, arguments, told)
        taken = {"seconds": round(time.monotonic() - begun), "cpu_seconds": round(_cpu_of_children() - used)}
        told.append({"benchmark": SCRIPT + name, **taken, "load": round(os.getloadavg()[0], 1)})
        failed += [f"{name} ended with {code}"] if code else []
        _keep(told, kept)
    loads = {"load_at_start": round(load, 1), "load_at_end": round(os.getloadavg()[0], 1)}
    minutes = round((time.monotonic() - start) / 60, 1)
    when = f"{datetime.now():%Y-%m-%d %H:%M}"
    told.append({"benchmark": SESSION, "machine": machine(), "date": when, "minutes": minutes, **loads})
    _keep(told, kept)
    return told, failed


def _told_by(script: str, arguments: Sequence[str], told: list[dict[str, Any]]) -> int:
    """Run a benchmark, pass on what it prints for people, and add what it tells machines to `told`; return its exit code."""
    command = python(str(HERE / script), *arguments)
    process = subprocess.Popen(command, env=environment(PYTHONUNBUFFERED="1"), cwd=HERE.parent, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if line.startswith("RESULT "):
            told.append(json.loads(line.removeprefix("RESULT ")))
        else:
            print(line, end="", flush=True)
    return process.wait()


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _keep(told: Iterable[dict[str, Any]], file: Path | None) -> None:
    """After each benchmark, so that one that is stopped half-way has told something."""
    if file:
        file.write_text("".join(json.dumps(one) + "\n" for one in told), encoding="utf-8")


def _read(files: Iterable[Path]) -> list[dict[str, Any]]:
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def _show(told: Iterable[dict[str, Any]], results: Results) -> None:
    print()
    for name, one in results.items():
        if name.startswith(SCRIPT):
            print(f"{one['seconds']:5} s, {one['cpu_seconds']:5} of CPU, load {one['load']:4}  {name.removeprefix(SCRIPT)}")
    print("\n" + "\n".join(tables.text(results)) + "\n")
    for one in told:
        if one["benchmark"] == SESSION:
            print("{machine}, {date}, load average {load_at_start} to {load_at_end}, {minutes} minutes".format_map(one))


if __name__ == "__main__":
    main()
