"""How often GitHub may be called, over all workers: so many calls in any minute, and none while it has told us to wait."""

import math
import time
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis

from ..call_rates import calls_a_minute


class CallLimit:
    """Counts the calls of `who` below `prefix` on Redis; without `redis` those of this process only.

    `configured` calls a minute hold until an operator says otherwise on Redis (see call_rates).
    """

    def __init__(self, redis: "Redis | None", prefix: str, who: str, configured: int):
        self._redis = redis
        self._who = who
        self._held_key = f"{prefix}:held:{who}"
        self._held_until = 0.0
        self._configured = configured
        self._limiter = MovingWindowRateLimiter(_storage(redis, f"{prefix}:calls"))

    def take(self) -> float:
        """Take a turn and return 0, or return after how many seconds there may be one."""
        held, rate = self._held_seconds(), self._calls_a_minute()
        if held > 0 or not rate:
            return held
        item = RateLimitItemPerMinute(rate)
        if self._limiter.hit(item, self._who):
            return 0.0
        return max(1.0, self._limiter.get_window_stats(item, self._who).reset_time - time.time())

    def hold(self, seconds: float) -> None:
        self._held_until = time.time() + seconds
        if self._redis:
            self._redis.set(self._held_key, "", px=math.ceil(seconds * 1000))

    def _calls_a_minute(self) -> int:
        return calls_a_minute(self._redis, "github", self._configured) if self._redis else self._configured

    def _held_seconds(self) -> float:
        if not self._redis:
            return max(0.0, self._held_until - time.time())
        left: Any = self._redis.pttl(self._held_key)
        return max(0, int(left)) / 1000


def _storage(redis: "Redis | None", prefix: str) -> MemoryStorage | RedisStorage:
    return RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=prefix) if redis else MemoryStorage()
