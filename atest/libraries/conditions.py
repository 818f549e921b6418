"""Waiting for what happens outside, and what is missing on this machine."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

from robot.api import SkipExecution

T = TypeVar("T")

PATIENCE_SECONDS = 30.0  # a hung check ends; nothing waits for this long when all is well
LOOK_SECONDS = 0.05


def wait_until(condition: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Return the first true value of `condition`; AssertionError when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds:g} s in vain until {what}.")
        time.sleep(LOOK_SECONDS)
    return value


def missing(what: str) -> Exception:
    """Return what to raise where `what` is missing: at home the check is skipped, in CI everything must be there."""
    if os.environ.get("CI") == "true":
        return AssertionError(f"{what} is missing, which CI must have.")
    return SkipExecution(f"{what} is missing on this machine.")
