"""Keeping an output file as it was and putting it back: for ``attach=report``, where only log and report carry the cards."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..errors import OutputError


@dataclass(frozen=True, slots=True)
class Original:
    """The kept file. It stands beside `path` until it is restored."""

    path: Path
    kept: Path
    status: os.stat_result

    def restore(self) -> None:
        """Put the kept file back in place: content, mode and modification time. OutputError leaves both files as they are."""
        if not self.kept.exists():
            return  # it was put back already
        try:
            # On a hard link these are what they are already.
            self.kept.chmod(self.status.st_mode & 0o7777)
            os.utime(self.kept, ns=(self.status.st_atime_ns, self.status.st_mtime_ns))
            self._put_back()
        except OSError as error:
            raise OutputError(
                f"Restoring output file '{self.path}' failed: {error.strerror}; the original stays in '{self.kept}'."
            ) from error

    def _put_back(self) -> None:
        # Renaming one hard link over another does nothing, not even remove it.
        if self.path.exists() and self.path.samefile(self.kept):
            self.kept.unlink()
        else:
            self.kept.replace(self.path)


def keep(path: Path) -> Original:
    """Keep the file at `path`, following symbolic links. It must then be replaced, never written in place.

    A hard link costs nothing and shows nobody more than `path` does; where there are none, a copy with mode 0600.
    """
    try:
        real = path.resolve(strict=True)
        kept = real.with_name(f".{real.name}.ddn-original-{os.getpid()}")
        if kept.exists():  # a second listener of the same run: the file has been annotated already
            return Original(real, kept, kept.stat())
        status = real.stat()
        try:
            os.link(real, kept)
        except OSError:
            # Not every file system has hard links.
            _copy(real, kept)
    except OSError as error:
        raise OutputError(f"Keeping output file '{path}' failed: {error.strerror}. It is not annotated.") from error
    return Original(real, kept, status)


def _copy(real: Path, kept: Path) -> None:
    handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as target, open(real, "rb") as source:
        shutil.copyfileobj(source, target)
