import threading
from dataclasses import replace
from pathlib import Path

import pytest

from robot_ddn_listener import spool
from robot_ddn_listener.annotation import Place
from robot_ddn_listener.capture import Failed, NotRun
from robot_ddn_listener.contract import Analysis, ErrorType, Phase, Run, Stage, Verdict
from robot_ddn_listener.errors import BrokerError
from robot_ddn_listener.outbox import Outbox, take_answer
from robot_ddn_listener.ticket import Delivery, Member
from robot_ddn_listener.triage import Triage


class Backend:
    """A transport that answers as it is told to."""

    where = "the test's backend"

    def __init__(self, answer=None, *, refuse_first=0, idle=""):
        self.answer = answer
        self.refuse = refuse_first
        self.idle = idle
        self.sent = []
        self.closed = False

    def submit(self, report):
        if self.refuse:
            self.refuse -= 1
            raise BrokerError("Sending failed: refused.")
        self.sent.append(report)

    def verdicts(self, project, report_ids):
        return {report.id: self.answer(report) for report in self.sent if self.answer and report.id in report_ids}

    def idle_reason(self):
        return self.idle

    def close(self):
        self.closed = True


def final(report):
    return Analysis(report.id, stage=Stage.FINAL, verdict=Verdict.DIAGNOSED, error_type=ErrorType.CODE_ERROR, root_cause="found")


def interim(report):
    return replace(final(report), stage=Stage.INTERIM, root_cause="drafted")


def failed(number, message="KeyError: 'price'"):
    return Failed(Member(Place(f"s1-t{number}"), f"S.T{number}"), Phase.TEST, message, "S", f"T{number}")


def outbox_to(transport):
    return Outbox(lambda: Triage("p", Run("run"), None), lambda: transport)


def collect(outbox, *failures, wait=30.0, stop=None):
    for failure in failures:
        outbox.put(failure)
    tickets = outbox.collect(wait, stop or threading.Event())
    outbox.close()
    return tickets


def test_a_run_without_failures_starts_nothing():
    made = []
    outbox = Outbox(lambda: made.append("triage"), lambda: made.append("transport"))
    assert collect(outbox) == []
    assert made == []


def test_equal_failures_are_one_ticket_and_one_report():
    backend = Backend(final)
    tickets = collect(outbox_to(backend), failed(1), failed(2), failed(3, "other"))
    assert [[member.full_name for member in ticket.members] for ticket in tickets] == [["S.T1", "S.T2"], ["S.T3"]]
    assert len(backend.sent) == 2
    assert [(ticket.delivery, ticket.analysis.root_cause) for ticket in tickets] == [(Delivery.ANSWERED, "found")] * 2


def test_the_first_verdict_of_the_rules_is_there_without_any_backend():
    (ticket,) = collect(outbox_to("Rules only: no backend."), failed(1, "Variable '${X}' not found."))
    assert ticket.analysis.engine.rule_id
    assert (ticket.delivery, ticket.note, ticket.analysis.stage) == (Delivery.KEPT, "Rules only: no backend.", Stage.FINAL)


def test_an_interim_answer_is_shown_and_stays_pending():
    (ticket,) = collect(outbox_to(Backend(interim)), failed(1), wait=0)
    assert (ticket.delivery, ticket.analysis.root_cause) == (Delivery.PENDING, "drafted")
    assert "deadline" in ticket.note


def test_nobody_is_waited_for_when_no_worker_is_there():
    (ticket,) = collect(outbox_to(Backend(idle="no worker is online")), failed(1), wait=1e6)
    assert (ticket.delivery, ticket.note) == (Delivery.PENDING, "no worker is online")


def test_a_stop_ends_the_wait():
    stop = threading.Event()
    asked = threading.Event()

    class Silent(Backend):
        def verdicts(self, project, report_ids):
            asked.set()
            return {}

    threading.Thread(target=lambda: asked.wait(30) and stop.set()).start()
    (ticket,) = collect(outbox_to(Silent()), failed(1), wait=1e6, stop=stop)
    assert (ticket.delivery, ticket.note) == (Delivery.PENDING, "The wait was interrupted.")


def test_what_was_refused_is_spooled_and_not_tried_again_at_once(tmp_path):
    backend = Backend(final, refuse_first=1)
    outbox = outbox_to(backend)
    tickets = collect(outbox, failed(1), failed(2, "other"), failed(3, "third"))
    outbox.spool(tickets, tmp_path)
    assert backend.sent == []
    assert {ticket.delivery for ticket in tickets} == {Delivery.SPOOLED}
    assert [spool.read(path) for path in spool.pending(tmp_path)] == sorted(
        (ticket.report for ticket in tickets), key=lambda report: report.id
    )
    assert "refused" in tickets[0].note


def test_a_report_that_fits_nowhere_says_so():
    outbox = outbox_to(Backend(refuse_first=1))
    tickets = collect(outbox, failed(1))
    outbox.spool(tickets, None)
    assert tickets[0].delivery is Delivery.LOST
    assert "no output folder" in tickets[0].note


def test_a_spool_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    outbox = outbox_to(Backend(refuse_first=1))
    tickets = collect(outbox, failed(1))
    outbox.spool(tickets, Path(tmp_path / "file"))
    assert tickets[0].delivery is Delivery.LOST
    assert "refused" in tickets[0].note


def test_a_test_that_did_not_run_is_answered_and_never_sent():
    backend = Backend(final)
    (ticket,) = collect(outbox_to(backend), NotRun(Member(Place("s1-t1"), "S.T1"), "S", "T1", "It did not run. Trigger: S.T0"))
    assert backend.sent == []
    assert (ticket.analysis.verdict, ticket.note) == (Verdict.NOT_ANALYSED, "It did not run. Trigger: S.T0")


def test_a_stopped_test_is_answered_by_the_rules_and_never_sent():
    backend = Backend(final)
    (ticket,) = collect(outbox_to(backend), replace(failed(1, "Execution terminated by signal"), kept="Nothing was sent."))
    assert (ticket.delivery, ticket.note, backend.sent) == (Delivery.KEPT, "Nothing was sent.", [])
    assert (ticket.analysis.engine.rule_id, ticket.analysis.stage) == ("run-stopped-by-signal", Stage.FINAL)


def test_a_broken_pattern_of_the_user_keeps_the_report_in_the_process():
    backend = Backend(final)
    outbox = Outbox(lambda: Triage("p", Run("run"), None, ["("]), lambda: backend)
    (ticket,) = collect(outbox, failed(1, "secret text"))
    assert backend.sent == []
    assert (ticket.delivery, ticket.analysis.verdict) == (Delivery.KEPT, Verdict.NOT_ANALYSED)
    assert "Redacting" in ticket.note
    assert "secret text" not in str(ticket)


def test_where_redaction_fails_the_rules_still_answer_without_a_quote():
    outbox = Outbox(lambda: Triage("p", Run("run"), None, ["("]), lambda: Backend(final))
    tickets = collect(outbox, failed(1, "Variable '${X}' not found."), failed(2, "secret text"))
    assert [ticket.analysis.engine.rule_id for ticket in tickets] == ["variable-not-found", ""]
    assert "${X}" not in tickets[0].analysis.root_cause
    assert all(ticket.analysis.evidence == () and "Redacting" in ticket.note for ticket in tickets)


def test_a_run_whose_surroundings_cannot_be_read_answers_every_failure_with_why():
    def broken():
        raise FileNotFoundError("no such folder")

    outbox = Outbox(broken, lambda: Backend(final))
    (ticket,) = collect(outbox, failed(1), failed(2, "other"))
    assert [member.full_name for member in ticket.members] == ["S.T1", "S.T2"]
    assert "FileNotFoundError: no such folder" in ticket.note


def test_an_error_that_nobody_mapped_spools_the_reports_and_says_which(tmp_path):
    class Broken(Backend):
        def submit(self, report):
            raise ZeroDivisionError("odd")

    outbox = outbox_to(Broken())
    tickets = collect(outbox, failed(1), failed(2, "other"))
    outbox.spool(tickets, tmp_path)
    assert {ticket.delivery for ticket in tickets} == {Delivery.SPOOLED}
    assert "ZeroDivisionError: odd" in tickets[0].note


def test_a_stop_before_a_failure_was_looked_at_still_answers_it():
    going, reached = threading.Event(), threading.Event()

    def slow():
        reached.set()
        going.wait(30)
        return Triage("p", Run("run"), None)

    outbox = Outbox(slow, lambda: Backend(final))
    outbox.put(failed(1))
    assert reached.wait(30)
    stop = threading.Event()
    stop.set()
    (ticket,) = outbox.collect(1e6, stop)
    going.set()
    assert (ticket.analysis.verdict, ticket.note) == (Verdict.NOT_ANALYSED, "The run ended before this failure was looked at.")


def test_a_worker_that_goes_during_the_wait_ends_it():
    class Leaving(Backend):
        looks = 0

        def idle_reason(self):
            self.looks += 1
            return "no worker is online" if self.looks > 1 else ""

    (ticket,) = collect(outbox_to(Leaving()), failed(1), wait=1e6)
    assert ticket.note == "no worker is online"


def test_a_failure_that_cannot_be_captured_is_answered_with_why():
    class Odd:
        type = "KEYWORD"
        status = "FAIL"

        @property
        def message(self):
            raise ZeroDivisionError("odd")

    (ticket,) = collect(outbox_to(Backend(final)), replace(failed(1), items=(Odd(),)))
    assert ticket.delivery is Delivery.KEPT
    assert "ZeroDivisionError: odd" in ticket.note


def test_closing_closes_the_transport():
    backend = Backend(final)
    collect(outbox_to(backend), failed(1))
    assert backend.closed


@pytest.mark.parametrize(
    ("before", "answer", "after"),
    [
        ("unknown", "unknown", "new"),
        ("diagnosed", "unknown", "old"),
        ("diagnosed", "diagnosed", "new"),
    ],
)
def test_an_interim_answer_replaces_only_a_poorer_one(before, answer, after):
    (ticket,) = collect(outbox_to(Backend()), failed(1), wait=0)
    ticket.analysis = Analysis(ticket.id, verdict=Verdict(before), root_cause="old")
    take_answer(ticket, Analysis(ticket.id, verdict=Verdict(answer), root_cause="new"))
    assert ticket.analysis.root_cause == after


class Untouchable(dict):
    def items(self):
        raise AssertionError("An equal failure was captured again.")

    __iter__ = keys = values = items


def test_the_next_equal_failure_joins_without_being_captured_again():
    outbox = outbox_to(Backend(final))
    (ticket,) = collect(outbox, failed(1), replace(failed(2), variables=Untouchable(password="x")))
    assert [member.full_name for member in ticket.members] == ["S.T1", "S.T2"]


def test_a_failure_of_another_cause_is_captured():
    tickets = collect(outbox_to(Backend(final)), failed(1), replace(failed(2, "other"), variables=Untouchable(password="x")))
    assert tickets[1].delivery is Delivery.KEPT


def test_one_hiccup_while_answers_are_read_does_not_end_the_wait():
    class Hiccup(Backend):
        reads = 0

        def verdicts(self, project, report_ids):
            self.reads += 1
            if self.reads == 1:
                raise BrokerError("Reading failed: no answer.")
            return super().verdicts(project, report_ids)

    (ticket,) = collect(outbox_to(Hiccup(final)), failed(1), wait=1e6)
    assert (ticket.delivery, ticket.analysis.root_cause) == (Delivery.ANSWERED, "found")


def test_a_redis_that_stays_away_while_answers_are_read_ends_the_wait():
    class Gone(Backend):
        def verdicts(self, project, report_ids):
            raise BrokerError("Reading failed: no answer.")

    (ticket,) = collect(outbox_to(Gone(final)), failed(1), wait=1e6)
    assert (ticket.delivery, ticket.note) == (Delivery.PENDING, "Reading failed: no answer.")


def test_a_final_answer_that_knows_less_closes_the_ticket_and_leaves_the_rules_verdict():
    def not_analysed(report):
        return Analysis(report.id, stage=Stage.FINAL, verdict=Verdict.NOT_ANALYSED, missing=("a readable report",))

    (ticket,) = collect(outbox_to(Backend(not_analysed)), failed(1, "Variable '${X}' not found."))
    assert (ticket.delivery, ticket.analysis.stage) == (Delivery.ANSWERED, Stage.FINAL)
    assert (ticket.analysis.engine.rule_id, ticket.analysis.missing) == ("variable-not-found", ("a readable report",))
