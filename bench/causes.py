"""Many failures, few causes: how often the model is asked. `python bench/causes.py [--failures 500]`.

Robot runs failing tests of 7 causes with the listener, against a worker and a stand-in model that answers at once and counts.
"""

import argparse
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from suites import written
from timing import cost, environment, python, told
from worker_stack import stack

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.ports import Wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failures", type=int, default=500)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="ddn-bench-") as folder:
        place = Path(folder)
        suite = written(place / "failing", options.failures, failing=options.failures)
        with stack(place, 1, 8, model=True, answers_after=0.0) as running:
            environ = environment(DDN_REDIS_URL=running.redis.url, DDN_HOME=str(place / "home of robot"), DDN_WAIT="60")
            arguments = ["--nostatusrc", "--console", "none", "--log", "NONE", "--report", "NONE"]
            listener = ["--listener", "robot_ddn_listener", "--outputdir", str(place / "out")]
            taken = cost(python("-m", "robot", *arguments, *listener, str(suite)), environ)
            with urllib.request.urlopen(f"{running.model}/calls") as answer:
                calls = int(answer.read())
        history = SqliteHistory(running.home / "history" / "history.sqlite")
        asked = [past.analysis.engine.calls for past in history.listed(Wanted(limit=10_000)) if past.analysis]
        history.close()
    asked = [count for count in asked if count]
    print(
        f"{options.failures} failures of 7 causes: {len(asked)} analyses reach the model, each {max(asked, default=0)} calls "
        f"at most, {calls} in all, as the model counts; the run took {taken.wall:.1f} s; wanted at most 7 and 8"
    )
    told("causes", {"analyses": len(asked), "most_calls": max(asked, default=0), "calls": calls})


if __name__ == "__main__":
    main()
