"""Directories of embedded runtimes that nobody starts any more: each version and each set of settings has one of its own."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from time import time

from robot_ddn_listener.runtime import CLIENTS_LOCK, RUNTIME_LOCK, SPAWN_LOCK, check_private, open_lock, try_lock

UNUSED_DAYS = 30  # reports that still wait in its queue are nobody's by then
DAY_SECONDS = 24 * 3600

_NAME = re.compile(r"[0-9a-f]{16}")  # as runtime.py makes them


def remove_unused(home: Path, days: float = UNUSED_DAYS) -> list[Path]:
    """Remove the directories of runtimes in `home` that no client has used for `days`, and return them.

    Only this user's own, and only those in which neither a client nor a runtime lives.
    """
    oldest = time() - days * DAY_SECONDS
    removed = []
    for place in sorted(home.iterdir()):
        with suppress(OSError):  # it is not ours, or another process removes it
            if _NAME.fullmatch(place.name) and (place / CLIENTS_LOCK).lstat().st_mtime < oldest and _removed(place):
                removed.append(place)
    return removed


def _removed(place: Path) -> bool:
    check_private(place)
    locks = [open_lock(place / name) for name in (CLIENTS_LOCK, SPAWN_LOCK, RUNTIME_LOCK)]
    try:
        if not all(map(try_lock, locks)):
            return False
        gone = place.with_name(f"{place.name}.gone")  # in one step: nobody finds half a directory
        place.rename(gone)
        shutil.rmtree(gone)
        return True
    finally:
        for lock in locks:
            os.close(lock)
