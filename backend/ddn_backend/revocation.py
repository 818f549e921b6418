"""Revoked analyses: a mark on Redis that a worker looks at before it starts an analysis, and before what costs or is seen.

Celery's own revoke, which is Flower's button, is kept in the memory of workers: it is gone when they restart, and
cannot be taken back. So workers have a command for that: what is sent again must run.

    ddn:revoked:{id}   by whom, as the reader of the answer is told; kept for REVOKED_SECONDS
"""

from typing import Any

from celery.utils.log import get_logger
from celery.worker.state import revoked
from redis import Redis, RedisError

from .errors import BackendError

REVOKED_SECONDS = 7 * 24 * 3600  # a report may wait that long, as while the queue is paused

FORGIVE = "ddn_forgive"  # a remote control command of our workers: takes `task_ids`

logger = get_logger(__name__)


class RevokedError(BackendError):
    """An operator does not want this analysis; the message says who, as the reader of the answer is told."""


class Revocations:
    """What is revoked at present."""

    def __init__(self, client: "Redis") -> None:
        self._client = client

    def revoke(self, report_id: str, why: str) -> None:
        """Let no worker begin or go on with the analysis; RedisError where that cannot be said."""
        self._client.set(_key(report_id), why, ex=REVOKED_SECONDS)

    def forgive(self, report_id: str) -> None:
        """Let the analysis run when it is sent again."""
        self._client.delete(_key(report_id))

    def check(self, report_id: str) -> None:
        """Raise RevokedError where the analysis is revoked: by `ddn revoke`, or by a button of Flower."""
        if report_id in revoked:
            raise RevokedError("revoked in Flower")
        try:
            why = self._client.get(_key(report_id))
        except RedisError as error:
            logger.warning("Looking whether '%s' is revoked failed: %s. The analysis goes on.", report_id, error)
            return
        if isinstance(why, bytes):
            raise RevokedError(why.decode("utf-8", "replace"))


def listen() -> None:
    """Make the command FORGIVE known to a worker of this process."""
    from celery.worker.control import control_command

    control_command(name=FORGIVE, args=[("task_ids", list)], signature="[id1 [id2 [...]]]", variadic="task_ids")(_forgive)


def _forgive(state: Any, task_ids: list[str], **_: Any) -> dict[str, str]:
    """Forget that Celery's own revoke was called for these tasks."""
    for task_id in task_ids:
        revoked.discard(task_id)
    return {"ok": f"{len(task_ids)} tasks may run"}


def _key(report_id: str) -> str:
    return f"ddn:revoked:{report_id}"
