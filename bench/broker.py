"""What a Redis costs the sender thread that is up, refuses, hangs (SIGSTOP) or swallows: `python bench/broker.py`.

Seconds of each call, in a new process each. Needs redis-server (or valkey-server) on PATH.
"""

import importlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from redis_servers import redis_server
from timing import environment, python, told

from robot_ddn_listener.broker import Broker
from robot_ddn_listener.contract import FailureReport, LogLine, Run
from robot_ddn_listener.errors import BrokerError

REPORT = FailureReport(
    id="bench",
    project="bench",
    fingerprint="f",
    run=Run("r"),
    suite_name="Suite",
    test_name="Test",
    error_message="boom",
    log=tuple(LogLine("a line of a log, as long as they tend to be " * 2) for _ in range(500)),  # about 60 kB
)


COLUMNS = ("imports", "send 1", "send 2", "send 3", "verdicts", "close", "process")


def main() -> None:
    print(" " * 12 + "".join(f"{column:>9}" for column in COLUMNS) + "   seconds (process: its start and end); how the sends ended")
    with TemporaryDirectory(prefix="ddn-bench-") as folder, ExitStack() as stack:
        place = Path(folder)
        up = stack.enter_context(redis_server(place / "up"))
        hung = stack.enter_context(redis_server(place / "hung"))
        hung.freeze()
        hole = stack.enter_context(black_hole())
        for name, url in {"up": up.url, "refused": "redis://127.0.0.1:1/0", "hung": hung.url, "black hole": hole}.items():
            print_row(name, url)


def print_row(name: str, url: str) -> None:
    started = time.perf_counter()
    answer = subprocess.run(python(__file__, url), env=environment(), capture_output=True, text=True, check=True).stdout
    seconds, outcome, ended = json.loads(answer)
    figures = [*seconds, time.perf_counter() - started - ended]
    print(f"{name:12}" + "".join(f"{figure:9.3f}" for figure in figures) + f"   {outcome}")
    told(f"sender, {name}", {column: round(figure, 4) for column, figure in zip(COLUMNS, figures, strict=True)})


def measure(url: str) -> None:
    """Print the seconds of each call as JSON, with the outcome of the last send and the process' age at its end."""
    begin = time.perf_counter()
    broker = Broker(url)
    outcome = "taken"

    def send() -> None:
        nonlocal outcome
        try:
            broker.submit(REPORT)
        except BrokerError as error:
            outcome = str(error).partition("failed: ")[2]

    def read() -> None:
        with suppress(BrokerError):
            broker.verdicts("bench", ["bench"])

    calls: list[Callable[[], object]] = [import_libraries, send, send, send, read, broker.close]
    seconds = [duration(call) for call in calls]
    print(json.dumps([seconds, outcome, time.perf_counter() - begin]))


def import_libraries() -> None:
    for name in ("celery.app.base", "celery.app.amqp", "kombu.transport.redis"):
        importlib.import_module(name)


def duration(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@contextmanager
def black_hole() -> Iterator[str]:
    """A listener that never accepts, its backlog full: the system drops every further attempt."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
