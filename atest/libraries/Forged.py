"""A worker that answers each report with the payload in its test's name, in every field of the answer."""

import base64
import json
import threading
import time
from typing import Any

from Payloads import everywhere
from robot.api.deco import keyword, library
from Servers import Servers

from robot_ddn_listener.contract import QUEUE, TASK_NAME, verdict_key

LOOK_SECONDS = 0.02


@library(scope="SUITE")
class Forged(Servers):
    """Also the keywords of `Servers`, of which it is one."""

    def __init__(self) -> None:
        super().__init__()
        self._is_over = threading.Event()

    @keyword
    def start_forging(self) -> None:
        """Answer every report that comes until `End Forging`."""
        self.pretend_that_a_worker_lives()
        threading.Thread(target=self._forge, daemon=True).start()

    @keyword
    def end_forging(self) -> None:
        self._is_over.set()
        self.end_servers()

    def _forge(self) -> None:
        client = self._client()
        while not self._is_over.is_set():
            for message in client.lrange(QUEUE, 0, -1):
                if TASK_NAME.encode() in message:
                    report = json.loads(base64.b64decode(json.loads(message)["body"]))[0][0]
                    client.set(verdict_key(report["project"], report["id"]), json.dumps(_answer(report)))
            time.sleep(LOOK_SECONDS)


def _answer(report: dict[str, Any]) -> dict[str, Any]:
    payload = report["test_name"].partition(" ")[2]
    return {"report_id": report["id"], "project": report["project"], "stage": "final", **everywhere(payload)}
