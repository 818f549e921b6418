"""Answers of a web service on Redis, for all workers: fresh ones are not asked for again, older ones by their ETag.

Of our own, because the cache of `requests-cache` (1.3) finds nothing again where an answer varies by Authorization, as all of
GitHub's do: it compares the header with what it has itself blacked out.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis

KEPT_SECONDS = 24 * 3600
MAX_BODY_BYTES = 500_000  # Redis holds the reports, too


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer's body as it was read; `fresh_until` is a Unix time."""

    body: bytes
    etag: str
    fresh_until: float

    @property
    def is_fresh(self) -> bool:
        return time.time() < self.fresh_until


class EtagCache:
    """Keeps answers below `prefix`, nothing at all without `redis`. What is there but unreadable is as good as not there."""

    def __init__(self, redis: "Redis | None", prefix: str):
        self._redis = redis
        self._prefix = prefix

    def get(self, url: str, parameters: Mapping[str, Any]) -> Kept | None:
        value: Any = self._redis.get(self._key(url, parameters)) if self._redis else None
        return _read(value) if isinstance(value, bytes) else None

    def put(self, url: str, parameters: Mapping[str, Any], body: bytes, etag: str, fresh_seconds: float) -> None:
        if self._redis and len(body) <= MAX_BODY_BYTES:
            head = json.dumps({"etag": etag, "fresh_until": time.time() + fresh_seconds}).encode()
            self._redis.set(self._key(url, parameters), head + b"\n" + body, ex=KEPT_SECONDS)

    def _key(self, url: str, parameters: Mapping[str, Any]) -> str:
        asked = json.dumps([url, sorted(parameters.items())])
        return f"{self._prefix}:{hashlib.sha256(asked.encode()).hexdigest()}"


def _read(value: bytes) -> Kept | None:
    head, _, body = value.partition(b"\n")
    try:
        fields = json.loads(head)
        return Kept(body, str(fields["etag"]), float(fields["fresh_until"]))
    except (ValueError, KeyError, TypeError):
        return None
