"""What a worker tells of itself at each beat: how much it does, and what that takes of its machine.

ddn:worker:{name}   a hash: busy, threads, cpu (share of one core since the last beat), memory (resident bytes)
"""

import os
import sys
import time
from pathlib import Path

from celery.worker import state


def load_key(name: str) -> str:
    """Return the key under which the worker of that name tells its load."""
    return f"ddn:worker:{name}"


class Load:
    """The load of this process, from one beat to the next."""

    def __init__(self) -> None:
        self._at, self._cpu = time.monotonic(), time.process_time()

    def told(self, threads: int) -> dict[str, str]:
        """Return the fields of the hash; `threads` is how many analyses may run at a time."""
        now, cpu = time.monotonic(), time.process_time()
        share = (cpu - self._cpu) / max(now - self._at, 0.001)
        self._at, self._cpu = now, cpu
        busy, memory = len(state.active_requests), resident_bytes()
        return {"busy": str(busy), "threads": str(threads), "cpu": f"{share:.4f}", "memory": str(memory)}


def resident_bytes() -> int:
    """Return the memory of this process; where only its peak is told (macOS) that, where nothing is told (Windows) 0."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _peak_bytes()


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
