"""What the listener costs a run: `python bench/listener.py [--runs 15] [--tests 2000]`.

passing        2,000 passing tests of 20 keywords: user CPU against the same run with an empty listener
failing        the same with 200 failing tests of 7 causes: Redis up with a worker's heartbeat, refused, hung
nobody there   wall time added when no worker is online, and when the queue is paused
held           milliseconds that the test thread is held for each failing test
end            seconds that output_file() takes with an output file of 20 MB when all answers are in
import         what the listener costs a run of one passing test: wall time and memory
"""

import argparse
import base64
import compileall
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from timing import ROOT, Cost, cost, environment, interleaved, median, python, spread, told

sys.path.insert(0, str(ROOT))

from robot_ddn_listener.contract import (
    QUEUE,
    TASK_NAME,
    VERDICT_SECONDS,
    Analysis,
    ErrorType,
    FailureReport,
    Stage,
    Verdict,
    decode,
    encode,
    verdict_key,
)

KEYWORDS = 20
CAUSES = (
    "Evaluate    [][3]",
    "Evaluate    {}['token']",
    "Evaluate    int('eleven')",
    "Should Be Equal    paid    open",
    "Fail    ConnectionRefusedError: [Errno 111] Connection refused",
    "Fail    The basket of the customer is empty.",
    "No Such Keyword",
)
EMPTY = "EmptyListener.EmptyListener"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--tests", type=int, default=2000)
    parser.add_argument("--only", choices=["passing", "failing", "nobody", "held", "end", "import"])
    options = parser.parse_args()
    compileall.compile_dir(ROOT / "robot_ddn_listener", quiet=2)  # as pip does: else each run pays for what was edited last
    with TemporaryDirectory(prefix="ddn-bench-") as folder:
        place = Path(folder)
        benchmarks = {
            "passing": passing,
            "failing": failing,
            "nobody": nobody_there,
            "held": held,
            "end": at_the_end,
            "import": imported,
        }
        for name, benchmark in benchmarks.items():
            if options.only in (None, name):
                benchmark(place, options.runs, options.tests)


def passing(place: Path, runs: int, tests: int) -> None:
    suite = written(place / "passing", tests, failing=0)
    variants = {
        "empty": partial(robot, place, suite, EMPTY),
        "ours": partial(robot, place, suite, "robot_ddn_listener"),
        "ours, Redis URL": partial(robot, place, suite, "robot_ddn_listener", redis="redis://127.0.0.1:1/0"),
    }
    costs = interleaved(variants, runs)
    _ratios("passing", costs, tests)


def failing(place: Path, runs: int, tests: int) -> None:
    suite = written(place / "failing", tests, failing=tests // 10)
    with redis_server(place / "up") as up, redis_server(place / "hung") as hung:
        up.beat()
        hung.freeze()
        variants = {
            "empty": partial(robot, place, suite, EMPTY),
            "Redis up": partial(robot, place, suite, "robot_ddn_listener;wait=0", redis=up.url),
            "refused": partial(robot, place, suite, "robot_ddn_listener;wait=0", redis="redis://127.0.0.1:1/0"),
            "hung": partial(robot, place, suite, "robot_ddn_listener;wait=0", redis=hung.url),
        }
        costs = interleaved(variants, max(runs // 3, 5))
    _ratios("failing", costs, tests)


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
        costs = interleaved(variants, max(runs // 3, 5))
    walls = {name: median([one.wall for one in taken]) for name, taken in costs.items()}
    added = {name: round(wall - walls["empty"], 3) for name, wall in walls.items() if name != "empty"}
    print(f"nobody there: seconds added to {walls['empty']:.2f} s: {added}; wanted at most 1")
    told("nobody there", {"added_seconds": added})


def held(place: Path, runs: int, tests: int) -> None:
    """The listener's end_test, timed from outside by a listener that wraps it."""
    suite = written(place / "held", 1000, failing=500)
    with redis_server(place / "held-up") as up, redis_server(place / "held-hung") as hung:
        up.beat()
        hung.freeze()
        for name, url in {"up": up.url, "refused": "redis://127.0.0.1:1/0", "hung": hung.url}.items():
            measured = place / f"held-{name}.json"
            environ = environment(DDN_REDIS_URL=url, DDN_WAIT="0", HELD_FILE=str(measured), DDN_HOME=str(place / "home"))
            cost(python("-m", "robot", "--listener", "HeldListener", "--outputdir", str(place / "out"), str(suite)), environ)
            taken = sorted(json.loads(measured.read_text()))
            p50, p99 = (1000 * taken[int(share * (len(taken) - 1))] for share in (0.5, 0.99))
            print(f"held, Redis {name}: p50 {p50:.3f} ms, p99 {p99:.3f} ms of {len(taken)} failing tests; wanted 1 and 5")
            told(f"held, {name}", {"p50_ms": round(p50, 3), "p99_ms": round(p99, 3), "failing_tests": len(taken)})


def at_the_end(place: Path, runs: int, tests: int) -> None:
    """200 failures of 7 causes in the first half of 2,000 tests; a stand-in for the backend answers each report at once."""
    suite = place / "end"
    suite.mkdir()
    for start in range(0, 2000, 100):
        (suite / f"s{start:05}.robot").write_text(_talkative(start, 100, fails=start < 1000))
    taken, size = [], 0.0
    with redis_server(place / "end-redis") as redis, answering(redis.url):
        for _ in range(max(runs // 3, 5)):
            measured = place / "end.json"
            environ = environment(DDN_REDIS_URL=redis.url, END_FILE=str(measured), DDN_HOME=str(place / "home"))
            arguments = [
                "--nostatusrc",
                "--console",
                "none",
                "--log",
                "NONE",
                "--report",
                "NONE",
                "--outputdir",
                str(place / "out"),
            ]
            cost(python("-m", "robot", *arguments, "--listener", "EndListener", str(suite)), environ)
            taken.append(json.loads(measured.read_text()))
            size = (place / "out" / "output.xml").stat().st_size / 1e6
    answered = (place / "out" / "output.xml").read_text().count("answered by the bench")
    print(f"end: output_file() took {spread(taken)} s at {size:.0f} MB, {answered} cards show the answer; wanted at most .5")
    told("end", {"seconds": round(median(taken), 3), "megabytes": round(size, 1), "cards": answered})


def _talkative(first: int, count: int, fails: bool) -> str:
    text = "    of the shop, as long as the messages of a keyword tend to be when somebody wants to know what it did"
    lines = ["*** Test Cases ***"]
    for number in range(first, first + count):
        lines.append(f"Test {number}")
        lines += [f"    Log Many    message {step} of {number}{(text * 3)}" for step in range(10)]
        lines += [f"    {CAUSES[number // 5 % len(CAUSES)]}"] if fails and number % 5 == 0 else []
    return "\n".join(lines) + "\n"


@contextmanager
def answering(url: str) -> Iterator[None]:
    """A stand-in for the backend: takes each report from the queue and publishes a final verdict."""
    import redis

    client, ended = redis.Redis.from_url(url, socket_timeout=5), threading.Event()
    client.set("ddn:heartbeat", "bench")

    def answer() -> None:
        while not ended.is_set():
            if message := client.brpop([QUEUE], timeout=1):
                task = json.loads(message[1])
                if task["headers"]["task"] != TASK_NAME:
                    continue
                report = decode(FailureReport, json.loads(base64.b64decode(task["body"]))[0][0])
                said = Analysis(report.id, report.project, report.fingerprint, Stage.FINAL, Verdict.DIAGNOSED)
                said = replace(said, error_type=ErrorType.TEST_ERROR, root_cause="It was answered by the bench.", confidence=0.9)
                client.set(verdict_key(report.project, report.id), json.dumps(encode(said)), ex=VERDICT_SECONDS)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        client.close()


def imported(place: Path, runs: int, tests: int) -> None:
    suite = written(place / "one", 1, failing=0)
    costs = interleaved(
        {"alone": partial(robot, place, suite, ""), "ours": partial(robot, place, suite, "robot_ddn_listener")}, max(runs, 15)
    )
    wall, peak = (
        median([getattr(one, what) for one in costs["ours"]]) - median([getattr(one, what) for one in costs["alone"]])
        for what in ("user", "peak")
    )
    print(f"import: {1000 * wall:.1f} ms of user CPU and {peak:.2f} MB over robot alone; wanted 10 ms and 2 MB")
    told("import", {"user_ms": round(1000 * wall, 1), "memory_mb": round(peak, 2)})


def robot(place: Path, suite: Path, listener: str, redis: str = "") -> Cost:
    environ = environment(DDN_HOME=str(place / "home"), **({"DDN_REDIS_URL": redis} if redis else {}))
    listening = ["--listener", listener] if listener else []
    arguments = ["--nostatusrc", "--console", "none", "--outputdir", str(place / "out"), *listening, str(suite)]
    taken = cost(python("-m", "robot", *arguments), environ, place)
    if taken.code:
        raise SystemExit(f"robot ended with {taken.code} for {listener}")
    return taken


def written(folder: Path, tests: int, failing: int) -> Path:
    """Write suites of 100 tests of KEYWORDS keywords each, every tenth failing by one of CAUSES as long as `failing` lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    left = failing
    every = tests // failing if failing else 0
    for start in range(0, tests, 100):
        lines = ["*** Test Cases ***"]
        for number in range(start, min(start + 100, tests)):
            fails = left > 0 and every and number % every == 0
            lines.append(f"Test {number}")
            lines += [f"    Log    step {step} of test {number}" for step in range(KEYWORDS - bool(fails))]
            if fails:
                lines.append(f"    {CAUSES[left % len(CAUSES)]}")
                left -= 1
        (folder / f"suite_{start:05}.robot").write_text("\n".join(lines) + "\n")
    return folder


def _ratios(name: str, costs: dict[str, list[Cost]], tests: int) -> None:
    base = costs["empty"]
    print(f"{name}: {tests} tests, {len(base)} interleaved runs; seconds of user CPU")
    ratios = {}
    for variant, taken in costs.items():
        ratio = median([one.user / of.user for one, of in zip(taken, base, strict=True)])
        wall = median([one.wall - of.wall for one, of in zip(taken, base, strict=True)])
        print(f"  {variant:16} {spread([one.user for one in taken])}   {ratio:.3f} of empty   wall {wall:+.2f} s")
        ratios[variant] = {"user_ratio": round(ratio, 4), "wall_added": round(wall, 3)}
    told(name, ratios)


class Redis:
    """A server of our own, for one benchmark."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int):
        self._process = process
        self._port = port
        self.url = f"redis://127.0.0.1:{port}/0"

    def beat(self) -> None:
        self._say("SET ddn:heartbeat bench")

    def pause(self, reason: str) -> None:
        self._say(f'SET ddn:paused "{reason}"')

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def workers(self) -> int:
        """Return how many workers beat."""
        return int(self._say("ZCARD ddn:workers").lstrip(":"))

    def _say(self, command: str) -> str:
        with socket.create_connection(("127.0.0.1", self._port), 5) as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.recv(100).decode().strip()


@contextmanager
def redis_server(place: Path) -> Iterator[Redis]:
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if not binary:
        raise SystemExit("Benchmarks with Redis need redis-server or valkey-server on PATH.")
    place.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(place), "--save", ""]
    process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield Redis(process, port)
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise SystemExit("The Redis server did not start.")


if __name__ == "__main__":
    main()
