"""The supervisor over real processes: small programs that die, hang, finish their work or do not want to end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.ops.running.console import Console
from ddn_backend.ops.running.supervisor import UNUSABLE, Beats, Part, Supervisor

PROGRAMS = {
    # Notes its process id, then waits for the signal to end; ends when the file `finish` is there.
    "worker": """
import os, pathlib, signal, sys, time
me = pathlib.Path(sys.argv[1])
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
with me.open("a") as file:
    print(os.getpid(), file=file)
print("works", flush=True)
while not told:
    time.sleep(0.02)
while len(sys.argv) > 2 and not pathlib.Path(sys.argv[2]).exists():
    time.sleep(0.02)
print("is done", flush=True)
""",
    "dies": "import os, sys; print('dies \\x1b[31mred', flush=True); open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); exit(3)",
    "unusable": "import sys; print('ddn: wrong alert rule'); sys.exit(2)",
    "reads": "import sys; print('read', repr(sys.stdin.read()), flush=True); sys.stdin.read()",
}


class Stack:
    """A supervisor in a thread of this process."""

    def __init__(self, folder: Path, parts: list[Part], beats: Beats, **options: Any) -> None:
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *map(str, sys.path)])}
        self.out = StringIO()
        options = {"finish_seconds": 30, **options}
        self.supervisor = Supervisor(parts, environ, Console(self.out), beats, **options)
        self.codes: list[int] = []
        self.thread = threading.Thread(target=lambda: self.codes.append(self.supervisor.run()))
        self.thread.start()

    @property
    def said(self) -> str:
        return self.out.getvalue()

    def end(self, times: int = 1) -> None:
        for _ in range(times):
            self.supervisor.interrupt()
        self.thread.join(30)
        assert not self.thread.is_alive()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    for name, text in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(text)
    stacks: list[Stack] = []

    def start(*parts: Part, beats: Beats = dict, **options: Any) -> Stack:
        stacks.append(Stack(tmp_path, list(parts), beats, **options))
        return stacks[-1]

    yield start
    for stack in stacks:
        stack.end(times=2)


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_a_part_that_dies_is_started_again_and_what_it_says_has_its_name(start: Any, tmp_path: Path, wait_until: Any) -> None:
    stack = start(Part("monitor", "dies", (str(tmp_path / "pids"),)))
    wait_until(lambda: len(pids(tmp_path / "pids")) == 2, "the second start")
    stack.end()
    assert "monitor  | dies \N{REPLACEMENT CHARACTER}[31mred\n" in stack.said  # nothing steers the operator's terminal
    assert "ddn      | monitor ended with code 3. It is started again in 1 s.\n" in stack.said
    assert stack.codes == [0]


@pytest.mark.skipif(sys.platform == "win32", reason="no process can be stopped there")
def test_a_worker_that_is_silent_is_killed_and_started_again(start: Any, tmp_path: Path, wait_until: Any) -> None:
    frozen: list[int] = []

    def beats() -> dict[str, float]:
        return {"w@host": 1.0 if len(pids(tmp_path / "pids")) == 1 and frozen else time.time()}

    stack = start(Part("worker1", "worker", (str(tmp_path / "pids"),), "w@host"), beats=beats, silent_seconds=0.8)
    wait_until(lambda: pids(tmp_path / "pids"), "the start")
    frozen += pids(tmp_path / "pids")
    os.kill(frozen[0], signal.SIGSTOP)
    wait_until(lambda: len(pids(tmp_path / "pids")) == 2, "the second start")
    stack.end()
    assert "worker1 has not beaten for" in stack.said
    assert "worker1 ended by SIGKILL" in stack.said


def test_a_worker_that_took_its_leave_may_finish_what_it_is_at(start: Any, tmp_path: Path, wait_until: Any) -> None:
    asked: list[float] = []

    def beats() -> dict[str, float]:
        asked.append(time.time())
        return {"w@host": time.time()} if len(asked) < 3 else {}

    stack = start(Part("worker1", "worker", (str(tmp_path / "pids"),), "w@host"), beats=beats, silent_seconds=0.4)
    wait_until(lambda: len(asked) > 2 and asked[-1] > asked[2] + 0.7, "more silence than a worker may have")
    stack.end()
    assert len(pids(tmp_path / "pids")) == 1
    assert "killed" not in stack.said


def test_no_worker_is_killed_while_redis_does_not_answer(start: Any, tmp_path: Path, wait_until: Any) -> None:
    asked: list[int] = []

    def beats() -> dict[str, float] | None:
        asked.append(1)
        return {} if len(asked) > 4 else None  # and then its Redis is back, and it needs a moment to find it

    stack = start(Part("worker1", "worker", (str(tmp_path / "pids"),), "w@host"), beats=beats, silent_seconds=0.2)
    wait_until(lambda: len(asked) > 7, "some looks")
    stack.end()
    assert "killed" not in stack.said


def test_all_end_in_order_after_the_running_analyses(start: Any, tmp_path: Path, wait_until: Any) -> None:
    finish = str(tmp_path / "finish")
    worker = Part("worker1", "worker", (str(tmp_path / "a"), finish), "w@host")
    stack = start(worker, Part("flower", "worker", (str(tmp_path / "b"),)))
    wait_until(lambda: stack.said.count("works") == 2, "both to run")
    stack.supervisor.interrupt()
    wait_until(lambda: "Ending." in stack.said, "the announcement")
    assert "is done" not in stack.said
    (tmp_path / "finish").touch()
    stack.thread.join(30)
    assert [line for line in stack.said.splitlines() if "is done" in line] == ["worker1  | is done", "flower   | is done"]
    assert stack.codes == [0]


def test_the_second_interrupt_ends_at_once(start: Any, tmp_path: Path, wait_until: Any) -> None:
    stack = start(Part("worker1", "worker", (str(tmp_path / "pids"), str(tmp_path / "never")), "w@host"))
    wait_until(lambda: "works" in stack.said, "the start")
    stack.end(times=2)
    assert "worker1 is killed" in stack.said


def test_a_worker_gets_no_more_time_than_an_analysis_may_take(start: Any, tmp_path: Path, wait_until: Any) -> None:
    stack = start(Part("worker1", "worker", (str(tmp_path / "pids"), str(tmp_path / "never")), "w@host"), finish_seconds=0.5)
    wait_until(lambda: "works" in stack.said, "the start")
    stack.end()
    assert "worker1 is killed" in stack.said


def test_a_part_that_cannot_use_what_it_was_given_ends_all(start: Any, tmp_path: Path) -> None:
    stack = start(Part("monitor", "unusable"), Part("worker1", "worker", (str(tmp_path / "pids"),)))
    stack.thread.join(30)
    assert stack.codes == [UNUSABLE]
    assert "monitor  | ddn: wrong alert rule\n" in stack.said
    assert "ddn      | monitor cannot start, see above. All ends.\n" in stack.said


def test_a_part_reads_an_empty_stdin(start: Any, wait_until: Any) -> None:
    stack = start(Part("flower", "reads"))
    wait_until(lambda: "read ''" in stack.said, "what it read")
    stack.end()


def test_nothing_outlives_a_supervisor_that_is_killed(start: Any, tmp_path: Path, wait_until: Any) -> None:
    program = f"""
import os, sys
from ddn_backend.ops.running.console import Console
from ddn_backend.ops.running.supervisor import Part, Supervisor
parts = [Part("worker1", "worker", ({str(tmp_path / "pids")!r},), "w@host")]
environ = {{**os.environ, "PYTHONPATH": {os.pathsep.join([str(tmp_path), *sys.path])!r}}}
Supervisor(parts, environ, Console(sys.stdout), dict, 30).run()
"""
    for name, text in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(text)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    supervisor = subprocess.Popen([sys.executable, "-P", "-c", program], env=environ, stdout=subprocess.DEVNULL)
    (pid,) = wait_until(lambda: pids(tmp_path / "pids"), "the start")
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not is_running(pid), "the end of what it ran")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the stream that is thrown away finds nobody either
def test_a_console_that_nobody_reads_stops_nobody() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb", buffering=0) as pipe:
        Console(TextIOWrapper(pipe, write_through=True)).say("worker1", "anybody?")
