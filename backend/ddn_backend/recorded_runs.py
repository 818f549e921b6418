"""Takes in how the tests of runs ended: from the queue, and in the embedded runtime from the files that runs left for it."""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from robot_ddn_listener import kept_runs, run_message, runtime
from robot_ddn_listener.errors import ContractError, SpoolError

from .errors import BackendError, DdnError, PermanentError
from .ports import History, HistoryError

LOOK_SECONDS = 0.5  # between two looks at the folder: a run that passed while the runtime lives is known before the next one fails
RETRY_SECONDS = 30.0

logger = logging.getLogger(__name__)


def take_run(message: object, history: History) -> None:
    """Keep the run in `message`; PermanentError when there is none in it."""
    try:
        history.record_run(run_message.unpacked(message))
    except ContractError as error:
        raise PermanentError(f"Reading the record of a run failed: {error} The history will not know of this run.") from error


def take_in(folder: Path, history: History) -> int:
    """Keep the runs whose files wait in `folder`, the newest first, and remove these; return how many that were.

    HistoryError when the history fails: what is left stays for later. A file that cannot be used is set aside.
    """
    taken = 0
    for path in kept_runs.waiting(folder):
        try:
            take_run(kept_runs.read(path), history)
        except HistoryError:
            raise
        except (SpoolError, BackendError) as error:
            if path.exists():  # else another runtime has taken it in
                logger.warning("Taking in recorded run '%s' failed: %s It is set aside.", path, error)
                kept_runs.set_aside(path)
        else:
            path.unlink(missing_ok=True)
            taken += 1
    return taken


class Intake:
    """Takes in, in a thread of its own, what runs leave in a folder, until `stop`. `history` is called in that thread."""

    def __init__(self, folder: Path, history: Callable[[], History]):
        self._folder = folder
        self._history = history
        self._stopped = threading.Event()
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ddn-recorded-runs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Return when what was there at the start is taken in, or when the time is over."""
        self._looked.wait(seconds)

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        pause = LOOK_SECONDS
        while not self._stopped.is_set():
            try:
                if self._is_ours() and kept_runs.waiting(self._folder):
                    with closing(self._history()) as history:
                        logger.info("Took in %d recorded runs.", take_in(self._folder, history))
                pause = LOOK_SECONDS
            except (DdnError, OSError) as error:
                logger.warning("Taking in recorded runs failed: %s They stay; the next try is in %g s.", error, RETRY_SECONDS)
                pause = RETRY_SECONDS
            self._looked.set()
            self._stopped.wait(pause)

    def _is_ours(self) -> bool:
        try:
            runtime.check_private(self._folder)
        except FileNotFoundError:
            return False
        return True
