"""Incidents on Redis, so that a monitor that starts again does not tell of them again.

ddn:alerts    a hash: the incident's id -> its record as JSON; of those that are open, or not told to everybody yet
"""

import json
from typing import TYPE_CHECKING, Any, cast

from redis import RedisError

from robot_ddn_listener.contract import decode, encode
from robot_ddn_listener.errors import ContractError

from ...errors import TransientError
from .incidents import Incident

if TYPE_CHECKING:
    from redis import Redis

ALERTS_KEY = "ddn:alerts"


class IncidentStore:
    """Every method raises TransientError where Redis does not answer."""

    def __init__(self, client: "Redis"):
        self._client = client

    def load(self) -> tuple[Incident, ...]:
        """Return all incidents; records of another version are left out."""
        try:
            records = cast("dict[bytes, bytes]", self._client.hgetall(ALERTS_KEY))
        except RedisError as error:
            raise _failed("Reading", error) from error
        return tuple(incident for record in records.values() if (incident := _read(record)))

    def write(self, incident: Incident) -> None:
        """Keep the incident; one that is resolved and told to everybody is deleted."""
        try:
            if incident.resolved and not incident.untold:
                self._client.hdel(ALERTS_KEY, incident.id)
            else:
                self._client.hset(ALERTS_KEY, incident.id, json.dumps(encode(incident)))
        except RedisError as error:
            raise _failed("Keeping", error) from error


def _read(record: Any) -> Incident | None:
    try:
        return decode(Incident, json.loads(record))
    except (ValueError, ContractError):  # not ours, or of a version that wrote something else: it opens again if it still holds
        return None


def _failed(doing: str, error: RedisError) -> TransientError:
    return TransientError(f"{doing} the incidents of alerts failed: {str(error).rstrip('.')}. It is tried again.")
