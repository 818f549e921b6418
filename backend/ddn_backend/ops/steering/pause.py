"""Pause and resume: workers take nothing new from the queue, whatever is restarted, and listeners do not wait.

ddn:paused      the reason, which listeners show
ddn:paused-by   who paused when, for operators
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis import Redis

from robot_ddn_listener.contract import PAUSED_KEY, QUEUE

from .reach import Backend

PAUSED_BY_KEY = "ddn:paused-by"
MAX_REASON_CHARACTERS = 200  # what listeners show of it


@dataclass(frozen=True, slots=True)
class Pause:
    """`who` and `when` (ISO 8601) are empty where another program paused the queue."""

    reason: str
    who: str = ""
    when: str = ""

    def __str__(self) -> str:
        by = f" (by {self.who} at {self.when[:16].replace('T', ' ')} UTC)" if self.who else ""
        return f"The queue is paused: {self.reason}{by}." if self.reason else f"The queue is paused{by}."


def one_line(text: str) -> str:
    """Return a reason as it is kept: printable, one line, short enough for a card."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:MAX_REASON_CHARACTERS]


def pause(backend: Backend, reason: str, who: str, when: datetime) -> None:
    """Pause the queue. Workers are told, and see it by themselves at their next beat and when they start."""
    with backend.client.pipeline() as batch:
        batch.set(PAUSED_BY_KEY, json.dumps({"who": who, "when": when.isoformat()}))
        batch.set(PAUSED_KEY, one_line(reason))
        batch.execute()
    backend.command("cancel_consumer", queue=QUEUE)


def resume(backend: Backend) -> Pause | None:
    """Let the queue be worked off again; return what was resumed, None where it was not paused."""
    known = paused(backend.client)
    backend.client.delete(PAUSED_KEY, PAUSED_BY_KEY)
    backend.command("add_consumer", queue=QUEUE)
    return known


def paused(client: "Redis") -> Pause | None:
    """Return the pause that holds."""
    values: Any = client.mget([PAUSED_KEY, PAUSED_BY_KEY])
    if values[0] is None:
        return None
    try:
        by = json.loads(values[1] or "{}")
        return Pause(values[0].decode("utf-8", "replace"), str(by.get("who", "")), str(by.get("when", "")))
    except (ValueError, AttributeError):
        return Pause(values[0].decode("utf-8", "replace"))
