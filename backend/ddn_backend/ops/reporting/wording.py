"""How reports write figures, for pages and terminals."""

from datetime import datetime


def seconds(value: float) -> str:
    if value >= 600:
        return f"{value / 60:.0f} min"
    return f"{value:.0f} s" if value >= 100 else f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def rate(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def count(value: int) -> str:
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def dollars(value: float) -> str:
    return f"${value:.2f}" if value >= 0.1 or not value else f"${value:.4f}"


def clock(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M}"


def zone(since: datetime, until: datetime) -> str:
    """Return the zone of both times in words, with both offsets where clocks change in between."""
    return " / ".join(
        dict.fromkeys(f"{when:%Z} (UTC{offset[:3]}:{offset[3:5]})" for when in (since, until) if (offset := f"{when:%z}"))
    )
