"""The whole stack of an operator: `ddn up` over a stand-in model, its processes, and what Flower answers and shows."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import redis
from conditions import PATIENCE_SECONDS, wait_until
from Pages import Pages, browser
from Programs import Program, Programs
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "utest"))
from servers.gemini import MODEL, Answer, GeminiServer, call, conclude, error, prompt, slow

USER, PASSWORD = "operator", "pass: word"
SLOW_SECONDS = 4.0  # that the model takes for "Takes Its Time"
RESTART_SECONDS = 90.0  # that a frozen worker may take to be found, killed and to beat again


@library(scope="SUITE")
class Stack:
    """One stack for each suite that wants it; `End Stack` ends it."""

    def __init__(self) -> None:
        self._model: GeminiServer | None = None
        self._up: Program | None = None
        self.flower = ""
        self.redis_url = ""

    @keyword
    def start_stack(self, *arguments: str, **environment: str) -> Program:
        """Run `ddn up` on free ports until it says that it is ready. Free named arguments are environment variables."""
        if self._up is None:
            shutil.rmtree(self._programs.home, ignore_errors=True)  # what an earlier run of the checks learned would be used again
        if self._model is None:
            self._model = GeminiServer(_answer).__enter__()
        ports = {name: str(_free_port()) for name in ("FLOWER_PORT", "DDN_METRICS_PORT")}
        settings = {
            **ports,
            "FLOWER_USER": USER,
            "FLOWER_PASSWORD": PASSWORD,
            "DDN_MODEL": f"google:{MODEL}",
            "DDN_MODEL_CALLS": "1",
            "GEMINI_API_KEY": "k",
            "GOOGLE_GEMINI_BASE_URL": self._model.url,
            **environment,
        }
        self.flower = f"http://127.0.0.1:{settings['FLOWER_PORT']}"
        self._up = self._programs.start_ddn("up", *(arguments or ("--port", "0", "--workers", "2")), **settings)
        self.wait_until_stack_says("Ready:")
        self.redis_url = re.findall(r"redis=([^\"]+)\"", self.said())[0]
        return self._up

    @keyword
    def wait_until_stack_says(self, text: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a line of the stack has `text`; fails at once when the stack has ended without saying it."""
        up = self._running()
        wait_until(lambda: text in self.said() or up.process.poll() is not None, f"the stack says '{text}'", seconds)
        if text not in self.said():
            raise AssertionError(f"The stack ended without saying '{text}':\n{self.said()}")

    @keyword
    def said(self) -> str:
        """Return all that the stack has said so far."""
        return self._running().folder.with_name(f"{self._running().folder.name}.stdout.txt").read_text(errors="replace")

    @keyword
    def processes_of_stack(self) -> dict[str, int]:
        """Return the process id of each part by its name."""
        parts = {}
        for line in subprocess.check_output(["ps", "-eo", "pid,ppid,args"], text=True).splitlines()[1:]:
            pid, parent, command = line.split(None, 2)
            if int(parent) == self._running().process.pid and "ddn_backend.ops.running.child" in command:
                words = command.split()
                parts[words[-1].partition("@")[0] if "--name" in words else words[-1]] = int(pid)
        return parts

    @keyword
    def signal_part(self, part: str, name: str) -> int:
        """Send a signal to a part; return the process id that it has now."""
        pid = self.processes_of_stack()[part]
        os.kill(pid, signal.Signals[name])
        return pid

    @keyword
    def wait_until_part_is_new(self, part: str, old: int) -> None:
        """Wait until `part` runs in another process than `old`, and all workers beat again."""
        wait_until(lambda: self.processes_of_stack().get(part, old) != old, f"{part} is started again", RESTART_SECONDS)
        if part.startswith("worker"):
            born = time.time()
            wait_until(lambda: self._beat(part) > born, f"{part} beats again", RESTART_SECONDS)

    @keyword
    def number_of_unfinished_reports(self) -> int:
        """Return how many messages are waiting, under way to a worker, or were taken without being acknowledged."""
        client = redis.Redis.from_url(self.redis_url)
        under_way = sum(client.llen(key) for key in client.keys("ddn:taking:*"))
        return int(client.llen("ddn")) + under_way + int(client.hlen("unacked"))

    @keyword
    def wait_until_nothing_is_unfinished(self) -> None:
        wait_until(lambda: not self.number_of_unfinished_reports(), "all is finished", RESTART_SECONDS)

    @keyword
    def flower_answers(
        self, path: str, method: str = "GET", user: str = USER, password: str = PASSWORD, **fields: str
    ) -> tuple[int, str]:
        """Return status and body of what Flower answers to a request, with the fields in its body."""
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"} if user else {}
        body = urllib.parse.urlencode(fields).encode() if method == "POST" else None
        request = urllib.request.Request(self.flower + path, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    @keyword
    def flower_tasks(self) -> dict[str, dict[str, Any]]:
        """Return Flower's analyses by the first word of their tests' names."""
        return {said["test_name"].split()[0]: task for said, task in self._analyses()}

    @keyword
    def starts_of(self, project: str, number: int) -> list[float]:
        """Return when the analyses of a project were started, as Unix time, the earliest first, once that many are over."""

        def starts() -> list[float]:
            tasks = [task for said, task in self._analyses() if said["project"] == project]
            return sorted(task["started"] for task in tasks if task["state"] == "SUCCESS")

        return wait_until(lambda: (found := starts()) and len(found) == number and found, f"{number} analyses are over")

    @keyword
    def wait_until_task_is(self, name: str, state: str) -> dict[str, Any]:
        """Return Flower's task of that test once it is in that state."""
        return wait_until(
            lambda: (task := self.flower_tasks().get(name)) and task["state"] == state and task, f"'{name}' is {state}"
        )

    @keyword
    def wait_until_analysis_is(self, report_id: str, state: str) -> None:
        """Wait until Flower knows the analysis of that report in that state."""

        def is_so() -> bool:
            status, body = self.flower_answers(f"/api/task/info/{report_id}")
            return status == 200 and json.loads(body)["state"] == state

        wait_until(is_so, f"{report_id} is {state}")

    @keyword
    def start_viewer(self) -> None:
        """Run `ddn flower --read-only` beside the stack; what is asked of Flower from now on is asked of it."""
        port = _free_port()
        self._programs.start_ddn(
            "flower", "--read-only", "--port", str(port), DDN_REDIS_URL=self.redis_url, FLOWER_USER=USER, FLOWER_PASSWORD=PASSWORD
        )
        self.flower = f"http://127.0.0.1:{port}"
        wait_until(self._serves, "the viewers' Flower answers")

    @keyword
    def open_flower(self, path: str) -> ElementTree.Element:
        """Return a page of Flower as a browser shows it."""
        return Pages().open_address(self._address(path))

    @keyword
    def save_picture(self, path: str, file: Path) -> None:
        """Save what a browser of 1400 x 900 shows of a page of Flower."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=6000")
            command = [browser(), *options, f"--user-data-dir={profile}", "--window-size=1400,900", f"--screenshot={file}"]
            subprocess.run([*command, self._address(path)], capture_output=True, timeout=PATIENCE_SECONDS * 2, check=True)

    @keyword
    def end_stack(self) -> None:
        """End what is still running."""
        if self._up and self._up.process.poll() is None:
            self._up.process.send_signal(signal.SIGTERM)
            self._up.process.send_signal(signal.SIGTERM)
            try:
                self._up.process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self._up.process.kill()
                self._up.process.wait()
        if self._model:
            self._model.__exit__(None, None, None)
            self._model = None

    @property
    def _programs(self) -> Programs:
        found: Programs = BuiltIn().get_library_instance("Programs")
        return found

    def _running(self) -> Program:
        if not self._up:
            raise AssertionError("No stack was started.")
        return self._up

    def _beat(self, part: str) -> float:
        beats = redis.Redis.from_url(self.redis_url).zrange("ddn:workers", 0, -1, withscores=True)
        return max((when for name, when in beats if name.decode().startswith(f"{part}@")), default=0.0)

    def _analyses(self) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """Return Flower's analyses, each with what its arguments say."""
        status, body = self.flower_answers("/api/tasks?taskname=tasks.analyze_test_failure&limit=1000")
        assert status == 200, (status, body)
        tasks = [task for task in json.loads(body).values() if str(task["args"]).startswith("{")]  # else it has just begun
        return [(json.loads(task["args"]), task) for task in tasks]

    def _serves(self) -> bool:
        try:
            return self.flower_answers("/healthcheck")[0] == 200
        except OSError:
            return False

    def _address(self, path: str) -> str:
        login = f"{urllib.parse.quote(USER)}:{urllib.parse.quote(PASSWORD)}"
        return f"{self.flower.replace('://', f'://{login}@')}{path}"


def _answer(request: dict[str, Any]) -> Answer:
    asked = prompt(request)
    if "falls over" in asked:
        return error(500)
    if "more than it may have" in asked:
        return call("read_log", around=1)
    found = conclude(evidence=[{"quote": "was not amused", "where": "error message"}], root_cause="The <b>gizmo</b> is down.")
    return slow(SLOW_SECONDS, found) if "for long" in asked else found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
