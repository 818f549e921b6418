"""What it costs a run of passing tests to tell how they ended: `python bench/recorded_runs.py [--runs 15] [--tests 2000]`.

Milliseconds that the run is held when all tests have ended, imports included, in processes of their own; peak of the memory that
Python gave out meanwhile; bytes on the wire. Redis: none (a file is written), up, refused, hung.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from timing import ROOT, environment, machine, median


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--tests", type=int, default=2000)
    options = parser.parse_args()
    print(machine())
    with TemporaryDirectory(prefix="ddn-bench-") as folder:
        place = Path(folder)
        suite = place / "passing.robot"
        tests = (f"Customer {n} Pays By Card And Sees The Right Amount {n * 7}\n    No Operation\n" for n in range(options.tests))
        suite.write_text("*** Test Cases ***\n" + "".join(tests))
        server = subprocess.Popen(
            [str(shutil.which("redis-server")), "--port", "0", "--unixsocket", str(place / "s"), "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        try:
            while not (place / "s").exists():
                time.sleep(0.01)
            up = f"redis+socket://{place / 's'}"
            for name, url in (("no Redis", ""), ("Redis up", up), ("refused", "redis://127.0.0.1:1/0")):
                told(name, place, suite, url, options.runs)
            server.send_signal(signal.SIGSTOP)
            told("hung", place, suite, up, options.runs)
        finally:
            server.kill()
            server.wait()
        sizes = [path.stat().st_size for path in place.glob("home/runs/*/*.json")]
        print(f"one record of {options.tests} tests: {max(sizes)} bytes")


def told(name: str, place: Path, suite: Path, url: str, runs: int) -> None:
    held = [once(place, suite, url)["ms"] for _ in range(runs + 1)][1:]
    peak = once(place, suite, url, "trace")["mb"]
    print(f"{name:9} held {median(held):6.1f} ms (of {runs}: {min(held):.1f} to {max(held):.1f}), peak {peak:.2f} MB")


def once(place: Path, suite: Path, url: str, *arguments: str) -> dict[str, float]:
    listener = ";".join(["RecordedListener.RecordedListener", *arguments])
    paths = ["--pythonpath", str(ROOT / "bench"), "--pythonpath", str(ROOT), "--pythonpath", str(ROOT / "backend")]
    command = [sys.executable, "-m", "robot", *paths, "--listener", listener, "--outputdir", str(place / "out")]
    command += ["--log", "NONE", "--report", "NONE", "--console", "quiet", str(suite)]
    environ = environment() | {"DDN_HOME": str(place / "home"), "DDN_REDIS_URL": url}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stderr.splitlines()[-1])
    return told


if __name__ == "__main__":
    main()
