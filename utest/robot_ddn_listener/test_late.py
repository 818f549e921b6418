import threading
from dataclasses import replace

import pytest

from robot_ddn_listener.annotation import Annotations, CardFacts, Place, card_facts
from robot_ddn_listener.cards.card import full_card
from robot_ddn_listener.contract import (
    Analysis,
    ErrorType,
    ExceptionInfo,
    FailureReport,
    Frame,
    KeywordCall,
    Run,
    Stage,
    Truncation,
    Verdict,
)
from robot_ddn_listener.late import fetch_answers, groups, late_annotations, tickets_of
from robot_ddn_listener.render import View
from robot_ddn_listener.ticket import Delivery, Member, Ticket


class Answers:
    where = "the test's backend"

    def __init__(self, answers, idle=""):
        self.answers = answers
        self.idle = idle

    def submit(self, report):
        raise AssertionError("nothing is to be sent")

    def verdicts(self, project, report_ids):
        return {report_id: self.answers[project, report_id] for report_id in report_ids if (project, report_id) in self.answers}

    def idle_reason(self):
        return self.idle

    def close(self):
        pass


FINAL = Analysis("a", stage=Stage.FINAL, verdict=Verdict.DIAGNOSED, error_type=ErrorType.INFRA_ERROR, root_cause="the disk is full")


def card(number, report_id="a", role="full", stage=Stage.INTERIM, **rest):
    facts = CardFacts(report_id, "shop", stage, role, ErrorType.TEST_ERROR, "a wrong locator", "rule x", f"S.T{number}")
    return Place(f"s1-t{number}"), replace(facts, **rest)


def fetch(tickets, transport, wait=0.0):
    return fetch_answers(tickets, transport, wait, threading.Event())


def attached(cards, answers=None):
    tickets = tickets_of(cards)
    fetched = fetch(tickets, Answers(answers or {}))
    return late_annotations(cards, tickets, fetched.better, View(output="output.xml"))


def test_cards_of_one_report_are_one_ticket_with_the_full_one_first():
    (ticket,) = tickets_of([card(1, role="member"), card(2), card(3, role="member")])
    assert [member.full_name for member in ticket.members] == ["S.T2", "S.T1", "S.T3"]
    assert ticket.report.project == "shop"


def test_a_late_answer_replaces_the_cards_of_the_whole_group():
    wanted = attached([card(1), card(2, role="member")], {("shop", "a"): FINAL})
    facts = [card_facts(html) for html in wanted.cards.values()]
    assert [(fact.role, fact.stage, fact.error_type) for fact in facts] == [
        ("full", Stage.FINAL, ErrorType.INFRA_ERROR),
        ("member", Stage.FINAL, ErrorType.INFRA_ERROR),
    ]
    assert set(wanted.tags.values()) == {"ddn:infra_error"}
    assert "the disk is full" in wanted.suite_metadata


def test_without_an_answer_everything_stays_as_it_is():
    assert attached([card(1), card(2, role="member")]) == Annotations()


def test_a_second_full_card_of_a_group_becomes_a_member():
    wanted = attached([card(1, stage=Stage.FINAL), card(2, stage=Stage.FINAL)])
    (place,) = wanted.cards
    assert place == Place("s1-t2")
    facts = card_facts(wanted.cards[place])
    assert (facts.role, facts.stage, facts.report_id) == ("member", Stage.FINAL, "a")


def test_final_cards_are_not_asked_for_again():
    tickets = tickets_of([card(1, stage=Stage.FINAL)])
    assert fetch(tickets, Answers({("shop", "a"): FINAL}), 1e6).better == frozenset()
    assert tickets[0].delivery is Delivery.ANSWERED


def test_answers_are_asked_for_in_the_project_of_the_card():
    tickets = tickets_of([card(1, project="other")])
    assert fetch(tickets, Answers({("shop", "a"): FINAL})).still_open == 1


def test_nobody_is_waited_for_when_no_worker_is_there():
    fetched = fetch(tickets_of([card(1)]), Answers({}, "no worker is online"), 1e6)
    assert (fetched.still_open, fetched.idle) == (1, "no worker is online")


def test_the_summary_of_the_result_mixes_new_answers_and_old_cards():
    cards = [card(1), card(2, "b", role="full")]
    tickets = tickets_of(cards)
    fetched = fetch(tickets, Answers({("shop", "a"): FINAL}))
    found = {(group.cause, group.tests) for group in groups(cards, tickets, fetched.better)}
    assert found == {("the disk is full", 1), ("a wrong locator", 1)}


def test_what_was_spooled_is_asked_for_but_not_waited_for():
    tickets = tickets_of([card(1, delivery="spooled"), card(2, "b", delivery="spooled")])
    fetched = fetch(tickets, Answers({("shop", "a"): FINAL}), 1e6)
    assert (fetched.better, fetched.still_open) == (frozenset({"a"}), 1)
    assert [ticket.delivery for ticket in tickets] == [Delivery.ANSWERED, Delivery.SPOOLED]


def of_a_run(**fields):
    frames = (Frame("shop/pay.py", 33, "gross", ("32: # <b>", '> 33: return "\x1b[31m"'), own=True), Frame("lib/x.py", 7, "x"))
    known = {
        "keywords": (KeywordCall("Pay", "Shop", args=("1",), source="pay.robot", lineno=9, status="FAIL"), KeywordCall("In")),
        "exception": ExceptionInfo("KeyError", "'net'", frames),
        "redactions": {"password": 2, "jwt": 1},
        "truncated": (Truncation("log", 9000, 300),),
    }
    report = FailureReport("a", "shop", "f", Run("r"), "S", "T1", "boom", full_name="S.T1", **{**known, **fields})
    return Ticket(report, Analysis("a", "shop"), [Member(Place("s1-t1"), "S.T1")], Delivery.PENDING)


@pytest.mark.parametrize("fields", [{}, {"exception": None}, {"keywords": ()}, {"redactions": {}, "truncated": ()}])
def test_a_card_made_anew_is_the_one_that_the_run_would_have_made(fields):
    view = View(output="output.xml")
    ticket = of_a_run(**fields)
    (late,) = tickets_of([(ticket.members[0].place, card_facts(full_card(ticket, view)))])
    for one in (late, ticket):
        fetch([one], Answers({("shop", "a"): FINAL}))
    assert (full_card(late, view) == full_card(ticket, view)) is True


@pytest.mark.parametrize("text", ["{", "[]", '{"keywords": 7}', '{"redactions": {"x": "many"}}'])
def test_what_nobody_of_ours_wrote_into_a_card_is_passed_over(text):
    (ticket,) = tickets_of([card(1, report=text)])
    assert (ticket.report.keywords, ticket.report.redactions) == ((), {})
