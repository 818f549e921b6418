"""What several processes say, as whole lines with the name of who said it."""

import threading
from typing import IO, TextIO

MAX_LINE_BYTES = 64 * 1024  # a longer one is shown in parts


class Console:
    """Writes to `out`; any thread may use it. Where nobody reads `out` any more nothing is written, and nobody is stopped by it."""

    def __init__(self, out: TextIO, width: int = 8) -> None:
        self._out = out
        self._width = width
        self._lock = threading.Lock()

    def say(self, name: str, text: str) -> None:
        """Write `text`, one line or several, behind `name`."""
        lines = [f"{name:<{self._width}} | {_printable(line)}\n" for line in text.splitlines() or [""]]
        with self._lock:
            try:
                self._out.write("".join(lines))
                self._out.flush()
            except (OSError, ValueError):  # a pipe that was closed, as by `| head`
                pass

    def follow(self, name: str, stream: IO[bytes]) -> threading.Thread:
        """Write all that comes from `stream` in a thread of its own, which ends with the stream."""
        thread = threading.Thread(target=self._follow, args=(name, stream), name=f"ddn-{name}", daemon=True)
        thread.start()
        return thread

    def _follow(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(MAX_LINE_BYTES):
                if text := line.decode("utf-8", "replace").rstrip():
                    self.say(name, text)


def _printable(line: str) -> str:
    """Return `line` without what steers a terminal: it may come from a test's message."""
    return "".join(character if character.isprintable() or character == "\t" else "\N{REPLACEMENT CHARACTER}" for character in line)
