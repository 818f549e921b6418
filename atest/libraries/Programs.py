"""The programs under test, run from outside as a user runs them: robot, pabot, rebot and ddn."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from conditions import PATIENCE_SECONDS, wait_until
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn

TESTDATA = Path(__file__).resolve().parent.parent / "testdata"
LONGEST_SECONDS = 100.0

# What steers the product or Robot and may be set where the checks run. CI, because it shortens how long a runtime lives.
_NOT_INHERITED = ("DDN_", "ROBOT_", "PABOT", "REBOT_", "CELERY_", "REDIS_URL")


@dataclass
class Program:
    """A program that was started. `folder` is its output folder; `code` and what follows are there once it has ended."""

    folder: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)
    code: int | None = None
    stdout: str = field(default="", repr=False)
    stderr: str = field(default="", repr=False)
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic, repr=False)

    @property
    def output(self) -> Path:
        return self.folder / "output.xml"

    @property
    def log(self) -> Path:
        return self.folder / "log.html"

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    @property
    def said(self) -> str:
        return f"{self.stdout}\n{self.stderr}"


@library(scope="SUITE")
class Programs:
    """Keywords that take `name` put all that the program writes into a fresh folder of that name.

    Free named arguments are environment variables: ``Run Robot    refused    failures    DDN_REDIS_URL=redis://127.0.0.1:9``.
    """

    def __init__(self) -> None:
        self._started: list[Program] = []

    @property
    def folder(self) -> Path:
        suite = BuiltIn().get_variable_value("${SUITE NAME}").rpartition(".")[2]
        return Path(BuiltIn().get_variable_value("${OUTPUT DIR}"), suite.lower())

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @keyword
    def run_robot(self, name: str, *arguments: str, listener: str = "robot_ddn_listener", **environment: str) -> Program:
        """Run robot in the folder of the test data. An empty `listener` runs without one."""
        return self.wait_until_ended(self.start_robot(name, *arguments, listener=listener, **environment))

    @keyword
    def start_robot(self, name: str, *arguments: str, listener: str = "robot_ddn_listener", **environment: str) -> Program:
        """Like `Run Robot`, without waiting for its end."""
        taken = ["--listener", listener] if listener else []
        return self._start_with_outputdir(name, ["-m", "robot"], [*taken, *arguments], environment)

    @keyword
    def run_pabot(self, name: str, *arguments: str, **environment: str) -> Program:
        folder = self._fresh(name)
        # pabot leaves a file of its own where it is started
        command = ["-m", "pabot.pabot", "--outputdir", str(folder), *arguments]
        return self.wait_until_ended(self._start(command, folder, environment, cwd=folder))

    @keyword
    def run_rebot(self, name: str, *arguments: str, **environment: str) -> Program:
        return self.wait_until_ended(self._start_with_outputdir(name, ["-m", "robot.rebot"], arguments, environment))

    @keyword
    def run_ddn(self, *arguments: str, folder: Path | None = None, **environment: str) -> Program:
        """Run the console script; `folder` is where it is started."""
        script = shutil.which("ddn", path=str(Path(sys.executable).parent))
        command = [sys.executable, "-m", "ddn_backend.cli.main"] if script is None else [script]
        where = folder or self._fresh("ddn")
        return self.wait_until_ended(self._start([*command, *arguments], where, environment, cwd=where))

    @keyword
    def start_ddn(self, *arguments: str, **environment: str) -> Program:
        """Start the console script in a folder named like the command, without waiting for its end."""
        where = self._fresh(arguments[0])
        return self._start(["-m", "ddn_backend.cli.main", *arguments], where, environment, cwd=where)

    @keyword
    def wait_until_ended(self, program: Program, seconds: float = LONGEST_SECONDS) -> Program:
        """Return `program` with its return code and what it said; one that does not end is killed, and that fails the check."""
        try:
            program.code = program.process.wait(seconds)
            program.seconds = time.monotonic() - program.started
        except subprocess.TimeoutExpired:
            program.process.kill()
            program.process.wait(PATIENCE_SECONDS)
            raise AssertionError(f"The program did not end within {seconds:g} s: {program.process.args!r}") from None
        program.stdout, program.stderr = (self._said(program.folder, stream) for stream in ("stdout", "stderr"))
        return program

    @keyword
    def send_signal(self, program: Program, name: str) -> None:
        program.process.send_signal(signal.Signals[name])

    @keyword
    def wait_until_file_exists(self, path: Path, program: Program) -> None:
        """Wait until `path` exists; fails at once when `program` ends before."""
        wait_until(lambda: path.exists() or program.process.poll() is not None, f"'{path}' exists")
        if not path.exists():
            raise AssertionError(f"The program ended without writing '{path}'.")

    @keyword
    def end_programs(self) -> None:
        """End what is still running, so that a failed check leaves nothing behind."""
        for program in self._started:
            if program.process.poll() is None:
                program.process.kill()
                program.process.wait(PATIENCE_SECONDS)

    @keyword
    def no_process_should_be_left(self) -> None:
        """Wait until no process has this suite's DDN_HOME in its environment or on its command line."""
        if not Path("/proc/self/environ").exists():
            BuiltIn().skip("There is no /proc on this system to look through.")
        left: list[str] = []

        def none_left() -> bool:
            left[:] = self._left()
            return not left

        try:
            wait_until(none_left, "all processes have ended")
        except AssertionError as error:
            raise AssertionError(f"{error} Left behind: {'; '.join(left)}") from None

    def _left(self) -> list[str]:
        home = os.fsencode(self.home)
        return [f"{pid}: {command}" for pid, command, traces in _processes() if home in traces and pid != os.getpid()]

    def _start_with_outputdir(
        self, name: str, program: list[str], arguments: "list[str] | tuple[str, ...]", environment: dict[str, str]
    ) -> Program:
        folder = self._fresh(name)
        return self._start([*program, "--outputdir", str(folder), *arguments], folder, environment)

    def _start(self, command: list[str], folder: Path, environment: dict[str, str], cwd: Path = TESTDATA) -> Program:
        if command[0] == "-m":
            command = [sys.executable, *command]
        with open(_beside(folder, "stdout"), "wb") as stdout, open(_beside(folder, "stderr"), "wb") as stderr:
            process = subprocess.Popen(
                command, cwd=cwd, env=self._environment(environment), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            )
        program = Program(folder, process)
        self._started.append(program)
        return program

    def _environment(self, given: dict[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED) and name != "CI"}
        # pabot starts the `robot` of the PATH, which is this one's in an activated environment.
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        return {**kept, "PATH": path, "PYTHONIOENCODING": "utf-8", "DDN_HOME": str(self.home), "DDN_IDLE": "0", **given}

    def _fresh(self, name: str) -> Path:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def _said(self, folder: Path, stream: str) -> str:
        return _beside(folder, stream).read_text(encoding="utf-8", errors="replace")


def _beside(folder: Path, stream: str) -> Path:
    return folder.with_name(f"{folder.name}.{stream}.txt")


def _processes() -> "list[tuple[int, str, bytes]]":
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                command = (place / "cmdline").read_bytes()
                environment = (place / "environ").read_bytes()
            except OSError:  # ended just now, or another user's
                continue
            found.append((int(place.name), command.replace(b"\0", b" ").decode(errors="replace"), command + environment))
    return found
