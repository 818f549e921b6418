"""Ten minutes of random input (hypothesis) against everything that reads what others wrote: `python bench/fuzz.py [--minutes 10]`.

The properties are those of utest/fuzz, which CI runs for a short time; a failure is kept there as a regression test.
"""

import argparse
import subprocess
import sys
import time

from timing import ROOT, environment, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    tests = sorted((ROOT / "utest" / "fuzz").glob("test_*.py"))
    start, rounds = time.monotonic(), 0
    while time.monotonic() - start < 60 * options.minutes:
        rounds += 1
        environ = environment(DDN_FUZZ_EXAMPLES="2000")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "600", *map(str, tests)]
        done = subprocess.run(command, env=environ, cwd=ROOT)
        if done.returncode:
            sys.exit(f"Round {rounds} failed after {time.monotonic() - start:.0f} s: keep what it printed as a regression test.")
    seconds = round(time.monotonic() - start)
    print(f"fuzz: {rounds} rounds of {len(tests)} files in {seconds} s without a failure")
    told("fuzz", {"rounds": rounds, "seconds": seconds, "files": len(tests)})


if __name__ == "__main__":
    main()
