"""All benchmarks with moderate sizes, in less than 25 minutes, and one table in the end: `python bench/all.py [--full]`.

Each is a process of its own; what it prints stands before the table. With --full the sizes are those of docs/performance.md.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from timing import environment, machine, python

HERE = Path(__file__).parent
BENCHMARKS = (  # the script, its arguments, those of --full
    ("listener.py", "--only passing --runs 7", "--only passing --runs 15"),
    ("listener.py", "--only failing --runs 15", "--only failing --runs 45"),
    ("listener.py", "--only nobody --runs 15", "--only nobody --runs 15"),
    ("listener.py", "--only held", "--only held"),
    ("listener.py", "--only end --runs 15", "--only end --runs 15"),
    ("listener.py", "--only import --runs 15", "--only import --runs 31"),
    ("recorded_runs.py", "--runs 5", "--runs 15"),
    ("attaching.py", "--runs 3", "--runs 5"),
    ("causes.py", "", ""),
    ("throughput.py", "--only rules", "--only rules --reports 1500"),
    ("throughput.py", "--only reuse", "--only reuse --reports 1500"),
    ("throughput.py", "--only model", "--only model --reports 1000"),
    ("throughput.py", "--only one", "--only one"),
    ("throughput.py", "--only own", "--only own"),
    ("throughput.py", "--only steady --steady 10000", "--only steady --steady 10000"),
    ("growth.py", "--runs 3", "--runs 5"),
    ("fuzz.py", "--minutes 1", "--minutes 10"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--results", type=Path, help="Keep the figures there, a line of JSON each.")
    options = parser.parse_args()
    start, results, failed = time.monotonic(), [], []
    for script, moderate, full in BENCHMARKS:
        arguments = (full if options.full else moderate).split()
        print(f"--- {script} {' '.join(arguments)}", flush=True)
        code = shown(script, arguments, results)
        failed += [f"{script} {' '.join(arguments)} ended with {code}"] if code else []
    if options.results:
        options.results.write_text("".join(json.dumps(result) + "\n" for result in results), encoding="utf-8")
    print(f"\n{machine()}, {datetime.now():%Y-%m-%d}, {(time.monotonic() - start) / 60:.0f} minutes")
    for result in results:
        print(f"{result['benchmark']:24} {', '.join(_figures(result))}")
    sys.exit("\n".join(failed) or 0)


def shown(script: str, arguments: list[str], results: list[dict[str, Any]]) -> int:
    """Run a benchmark, pass on what it prints for people, and add what it tells machines to `results`; return its exit code."""
    command = python(str(HERE / script), *arguments)
    process = subprocess.Popen(command, env=environment(PYTHONUNBUFFERED="1"), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if line.startswith("RESULT "):
            results.append(json.loads(line.removeprefix("RESULT ")))
        else:
            print(line, end="", flush=True)
    return process.wait()


def _figures(result: Mapping[str, Any]) -> Iterator[str]:
    for name, value in result.items():
        if name not in ("benchmark", "machine"):
            yield f"{name} {json.dumps(value)}" if isinstance(value, (dict, list)) else f"{name} {value}"


if __name__ == "__main__":
    main()
