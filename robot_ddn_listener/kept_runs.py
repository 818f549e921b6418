"""Recorded runs that wait on disk, below DDN_HOME/runs, for the backend that they are meant for: one folder for each.

    embedded            for the embedded runtime, which takes them in when it starts and while it lives
    embedded-<hash>     the same, where it keeps its history in the MongoDB of DDN_MONGO_URL
    redis-<hash>        for the backend at one Redis, which the next run that reaches it tells of them

One run is one file, complete or not there at all, mode 0600 in 0700. What was recorded for one backend never goes to another.
"""

import json
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import runtime
from .errors import DdnError, SpoolError

RUNS = "runs"
MAX_KEPT = 500  # of the newest, for each backend: half a year of three runs a working day
MAX_FILE_BYTES = 64 * 1024 * 1024  # more than a record may have: what is larger was not written here
BROKEN = ".broken"


def of_redis(where: str) -> str:
    """Return the name of the folder for the backend at the Redis that is called `where`."""
    return f"redis-{_hash(where)}"


def of_embedded(mongo_url: str) -> str:
    """Return the name of the folder for the embedded runtime that keeps its history there, or without one in SQLite."""
    return f"embedded-{_hash(mongo_url)}" if mongo_url else "embedded"


def keep(environ: Mapping[str, str], name: str, message: Mapping[str, Any]) -> Path | None:
    """Write `message` into the folder `name` and return its file; SpoolError when the disk does not take it.

    None on Windows, where there is no folder that is known to be private.
    """
    if os.name != "posix":
        return None
    content = json.dumps(message).encode("ascii")
    try:
        folder = runtime.private_directory(environ, RUNS, name)
        path = folder / f"{time.time_ns():020d}-{task_id(message)[:8]}.json"
        _write(path, content)
    except (OSError, DdnError) as error:
        raise SpoolError(f"Keeping the run's record failed: {error} The history will not know of this run.") from error
    _forget_oldest(folder)
    return path


def task_id(message: Mapping[str, Any]) -> str:
    """Return an id of the form of a UUID, equal for equal messages: one that is sent twice is the same task."""
    return shaped(_hash(json.dumps(message, sort_keys=True), 32))


def shaped(digits: str) -> str:
    """Return 32 hex digits in the form of a UUID."""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def folder_of(environ: Mapping[str, str], name: str) -> Path | None:
    """Return the folder `name` if there is one that is ours."""
    if os.name != "posix":
        return None
    for home in runtime.homes(environ):
        with suppress(OSError):
            runtime.check_private(home / RUNS / name)
            return home / RUNS / name
    return None


def waiting(folder: Path) -> list[Path]:
    """Return the files that wait in `folder`, the newest first."""
    try:
        return sorted(folder.glob("*.json"), reverse=True)
    except OSError:
        return []


def read(path: Path) -> dict[str, Any]:
    """Return the message in `path`; SpoolError when it holds none."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"Expected at most {MAX_FILE_BYTES} bytes, got more")
        message = json.loads(content)
        if not isinstance(message, dict):
            raise ValueError("Expected a JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise SpoolError(f"Reading recorded run '{path}' failed: {error}.") from error
    return message


def set_aside(path: Path) -> None:
    """Give a file that cannot be used another name, so that nobody tries it again."""
    with suppress(OSError):
        path.rename(path.with_name(path.name + BROKEN))


def _write(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")  # its mode is 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _forget_oldest(folder: Path) -> None:
    names = sorted((name for name in os.listdir(folder) if not name.startswith(".")), reverse=True)  # they begin with the time
    for name in names[MAX_KEPT:]:
        with suppress(OSError):
            (folder / name).unlink()


def _hash(text: str, digits: int = 16) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:digits]
