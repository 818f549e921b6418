"""What the listener costs a run: `python bench/listener.py [--runs 15] [--tests 2000]`.

passing        2,000 passing tests of 20 keywords: user CPU against the same run with an empty listener
failing        the same with 200 failing tests of 7 causes: Redis up with a worker's heartbeat, refused, hung
nobody         wall time added when no worker is online, and when the queue is paused
held           milliseconds that the test thread is held for each of 500 failing tests of 1,000
end            seconds that output_file() takes with an output file of 20 MB when all answers are in
import         what the listener costs a run of one passing test: CPU and memory

All but `held` and `end` are ratios or differences within a round of interleaved runs; told are medians over the rounds.
"""

import argparse
import compileall
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from redis_servers import answering, redis_server
from suites import EMPTY, robot, talkative, written
from timing import ROOT, Cost, cost, environment, interleaved, median, python, share_of, spread, told

REFUSED = "redis://127.0.0.1:1/0"
ALLOWED_RATIO = 1.03
QUIETLY = ("--nostatusrc", "--console", "none", "--log", "NONE", "--report", "NONE")


def main() -> None:
    benchmarks = {
        "passing": passing,
        "failing": failing,
        "nobody": nobody_there,
        "held": held,
        "end": at_the_end,
        "import": imported,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--tests", type=int, default=2000)
    parser.add_argument("--only", choices=list(benchmarks))
    options = parser.parse_args()
    compileall.compile_dir(ROOT / "robot_ddn_listener", quiet=2)  # as pip does: else each run pays for what was edited last
    with TemporaryDirectory(prefix="ddn-bench-") as folder:
        for name, benchmark in benchmarks.items():
            if options.only in (None, name):
                benchmark(Path(folder), options.runs, options.tests)


def passing(place: Path, runs: int, tests: int) -> None:
    suite = written(place / "passing", tests, failing=0)
    variants = {
        "empty": partial(robot, place, suite, EMPTY),
        "ours": partial(robot, place, suite, "robot_ddn_listener"),
        "ours, Redis URL": partial(robot, place, suite, "robot_ddn_listener", redis=REFUSED),
    }
    _tell_ratios("passing", interleaved(variants, runs), tests)


def failing(place: Path, runs: int, tests: int) -> None:
    suite = written(place / "failing", tests, failing=tests // 10)
    with redis_server(place / "up") as up, redis_server(place / "hung") as hung:
        up.beat()
        hung.freeze()
        variants = {
            "empty": partial(robot, place, suite, EMPTY),
            "Redis up": partial(robot, place, suite, "robot_ddn_listener;wait=0", redis=up.url),
            "refused": partial(robot, place, suite, "robot_ddn_listener;wait=0", redis=REFUSED),
            "hung": partial(robot, place, suite, "robot_ddn_listener;wait=0", redis=hung.url),
        }
        costs = interleaved(variants, runs)
    _tell_ratios("failing", costs, tests)


def nobody_there(place: Path, runs: int, tests: int) -> None:
    suite = written(place / "few", 20, failing=7)
    with redis_server(place / "nobody") as nobody, redis_server(place / "paused") as paused:
        paused.beat()
        paused.pause("Pinecone is down")
        variants = {
            "empty": partial(robot, place, suite, EMPTY),
            "no worker": partial(robot, place, suite, "robot_ddn_listener", redis=nobody.url),
            "paused": partial(robot, place, suite, "robot_ddn_listener", redis=paused.url),
        }
        costs = interleaved(variants, runs)
    added = {name: round(_added(taken, costs["empty"], "wall"), 3) for name, taken in costs.items() if name != "empty"}
    empty = median([one.wall for one in costs["empty"]])
    print(f"nobody there: seconds added to {empty:.2f} s, {runs} interleaved runs: {added}; wanted at most 1")
    told("nobody there", {"added_seconds": added, "runs": runs})


def held(place: Path, runs: int, tests: int) -> None:
    """Tell the median over runs of each run's p50 and p99."""
    with redis_server(place / "held-up") as up, redis_server(place / "held-hung") as hung:
        up.beat()
        hung.freeze()
        for name, url in {"up": up.url, "refused": REFUSED, "hung": hung.url}.items():
            p50, p99 = held_milliseconds(place, url, 500, runs)
            print(f"held, Redis {name}: p50 {p50:.3f} ms, p99 {p99:.3f} ms, medians of {runs} runs; wanted 1 and 5")
            told(f"held, {name}", {"p50_ms": round(p50, 3), "p99_ms": round(p99, 3), "failing_tests": 500, "runs": runs})


def held_milliseconds(place: Path, url: str, failing: int, runs: int) -> tuple[float, float]:
    """Return the medians of p50 and p99 of what a failing test holds its thread; every second test fails, by 7 causes."""
    suite, measured = written(place / f"held{failing}", 2 * failing, failing=failing), place / "held.json"
    environ = environment(DDN_REDIS_URL=url, DDN_WAIT="0", HELD_FILE=str(measured), DDN_HOME=str(place / "home"))
    shares: list[tuple[float, float]] = []
    for _ in range(runs):
        cost(python("-m", "robot", *QUIETLY, "--listener", "HeldListener", "--outputdir", str(place / "out"), str(suite)), environ)
        taken = json.loads(measured.read_text())
        shares.append((1000 * share_of(taken, 0.5), 1000 * share_of(taken, 0.99)))
    p50s, p99s = zip(*shares, strict=True)
    return median(p50s), median(p99s)


def at_the_end(place: Path, runs: int, tests: int) -> None:
    """200 failures of 7 causes in the first half of 2,000 tests; a stand-in for the backend answers each report at once."""
    with redis_server(place / "end-redis") as redis, answering(redis.url):
        taken, size = output_file_seconds(place, redis.url, 2000, runs)
    answered = (place / "out" / "output.xml").read_text().count("answered by the bench")
    print(f"end: output_file() took {spread(taken)} s at {size:.0f} MB, {answered} cards show the answer; wanted at most .5")
    told("end", {"seconds": round(median(taken), 3), "megabytes": round(size, 1), "cards": answered, "runs": runs})


def output_file_seconds(place: Path, url: str, tests: int, runs: int) -> tuple[list[float], float]:
    """Return what output_file() took in each run, and the megabytes of the output file; every tenth test fails."""
    suite = place / f"end{tests}"
    suite.mkdir()
    for start in range(0, tests, 100):
        (suite / f"s{start:05}.robot").write_text(talkative(start, 100, fails=start < tests // 2))
    measured, taken = place / "end.json", []
    environ = environment(DDN_REDIS_URL=url, END_FILE=str(measured), DDN_HOME=str(place / "home"))
    command = python("-m", "robot", *QUIETLY, "--outputdir", str(place / "out"), "--listener", "EndListener", str(suite))
    for _ in range(runs):
        cost(command, environ)
        taken.append(float(json.loads(measured.read_text())))
    return taken, (place / "out" / "output.xml").stat().st_size / 1e6


def imported(place: Path, runs: int, tests: int) -> None:
    suite = written(place / "one", 1, failing=0)
    variants = {"alone": partial(robot, place, suite, ""), "ours": partial(robot, place, suite, "robot_ddn_listener")}
    costs = interleaved(variants, runs)
    user, peak = 1000 * _added(costs["ours"], costs["alone"], "user"), _added(costs["ours"], costs["alone"], "peak")
    print(f"import: {user:.1f} ms of user CPU and {peak:.2f} MB over robot alone, {runs} runs; wanted 10 ms and 2 MB")
    told("import", {"user_ms": round(user, 1), "memory_mb": round(peak, 2), "runs": runs})


def _added(taken: Sequence[Cost], base: Sequence[Cost], what: str) -> float:
    """Return the median over rounds of what a run had more of than the other one of its round."""
    return median([getattr(one, what) - getattr(of, what) for one, of in zip(taken, base, strict=True)])


def _tell_ratios(name: str, costs: Mapping[str, Sequence[Cost]], tests: int) -> None:
    base = costs["empty"]
    print(f"{name}: {tests} tests, {len(base)} interleaved runs; seconds of user CPU")
    ratios: dict[str, dict[str, float]] = {}
    for variant, taken in costs.items():
        ratio = median([one.user / of.user for one, of in zip(taken, base, strict=True)])
        above = median([one.user - ALLOWED_RATIO * of.user for one, of in zip(taken, base, strict=True)])
        wall_above = median([one.wall - ALLOWED_RATIO * of.wall for one, of in zip(taken, base, strict=True)])
        user, wall = _added(taken, base, "user"), _added(taken, base, "wall")
        print(f"  {variant:16} {spread([one.user for one in taken])}   {ratio:.3f} of empty, {user:+.2f} s   wall {wall:+.2f} s")
        seconds = {"user_added": user, "user_above": above, "wall_added": wall, "wall_above": wall_above}
        ratios[variant] = {"user_ratio": round(ratio, 4), **{what: round(value, 3) for what, value in seconds.items()}}
    told(name, {"tests": tests, "runs": len(base), "variants": ratios})


if __name__ == "__main__":
    main()
