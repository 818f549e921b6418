"""What `ddn doctor` asks each part. What needs an adapter is asked through `checks`, which the composition root makes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from ..errors import PermanentError, SettingsError
from ..settings import Settings
from .doctor import Finding, Health, Probe
from .running.endpoint import with_redis
from .running.redis_check import operators_client
from .running.status import PartState, read_status

SAFE_POLICY = "noeviction"  # any other lets Redis throw waiting reports away when its memory is full

Check = Callable[[], str]

_START = {
    "Redis": "Start it, or correct DDN_REDIS_URL.",
    "worker": "Start one with `ddn worker`, or all with `ddn up`.",
    "monitor": "Start it with `ddn monitor` or `ddn up`.",
    "Flower": "Start it with `ddn flower` or `ddn up`.",
}
_NO_REDIS = "Set DDN_REDIS_URL, or start `ddn up`. Without either, each machine uses its own embedded runtime."
_POLICY = "Say `CONFIG SET maxmemory-policy noeviction`, and write it into redis.conf."
# part -> what to do when it fails, how to configure it
_REMEDIES = {
    "history": ("Start MongoDB or correct DDN_MONGO_URL; without one DDN_HOME/history must be writable.", ""),
    "knowledge index": ("Install robot-ddn-listener again; `ddn learn --rebuild` fills a lost error library.", ""),
    "Pinecone": (
        "See DDN_PINECONE_INDEX and PINECONE_API_KEY; `ddn learn --create` makes indexes that are missing.",
        "Set DDN_PINECONE_INDEX and PINECONE_API_KEY. Without them the local index answers.",
    ),
    "model": (
        "See DDN_MODEL and the provider's key, GEMINI_API_KEY for google:<id>.",
        "Set DDN_MODEL. Without it rules and the knowledge base answer.",
    ),
    "GitHub": (
        "See DDN_GITHUB_REPO, DDN_GITHUB_URL and GITHUB_TOKEN, which needs to read contents.",
        "Set DDN_GITHUB_REPO to have its commits as suspects.",
    ),
    "source": ("See DDN_SOURCE_ROOT.", "Set DDN_SOURCE_ROOT to a git checkout to have the code around a failure read."),
    "alert routes": (
        "Correct the file that DDN_ALERTS names; `ddn alert --test` then sends a message over each route.",
        "Set DDN_ALERTS to a TOML file of rules and routes.",
    ),
}


def probes(settings: Settings, checks: Mapping[str, Check | None]) -> list[Probe]:
    """Return a probe for all that can be asked by itself. `checks`: part -> how to ask, None where it is not configured."""
    asked = [Probe(part, check, _REMEDIES[part][check is None]) for part, check in checks.items()]
    home = settings.home_folder
    return [*asked, Probe("write access", lambda: writable(home), "Give this user a folder of its own: DDN_HOME.")]


def stack(settings: Settings, dead: Callable[[], int]) -> list[Finding]:
    """Return how Redis, workers, monitor and Flower are, and whether Redis may throw waiting reports away."""
    try:
        settings = with_redis(settings)
    except SettingsError:
        return [Finding("Redis", Health.OFF, "", _NO_REDIS)]
    status = read_status(settings, dead)
    found = [_finding(part) for part in status.parts]
    if status.paused is not None:
        found.append(Finding("queue", Health.FAILING, f"paused: {status.paused}", "`ddn resume` goes on."))
    return [*found, _policy(settings)] if status.parts[0].is_up else found


def memory_policy(settings: Settings) -> str:
    """Return the policy in words; PermanentError where it lets Redis throw waiting reports away."""
    with operators_client(settings.redis_url) as client:
        told = client.info("memory")
    policy, limit = str(told.get("maxmemory_policy", "not told")), int(told.get("maxmemory", 0))
    if limit and policy != SAFE_POLICY:
        raise PermanentError(f"{policy} at {limit:,} bytes: waiting reports are thrown away when it is full")
    return f"{policy}, {f'limit {limit:,} bytes' if limit else 'no limit'}"


def writable(folder: Path) -> str:
    """Return the folder's name when a file can be made in it; OSError where not."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix="doctor-"):
        return str(folder)


def _finding(part: PartState) -> Finding:
    if part.is_up:
        return Finding(part.name, Health.OK, part.note)
    remedy = next(remedy for name, remedy in _START.items() if part.name.startswith(name))
    return Finding(part.name, Health.FAILING if part.is_expected else Health.OFF, part.note, remedy)


def _policy(settings: Settings) -> Finding:
    try:
        return Finding("Redis memory policy", Health.OK, memory_policy(settings))
    except PermanentError as error:
        return Finding("Redis memory policy", Health.FAILING, str(error), _POLICY)
