"""The way to the backend: the Redis that was named, else the embedded runtime, else none."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from . import runtime, spool
from .broker import Broker
from .contract import Analysis, FailureReport
from .errors import BrokerError
from .outbox import START_SECONDS

RULES_ONLY = (
    "Rules only: no Redis URL is given and the backend is not installed here. "
    "Install robot-ddn-listener[backend], or set redis=URL or DDN_REDIS_URL, for the full analysis."
)


class EmbeddedBroker:
    """A broker to the embedded runtime, which lives while it is leased."""

    def __init__(self, lease: runtime.Lease):
        self._lease = lease
        self._broker = Broker(lease.url)
        self.url = lease.url
        self.where = "the embedded runtime"

    def submit(self, report: FailureReport) -> None:
        self._broker.submit(report)

    def verdicts(self, project: str, report_ids: Sequence[str]) -> dict[str, Analysis]:
        return self._broker.verdicts(project, report_ids)

    def idle_reason(self) -> str:
        return self._broker.idle_reason()

    def close(self) -> None:
        self._broker.close()
        self._lease.close()


def connect(
    redis: str, environ: Mapping[str, str], spooled_in: Path | None = None, keep_for: int | None = None
) -> Broker | EmbeddedBroker | str:
    """Return a broker, or why there is none. Reports that an earlier run spooled in `spooled_in` are sent first.

    An embedded runtime stays up while the process `keep_for` lives.
    """
    if redis:
        broker: Broker | EmbeddedBroker = Broker(redis)
    elif not runtime.backend_installed():
        return RULES_ONLY
    else:
        lease = runtime.acquire(environ, START_SECONDS)
        if keep_for:
            lease.keep_for(keep_for)
        broker = EmbeddedBroker(lease)
    if spooled_in and spool.pending(spooled_in):
        replayed = spool.replay(spooled_in, broker.submit)
        if replayed.left:
            broker.close()
            raise BrokerError("; ".join(replayed.failed.values()) or "another process is sending what an earlier run left")
    return broker
