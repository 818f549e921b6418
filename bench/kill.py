"""Is anything lost, or done twice, where everything is killed: `python bench/kill.py [--reports 200] [--kills 20] [--restarts 3]`.

Workers are killed (SIGKILL) at random while they analyse, Redis (append-only file) is killed and started again on the same file,
and a model on loopback counts, by the report that it is asked about, what it was asked and which of its answers were taken. A call
whose worker is killed before the answer is there is no conclusion, nor is an answer whose worker is killed within GRACE_SECONDS
after it was sent: nothing can tell whether it got as far as being kept, and those are counted by themselves. Wanted: every report
has its analysis in the history, no report has two, each was concluded exactly once. What was in three workers when they were killed
is set aside (it could be the cause) and sent again at the end, as `ddn requeue` does; how many those were is told.
"""

import argparse
import asyncio
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis
from slow_model import answer
from timing import environment, python, told, wait_for
from worker_stack import report

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.ports import State, Wanted
from robot_ddn_listener import spool
from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import WORKERS_KEY, FailureReport

PATIENCE_SECONDS = 420.0
LOOK_SECONDS = 0.1
GRACE_SECONDS = 1.0  # that a worker may take to keep an answer, on a machine that is busy with all this
_REPORT = re.compile(r"report: ([\w-]+)")
_KEY = re.compile(r"(?i)x-goog-api-key: (\S+)")
_WIDGET = re.compile(r"Widget [a-z ]+ was not amused")


@dataclass(frozen=True)
class Outcome:
    """What became of the reports. `asked` and `concluded` count by report id what the model was asked, and what it answered."""

    reports: tuple[str, ...]
    states: dict[str, State]
    models: dict[str, str]
    asked: Counter[str]
    concluded: Counter[str]
    cut_off: Counter[str]
    kills: int
    restarts: int
    seconds: float
    set_aside: tuple[str, ...] = ()

    @property
    def stored(self) -> int:
        """How many reports have a whole analysis of the model in the history."""
        return sum(self.states.get(one) is State.ANSWERED and bool(self.models.get(one)) for one in self.reports)

    @property
    def concluded_twice(self) -> list[str]:
        """The reports with more than one answer to workers that lived on to keep it."""
        return [one for one in self.reports if self.concluded[one] > 1]

    @property
    def asked_again(self) -> int:
        """How many reports were answered again after an answer that came to a worker in the moment of its death."""
        return sum(self.concluded[one] + self.cut_off[one] > max(self.concluded[one], 1) for one in self.reports)

    @property
    def never_concluded(self) -> list[str]:
        return [one for one in self.reports if not self.concluded[one] + self.cut_off[one]]

    @property
    def told(self) -> str:
        return (
            f"{self.stored} of {len(self.reports)} analyses stored, {len(self.concluded_twice)} concluded twice, "
            f"{len(self.never_concluded)} never, {len(self.set_aside)} set aside and sent again; "
            f"the model was asked {sum(self.asked.values())} "
            f"times, {self.asked_again} of them because the worker died in the moment of the answer; "
            f"{self.kills} kills of workers, {self.restarts} of Redis, {self.seconds:.0f} s"
        )


class Model:
    """Gemini's API in a thread of its own; answers after `seconds`, between half as much and one and a half times as much."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.asked: Counter[str] = Counter()
        self.answers: list[tuple[str, str, float]] = []  # report, the worker's key, when
        self.port = 0
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait(PATIENCE_SECONDS)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=1 << 20, backlog=1000)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
                asked = (await reader.readexactly(length)).decode("utf-8", "replace")
                key = _KEY.search(head)
                await self._answer(asked, key[1] if key else "", reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, asked: str, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = _REPORT.search(asked)
        name = found[1] if found else "?"
        self.asked[name] += 1
        await asyncio.sleep(self._seconds * random.uniform(0.5, 1.5))
        if reader.at_eof() or writer.is_closing():
            raise ConnectionResetError  # who asked was killed: nobody reads the answer
        quote = _WIDGET.search(asked)
        body = answer(quote[0] if quote else "Widget")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        self.answers.append((name, key, time.monotonic()))

    def counted(self, deaths: dict[str, float]) -> tuple[Counter[str], Counter[str]]:
        """Return by report how often it was concluded, and how often an answer came to a worker in the moment of its death."""
        concluded, cut_off = Counter[str](), Counter[str]()
        for name, key, when in self.answers:
            is_cut_off = key in deaths and deaths[key] <= when + GRACE_SECONDS
            (cut_off if is_cut_off else concluded)[name] += 1
        return concluded, cut_off


@dataclass
class Ordeal:
    """A Redis, workers and a model below `place`, to be killed. `fsync` is Redis' appendfsync."""

    place: Path
    workers: int = 4
    threads: int = 10
    seconds: float = 1.0
    fsync: str = "everysec"
    processes: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    deaths: dict[str, float] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)

    def run(self, count: int, kills: int, restarts: int, lifetime: float) -> Outcome:
        """Send `count` reports, some before each kill, which comes at most `lifetime` seconds later; wait for all answers."""
        started = time.monotonic()
        self.place.mkdir(parents=True, exist_ok=True)
        self._model = Model(self.seconds)
        self._start_redis()
        try:
            for number in range(self.workers):
                self._start_worker(number)
            reports = [report(number) for number in range(count)]
            self._kill(reports, kills, restarts, lifetime)
            states, models = self._wait(reports, State.PENDING)
            aside = [one for one in reports if states.get(one.id) is State.FAILED]
            if aside:  # what `ddn requeue` does
                self._send(aside)
                states, models = self._wait(reports, State.PENDING, State.FAILED)
        finally:
            self.end()
        ids = tuple(one.id for one in reports)
        taken = time.monotonic() - started
        counted = self._model.counted(self.deaths)
        return Outcome(ids, states, models, self._model.asked, *counted, kills, restarts, taken, tuple(one.id for one in aside))

    def end(self) -> None:
        for process in (*self.processes.values(), self._redis):
            process.kill()
            process.wait()

    def _start_redis(self) -> None:
        binary = shutil.which("redis-server") or shutil.which("valkey-server")
        if not binary:
            raise SystemExit("The kill test needs redis-server or valkey-server on PATH.")
        options = {
            "--port": "0",
            "--unixsocket": str(self.place / "s"),
            "--dir": str(self.place),
            "--save": "",
            "--appendonly": "yes",
            "--appendfsync": self.fsync,
        }
        with (self.place / "redis.txt").open("ab") as said:
            words = [word for pair in options.items() for word in pair]
            self._redis = subprocess.Popen([binary, *words], stdout=said, stderr=said)
        wait_for(self._answers, "Redis")

    def _answers(self) -> bool:
        try:
            return bool(self._client().ping())
        except redis.RedisError:
            return False

    def _client(self) -> "redis.Redis":
        return redis.Redis(unix_socket_path=str(self.place / "s"))

    @property
    def url(self) -> str:
        return f"redis+socket://{self.place / 's'}"

    def _start_worker(self, number: int, wait: bool = True) -> None:
        home = self.place / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        environ = environment(
            DDN_REDIS_URL=self.url,
            DDN_HOME=str(home),
            DDN_CONCURRENCY=str(self.threads),
            DDN_MODEL="google:bench",
            DDN_MODEL_GROUPS="1000000",
            GEMINI_API_KEY=f"worker-{number}-{len(self.deaths)}",
            GOOGLE_GEMINI_BASE_URL=f"http://127.0.0.1:{self._model.port}",
        )
        born = time.time()
        self.keys[number] = environ["GEMINI_API_KEY"]
        with (self.place / f"worker{number}.txt").open("ab") as said:
            command = python("-m", "celery", "-A", "ddn_backend", "worker", "-n", f"kill{number}@%h")
            self.processes[number] = subprocess.Popen(command, env=environ, stdout=said, stderr=said, cwd=self.place)
        if wait:
            wait_for(lambda: self._beat(number) > born, f"worker {number}")

    def _beat(self, number: int) -> float:
        beats: Any = self._client().zrange(WORKERS_KEY, 0, -1, withscores=True)
        return max((when for name, when in beats if name.startswith(b"kill%d@" % number)), default=0.0)

    def _send(self, reports: Sequence[FailureReport]) -> None:
        """As a listener does, and a replay after it: what Redis does not take waits on disk."""
        broker = Broker(self.url)
        for one in reports:
            spool.write(self.place, one)
        while spool.pending(self.place):
            spool.replay(self.place, broker.submit)
        broker.close()

    def _kill(self, reports: Sequence[FailureReport], kills: int, restarts: int, lifetime: float) -> None:
        orders = ["worker"] * kills + ["redis"] * restarts
        random.shuffle(orders)
        share = -(-len(reports) // len(orders))
        for position, order in enumerate(orders):
            self._send(reports[position * share : (position + 1) * share])
            time.sleep(random.uniform(0.2, 1.0) * lifetime)  # the moment of the kill is what is random here
            if order == "redis":
                self._redis.send_signal(signal.SIGKILL)
                self._redis.wait()
                self._start_redis()
            else:
                self._kill_worker(random.randrange(self.workers))

    def _kill_worker(self, number: int) -> None:
        key = self.keys[number]
        self.processes[number].send_signal(signal.SIGKILL)
        self.deaths[key] = time.monotonic()
        self.processes[number].wait()
        self._start_worker(number)

    def _wait(self, reports: Sequence[FailureReport], *unfinished: State) -> tuple[dict[str, State], dict[str, str]]:
        history = SqliteHistory(self.place / "home" / "history" / "history.sqlite")
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while True:
                kept = {past.report.id: past for past in history.listed(Wanted(limit=100_000))}
                open_ = [one.id for one in reports if one.id not in kept or kept[one.id].state in unfinished]
                if not open_ or time.monotonic() > deadline:
                    states = {name: past.state for name, past in kept.items()}
                    return states, {name: past.analysis.engine.model for name, past in kept.items() if past.analysis}
                time.sleep(LOOK_SECONDS * 5)
        finally:
            history.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="that the model takes, on average")
    parser.add_argument("--lifetime", type=float, default=2.0, help="seconds between two kills, at most")
    parser.add_argument("--fsync", choices=["always", "everysec"], default="everysec")
    parser.add_argument("--keep", type=Path, help="a folder for logs, history and append-only file")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="ddn-kill-") as folder:
        ordeal = Ordeal(options.keep or Path(folder), options.workers, options.threads, options.seconds, options.fsync)
        outcome = ordeal.run(options.reports, options.kills, options.restarts, options.lifetime)
    print(outcome.told)
    print("concluded twice:", outcome.concluded_twice, "set aside:", outcome.set_aside)
    told(
        "kill",
        {
            "reports": len(outcome.reports),
            "stored": outcome.stored,
            "lost": len(outcome.reports) - outcome.stored,
            "concluded_twice": len(outcome.concluded_twice),
            "never_concluded": len(outcome.never_concluded),
            "set_aside": len(outcome.set_aside),
            "asked_again": outcome.asked_again,
            "asked": sum(outcome.asked.values()),
            "kills": outcome.kills,
            "redis_kills": outcome.restarts,
            "appendfsync": options.fsync,
            "seconds": round(outcome.seconds),
        },
    )


if __name__ == "__main__":
    main()
