"""What a Redis costs the sender thread that is up, refuses, hangs (SIGSTOP) or swallows: seconds, in a new process each.

Run it from the root of the project: ``python bench/broker.py``. Needs redis-server (or valkey-server) on PATH.
"""

import importlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

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


def main() -> None:
    columns = ("imports", "send 1", "send 2", "send 3", "verdicts", "close", "process")
    print(" " * 12 + "".join(f"{column:>9}" for column in columns) + "   seconds (process: its start and end); how the sends ended")
    with ExitStack() as stack:
        for name, place in (("up", running), ("refused", refused), ("hung", hung), ("black hole", black_hole)):
            print_row(name, stack.enter_context(place()))


def print_row(name: str, url: str) -> None:
    started = time.perf_counter()
    answer = subprocess.run([sys.executable, __file__, url], capture_output=True, text=True, check=True).stdout
    seconds, outcome, ended = json.loads(answer)
    figures = [*seconds, time.perf_counter() - started - ended]
    print(f"{name:12}" + "".join(f"{figure:9.3f}" for figure in figures) + f"   {outcome}")


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
def running() -> Iterator[str]:
    with server() as (url, _):
        yield url


@contextmanager
def hung() -> Iterator[str]:
    with server() as (url, process):
        process.send_signal(signal.SIGSTOP)
        yield url


@contextmanager
def refused() -> Iterator[str]:
    yield f"redis://127.0.0.1:{free_port()}/0"


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


@contextmanager
def server() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    program = shutil.which("redis-server") or shutil.which("valkey-server") or sys.exit("Expected redis-server on PATH.")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        next(line for line in process.stdout if b"eady to accept connections" in line)
        try:
            yield f"redis://127.0.0.1:{port}/0", process
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
