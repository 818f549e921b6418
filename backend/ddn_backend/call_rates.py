"""How many calls a minute a service may get from all workers: as it is set, until an operator says otherwise on Redis.

ddn:rate:{service}   calls a minute, 0 for no limit; looked up before each call
"""

from redis import Redis

SERVICES = ("model", "github")
GITHUB_CALLS_A_MINUTE = 10  # by default, a token and over all workers: people and other tools need the token's quota too


def rate_key(service: str) -> str:
    """Return the key that an operator's word on `service`, one of SERVICES, is kept under."""
    return f"ddn:rate:{service}"


def calls_a_minute(client: "Redis", service: str, configured: int) -> int:
    """Return the limit that holds now, 0 for none; RedisError where it cannot be read."""
    said = client.get(rate_key(service))
    return int(said) if isinstance(said, bytes) and said.isdigit() else configured
