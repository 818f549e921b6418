"""Where a running `ddn up` can be reached, for operators' commands on the same machine that were given no Redis URL."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from robot_ddn_listener.contract import decode
from robot_ddn_listener.errors import ContractError

from ...errors import SettingsError
from ...settings import Settings

FOLDER = "up"  # below DDN_HOME: the append-only file of the Valkey that `ddn up` brings, and the endpoint
ENDPOINT = "endpoint.json"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a running `ddn up` serves; `flower` and `metrics` are URLs."""

    redis_url: str
    flower: str = ""
    metrics: str = ""
    pid: int = 0


def announce(home: Path, endpoint: Endpoint) -> None:
    """Write the endpoint; only this user can read it, the Redis URL may hold a password."""
    new = home / FOLDER / f"{ENDPOINT}.new"
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(endpoint), file)
    new.replace(home / FOLDER / ENDPOINT)


def withdraw(home: Path) -> None:
    """Take the endpoint away: `ddn up` has ended."""
    (home / FOLDER / ENDPOINT).unlink(missing_ok=True)


def running(home: Path) -> Endpoint | None:
    """Return where `ddn up` runs, None where it does not."""
    try:
        endpoint = decode(Endpoint, json.loads((home / FOLDER / ENDPOINT).read_text(encoding="utf-8")))
        if sys.platform != "win32":  # there it would end the process
            os.kill(endpoint.pid, 0)
    except (OSError, ValueError, ContractError):  # none, none of ours, or left behind by one that was killed
        return None
    return endpoint


def with_redis(settings: Settings) -> Settings:
    """Return the settings with a Redis URL: DDN_REDIS_URL, else that of the `ddn up` that runs here; SettingsError without."""
    if settings.redis_url:
        return settings
    if endpoint := running(settings.home_folder):
        return settings.model_copy(update={"redis_url": endpoint.redis_url})
    raise SettingsError(
        "Reading setting 'DDN_REDIS_URL' failed: expected a URL such as redis://host:6379/0, got nothing, and no `ddn up` runs "
        "here. Set it, or start `ddn up`."
    )
