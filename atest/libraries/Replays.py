"""`ddn replay`, stopped or killed in the worst moment: Redis has taken a report, and the replay does not know it yet."""

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from conditions import PATIENCE_SECONDS, wait_until
from Faults import Faults
from Programs import LONGEST_SECONDS, Program
from robot.api.deco import keyword, library

from robot_ddn_listener.contract import QUEUE


@library(scope="SUITE")
class Replays(Faults):
    """Also the keywords of `Faults`, and so of `Servers`."""

    @keyword
    def start_replay(self, name: str, folder: Path, redis: str = "") -> Program:
        place = self._programs._fresh(name)
        command = ["-m", "ddn_backend.cli.main", "replay", str(folder), "--redis", redis or self._url]
        return self._programs._start(command, place, {}, cwd=place)

    @keyword
    def signal_replay(self, signal_name: str, folder: Path, taken: int) -> Program:
        """Start a replay and send it a signal when Redis has taken that many of its reports, before it hears of the last one."""
        reached, client = threading.Event(), self._client()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            replay = self.start_replay(f"replay-{signal_name}", folder, f"redis://127.0.0.1:{listener.getsockname()[1]}/0")

            def told() -> None:
                if not reached.is_set() and client.llen(QUEUE) >= taken:
                    replay.process.send_signal(signal.Signals[signal_name])
                    reached.set()

            threading.Thread(target=self._serve, args=(listener, told), daemon=True).start()
            wait_until(lambda: reached.is_set() or replay.process.poll() is not None, f"Redis has {taken} reports", LONGEST_SECONDS)
        return replay

    def _serve(self, listener: socket.socket, told: Callable[[], None]) -> None:
        """Pass on what is said to Redis, and its answers; `told` is called before each answer."""
        with suppress(OSError):  # it is closed
            while True:
                caller, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port), PATIENCE_SECONDS)
                for ends, before in (((caller, server), lambda: None), ((server, caller), told)):
                    threading.Thread(target=_pass_on, args=(*ends, before), daemon=True).start()

    @keyword
    def numbers_of_reports_in_redis(self) -> tuple[int, int]:
        """Return how many messages wait, and how many different reports they are."""
        ids = self._ids_of_messages()
        return len(ids), len(set(ids))


def _pass_on(source: socket.socket, target: socket.socket, before: Callable[[], None]) -> None:
    with suppress(OSError):  # either end is gone
        while chunk := source.recv(65536):
            before()
            target.sendall(chunk)
    for end in (source, target):
        end.close()
