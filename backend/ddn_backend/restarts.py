"""Bearing with a Redis that starts anew, where giving up would cost what cannot be had again for nothing: a model's answer."""

import time
from collections.abc import Callable
from typing import TypeVar

from redis import ConnectionError as RedisConnectionError
from redis import RedisError
from redis import TimeoutError as RedisTimeoutError

RESTART_SECONDS = 10.0  # that a Redis may take to start anew and to read its file
PAUSE_SECONDS = 0.2

T = TypeVar("T")


def patiently(ask: Callable[[], T], seconds: float = RESTART_SECONDS) -> T:
    """Return what `ask` returns, asked again and again while Redis is away or loads its file.

    RedisError when that takes longer than `seconds`. A Redis that answers with an error of another kind is not asked again.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (RedisConnectionError, RedisTimeoutError) as error:
            problem: RedisError = error
        if time.monotonic() > deadline:
            raise problem
        time.sleep(PAUSE_SECONDS)
