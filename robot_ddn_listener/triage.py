"""A failure becomes a ticket: capture, redact, fingerprint, first verdict. Equal failures of a run share one ticket.

Pure work on what was noted before; runs in the capture thread of the robot process, and in `ddn analyze`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .capture import Failed, NotRun, argument_values, capture, failing_keyword, fitted, likeness
from .contract import Analysis, FailureReport, Run, Stage, Verdict
from .edges import without_edges
from .errors import RedactionError
from .fingerprint import fingerprint, report_id
from .redact import Redactor
from .rules import first_verdict
from .run_names import redacted
from .ticket import Delivery, Member, Ticket

NAME_LEFT_OUT = "(its name is left out: secrets may be in it)"


class Triage:
    """The tickets of one run, in the order in which their first failures came."""

    def __init__(
        self, project: str, run: Run, root: Path | None, patterns: Sequence[str] = (), environ: dict[str, str] | None = None
    ):
        self._project = project
        self._run = run
        self._root = root
        self._patterns = tuple(patterns)
        self._environ = environ or {}
        self._refusal = ""
        self._tickets: dict[str, Ticket] = {}
        self._seen: dict[tuple[str, str, str], str] = {}  # so that the thousandth equal failure costs next to nothing

    @classmethod
    def refusing(cls, why: str) -> "Triage":
        """Return one that answers every failure with `why` it is not analysed."""
        triage = cls("", Run(""), None)
        triage._refusal = why
        return triage

    @property
    def tickets(self) -> list[Ticket]:
        return list(self._tickets.values())

    def take(self, failed: Failed | NotRun) -> Ticket | None:
        """Return the new ticket that `failed` opened, None when it joined one."""
        if isinstance(failed, NotRun):
            return self._join(self._kept(failed, failed.why), (failed.member,))
        if self._refusal:
            return self._join(self._kept(failed, self._refusal), (failed.member, *failed.also))
        try:
            alike = likeness(failed)
            if alike in self._seen:
                return self._join(self._tickets[self._seen[alike]], (failed.member, *failed.also))
            report = self._report(failed)
            ticket = _answered_here(report, failed.kept) if failed.kept else Ticket(report, first_verdict(report))
            self._seen[alike] = report.fingerprint
        except RedactionError as error:
            ticket = self._unsafe(failed, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a model of some other library holds, the failure is answered and says why
            note = f"Capturing '{failed.member.full_name}' failed: {type(error).__name__}: {error}. It is not analysed."
            ticket = self._kept(failed, note)
        return self._join(ticket, (failed.member, *failed.also))

    def _report(self, failed: Failed) -> FailureReport:
        raw = capture(failed, self._project, self._run, self._root)
        report = fitted(without_edges(self._redactor(failed).redact(raw)))  # marks may be longer than secrets
        kind = report.exception.type if report.exception else ""
        group = fingerprint(kind, report.error_message, failing_keyword(report))
        report = replace(report, id=report_id(self._run.id, group, self._project), fingerprint=group)
        return replace(report, error_type=first_verdict(report).error_type)

    def _redactor(self, failed: Failed) -> Redactor:
        return Redactor({**argument_values(failed.calls), **failed.variables}, self._environ, self._patterns)

    def _unsafe(self, failed: Failed, note: str) -> Ticket:
        """Secrets may be left in it, so it is not sent; which rule matched stands on the card, without any of its words."""
        verdict = first_verdict(capture(failed, self._project, self._run, self._root))
        if verdict.verdict is not Verdict.DIAGNOSED:
            return self._kept(failed, note)
        group = fingerprint("", "\0".join(likeness(failed)), note)
        ticket = self._kept(failed, note, group)
        ticket.analysis = replace(
            verdict,
            report_id=ticket.id,
            project=self._project,
            fingerprint=group,
            stage=Stage.FINAL,
            root_cause=f"Rule '{verdict.engine.rule_id}' matched; its words are left out, secrets may be in them.",
            recommendation="",
            evidence=(),
        )
        return ticket

    def _kept(self, failed: Failed | NotRun, note: str, group: str = "") -> Ticket:
        group = group or fingerprint("", note, "")
        report = FailureReport(
            id=report_id(self._run.id, group, self._project),
            project=self._project,
            fingerprint=group,
            run=self._run,
            suite_name=failed.suite_name,
            test_name=failed.test_name,
            full_name=failed.member.full_name,
            error_message="",
        )
        analysis = Analysis(report.id, self._project, group, Stage.FINAL, Verdict.NOT_ANALYSED)
        return Ticket(report, analysis, delivery=Delivery.KEPT, note=note)

    def _join(self, ticket: Ticket, members: Sequence[Member]) -> Ticket | None:
        is_new = ticket.report.fingerprint not in self._tickets
        known = self._tickets.setdefault(ticket.report.fingerprint, ticket)
        known.members.extend(self._named(members))
        return ticket if is_new else None

    def _named(self, members: Sequence[Member]) -> list[Member]:
        """Return the members as cards, metadata and the console name them: without secrets, as far as a name can be told."""
        try:
            names = redacted([member.full_name for member in members], self._environ, self._patterns)
        except RedactionError:
            names = [NAME_LEFT_OUT] * len(members)
        return [replace(member, full_name=name) for member, name in zip(members, names, strict=True)]


def _answered_here(report: FailureReport, note: str) -> Ticket:
    return Ticket(report, replace(first_verdict(report), stage=Stage.FINAL), delivery=Delivery.KEPT, note=note)
