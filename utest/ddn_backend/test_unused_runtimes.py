"""What embedded runtimes leave behind goes, and nothing else does."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.unused_runtimes import remove_unused
from robot_ddn_listener.runtime import CLIENTS_LOCK, RUNTIME_LOCK, open_lock, try_lock

LONG_AGO = time.time() - 31 * 24 * 3600


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, last_used: float = LONG_AGO) -> Path:
        folder = tmp_path / name
        folder.mkdir(mode=0o700)
        (folder / "appendonlydir").mkdir()
        (folder / "appendonlydir" / "x.aof").write_text("")
        (folder / CLIENTS_LOCK).touch(mode=0o600)
        os.utime(folder / CLIENTS_LOCK, (last_used, last_used))
        return folder

    return make


def test_what_nobody_has_used_for_thirty_days_goes(place: Callable[..., Path], tmp_path: Path) -> None:
    old, recent = place("0123456789abcdef"), place("fedcba9876543210", time.time() - 29 * 24 * 3600)
    others = [place(name) for name in ("history", "knowledge", "0123456789abcdef0", "0123456789ABCDEF")]
    (tmp_path / "0000000000000000").write_text("a file")
    assert remove_unused(tmp_path) == [old]
    assert not old.exists()
    assert all(folder.exists() for folder in (recent, *others))
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.parametrize("lock", [CLIENTS_LOCK, RUNTIME_LOCK])
def test_where_somebody_lives_everything_stays(place: Callable[..., Path], tmp_path: Path, lock: str) -> None:
    old = place("0123456789abcdef")
    held = open_lock(old / lock)
    try:
        assert try_lock(held, shared=True)
        assert remove_unused(tmp_path) == []
    finally:
        os.close(held)
    assert remove_unused(tmp_path) == [old]


def test_what_others_can_write_to_is_not_ours(place: Callable[..., Path], tmp_path: Path) -> None:
    place("0123456789abcdef").chmod(0o755)
    assert remove_unused(tmp_path) == []


def test_a_runtime_that_starts_tidies_up(runtimes: Any) -> None:
    old = runtimes.place.parent / "0123456789abcdef"
    old.mkdir(mode=0o700)
    (old / CLIENTS_LOCK).touch(mode=0o600)
    os.utime(old / CLIENTS_LOCK, (LONG_AGO, LONG_AGO))
    runtimes.acquire()
    assert not old.exists()
