"""Reports that Redis did not take wait on disk, in the folder of the run's output, until someone sends them again.

One report is one file, ``FOLDER/ddn-spool/<report id>.json``, readable by its owner only. A file goes away only after its report
was sent, so a crash costs nothing but sending twice, and equal ids make that harmless. Replays may run side by side: each file is
locked while it is sent (where there are no such locks, as on Windows, two replays at once send some reports twice).
"""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from .contract import FailureReport, decode, encode
from .errors import BrokerError, ContractError, SpoolError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

SPOOL = "ddn-spool"
MAX_FILE_BYTES = 4 * 1024 * 1024  # far more than a report may have: what is larger was not written here

_PLACES = (SPOOL, f"*/{SPOOL}", f"pabot_results/*/{SPOOL}")
_ID = re.compile(r"[\w-]{1,100}", re.ASCII)
_LOST = "The backend will not see this failure; its card keeps the verdict of the rules."


@dataclass(slots=True)
class Replayed:
    """What a replay did: `sent` holds report ids, the others files, with what went wrong where something did.

    broken  cannot be read; they stay, and every replay tells of them again
    failed  not taken by Redis (the replay ended there: the rest would only have waited as long for the same), or sent but not
            removable (they will be sent again, which changes nothing)
    left    not sent: those that Redis did not take, those after them, those that another replay has in hand
    """

    sent: list[str] = field(default_factory=list)
    failed: dict[Path, str] = field(default_factory=dict)
    broken: dict[Path, str] = field(default_factory=dict)
    left: list[Path] = field(default_factory=list)


def write(folder: Path, report: FailureReport) -> Path:
    """Write `report` below `folder`, the output folder of the run, and return its file; SpoolError when the disk does not take it.

    The file is there completely or not at all. The same report again is the same file.
    """
    if not _ID.fullmatch(report.id):
        raise SpoolError(f"Spooling failure report {report.id!r:.100} failed: Expected an id of letters, digits and '-'. {_LOST}")
    path = folder / SPOOL / f"{report.id}.json"
    try:
        _write_atomically(path, json.dumps(encode(report)).encode("ascii"))
    except OSError as error:
        raise SpoolError(f"Spooling failure report '{report.id}' to '{path.parent}' failed: {_cause(error)}. {_LOST}") from error
    return path


def pending(folder: Path) -> tuple[Path, ...]:
    """Return the files of all reports that wait below `folder`, broken ones too.

    `folder` is a run's output folder (pabot's too), a ``ddn-spool`` itself, or a folder with several output folders in it.
    """
    spools = {folder} if folder.name == SPOOL else {spool for place in _PLACES for spool in folder.glob(place)}
    return tuple(sorted(path for spool in spools for path in spool.glob("*.json") if path.is_file()))


def read(path: Path) -> FailureReport:
    """Return the report in `path`; SpoolError when it is not one. The file is not touched."""
    try:
        report = decode(FailureReport, json.loads(_content(path)))
        if report.id != path.stem:
            raise ContractError("FailureReport.id", f"Expected '{path.stem}' as in the file's name, got {report.id!r:.100}.")
    except (OSError, ValueError, RecursionError, ContractError) as error:
        raise SpoolError(f"Reading spooled report '{path}' failed: {_cause(error)}. The file stays where it is.") from error
    return report


def replay(folder: Path, submit: Callable[[FailureReport], None]) -> Replayed:
    """Give each report that waits below `folder` to `submit`, remove what was taken, and end at the first BrokerError."""
    replayed = Replayed()
    paths = pending(folder)
    for position, path in enumerate(paths):
        if not _replay_file(path, submit, replayed):
            replayed.left.extend(paths[position:])
            break
    for spool in {path.parent for path in paths}:
        with suppress(OSError):  # not empty: something still waits in it
            spool.rmdir()
    return replayed


def _write_atomically(path: Path, content: bytes) -> None:
    try:
        descriptor, temporary = _temporary_file(path)
    except (FileExistsError, FileNotFoundError):  # a replay removed the folder, empty as it was, just now
        descriptor, temporary = _temporary_file(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _temporary_file(path: Path) -> tuple[int, str]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".tmp")  # its mode is 0600


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"Expected at most {MAX_FILE_BYTES} bytes, got more")
    return content


def _replay_file(path: Path, submit: Callable[[FailureReport], None], replayed: Replayed) -> bool:
    """Return False when Redis did not take it, so that there is no point in going on."""
    with _claimed(path) as ours:
        if not ours:
            replayed.left.extend([path] if path.exists() else [])
            return True
        try:
            submit(read(path))
        except SpoolError as error:
            replayed.broken[path] = str(error)
        except BrokerError as error:
            replayed.failed[path] = str(error)
            return False
        else:
            replayed.sent.append(path.stem)
            _remove(path, replayed)
    return True


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Hold the lock on `path`; False when another replay holds it, or has sent and removed it by now."""
    try:
        descriptor = os.open(path, os.O_RDONLY) if fcntl else -1
    except OSError:  # `read` tells why, when it is not simply gone
        descriptor = -1
    try:
        yield path.exists() if descriptor < 0 else _lock(descriptor)
    finally:
        if descriptor >= 0:
            os.close(descriptor)  # this gives the lock back, as does the end of the process


def _lock(descriptor: int) -> bool:
    assert fcntl
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # this file system has no locks: see the module docstring
        pass
    return os.fstat(descriptor).st_nlink > 0


def _remove(path: Path, replayed: Replayed) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        replayed.failed[path] = f"Removing spooled report '{path}' failed: {_cause(error)}. It will be sent again, to no effect."


def _cause(error: BaseException) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return reason.strip().rstrip(".") or type(error).__name__
