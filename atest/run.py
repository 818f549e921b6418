"""Runs the acceptance tests: ``python atest/run.py --outputdir DIR [options of robot]``.

The suites beside this file check; what they run, and what fails on purpose, is in testdata/. Ends with robot's return code.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from robot.run import run_cli

HERE = Path(__file__).resolve().parent


def main(arguments: Sequence[str]) -> int:
    suites = sorted(str(path) for path in HERE.glob("*.robot"))
    paths = ["--pythonpath", str(HERE / "libraries"), "--pythonpath", str(HERE / "resources")]
    return int(run_cli(["--name", "Atest", *paths, *arguments, *suites], exit=False))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
