"""An event loop on a thread of its own, for SDKs whose connections belong to one loop while analyses run on many threads."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

WAITING_THREADS = 512  # as many as a worker may have analyses at a time: each may wait for its turn
GRACE_SECONDS = 5.0  # for what is still going on when the loop is to end


class LoopThread:
    """An event loop on its own thread, started when it is first used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Return what `work` returns; TimeoutError after `seconds`."""
        future = asyncio.run_coroutine_threadsafe(work, self._started())
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    def close(self, last: Coroutine[Any, Any, Any] | None = None) -> None:
        """End the loop after `last`; it is started again by need."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if not (loop and thread):
            if last:
                last.close()
            return
        with suppress(TimeoutError):  # what hangs is abandoned: the process is about to end
            if last:
                asyncio.run_coroutine_threadsafe(last, loop).result(GRACE_SECONDS)
            asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result(GRACE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(GRACE_SECONDS)
        loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if not self._loop:
                self._loop = asyncio.new_event_loop()
                self._loop.set_default_executor(ThreadPoolExecutor(WAITING_THREADS, "ddn-model-call"))
                self._thread = threading.Thread(target=self._loop.run_forever, name="ddn-model", daemon=True)
                self._thread.start()
            return self._loop
