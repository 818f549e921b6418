"""What it costs a run of passing tests to tell how they ended: `python bench/recorded_runs.py [--runs 15] [--tests 2000]`.

Milliseconds that the run is held when all tests have ended, imports included, in processes of their own; peak of the memory that
Python gave out meanwhile; bytes on the wire. Redis: none (a file is written), up, refused, hung.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from redis_servers import redis_server
from timing import ROOT, environment, median, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--tests", type=int, default=2000)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="ddn-bench-") as folder, redis_server(Path(folder) / "redis") as redis:
        place = Path(folder)
        suite = passing(place, options.tests)
        for name, url in {"no Redis": "", "up": redis.url, "refused": "redis://127.0.0.1:1/0"}.items():
            measure(name, place, suite, url, options.runs)
        redis.freeze()
        measure("hung", place, suite, redis.url, options.runs)
        sizes = [path.stat().st_size for path in place.glob("home/runs/*/*.json")]
        print(f"one record of {options.tests} tests: {max(sizes)} bytes")


def measure(name: str, place: Path, suite: Path, url: str, runs: int) -> None:
    held = milliseconds(place, suite, url, runs)
    peak = once(place, suite, url, "trace")["mb"]
    print(f"recorded, Redis {name}: held {median(held):.1f} ms (of {runs}: {min(held):.1f} to {max(held):.1f}), peak {peak:.2f} MB")
    told(f"recorded, {name}", {"held_ms": round(median(held), 1), "memory_mb": round(peak, 2), "runs": runs})


def milliseconds(place: Path, suite: Path, url: str, runs: int) -> list[float]:
    """Return for each run what it was held at its end; the first one, which warms up, is left out."""
    return [once(place, suite, url)["ms"] for _ in range(runs + 1)][1:]


def passing(place: Path, tests: int) -> Path:
    suite = place / f"passing{tests}.robot"
    lines = (f"Customer {n} Pays By Card And Sees The Right Amount {n * 7}\n    No Operation\n" for n in range(tests))
    suite.write_text("*** Test Cases ***\n" + "".join(lines))
    return suite


def once(place: Path, suite: Path, url: str, *arguments: str) -> dict[str, float]:
    listener = ";".join(["RecordedListener.RecordedListener", *arguments])
    paths = ["--pythonpath", str(ROOT / "bench"), "--pythonpath", str(ROOT), "--pythonpath", str(ROOT / "backend")]
    command = [sys.executable, "-m", "robot", *paths, "--listener", listener, "--outputdir", str(place / "out")]
    command += ["--log", "NONE", "--report", "NONE", "--console", "quiet", str(suite)]
    environ = environment() | {"DDN_HOME": str(place / "home"), "DDN_REDIS_URL": url}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    spent: dict[str, float] = json.loads(done.stderr.splitlines()[-1])
    return spent


if __name__ == "__main__":
    main()
