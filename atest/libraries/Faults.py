"""What can go wrong around a run, done to it: a Redis in bad states, programs in odd surroundings. And whether the run is the one
that it would have been, and its reports are where the cards say. What can happen to workers is in Workers."""

import difflib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from conditions import PATIENCE_SECONDS, missing, wait_until
from Outputs import Card, Outputs
from Programs import Program, Programs
from robot.api import ExecutionResult
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn
from Servers import Servers, is_answered

import robot_ddn_listener
from robot_ddn_listener.contract import QUEUE, TASK_NAME

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "utest"))
from servers.certificates import make_certificates
from servers.sentinel import binary, free_port

_OURS_ON_STDERR = re.compile(r"^(?:\[ WARN \] )?robot_ddn_listener.*\n|^Failure analysis: .*\r", re.MULTILINE)
_BYTE_CODE = shutil.ignore_patterns("__pycache__")
_CAPABILITIES = "-dac_override,-dac_read_search"  # without them root is bound by permissions, as everybody is


@library(scope="SUITE")
class Faults(Servers):
    """Also the keywords of `Servers`, of which it is one."""

    def __init__(self) -> None:
        super().__init__()
        self._nowhere: list[socket.socket] = []
        self._tls: subprocess.Popen[bytes] | None = None

    # --- Redis ---

    @keyword
    def configure_redis(self, **settings: str) -> None:
        """Set what CONFIG SET takes; `_` in names is `-`."""
        for name, value in settings.items():
            self._client().config_set(name.replace("_", "-"), value)

    @keyword
    def let_anybody_in(self, password: str) -> None:
        redis.Redis(host="127.0.0.1", port=self._port, password=password).config_set("requirepass", "")

    @keyword
    def make_redis_read_only(self) -> None:
        """Make it the replica of a server that is not there."""
        self._client().replicaof("127.0.0.1", "1")

    @keyword
    def make_redis_writable(self) -> None:
        self._client().replicaof("NO", "ONE")

    @keyword
    def kill_redis(self) -> None:
        server = self._running_redis()
        server.kill()
        server.wait(PATIENCE_SECONDS)

    @keyword
    def start_tls_redis(self) -> str:
        """Start one more server, which speaks nothing but TLS, and return its host and port. Nobody knows its authority."""
        program = binary()
        if not program or not shutil.which("openssl"):
            raise missing("What a Redis with TLS needs")
        place = self._folder() / "tls"
        place.mkdir(exist_ok=True)
        certificates, port = make_certificates(place), free_port()
        options = ["--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--dir", str(place), "--save", ""]
        with open(place / "redis.txt", "wb") as said:
            self._tls = subprocess.Popen([program, *options, *certificates.server_options], stdout=said, stderr=said)
        client = redis.Redis(host="127.0.0.1", port=port, ssl=True, ssl_ca_certs=str(certificates.authority))
        wait_until(lambda: is_answered(client), "the Redis server with TLS answers")
        return f"127.0.0.1:{port}"

    @keyword
    def flush_redis(self) -> None:
        self._client().flushall()

    @keyword
    def black_hole_url(self) -> str:
        """Return the URL of a place where connecting never ends: nobody accepts, and the backlog is full."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self._nowhere.append(listener)
        for _ in range(8):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
            self._nowhere.append(caller)
        return f"redis://127.0.0.1:{listener.getsockname()[1]}/0"

    @keyword
    def end_faults(self) -> None:
        for each in self._nowhere:
            each.close()
        if self._tls:
            self._tls.kill()
            self._tls.wait(PATIENCE_SECONDS)

    # --- Robot in odd surroundings ---

    @keyword
    def run_robot_as(self, prefix: str, options: str, name: str, *arguments: str, listener: str, **environment: str) -> Program:
        """Run robot behind the words of `prefix`, with `options` of Python's."""
        return self._wait(self._start(prefix, options, name, arguments, listener, environment))

    @keyword
    def run_robot_bound_by_permissions(self, name: str, *arguments: str, listener: str, **environment: str) -> Program:
        """Run robot as somebody whom the system's permissions hold for."""
        prefix = f"{shutil.which('setpriv')} --bounding-set={_CAPABILITIES} --inh-caps={_CAPABILITIES}" if not os.geteuid() else ""
        return self.run_robot_as(prefix, "", name, *arguments, listener=listener, **environment)

    @keyword
    def read_only_packages(self) -> str:
        """Return a PYTHONPATH with the listener's package first, in a folder that nobody may write to."""
        place = self._folder() / "packages"
        shutil.copytree(
            Path(robot_ddn_listener.__file__).parent, place / "robot_ddn_listener", ignore=_BYTE_CODE, dirs_exist_ok=True
        )
        self._protect(place, 0o555)
        return os.pathsep.join([str(place), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])

    @keyword
    def remove_packages(self) -> None:
        place = self._folder() / "packages"
        self._protect(place, 0o755)
        shutil.rmtree(place)

    def _protect(self, place: Path, mode: int) -> None:
        for folder in (place, *(path for path in place.rglob("*") if path.is_dir())):
            folder.chmod(mode)

    def _start(
        self, prefix: str, options: str, name: str, arguments: tuple[str, ...], listener: str, environment: dict[str, str]
    ) -> Program:
        folder = self._programs._fresh(name)
        listening = ["--listener", listener] if listener else []
        robot = [sys.executable, *shlex.split(options), "-m", "robot", "--outputdir", str(folder)]
        return self._programs._start([*shlex.split(prefix), *robot, *listening, *arguments], folder, environment)

    def _wait(self, program: Program) -> Program:
        return self._programs.wait_until_ended(program)

    @property
    def _programs(self) -> Programs:
        found: Programs = BuiltIn().get_library_instance("Programs")
        return found

    # --- What is to be the same, and where reports are ---

    @keyword
    def should_be_the_same_run(self, run: Program, plain: Program) -> None:
        """The run with the listener is the one without but for what was inserted: code, console, output file."""
        if run.code != plain.code:
            raise AssertionError(f"The return code is {run.code}, not {plain.code}:\n{run.said}")
        for what, found, expected in (
            ("stdout", _console(run), _console(plain)),
            ("stderr", _OURS_ON_STDERR.sub("", _named(run.stderr, run)), _named(plain.stderr, plain)),
            ("output.xml", _written(run), _written(plain)),
        ):
            if found != expected:
                lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), "without", "with", lineterm="", n=1)
                raise AssertionError(f"{what} is another:\n" + "\n".join(line[:300] for line in list(lines)[:60]))

    @keyword
    def every_report_should_be_somewhere(self, run: Program, *allowed: str) -> dict[str, int]:
        """Every card says where its report is, and there it is: answered, waiting under its task id, or in the spool.

        `allowed` are the ways that may be found; return how many reports went each way.
        """
        cards = {card.id: card for card in Outputs().cards_in(run.output).values() if card.role == "full"}
        if not cards:
            raise AssertionError("There is no card.")
        spooled = {path.stem for path in (run.folder / "ddn-spool").glob("*.json")}
        ways: dict[str, int] = {}
        for card in cards.values():
            self._check(card, spooled)
            ways[card.delivery] = ways.get(card.delivery, 0) + 1
        if spooled - set(cards):
            raise AssertionError(f"Reports are in the spool that no card tells of: {spooled - set(cards)}")
        if allowed and set(ways) - set(allowed):
            raise AssertionError(f"Reports went these ways: {ways}; allowed are {allowed}.")
        return ways

    @keyword
    def should_be_nowhere_in(self, run: Program, text: str) -> None:
        """Neither on the console nor in any file of the run."""
        files = [path.name for path in run.folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
        if files or text in run.said:
            raise AssertionError(f"'{text}' is shown in {files or 'the console'}.")

    @keyword
    def pending_reports_should_be_in_redis(self, run: Program) -> None:
        """Every card that is pending waits in the queue, under the task id that it tells of."""
        waiting = set(self._ids_of_messages())
        pending = {card.id for card in Outputs().cards_in(run.output).values() if card.delivery == "pending"}
        if pending - waiting:
            raise AssertionError(f"In Redis are {sorted(waiting)}, pending are {sorted(pending)}.")

    def _ids_of_messages(self) -> list[str]:
        messages = [json.loads(message) for message in self._client().lrange(QUEUE, 0, -1)]
        return [message["headers"]["id"] for message in messages if message["headers"]["task"] == TASK_NAME]

    def _check(self, card: Card, spooled: set[str]) -> None:
        is_spooled = card.id in spooled
        rightly = {
            "answered": card.stage == "final" and not is_spooled,
            "pending": card.stage == "interim" and not is_spooled and card.id in card.text and "ddn attach" in card.text,
            "spooled": is_spooled and "ddn replay" in card.text,
            "kept": card.stage == "final" and not is_spooled,
        }
        if not rightly.get(card.delivery, False):
            where = "spooled" if is_spooled else "not spooled"
            raise AssertionError(f"'{card.name}' is {card.delivery}, {card.stage}, {where}: {card.text}")

    @keyword
    def write_many_tests(self, count: str) -> Path:
        """Return a suite of that many failing tests of seven causes."""
        path = self._folder() / "many.robot"
        tests = (f"Test {number}\n    Fail    Cause {'ABCDEFG'[number % 7]} of it.\n" for number in range(int(count)))
        path.write_text("*** Test Cases ***\n" + "".join(tests), encoding="utf-8")
        return path

    @keyword
    def size_of(self, path: Path) -> int:
        return path.stat().st_size

    @keyword
    def make_writable(self, folder: Path) -> None:
        with suppress(OSError):
            folder.chmod(0o755)

    @keyword
    def every_failure_but_those_opted_out_should_have_an_answer(self, path: Path) -> None:
        """Like `Every Failure Should Have An Answer`, which knows nothing of opting out; names may repeat."""
        tests = [test for test in ExecutionResult(str(path)).suite.all_tests if test.failed and "ddn:off" not in test.tags]
        without = [test.full_name for test in tests if not any("<div data-ddn=" in str(item) for item in _messages(test))]
        if without:
            raise AssertionError(f"{len(without)} failed tests in '{path}' have no card: {without[:5]}")


def _messages(test: Any) -> list[str]:
    return [item.message for item in test.body if item.type == item.MESSAGE]


def _console(run: Program) -> str:
    return Outputs().console_without_analysis(_named(run.stdout, run), run.folder)


def _written(run: Program) -> str:
    return _named(Outputs().without_times_and_analysis(run.output), run) if run.output.exists() else ""


def _named(text: str, run: Program) -> str:
    return text.replace(str(run.folder), "")
