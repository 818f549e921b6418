"""Ten minutes of random input (hypothesis) against everything that reads what others wrote: `python bench/fuzz.py [--minutes 10]`.

The properties are those of utest/fuzz, which CI runs for a short time; a failure is kept there as a regression test. Each round
has other random input.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from timing import ROOT, environment, told

EXAMPLES = 200  # of each property in a round, less where one takes long
_PASSING = re.compile(r"- (\d+) passing, \d+ failing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    tests = sorted((ROOT / "utest" / "fuzz").glob("test_*.py"))
    start, rounds, examples = time.monotonic(), 0, 0
    while time.monotonic() - start < 60 * options.minutes:
        rounds += 1
        done = _round(tests)
        examples += sum(int(number) for number in _PASSING.findall(done.stdout))
        if done.returncode:
            print(done.stdout)
            sys.exit(f"Round {rounds} failed after {time.monotonic() - start:.0f} s: keep what it printed as a regression test.")
    seconds = round(time.monotonic() - start)
    print(f"fuzz: {examples:,} examples in {rounds} rounds and {seconds} s without a failure")
    told("fuzz", {"examples": examples, "rounds": rounds, "seconds": seconds})


def _round(tests: list[Path]) -> "subprocess.CompletedProcess[str]":
    environ = environment(DDN_FUZZ_EXAMPLES=str(EXAMPLES))
    shown = ["--hypothesis-show-statistics", "--timeout", "600", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *shown, *map(str, tests)]
    return subprocess.run(command, env=environ, cwd=os.fspath(ROOT), stdout=subprocess.PIPE, text=True)


if __name__ == "__main__":
    main()
