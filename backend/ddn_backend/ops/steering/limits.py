"""Rate limits that operators change while workers run; they hold from the next call on, for all workers."""

from dataclasses import dataclass

from redis import Redis

from ...call_rates import GITHUB_CALLS_A_MINUTE, SERVICES, calls_a_minute, rate_key
from ...settings import Settings

MAX_CALLS_A_MINUTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a minute, 0 for no limit: as `configured`, and as they hold `now`."""

    service: str
    configured: int
    now: int


def rates(client: "Redis", settings: Settings) -> tuple[Rate, ...]:
    """Return the limits of all services."""
    configured = {"model": settings.model_rate, "github": GITHUB_CALLS_A_MINUTE}
    return tuple(Rate(name, configured[name], calls_a_minute(client, name, configured[name])) for name in SERVICES)


def change(client: "Redis", service: str, calls: int | None) -> None:
    """Let `service` be called so often a minute, 0 for without limit; None gives it back to its setting."""
    if calls is None:
        client.delete(rate_key(service))
    else:
        client.set(rate_key(service), calls)
