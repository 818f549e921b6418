"""Timing whole processes: user CPU, wall, peak memory; several variants interleaved, so that all see the same machine."""

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 60.0  # for a server or a worker to be there
sys.path[:0] = [str(ROOT), str(ROOT / "backend")]  # this checkout is measured, whatever is installed


@dataclass(frozen=True)
class Cost:
    """What one process cost: seconds of user CPU and of wall clock, peak memory in MB; `code` is its exit code."""

    user: float
    wall: float
    peak: float
    code: int


def cost(command: Sequence[str], environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Cost:
    """Run `command`, its output thrown away."""
    start = time.perf_counter()
    process = subprocess.Popen(
        list(command), env=dict(environ or environment()), cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(used.ru_utime, time.perf_counter() - start, used.ru_maxrss / 1024, process.returncode)


def interleaved(variants: Mapping[str, Callable[[], Cost]], runs: int) -> dict[str, list[Cost]]:
    """Run all variants `runs` times, one after the other in each round; the first round warms up and does not count."""
    costs: dict[str, list[Cost]] = {name: [] for name in variants}
    for round_number in range(runs + 1):
        for name, run in variants.items():
            taken = run()
            if round_number:
                costs[name].append(taken)
    return costs


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Return when `condition` is true; end the benchmark when it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited for {what} in vain.")
        time.sleep(0.02)


def environment(**variables: str) -> dict[str, str]:
    """Return this process' environment without settings of the product, with the project importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DDN_", "REDIS_", "CI"))}
    kept["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "backend"), str(ROOT / "bench")])
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **variables}


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def share_of(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of them do not exceed: .99 for the 99th percentile."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def spread(values: Sequence[float]) -> str:
    """Return the median with the range, for people."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} .. {max(values):.3f})"


def machine() -> str:
    """Return what was measured on, in words."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}"


def told(name: str, figures: Mapping[str, object]) -> None:
    """Print one benchmark's figures as a line of JSON for machines, after what was printed for people."""
    print(f"RESULT {json.dumps({'benchmark': name, 'machine': machine(), **figures})}", flush=True)


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-P", *arguments]
