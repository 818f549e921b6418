"""In time: work that asks services, which may be slow or hang, and what to do meanwhile when they take too long."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

DRAFT_SECONDS = 0.5  # that services may take before a reader gets a draft without them: he is to have it within a second

T = TypeVar("T")


def in_time(work: Callable[[], T], meanwhile: Callable[[], object], seconds: float = DRAFT_SECONDS) -> T:
    """Return `work()`, or raise what it raises; `meanwhile` is called if that takes longer than `seconds`."""
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            done.put((None, error))

    threading.Thread(target=run, name="ddn-services", daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except Empty:
        meanwhile()
        result, error = done.get()
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # None only beside an error, or as the work's own result
