"""How operators write a time: how long ago ("90s", "15m", "2h", "7d"), or a point in time as ISO 8601 writes it."""

import re
from datetime import UTC, datetime, timedelta

EXPECTED = "expected such as 90s, 15m, 2h, 7d, or a time such as 2026-01-31T12:00"
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=100 * 365)  # what is longer cannot be subtracted from a date
DURATION = re.compile(r"(\d{1,8})\s*([smhdw])", re.IGNORECASE)


def duration(text: str) -> timedelta:
    """Return what e.g. "2h" stands for; ValueError where it is none."""
    if not (found := DURATION.fullmatch(text.strip())):
        raise ValueError(f"{EXPECTED}, got '{text}'")
    length = timedelta(**{UNITS[found[2].lower()]: int(found[1])})
    if length > LONGEST:
        raise ValueError(f"expected at most 100 years, got '{text}'")
    return length


def since(text: str, now: datetime) -> datetime:
    """Return the point in time, with its zone: that long before `now`, or the ISO time itself, UTC where it names no zone."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return now - duration(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
