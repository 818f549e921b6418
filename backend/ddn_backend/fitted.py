"""What `ddn eval` fitted on this installation's own failures: thresholds and calibration, in DDN_HOME. It wins over what ships."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from robot_ddn_listener.errors import OutputError

from .errors import SettingsError
from .pipeline import calibrate, thresholds
from .pipeline.calibrate import ByModel
from .pipeline.thresholds import ByEvaluator

THRESHOLDS, CALIBRATION = "thresholds.json", "calibration.json"

T = TypeVar("T")


def thresholds_in(home: Path) -> ByEvaluator:
    """Return the thresholds by evaluator; SettingsError where the file in `home` cannot be used."""
    return {**thresholds.load(), **_read(home / THRESHOLDS, thresholds.load)}


def calibration_in(home: Path) -> ByModel:
    """Return the calibration by model, empty where none was fitted; SettingsError where the file in `home` cannot be used."""
    return _read(home / CALIBRATION, calibrate.load)


def mark(home: Path) -> str:
    """Return a short text that changes with what was fitted in `home`; empty where nothing was."""
    kept = [path.read_bytes() for name in (THRESHOLDS, CALIBRATION) if (path := home / name).is_file()]
    return f"fit-{hashlib.sha256(b''.join(kept)).hexdigest()[:8]}" if kept else ""


def write_thresholds(path: Path, fitted: ByEvaluator) -> None:
    """Add to what is in the file; OutputError where it cannot be written."""
    _write(path, thresholds.dump({**_read(path, thresholds.load), **fitted}))


def write_calibration(path: Path, fitted: ByModel) -> None:
    """Add to what is in the file; OutputError where it cannot be written."""
    _write(path, calibrate.dump({**_read(path, calibrate.load), **fitted}))


def _read(path: Path, load: Callable[[str], Mapping[str, T]]) -> Mapping[str, T]:
    try:
        return load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, UnicodeError, ValueError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"Reading fitted values '{path}' failed: {error}. Fit them again with `ddn eval`, or delete it."
        ) from None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"Writing fitted values '{path}' failed: {error}. Nothing was fitted.") from error
