"""Single flight: of many equal failures, in any number of workers, one is analysed while the others wait for its result.

    lease    SET NX PX under the key of the failure; a thread renews it (all of a process, while their analyses run). It runs out
             soon after its worker has died or hangs for too long, and the next one takes over.
    landed   the result, for those who waited and for those who still stand in the queue behind it

It saves work and nothing else: where the lease is lost, or Redis forgets the result, a failure is analysed once more.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

from celery.utils.log import get_task_logger
from redis import Redis, RedisError

from .errors import TransientError
from .restarts import RESTART_SECONDS, patiently

LEASE_SECONDS = 15.0  # that a dead worker holds the others up
RENEWALS = 3  # a lease: two may get lost
IDLE_SECONDS = 5.0  # that the thread which renews stays when there is nothing to renew
LONGEST_FLIGHT_SECONDS = 240.0  # a lease is not renewed for longer: whoever hangs is not waited for
PATIENCE_SECONDS = 180.0  # that one waits for others before its task is tried again later: less than the task's deadline
LANDED_SECONDS = 600  # parallel runs, and what they queue up, are through by then
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.02, 0.25

_RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"

T = TypeVar("T")
logger = get_task_logger(__name__)


class RedisSingleFlight:
    """A SingleFlight (see ports) over the Redis of `client`. May be used by many threads."""

    def __init__(
        self,
        client: "Redis",
        lease_seconds: float = LEASE_SECONDS,
        longest_flight_seconds: float = LONGEST_FLIGHT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        restart_seconds: float = RESTART_SECONDS,
    ) -> None:
        self._client = client
        self._lease_seconds = lease_seconds
        self._longest_flight_seconds = longest_flight_seconds
        self._patience_seconds = patience_seconds
        self._restart_seconds = restart_seconds

    def fly(self, key: str, compute: Callable[[], T], dump: Callable[[T], str], load: Callable[[str], T | None]) -> T:
        """Return what another found for `key` where `load` can take it, else `compute()`. TransientError after too long a wait."""
        lease = self._lease(key)
        landed = _name("landed", key)
        found = self._found_or_lease(lease, landed, load)
        if found is not None:
            return found
        with lease.renewed():
            result = compute()
            if text := dump(result):
                self._land(landed, text)
            return result

    def _found_or_lease(self, lease: "Lease", landed: str, load: Callable[[str], T | None]) -> T | None:
        """Return a result that can be taken, or None with the lease in our hands."""
        with _mapped():
            for _ in _looks(self._patience_seconds):
                is_ours, text = patiently(partial(self._asked, lease, landed), self._restart_seconds)
                found = _loaded(text, load)
                if found is not None and is_ours:
                    lease.give_back()
                if found is not None or is_ours:
                    return found
        raise TransientError(
            f"Waiting for the analysis of an equal failure failed: none came within {self._patience_seconds:g} s. "
            "It is tried again."
        )

    def _asked(self, lease: "Lease", landed: str) -> tuple[Any, Any]:
        """Return whether the lease is ours now, and what has landed: looked for afterwards, because its last holder may have."""
        with self._client.pipeline(transaction=False) as asking:
            lease.take_with(asking)
            asking.get(landed)
            is_ours, text = asking.execute()
            return is_ours, text

    def _land(self, landed: str, text: str) -> None:
        try:
            patiently(partial(self._client.set, landed, text, ex=LANDED_SECONDS), self._restart_seconds)
        except RedisError as error:
            logger.warning("Sharing an analysis failed: %s. It, and equal failures, may be analysed again.", error)

    def _lease(self, key: str) -> "Lease":
        return Lease(self._client, _name("flight", key), self._lease_seconds, self._longest_flight_seconds)


class Lease:
    """The right to do something alone, in the hands of one at a time, for `seconds` after it was taken or last renewed."""

    def __init__(self, client: "Redis", name: str, seconds: float, longest_seconds: float) -> None:
        self._client = client
        self._name = name
        self._milliseconds = max(round(seconds * 1000), 1)
        self._renew_seconds = seconds / RENEWALS
        self._longest_seconds = longest_seconds
        self._token = uuid.uuid4().hex

    def take(self) -> bool:
        """Return whether it is ours now; another's is left alone."""
        return bool(self.take_with(self._client))

    def take_with(self, client: "Redis") -> Any:
        """Take it by `client`, which may be a pipeline."""
        return client.set(self._name, self._token, nx=True, px=self._milliseconds)

    def renew(self) -> bool:
        """Return whether it was still ours; if so, its time begins anew."""
        return bool(self._client.eval(_RENEW, 1, self._name, self._token, str(self._milliseconds)))

    def give_back(self) -> None:
        """Let the next one have it at once; another's is left alone."""
        self._client.eval(_RELEASE, 1, self._name, self._token)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew it, once taken, until the block ends, at most for the longest time; then give it back."""
        _RENEWALS.begin(self, self._renew_seconds, self._longest_seconds)
        try:
            yield
        finally:
            _RENEWALS.end(self)
            try:
                self.give_back()
            except RedisError as error:
                logger.warning("Giving back a lease failed: %s. It runs out by itself.", error)


class Renewals:
    """The leases of this process that are renewed, all by one thread: it is there while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._due: dict[Lease, _Due] = {}
        self._thread: threading.Thread | None = None
        self._sleeps_until = 0.0

    def begin(self, lease: Lease, every: float, longest: float) -> None:
        """Renew `lease` each `every` seconds, for `longest` seconds at most."""
        now = time.monotonic()
        with self._lock:
            self._due[lease] = _Due(now + every, every, now + longest)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew, name="ddn-leases", daemon=True)
                self._thread.start()
            elif now + every < self._sleeps_until:
                self._lock.notify()

    def end(self, lease: Lease) -> None:
        """Renew it no more."""
        with self._lock:
            self._due.pop(lease, None)

    def _renew(self) -> None:
        while leases := self._next():
            for lease in leases:
                try:
                    is_kept = lease.renew()
                except Exception as error:  # noqa: BLE001 - whatever it is of one lease, the others must be renewed
                    logger.warning("Renewing a lease failed: %s: %s. It is tried again.", type(error).__name__, error)
                    is_kept = True
                if not is_kept:
                    self.end(lease)  # another has it: we were too slow, and both go on

    def _next(self) -> list[Lease]:
        """Wait for leases that are due and return them; none when there was nothing to renew for a while."""
        with self._lock:
            idle_since = time.monotonic()
            while True:
                now = time.monotonic()
                self._due = {lease: due for lease, due in self._due.items() if now < due.end}
                if ready := [lease for lease, due in self._due.items() if due.next <= now]:
                    for lease in ready:
                        self._due[lease].next = now + self._due[lease].every
                    return ready
                if not self._due and now - idle_since >= IDLE_SECONDS:
                    self._thread = None
                    return []
                self._sleeps_until = min((due.next for due in self._due.values()), default=now + IDLE_SECONDS)
                self._lock.wait(self._sleeps_until - now)
                self._sleeps_until = 0.0


@dataclass(slots=True)
class _Due:
    """When a lease is renewed `next`, how often, and until when; monotonic seconds."""

    next: float
    every: float
    end: float


_RENEWALS = Renewals()


def _looks(seconds: float) -> Iterator[None]:
    """Yield now, and again after pauses that grow, until `seconds` are over."""
    end, pause = time.monotonic() + seconds, FIRST_LOOK_SECONDS
    yield
    while time.monotonic() < end:
        time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that those who wait do not all look at once
        pause = min(2 * pause, LONGEST_LOOK_SECONDS)
        yield


def _loaded(text: Any, load: Callable[[str], T | None]) -> T | None:
    if text is None:
        return None
    return load(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)


def _name(what: str, key: str) -> str:
    return f"ddn:{what}:{sha256(key.encode('utf-8', 'replace')).hexdigest()[:32]}"


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise TransientError(f"Looking for the analysis of an equal failure failed: {error}. It is tried again.") from error
