"""Reports that a worker began and whose message is gone, as after a Redis that lost its memory: they are sent again.

A worker that dies is covered by Celery: its message is handed out again after the visibility timeout. Here is the rest: the
history has the report without an answer, longer than any analysis takes, and no message of it is in the queue or in hand.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from logging import getLogger
from typing import Any

from redis import Redis, RedisError

from robot_ddn_listener.contract import QUEUE, FailureReport
from robot_ddn_listener.errors import BrokerError

from ...ports import ENDED, History, State, TaskState, Wanted, WantedRuns
from ..steering import queued
from .catch_up import End, unknown_end
from .task_runs import latest

MAX_TIMES = 3
FORGOTTEN_AFTER = timedelta(days=1)  # nobody waits any longer for the answer
KEPT_SECONDS = 2 * 24 * 3600  # of the count of how often a report was sent again
MAX_PENDING = 200  # reports to look at, the newest first
MAX_WAITING = 500  # messages to look through; with more of them workers have enough to do

logger = getLogger(__name__)


def lost_reports(
    history: History, client: "Redis", now: datetime, longest_seconds: float, ended: End = unknown_end
) -> tuple[FailureReport, ...]:
    """Return the reports that were seen longer than `longest_seconds` ago and have neither an answer nor a message.

    HistoryError or RedisError where they cannot be asked.
    """
    before = now - timedelta(seconds=longest_seconds)
    pending = history.listed(Wanted(state=State.PENDING, since=now - FORGOTTEN_AFTER, limit=MAX_PENDING))
    old = [past.report for past in pending if past.seen <= before]
    waiting: Any = client.llen(QUEUE)
    if not old or waiting > MAX_WAITING:
        return ()
    alive = {message.task_id for message in (*queued.waiting(client), *queued.in_hand(client))}
    lost = (report for report in old if report.id not in alive and _was_begun(history, report.id, before))
    return tuple(report for report in lost if (ended(report.id) or (TaskState.STARTED,))[0] not in ENDED)


def send_again(lost: tuple[FailureReport, ...], client: "Redis", send: Callable[[FailureReport], None]) -> int:
    """Send the reports again, each at most MAX_TIMES; return how many were sent."""
    number = 0
    for report in lost:
        try:
            times: Any = client.incr(f"ddn:resent:{report.id}")
            client.expire(f"ddn:resent:{report.id}", KEPT_SECONDS)
            if times > MAX_TIMES:
                continue
            send(report)
        except (BrokerError, RedisError) as error:
            logger.warning("Sending report '%s' again failed: %s. It is tried again.", report.id, error)
            break
        logger.warning("The message of report '%s' was lost. It was sent again, for the %d. time.", report.id, times)
        number += 1
    return number


def _was_begun(history: History, report_id: str, before: datetime) -> bool:
    """Tell whether the last run of the task was begun and did not end as far as is known, and nothing was heard of it lately.

    One that was never begun is in the history because an operator took it out of the queue.
    """
    last = history.task_runs(WantedRuns(task_id=report_id, limit=1))
    return bool(last) and last[0].state in (TaskState.STARTED, TaskState.RETRY) and latest(last[0]) <= before.timestamp()
