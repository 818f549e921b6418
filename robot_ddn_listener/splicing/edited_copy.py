"""Replacing a file by an edited copy of itself: all at once or not at all, with the rights it had."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from .records import Edit

COPY_BYTES = 1 << 20


def edited_copy(source: BinaryIO, edits: Sequence[Edit], path: Path) -> Path:
    """Write `source` with `edits` into a new file beside `path`, with its mode, and return where; an error leaves nothing."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".ddn", dir=path.parent)
    copy = Path(name)
    try:
        with open(handle, "wb") as target:
            _copy_with(edits, source, target)
        _take_over_rights(path, copy)
    except BaseException:
        copy.unlink()
        raise
    return copy


def put_in_place(copy: Path, path: Path) -> None:
    """Make `copy` the file at `path`; an error leaves nothing of it."""
    try:
        copy.replace(path)
    except BaseException:
        copy.unlink()
        raise


def _copy_with(edits: Sequence[Edit], source: BinaryIO, target: BinaryIO) -> None:
    source.seek(0)
    for edit in edits:
        _copy(source, target, edit.start - source.tell())
        target.write(edit.text)
        source.seek(edit.end)
    shutil.copyfileobj(source, target, COPY_BYTES)


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size > 0:
        chunk = source.read(min(size, COPY_BYTES))
        if not chunk:
            raise OSError(errno.EIO, "the file became shorter while it was read")
        target.write(chunk)
        size -= len(chunk)


def _take_over_rights(original: Path, copy: Path) -> None:
    status = original.stat()
    if hasattr(os, "chown") and (status.st_uid, status.st_gid) != (os.getuid(), os.getgid()):
        # Only root may give files away; everybody else keeps the file as his own, as with any editor.
        with suppress(PermissionError):
            os.chown(copy, status.st_uid, status.st_gid)
    copy.chmod(stat.S_IMODE(status.st_mode))
