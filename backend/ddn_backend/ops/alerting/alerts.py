"""Tells people of incidents: the monitor shows every snapshot to `Alerts.look`, which returns at once.

snapshot -> alert_figures (bad or fine?) -> incidents (for how long?) -> incident_store (Redis) -> couriers (a thread each target)
"""

import threading
from collections.abc import Callable, Iterable
from logging import getLogger

from ...errors import TransientError
from ...ports import Notice, NoticeKind, Notifier
from ..monitoring.snapshot import Snapshot
from .alert_rules import AlertFile, Rule
from .couriers import FIRST_PAUSE_SECONDS, Couriers
from .incident_store import IncidentStore
from .incidents import Incident, Incidents, notice

NEEDS_NO_REDIS = ("redis",)

logger = getLogger(__name__)


class Alerts:
    """May be looked at by one thread; it has threads of its own for sending, which `close` ends."""

    def __init__(self, file: AlertFile, store: IncidentStore, notifier: Notifier, first_pause_seconds: float = FIRST_PAUSE_SECONDS):
        self._store = store
        self._incidents = Incidents(file)
        self._couriers = Couriers(notifier, self._told, first_pause_seconds)
        self._lock = threading.Lock()  # never held while Redis or a target is asked
        self._writing = threading.Lock()
        self._unwritten: dict[str, Incident] = {}
        self._is_loaded = False

    def look(self, snapshot: Snapshot) -> None:
        """Judge the snapshot, keep what changed, and have people told of what began or is over. Raises nothing of Redis."""
        stored = () if self._is_loaded or snapshot.broker_problem else self._loaded()
        now = snapshot.when.timestamp()
        with self._lock:
            owed = self._taken_over(stored, now)
            changed = self._incidents.look(snapshot, self._rules())
            self._note([*owed, *changed])
        if not snapshot.broker_problem:
            self._write()
        for incident in (*owed, *(one for one in changed if now in (one.opened, one.resolved))):
            self._couriers.bring(incident.untold, notice(incident))

    def open(self) -> tuple[Incident, ...]:
        """Return the incidents that are not over."""
        with self._lock:
            return tuple(incident for incident in self._incidents.known.values() if not incident.resolved)

    def close(self) -> None:
        """End the threads; what was not sent yet is sent after the next start."""
        self._couriers.close()

    def _rules(self) -> tuple[Rule, ...]:
        """Before it is known what people were told of, only that Redis does not answer is worth telling."""
        rules = self._incidents.file.rules
        return rules if self._is_loaded else tuple(rule for rule in rules if rule.name in NEEDS_NO_REDIS)

    def _loaded(self) -> tuple[Incident, ...]:
        try:
            stored = self._store.load()
        except TransientError as error:
            logger.warning("%s", error)
            return ()
        self._is_loaded = True
        return stored

    def _taken_over(self, stored: Iterable[Incident], now: float) -> list[Incident]:
        """Take over what an earlier monitor left, and return what somebody is to be told of."""
        known = self._incidents.known
        known.update({incident.id: incident for incident in stored if incident.id not in known})
        orphans = self._incidents.end_orphans(now) if self._is_loaded else []
        return [*orphans, *(known[incident.id] for incident in stored if known[incident.id] not in orphans)]

    def _told(self, target: str, sent: Notice) -> None:
        with self._lock:
            incident = self._incidents.told(sent.incident, target, sent.kind is NoticeKind.RESOLVED)
            self._note([incident] if incident else [])
        self._write()

    def _note(self, changed: Iterable[Incident]) -> None:
        self._unwritten |= {incident.id: incident for incident in changed}

    def _write(self) -> None:
        """Keep what changed. What cannot be kept, or comes while another thread does this, is kept at the next look."""
        if not self._writing.acquire(blocking=False):
            return
        try:
            while incident := self._next_unwritten():
                self._store.write(incident)
                self._written(incident)
        except TransientError as error:
            logger.warning("%s", error)
        finally:
            self._writing.release()

    def _next_unwritten(self) -> Incident | None:
        with self._lock:
            return next(iter(self._unwritten.values()), None)

    def _written(self, incident: Incident) -> None:
        with self._lock:
            if self._unwritten.get(incident.id) is incident:
                del self._unwritten[incident.id]


def try_targets(notifier: Notifier, targets: tuple[str, ...], done: Callable[[str, str], None]) -> bool:
    """Send a test message to each target; `done(target, problem)` is told, the problem is empty where it was taken.

    Return whether all took it.
    """
    test = Notice("test", NoticeKind.TEST, "[test] ddn: alerts", "A test by `ddn alert --test`: nothing is wrong.")
    problems = {target: _problem(notifier, target, test) for target in targets}
    for target, problem in problems.items():
        done(target, problem)
    return not any(problems.values())


def _problem(notifier: Notifier, target: str, test: Notice) -> str:
    try:
        notifier.send(target, test)
    except TransientError as error:
        return str(getattr(error, "cause", "") or error)
    return ""
