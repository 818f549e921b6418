"""When a finding is an incident, and when that is over: both must hold for a time, so that a figure that swings is one incident.

fine -> bad for `hold` seconds -> open (told once) -> fine for `clear` seconds -> resolved (told once) -> forgotten
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ...ports import Notice, NoticeKind
from ..monitoring.snapshot import Snapshot
from .alert_figures import Finding, Standing, findings
from .alert_rules import AlertFile, Rule


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are seconds since 1970; `fine_since` and `resolved` are 0 until then. `targets` are told, `untold` are those that have
    not got the latest message yet. `text` is what was found when it began, `ending` what was found at its end."""

    id: str
    rule_id: str
    rule: str
    project: str
    since: float
    opened: float
    text: str
    causes: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    fine_since: float = 0.0
    resolved: float = 0.0
    ending: str = ""


def notice(incident: Incident) -> Notice:
    """Return the message about an incident as it stands."""
    where = f" ({incident.project})" if incident.project else ""
    if incident.resolved:
        lasted = _minutes(incident.resolved - incident.since)
        text = f"{incident.ending}\nIt began at {clock(incident.since)} and lasted {lasted}: {incident.text}"
        return Notice(incident.id, NoticeKind.RESOLVED, f"[resolved] ddn: {incident.rule}{where}", text)
    text = "\n".join((incident.text, *incident.causes, f"Since {clock(incident.since)}."))
    return Notice(incident.id, NoticeKind.OPENED, f"[problem] ddn: {incident.rule}{where}", text)


@dataclass
class Incidents:
    """All incidents that are open, or resolved and not told to everybody yet, by their ids."""

    file: AlertFile
    known: dict[str, Incident] = field(default_factory=dict)
    _bad_since: dict[str, tuple[str, float]] = field(default_factory=dict)  # incident's id -> rule's id, when

    def look(self, snapshot: Snapshot, rules: Iterable[Rule]) -> list[Incident]:
        """Return the incidents that changed, as they are now."""
        changed: list[Incident] = []
        for rule in rules:
            found = {_incident_id(rule, finding.project): finding for finding in findings(rule, snapshot)}
            is_blind = any(finding.standing is Standing.UNKNOWN for finding in found.values())
            for key in {*found, *(() if is_blind else self._of(rule))}:
                finding = found.get(key) or Finding(Standing.FINE, "That is over.")
                changed += self._step(rule, key, finding, snapshot.when.timestamp())
        return changed

    def end_orphans(self, when: float) -> list[Incident]:
        """Resolve the incidents of rules that are not in the file any more, and return them."""
        ids = {rule.id for rule in self.file.rules}
        orphans = [incident for incident in self.known.values() if incident.rule_id not in ids and not incident.resolved]
        return [self._put(_resolved(incident, when, "Its rule is not in the file any more.")) for incident in orphans]

    def told(self, key: str, target: str, was_resolved: bool) -> Incident | None:
        """Note that a target has got a message; return the incident, or None where that message was out of date.

        One that is resolved and told to everybody is forgotten."""
        incident = self.known.get(key)
        if not incident or bool(incident.resolved) != was_resolved:
            return None
        incident = self._put(replace(incident, untold=tuple(name for name in incident.untold if name != target)))
        if incident.resolved and not incident.untold:
            del self.known[key]
        return incident

    def _of(self, rule: Rule) -> list[str]:
        known = [key for key, incident in self.known.items() if incident.rule_id == rule.id]
        return [*known, *(key for key, (rule_id, _) in self._bad_since.items() if rule_id == rule.id)]

    def _step(self, rule: Rule, key: str, finding: Finding, now: float) -> list[Incident]:
        incident = self.known.get(key)
        is_open = incident is not None and not incident.resolved
        if finding.standing is Standing.BAD:
            return self._bad(rule, key, finding, now, incident if is_open else None)
        if finding.standing is Standing.FINE:
            self._bad_since.pop(key, None)
            if incident and is_open:
                return self._fine(rule, incident, finding, now)
        return []

    def _bad(self, rule: Rule, key: str, finding: Finding, now: float, incident: Incident | None) -> list[Incident]:
        if incident:
            return [self._put(replace(incident, fine_since=0.0))] if incident.fine_since else []
        _, since = self._bad_since.setdefault(key, (rule.id, now))
        if now - since < rule.hold:
            return []
        del self._bad_since[key]
        targets = self.file.targets(rule, finding.project)
        name = f"{rule.name} {rule.label}".strip()
        opened = Incident(key, rule.id, name, finding.project, since, now, finding.text, finding.causes, targets, targets)
        return [self._put(opened)]

    def _fine(self, rule: Rule, incident: Incident, finding: Finding, now: float) -> list[Incident]:
        since = incident.fine_since or now
        if now - since >= rule.clear:
            return [self._put(_resolved(replace(incident, fine_since=since), now, finding.text))]
        return [self._put(replace(incident, fine_since=since))] if not incident.fine_since else []

    def _put(self, incident: Incident) -> Incident:
        self.known[incident.id] = incident
        return incident


def _resolved(incident: Incident, when: float, ending: str) -> Incident:
    return replace(incident, resolved=when, ending=ending, untold=incident.targets)


def _incident_id(rule: Rule, project: str) -> str:
    return f"{rule.id}@{project}"


def clock(when: float) -> str:
    """Return a time in seconds since 1970 for people."""
    return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
