"""Workers to which something happens, and those that answer what they should not."""

import base64
import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conditions import PATIENCE_SECONDS, wait_until
from Faults import Faults
from Programs import LONGEST_SECONDS
from robot.api.deco import keyword, library

from ddn_backend.in_hand import UNACKED_INDEX
from robot_ddn_listener.contract import MAX_REPORT_BYTES, QUEUE, TASK_NAME, verdict_key

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "utest"))
from servers.gemini import MODEL, Answer, GeminiServer, conclude, prompt


@library(scope="SUITE")
class Workers(Faults):
    """Also the keywords of `Faults`, and so of `Servers`."""

    def __init__(self) -> None:
        super().__init__()
        self._answering: threading.Event | None = None
        self._model: GeminiServer | None = None
        self._may_answer = threading.Event()
        self._deadly = ""

    @keyword
    def freeze_worker(self) -> None:
        assert self._worker
        self._worker.send_signal(signal.SIGSTOP)

    @keyword
    def kill_worker(self) -> None:
        assert self._worker
        self._worker.kill()
        self._worker.wait(PATIENCE_SECONDS)
        self._worker = None

    @keyword
    def end_faults(self) -> None:
        super().end_faults()
        self.stop_answering()
        self.end_model()

    # --- A worker with a model ---

    @keyword
    def start_model(self, name: str, deadly: str = "") -> dict[str, str]:
        """Start a model that does not answer before `Let The Model Answer`; return what a worker has to be told of it.

        Where `deadly` stands in what it is asked, the worker that asks is killed instead. The worker has a new home of that name.
        """
        home = self._folder() / name
        shutil.rmtree(home, ignore_errors=True)  # what an earlier run of the checks learned would be used again
        self._may_answer.clear()
        self._deadly = deadly
        self._model = GeminiServer(self._conclude).__enter__()
        told = {"DDN_MODEL": f"google:{MODEL}", "GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": self._model.url}
        return {"DDN_HOME": str(home), **told}

    @keyword
    def wait_until_the_model_is_asked(self) -> None:
        model = self._model
        assert model
        wait_until(lambda: model.requests, "the model is asked", LONGEST_SECONDS)

    @keyword
    def let_the_model_answer(self) -> None:
        """Let it answer, whatever it is asked."""
        self._deadly = ""
        self._may_answer.set()

    @keyword
    def end_model(self) -> None:
        self._may_answer.set()
        if self._model:
            self._model.__exit__(None, None, None)
            self._model = None

    @keyword
    def let_workers_die(self, times: int, **environment: str) -> None:
        """Wait until the worker has died, and start the next one, so many times. The reports are handed out again at once."""
        for time_ in range(times):
            worker = self._worker
            assert worker
            wait_until(lambda: worker.poll() is not None, f"worker {time_ + 1} dies", LONGEST_SECONDS)  # noqa: B023 - used at once
            client = self._client()
            for tag in client.zrange(UNACKED_INDEX, 0, -1):
                client.zadd(UNACKED_INDEX, {tag: 0})  # else it would take half a minute each time, which kill.robot does
            self.start_worker(**environment)

    def _conclude(self, request: dict[str, Any]) -> Answer:
        if self._deadly and self._deadly in prompt(request):
            assert self._worker
            self._worker.kill()
        elif not self._deadly:
            self._may_answer.wait(LONGEST_SECONDS)
        quotes = [{"quote": quote, "where": "error message"} for quote in ("The first one.", "one != two")]  # one of them is none
        return conclude(root_cause="The model says so.", evidence=quotes)

    # --- A worker that answers what it should not, or when it should not ---

    @keyword
    def start_answering(self, kind: str) -> None:
        """Answer every report that comes, in a way that no worker of this version does; `Stop Answering` ends it."""
        self.stop_answering()
        self.empty_redis()
        self.pretend_that_a_worker_lives()
        self._answering = stop = threading.Event()
        threading.Thread(target=self._answer, args=(kind, stop), daemon=True).start()

    @keyword
    def stop_answering(self) -> None:
        if self._answering:
            self._answering.set()
            self._answering = None

    @keyword
    def answer_what_waits(self, kind: str) -> None:
        """Answer all reports that are there by now."""
        client = self._client()
        for message in client.lrange(QUEUE, 0, -1):
            if TASK_NAME.encode() in message:
                report = json.loads(base64.b64decode(json.loads(message)["body"]))[0][0]
                client.set(verdict_key(report["project"], report["id"]), _ANSWERS[kind](report), ex=60)

    def _answer(self, kind: str, stop: threading.Event) -> None:
        while not stop.is_set():
            self.answer_what_waits(kind)
            time.sleep(0.02)


def _analysis(report: dict[str, Any], **fields: Any) -> bytes:
    plain = {"report_id": report["id"], "project": report["project"], "stage": "final", "verdict": "diagnosed"}
    told = {"error_type": "TEST_ERROR", "root_cause": "A stand-in of a worker said so.", "confidence": 0.9}
    return json.dumps({**plain, **told, **fields}).encode()


_ANSWERS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "malformed": lambda report: b'{"report_id": "' + report["id"].encode() + b'", "stage": fin',
    "of another run": lambda report: _analysis(report, report_id="0" * 32),
    "huge": lambda report: _analysis(report, root_cause="x" * 8 * MAX_REPORT_BYTES),
    "no analysis": lambda report: b"[[[[17]]]]",
    "old": lambda report: _analysis(report),
    "new": lambda report: _analysis(
        report,
        version=7,
        error_type="QUANTUM_ERROR",
        novelty="parallel",
        hologram={"depth": [1, 2]},
        engine={"model": "m", "qubits": 17},
        evidence=[{"quote": "", "where": "dream", "colour": "red"}],
    ),
}
