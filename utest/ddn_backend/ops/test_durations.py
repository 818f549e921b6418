"""How operators write a time."""

from datetime import UTC, datetime, timedelta

import pytest

from ddn_backend.ops.durations import since

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        (" 2H ", NOW - timedelta(hours=2)),
        ("7 d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-01-30T10:00", datetime(2026, 1, 30, 10, tzinfo=UTC)),
        ("2026-01-30T10:00+02:00", datetime(2026, 1, 30, 8, tzinfo=UTC)),
        ("2026-01-30", datetime(2026, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_so_long_ago_or_a_point_in_time(text: str, time: datetime) -> None:
    assert since(text, NOW) == time


@pytest.mark.parametrize("text", ["", "soon", "2", "2y", "-1h", "1.5h", "99999999w", "999999999w", "9" * 30 + "s"])
def test_what_is_no_time_is_told_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        since(text, NOW)
