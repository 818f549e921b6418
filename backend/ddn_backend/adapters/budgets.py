"""What a model may be asked, over all workers: counters on Redis, and a rate limit by `limits` on the same Redis.

Per run at most so many groups of failures; per run, and per project and day (UTC), so many calls, tokens and dollars. A budget is
looked at before each call and charged after it, so that it is overdrawn by at most one call per worker thread. The calls per
minute are shared by all projects: the provider counts by key.

    ddn:{project}:model:run:{run}         calls, tokens, cost_usd; kept for two days
    ddn:{project}:model:run:{run}:groups  ids of the reports that were let through
    ddn:{project}:model:day:{date}        calls, tokens, cost_usd
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from logging import getLogger
from typing import TYPE_CHECKING

from redis import Redis, RedisError

from ..call_rates import calls_a_minute
from ..errors import TransientError
from ..ports import Usage
from ..restarts import RESTART_SECONDS, patiently

if TYPE_CHECKING:
    from limits.strategies import MovingWindowRateLimiter

KEEP_SECONDS = 2 * 24 * 3600  # longer than a day and than any run
GROUPS_PER_RUN = 50
POLL_SECONDS = 0.05  # at least; the limiter tells when a place gets free, others may take it
LONGEST_TURN_SECONDS = 30.0

logger = getLogger(__name__)


class LaterError(TransientError):
    """A service is busy; `delay` tells the seconds after which asking again may help, 0 where it is not known."""

    def __init__(self, message: str, delay: float = 0.0) -> None:
        super().__init__(message)
        self.delay = delay


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most that may be taken; 0 is no limit."""

    calls: int = 0
    tokens: int = 0
    cost_usd: float = 0.0


class RedisBudget:
    """Implements the port Budget. `calls_per_minute` 0 is no rate limit; an operator may change it while workers run
    (see call_rates). `model` names what shares it."""

    def __init__(
        self,
        client: "Redis",
        model: str = "model",
        groups_per_run: int = GROUPS_PER_RUN,
        run: Allowance = Allowance(),
        day: Allowance = Allowance(),
        calls_per_minute: int = 0,
        restart_seconds: float = RESTART_SECONDS,
    ) -> None:
        self._client = client
        self._restart_seconds = restart_seconds
        self._model = model
        self._groups = groups_per_run
        self._run = run
        self._day = day
        self._rate = calls_per_minute
        self._limiter: MovingWindowRateLimiter | None = None

    def admit(self, project: str, run_id: str, report_id: str) -> str:
        """Return why this report must not reach the model, or nothing; a report that was let through stays so."""
        if refusal := self._overdrawn(project, run_id):
            return refusal
        key = f"{_run_key(project, run_id)}:groups"
        try:
            with self._client.pipeline() as batch:
                batch.sadd(key, report_id)
                batch.scard(key)
                batch.expire(key, KEEP_SECONDS)
                is_new, size, _ = batch.execute()
            if is_new and self._groups and size > self._groups:
                self._client.srem(key, report_id)
                return f"{self._groups} groups of this run were given to the model already, that is the most"
        except RedisError as error:
            raise _failed(error) from error
        return ""

    def before_call(self, project: str, run_id: str, seconds: float) -> str:
        """Wait for a place in the rate limit, at most `seconds`; return which budget is used up, or nothing."""
        if refusal := self._overdrawn(project, run_id):
            return refusal
        if rate := self._calls_a_minute():
            self._wait_for_turn(rate, min(seconds, LONGEST_TURN_SECONDS))
        return ""

    def after_call(self, project: str, run_id: str, usage: Usage) -> None:
        """Charge `usage` to the run and to the project's day. Where that fails the answer, which is paid for, is kept."""
        try:
            patiently(partial(self._charge, project, run_id, usage), self._restart_seconds)
        except RedisError as error:
            logger.warning("Charging a call to the model failed: %s. It is not counted; none is made until Redis is back.", error)

    def _charge(self, project: str, run_id: str, usage: Usage) -> None:
        with self._client.pipeline() as batch:
            for key in (_run_key(project, run_id), _day_key(project)):
                batch.hincrby(key, "calls", usage.calls)
                batch.hincrby(key, "tokens", usage.tokens)
                batch.hincrbyfloat(key, "cost_usd", usage.cost_usd)
                batch.expire(key, KEEP_SECONDS)
            batch.execute()

    def spent_today(self, project: str) -> Usage:
        """Return what the project took today (UTC); its tokens are all in `tokens_in`."""
        calls, tokens, cost = self._spent(_day_key(project))
        return Usage(int(calls), int(tokens), 0, cost)

    def _overdrawn(self, project: str, run_id: str) -> str:
        budgets = ((self._run, _run_key(project, run_id), "of this run"), (self._day, _day_key(project), "of this project and day"))
        for allowance, key, whose in budgets:
            if allowance != Allowance():
                for limit, spent, unit in _compared(allowance, self._spent(key)):
                    if limit and spent >= limit:
                        return f"the budget {whose}, {limit:g} {unit}, is used up"
        return ""

    def _spent(self, key: str) -> tuple[float, float, float]:
        try:
            calls, tokens, cost = self._client.hmget(key, ["calls", "tokens", "cost_usd"])
        except RedisError as error:
            raise _failed(error) from error
        return float(calls or 0), float(tokens or 0), float(cost or 0)

    def _calls_a_minute(self) -> int:
        try:
            return calls_a_minute(self._client, "model", self._rate)
        except RedisError as error:
            raise _failed(error) from error

    def _wait_for_turn(self, rate: int, seconds: float) -> None:
        from limits import RateLimitItemPerMinute

        item, deadline = RateLimitItemPerMinute(rate, namespace="ddn"), time.monotonic() + seconds
        limiter = self._rate_limiter()
        try:
            while not limiter.hit(item, self._model):
                wait = max(POLL_SECONDS, limiter.get_window_stats(item, self._model).reset_time - time.time())
                if time.monotonic() + wait > deadline:
                    raise LaterError(
                        f"Calling model '{self._model}' failed: {rate} calls a minute over all workers are used up. "
                        f"It is tried again in {wait:.0f} s.",
                        wait,
                    )
                time.sleep(wait)
        except RedisError as error:
            raise _failed(error) from error

    def _rate_limiter(self) -> "MovingWindowRateLimiter":
        if not self._limiter:
            from limits.storage import RedisStorage
            from limits.strategies import MovingWindowRateLimiter

            pool = self._client.connection_pool  # the scheme names the library only
            self._limiter = MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))
        return self._limiter


class MemoryBudget:
    """The port Budget for one process without Redis, such as `ddn analyze`: groups per run only."""

    def __init__(self, groups_per_run: int = GROUPS_PER_RUN) -> None:
        self._groups = groups_per_run
        self._admitted: dict[str, set[str]] = {}

    def admit(self, project: str, run_id: str, report_id: str) -> str:
        admitted = self._admitted.setdefault(_run_key(project, run_id), set())
        if report_id not in admitted and len(admitted) >= self._groups:
            return f"{self._groups} groups of this run were given to the model already, that is the most"
        admitted.add(report_id)
        return ""

    def before_call(self, project: str, run_id: str, seconds: float) -> str:
        return ""

    def after_call(self, project: str, run_id: str, usage: Usage) -> None:
        pass


def _compared(allowance: Allowance, spent: tuple[float, float, float]) -> Iterator[tuple[float, float, str]]:
    yield allowance.calls, spent[0], "calls"
    yield allowance.tokens, spent[1], "tokens"
    yield allowance.cost_usd, spent[2], "dollars"


def _run_key(project: str, run_id: str) -> str:
    return f"ddn:{project}:model:run:{run_id}"


def _day_key(project: str) -> str:
    return f"ddn:{project}:model:day:{datetime.now(UTC):%Y-%m-%d}"


def _failed(error: RedisError) -> TransientError:
    return TransientError(f"Counting calls to the model failed: {error}. It is tried again; nothing was sent uncounted.")
