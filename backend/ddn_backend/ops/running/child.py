"""`python -m ddn_backend.ops.running.child MODULE ARGUMENT...` runs a module, for as long as its parent lives.

The parent holds the other end of our stdin. When that closes the parent is gone, however it went: then this process is told
to end, and ends. What runs here reads an empty stdin. This needs nothing of the system but pipes.
"""

import os
import runpy
import signal
import sys
import threading
from collections.abc import Sequence
from time import sleep

ORPHAN_SECONDS = 10.0  # that running analyses have to end once nobody is there who could end us


def main(arguments: Sequence[str]) -> None:
    """Run the module; it ends the process."""
    lifeline = os.dup(0)
    _nothing_on(0, os.O_RDONLY)
    threading.Thread(target=_end_with_parent, args=(lifeline,), name="ddn-lifeline", daemon=True).start()
    sys.argv = list(arguments)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def _end_with_parent(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    for stream in (1, 2):
        _nothing_on(stream, os.O_WRONLY)  # nobody reads them any more, and to write there would be an error
    os.kill(os.getpid(), signal.SIGTERM)
    sleep(ORPHAN_SECONDS)
    os._exit(1)


def _nothing_on(stream: int, mode: int) -> None:
    nothing = os.open(os.devnull, mode)
    os.dup2(nothing, stream)
    os.close(nothing)


if __name__ == "__main__":
    main(sys.argv[1:])
