"""Keeps the parts of `ddn up` running: starts them, starts again what died or hangs, and ends all in order.

    start all -> look, five times a second: died? silent? -> ... -> told to end -> workers finish -> the others end

A part that dies is started again after a pause that doubles each time, up to LONGEST_PAUSE_SECONDS, and is short again once a
part lived for STABLE_SECONDS. A worker that is silent for SILENT_SECONDS hangs, whatever its process looks like: it is killed and
started again; the reports it was at work on are handed out again by Redis, for they are acknowledged late.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from robot_ddn_listener.contract import HEARTBEAT_SECONDS

from .console import Console

OURS = "ddn"  # the name before the supervisor's own lines
LOOK_SECONDS = 0.2
ASK_SECONDS = 2.0  # between two looks at the heartbeats
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STABLE_SECONDS = 60.0
SILENT_SECONDS = 2.0 * HEARTBEAT_SECONDS
GRACE_SECONDS = 30.0  # that workers may take to find their Redis again after it was gone
OTHERS_SECONDS = 10.0  # that Flower and the monitor may take to save what they hold
UNUSABLE = 2  # the exit code of a part that was given something it cannot use: starting it again is no help

Beats = Callable[[], Mapping[str, float] | None]
"""Returns the Unix time of each worker's last beat by the worker's name; None where Redis does not answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """A module to run with `arguments`. A worker has the `beats_as` under which its heart beats."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    beats_as: str = ""


@dataclass
class Child:
    """A part, and its process while there is one. `due` is of time.monotonic, `since` and `heard` are Unix time."""

    part: Part
    environment: Mapping[str, str] = field(repr=False)
    console: Console
    process: "subprocess.Popen[bytes] | None" = None
    since: float = 0.0
    heard: float = 0.0
    starts: int = 0
    pause: float = FIRST_PAUSE_SECONDS
    due: float = 0.0

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        command = [sys.executable, "-P", "-m", f"{__package__}.child", self.part.module, *self.part.arguments]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # its lifeline, see child.py
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(self.environment),
            start_new_session=True,  # Ctrl-C is for us: we tell the parts, in order
        )
        self.since, self.starts = time.time(), self.starts + 1
        assert self.process.stdout
        self._reader = self.console.follow(self.part.name, self.process.stdout)

    def tell(self, number: int) -> None:
        if self.process and self.runs:
            self.process.send_signal(number)

    def end(self) -> None:
        """Ask it to end; a stopped one would not hear it."""
        self.tell(signal.SIGTERM)
        if sys.platform != "win32":
            self.tell(signal.SIGCONT)

    def kill(self) -> None:
        if self.process and self.runs:
            self.process.kill()

    def bury(self) -> int:
        """Return the exit code of the process that has ended, its last words shown."""
        assert self.process
        code = self.process.wait()
        self._reader.join(timeout=1)  # longer only where a process that it started holds the pipe
        _close(self.process.stdin)
        self.process = None
        return code


class Supervisor:
    """Runs the parts until `interrupt` is called. `finish_seconds` is how long running analyses may keep workers from ending.

    `also` is called at each look: what else must be kept alive.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        environment: Mapping[str, str],
        console: Console,
        beats: Beats,
        finish_seconds: float,
        *,
        also: Callable[[], None] = lambda: None,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._children = [Child(part, environment, console) for part in parts]
        self._console = console
        self._beats = beats
        self._finish_seconds = finish_seconds
        self._also = also
        self._silent_seconds = silent_seconds
        self._interrupts = 0
        self._asked = 0.0
        self._answered = True
        self._back_since = 0.0
        self._code = 0

    def interrupt(self, *signal_arguments: object) -> None:
        """End all: when called once after the running analyses, when called again at once. For signal handlers, too."""
        self._interrupts += 1

    def run(self, started: Callable[[], None] = lambda: None) -> int:
        """Run until interrupted; return the exit code: UNUSABLE where a part cannot use what it was given, else 0."""
        try:
            for child in self._children:
                child.start()
            started()
            while not self._interrupts:
                self._look()
                time.sleep(LOOK_SECONDS)
        finally:
            self._end()
        return self._code

    def _look(self) -> None:
        self._also()
        for child in self._children:
            if child.process and not child.runs:
                self._note_end(child, child.bury())
            elif not child.process and time.monotonic() >= child.due:
                child.start()
        self._watch_beats()

    def _note_end(self, child: Child, code: int) -> None:
        if code == UNUSABLE and child.starts == 1:
            self._say(f"{child.part.name} cannot start, see above. All ends.")
            self._code = UNUSABLE
            self.interrupt()
            return
        if time.time() - child.since >= STABLE_SECONDS:
            child.pause = FIRST_PAUSE_SECONDS
        self._say(f"{child.part.name} ended {_how(code)}. It is started again in {child.pause:g} s.")
        child.due = time.monotonic() + child.pause
        child.pause = min(child.pause * 2, LONGEST_PAUSE_SECONDS)

    def _watch_beats(self) -> None:
        if time.monotonic() < self._asked + min(ASK_SECONDS, self._silent_seconds / 4):
            return
        self._asked = time.monotonic()
        beats = self._beats()
        if beats is not None:
            self._note_return()
            for child in self._children:
                if child.part.beats_as and child.runs:
                    self._listen(child, beats.get(child.part.beats_as))
        self._answered = beats is not None

    def _listen(self, child: Child, beat: float | None) -> None:
        """Kill a worker that hangs. One that took its leave, told by Flower to end, is at its last analyses: it has more time."""
        patience = self._silent_seconds
        if beat is not None:
            child.heard = max(beat, child.since)
        elif child.heard > child.since:
            patience = self._finish_seconds
        seconds = time.time() - max(child.heard, child.since)
        if seconds > patience and time.time() > self._back_since + GRACE_SECONDS:
            self._say(f"{child.part.name} has not beaten for {seconds:.0f} s. It is killed.")
            child.kill()

    def _note_return(self) -> None:
        if not self._answered:
            self._back_since = time.time()  # while Redis was gone nothing could be heard

    def _end(self) -> None:
        workers = [child for child in self._children if child.part.beats_as]
        others = [child for child in self._children if not child.part.beats_as]
        if any(child.runs for child in workers):
            self._say(
                f"Ending. Running analyses are finished first, for at most {self._finish_seconds:g} s. Ctrl-C again ends at once."
            )
        self._end_together(workers, self._finish_seconds)
        self._end_together(others, OTHERS_SECONDS)  # they see the workers' last events
        self._say("Ended.")

    def _end_together(self, children: Sequence[Child], seconds: float) -> None:
        for child in children:
            child.end()
        deadline = time.monotonic() + seconds
        while any(child.runs for child in children) and time.monotonic() < deadline and self._interrupts < 2:
            self._also()
            time.sleep(LOOK_SECONDS)
        for child in children:
            if child.runs:
                self._say(f"{child.part.name} is killed; what it was at work on is handed out again.")
                child.kill()
        for child in children:
            if child.process:
                child.bury()

    def _say(self, text: str) -> None:
        self._console.say(OURS, text)


def _how(code: int) -> str:
    if code >= 0:
        return f"with code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"


def _close(pipe: "IO[bytes] | None") -> None:
    if pipe:
        with suppress(OSError):  # what it held was never read
            pipe.close()
