"""How often a report was begun and never ended: Redis hands it out again when its worker died, but does not count.

    ddn:deliveries:{id}   counted up before the work begins, deleted when it has ended, however it ended

A report that kills its worker would be handed out for ever, and take one worker after the other with it. So would those that the
worker was at work on beside it: what has one beginning left has it alone, as far as such reports go, so that it falls by itself.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from celery.utils.log import get_task_logger
from redis import Redis, RedisError

from .errors import PermanentError

MAX_BEGINNINGS = 3  # that never ended; then a report is set aside
REMEMBERED_SECONDS = 24 * 3600  # since the last beginning

_ONE_AT_A_TIME = threading.Lock()  # of the reports in this process that have their last beginning

logger = get_task_logger(__name__)


class PoisonError(PermanentError):
    """The report was begun too often: whoever works on it dies."""


class Deliveries:
    """Counts on the Redis of `client`. Where that fails nothing is counted: the work matters more."""

    def __init__(self, client: "Redis") -> None:
        self._client = client

    @contextmanager
    def begun(self, report_id: str) -> Iterator[None]:
        """Count the block as begun, and as ended when it is left; PoisonError where too many never ended."""
        with _ONE_AT_A_TIME if self._is_last(report_id) else nullcontext():
            beginnings = self._count(report_id)
            try:
                if beginnings > MAX_BEGINNINGS:
                    raise PoisonError(
                        f"Analysing report '{report_id}' failed: the worker was killed {MAX_BEGINNINGS} times while at work on it. "
                        "It is set aside, until it is sent again."
                    )
                yield
            finally:
                self.forget(report_id)

    def _is_last(self, report_id: str) -> bool:
        try:
            beginnings: Any = self._client.get(_key(report_id))
        except RedisError:  # counting it tells so
            return False
        return int(beginnings or 0) >= MAX_BEGINNINGS - 1

    def _count(self, report_id: str) -> int:
        try:
            with self._client.pipeline() as counting:
                counting.incr(_key(report_id))
                counting.expire(_key(report_id), REMEMBERED_SECONDS)
                return int(counting.execute()[0])
        except RedisError as error:
            logger.warning("Counting the delivery of '%s' failed: %s. It is analysed uncounted.", report_id, error)
            return 0

    def forget(self, report_id: str) -> None:
        """Count from the beginning when the report is sent again."""
        try:
            self._client.delete(_key(report_id))
        except RedisError as error:
            logger.warning("Ending the delivery of '%s' failed: %s. It counts as one that never ended.", report_id, error)


def _key(report_id: str) -> str:
    return f"ddn:deliveries:{report_id}"
