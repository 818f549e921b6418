"""The card: what it says in each state, and that nothing in it is live but http links."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from robot_ddn_listener.annotation import CardFacts, Place, card_facts
from robot_ddn_listener.cards.card import full_card, member_card
from robot_ddn_listener.cards.looks import COLOURS
from robot_ddn_listener.cards.wording import View
from robot_ddn_listener.contract import (
    Analysis,
    Engine,
    ErrorType,
    Evidence,
    ExceptionInfo,
    FailureReport,
    Frame,
    KeywordCall,
    Novelty,
    Reference,
    Run,
    Similar,
    Stage,
    Step,
    Suspect,
    Truncation,
    Verdict,
)
from robot_ddn_listener.ticket import Delivery, Member, Ticket

HOSTILE = "<script>alert(1)</script><img src=x onerror=\"a()\">' onclick='b()' &lt;i&gt;"
VIEW = View(output="/builds/7/results/output.xml", spool="/builds/7/results", flower_url="https://flower.test:5555/")
ELEMENTS = {"div", "style", "p", "b", "span", "bdi", "code", "dl", "dt", "dd", "ul", "ol", "li", "a", "details", "summary", "br"}
ATTRIBUTES = {"class", "style", "dir", "href", "target", "rel"}


class Page(HTMLParser):
    """A card as a browser reads it: elements, attributes, links, and the text of all but the style."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes.update(name for name, _ in attrs if not name.startswith("data-ddn"))
        if tag == "a":
            self.links.append(dict(attrs))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def report(**fields) -> FailureReport:
    known = {
        "id": "id-1",
        "project": "webshop",
        "fingerprint": "f",
        "run": Run("run"),
        "suite_name": "Shop",
        "test_name": "Pays",
        "full_name": "Shop.Pays",
        "error_message": "boom",
    }
    return FailureReport(**(known | fields))


def analysis(**fields) -> Analysis:
    known = {
        "report_id": "id-1",
        "project": "webshop",
        "verdict": Verdict.DIAGNOSED,
        "error_type": ErrorType.INFRA_ERROR,
        "root_cause": "The host was down.",
        "confidence": 0.9,
        "engine": Engine(rule_id="host-down"),
    }
    return Analysis(**(known | fields))


def ticket(delivery=Delivery.ANSWERED, note="", members=("Shop.Pays",), of=None, **fields) -> Ticket:
    places = [Member(Place(test_id=f"s1-t{number}"), name) for number, name in enumerate(members, 1)]
    return Ticket(of or report(), analysis(**({"stage": Stage.FINAL} | fields)), places, delivery, note)


def page(of: Ticket, view: View = VIEW) -> Page:
    return Page(full_card(of, view))


HOSTILE_FIELDS = {
    "root cause": {"root_cause": HOSTILE},
    "folded root cause": {"root_cause": "x" * 400 + HOSTILE},
    "recommendation": {"recommendation": HOSTILE},
    "folded recommendation": {"recommendation": "x" * 900 + HOSTILE},
    "quote": {"evidence": (Evidence(HOSTILE),)},
    "place of a quote": {"evidence": (Evidence("q", HOSTILE),)},
    "missing": {"missing": (HOSTILE,)},
    "title of a reference": {"references": (Reference(HOSTILE, "https://a.test"),)},
    "root cause of a similar failure": {"similar": (Similar("r", root_cause=HOSTILE),)},
    "who confirmed a similar failure": {"similar": (Similar("r", confirmed_by=HOSTILE),)},
    "why a suspect": {"suspects": (Suspect("c", why=HOSTILE),)},
    "file of a suspect": {"suspects": (Suspect("c", HOSTILE),)},
    "reused from": {"reused_from": HOSTILE},
    "confirmed by": {"confirmed_by": HOSTILE},
    "rule": {"engine": Engine(rule_id=HOSTILE)},
    "rule beside a model": {"engine": Engine(rule_id=HOSTILE, model="m")},
    "model": {"engine": Engine(model=HOSTILE)},
    "model of a confirmed verdict": {"engine": Engine(model=HOSTILE), "confirmed_by": "Dana"},
    "degraded": {"degraded": (HOSTILE,)},
    "sent to": {"sent_to": (HOSTILE,)},
    "thought": {"trace": (Step(thought=HOSTILE),)},
    "action": {"trace": (Step(action=HOSTILE),)},
    "observation": {"trace": (Step(observation=HOSTILE),)},
}
SHORT_HOSTILE = "<img src=x>'\""
SHORT_HOSTILE_FIELDS = {
    "pipeline version": {"engine": Engine(pipeline_version=SHORT_HOSTILE)},
    "crag action": {"engine": Engine(crag_action=SHORT_HOSTILE)},
    "commit of a suspect": {"suspects": (Suspect("<img src=x>"),)},
    "first seen": {"first_seen": "<img src>", "novelty": Novelty.KNOWN},
    "time of a similar failure": {"similar": (Similar("r", when="<img src>"),)},
    "ticket of a similar failure": {"similar": (Similar("r", ticket=SHORT_HOSTILE),)},
}


def assert_harmless(read: Page) -> None:
    assert read.elements <= ELEMENTS
    assert read.attributes <= ATTRIBUTES
    assert not read.open


@pytest.mark.parametrize("fields", HOSTILE_FIELDS.values(), ids=HOSTILE_FIELDS)
def test_markup_in_any_field_is_shown_as_text(fields):
    read = page(ticket(**fields))
    assert_harmless(read)
    assert HOSTILE[:60] in read.text


@pytest.mark.parametrize("fields", SHORT_HOSTILE_FIELDS.values(), ids=SHORT_HOSTILE_FIELDS)
def test_markup_in_a_short_field_is_shown_as_text(fields):
    read = page(ticket(**fields))
    assert_harmless(read)
    assert "<img src" in read.text


HOSTILE_TICKETS = {
    "note": ticket(Delivery.LOST, HOSTILE),
    "name of another member": ticket(members=("Shop.Pays", HOSTILE)),
    "kind of redaction": ticket(of=report(redactions={HOSTILE[:40]: 1})),
    "what was cut": ticket(of=report(truncated=(Truncation(HOSTILE[:40], 2, 1),))),
    "id": ticket(of=report(id=HOSTILE)),
    "id that is no task": ticket(Delivery.KEPT, of=report(id=HOSTILE)),
    "why it was not analysed": ticket(Delivery.KEPT, HOSTILE, verdict=Verdict.NOT_ANALYSED, root_cause=""),
}


@pytest.mark.parametrize("hostile", HOSTILE_TICKETS.values(), ids=HOSTILE_TICKETS)
def test_markup_in_a_ticket_is_shown_as_text(hostile):
    read = page(hostile)
    assert_harmless(read)
    assert HOSTILE[:39] in read.text


def test_markup_in_the_path_of_the_output_file_is_shown_as_text():
    read = page(ticket(Delivery.PENDING, stage=Stage.INTERIM), View(output="/x/<img src=x>.xml"))
    assert_harmless(read)
    assert "ddn attach '<img src=x>.xml'" in read.text


def test_markup_in_the_id_is_shown_as_text_in_the_commands_that_correct():
    read = page(ticket(of=report(id=HOSTILE)), replace(VIEW, corrections=True))
    assert_harmless(read)
    assert f"ddn confirm {HOSTILE[:8]}" in read.text


def test_markup_in_a_member_card_is_shown_as_text():
    hostile = ticket(members=(HOSTILE, "Shop.Other"), root_cause=HOSTILE)
    read = Page(member_card(hostile, hostile.members[1]))
    assert_harmless(read)
    assert read.text.count(HOSTILE) == 2


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "file://host.test/etc/passwd",
        "javascript://evil.test/%0aalert(1)",
        "//evil.test/x",
        "\\\\evil.test\\x",
        "https:evil",
        "https://[broken",
        "https://good.test\\@evil.test/",
        "https://a.test/\u202egnp.exe",
        "mailto:a@b.test",
    ],
)
def test_only_http_addresses_become_links(url):
    read = page(ticket(references=(Reference("Title", url),), similar=(Similar("r", ticket=url),)), replace(VIEW, flower_url=url))
    assert read.links == []
    assert "Title" in read.text


def test_a_link_opens_elsewhere_without_telling_where_it_was():
    read = page(ticket(references=(Reference("Title", 'https://a.test/?q="x"&b=<c>'),)), View("output.xml"))
    assert read.links == [{"href": 'https://a.test/?q="x"&b=<c>', "target": "_blank", "rel": "noreferrer noopener"}]


def test_a_link_says_where_it_really_leads():
    assert (
        "evil.test"
        in page(ticket(references=(Reference("docs.robotframework.org", "https://robotframework.org@evil.test/"),))).text
    )


def test_markup_in_a_host_is_shown_as_text():
    read = page(ticket(references=(Reference("Title", "https://a<img>.test/x"),)))
    assert_harmless(read)
    assert "a<img>.test" in read.text


def test_a_reference_without_a_title_is_named_by_its_host():
    assert page(ticket(references=(Reference("", "https://a.test/x"),))).text.count("a.test") == 1


def test_the_facts_of_a_card_are_read_back_as_they_were_written():
    hostile = 'x" data-ddn-role="y" > & &quot; <b> \' ü 漢'
    given = ticket(
        of=report(id=hostile, project=hostile),
        members=(hostile, "Shop.Other"),
        project="",
        root_cause=hostile,
        engine=Engine(rule_id=hostile),
        stage=Stage.INTERIM,
    )
    known = {
        "project": hostile,
        "stage": Stage.INTERIM,
        "error_type": ErrorType.INFRA_ERROR,
        "cause": hostile,
        "by": f"rule {hostile}",
        "delivery": "answered",
    }
    assert card_facts(full_card(given, VIEW)) == CardFacts(hostile, role="full", name=hostile, **known)
    assert card_facts(member_card(given, given.members[1])) == CardFacts(hostile, role="member", name="Shop.Other", **known)


def test_the_facts_of_a_card_that_was_not_analysed_are_read_back():
    given = ticket(Delivery.KEPT, "The run was stopped.", verdict=Verdict.NOT_ANALYSED, root_cause="", error_type=ErrorType.UNKNOWN)
    facts = card_facts(full_card(given, VIEW))
    assert facts is not None
    assert (facts.cause, facts.by, facts.error_type) == ("The run was stopped.", "not analysed", ErrorType.UNKNOWN)


def test_the_facts_name_the_part_of_a_suite_that_failed():
    setup = Member(Place(suite_id="s1", keyword="setup"), "Shop")
    facts = card_facts(full_card(Ticket(report(), analysis(), [setup]), VIEW))
    assert facts is not None
    assert facts.name == "Shop (suite setup)"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "service rule host-down"),
        ({"confidence": 0.8}, "likely, please confirm · rule"),
        ({"confidence": 0.64}, "uncertain · rule"),
        ({"confidence": float("nan")}, "uncertain · rule"),
        ({"confidence": 95.0}, "uncertain · rule"),
        ({"calibrated": True}, "90% sure · rule"),
        ({"engine": Engine(model="m-1")}, "AI (m-1), unconfirmed"),
        ({"engine": Engine(model="m-1", rule_id="r")}, "AI (m-1), unconfirmed"),
        ({"engine": Engine(pipeline_version="1")}, "offline analysis"),
        (
            {"engine": Engine(pipeline_version="1"), "references": (Reference("Host down"),)},
            "offline analysis, knowledge: Host down",
        ),
        ({"engine": Engine(model="m-1"), "confirmed_by": "Dana"}, "confirmed by a person, Dana"),
        (
            {"confirmed_by": "Dana", "similar": (Similar("r0", confirmed_by="Dana", ticket="ABC-123"),)},
            "confirmed by a person, Dana, ABC-123",
        ),
        (
            {"confirmed_by": "Dana", "similar": (Similar("r0", confirmed_by="Kim", ticket="ABC-123"),)},
            "confirmed by a person, DanaThe host was down.",
        ),
    ],
)
def test_a_card_says_what_kind_of_answer_it_is(fields, said):
    assert said in page(ticket(**fields)).text


def test_a_person_who_confirmed_is_not_doubted():
    assert "uncertain" not in page(ticket(confirmed_by="ABC-123", confidence=0.5)).text


@pytest.mark.parametrize(
    ("engine", "by"),
    [
        (Engine(), "no rule matched"),
        (Engine(pipeline_version="1"), "offline analysis found no cause"),
        (Engine(model="m"), "AI (m) found no cause"),
    ],
)
def test_a_cause_that_was_not_found_is_not_made_up(engine, by):
    unknown = {"verdict": Verdict.UNKNOWN, "error_type": ErrorType.UNKNOWN, "root_cause": "", "confidence": 0.7, "engine": engine}
    text = page(ticket(missing=("The log at level TRACE",), **unknown)).text
    assert by in text
    assert "The cause was not found." in text
    assert "The log at level TRACE" in text
    assert "likely" not in text


def test_what_was_not_analysed_gets_one_line_that_names_the_trigger():
    why = "Not run: an earlier failure stopped the run (exit-on-failure)."
    given = ticket(Delivery.KEPT, why, ("Shop.Pays", "Shop.Other"), verdict=Verdict.NOT_ANALYSED, root_cause="")
    text = page(given).text
    assert text == f"NOT ANALYSED {why} Also in Shop.Other."
    assert Page(member_card(given, given.members[1])).text == f"NOT ANALYSED {why}"


def test_what_the_backend_did_not_analyse_says_why():
    why = "Analysing report 'r1' failed: the worker was killed 3 times while at work on it. It is set aside until it is sent again."
    given = ticket(verdict=Verdict.NOT_ANALYSED, root_cause="", missing=(why,))
    assert page(given).text == f"NOT ANALYSED {why}"


DELIVERIES = {
    "answered": (ticket(), None),
    "not final": (ticket(Delivery.PENDING, "The queue is paused.", stage=Stage.INTERIM), "The queue is paused."),
    "pending": (
        ticket(Delivery.PENDING, stage=Stage.INTERIM),
        "Best verdict so far. Add the final one, once it is there, with ddn attach output.xml",
    ),
    "waiting": (ticket(Delivery.WAITING, stage=Stage.INTERIM), "The report was not sent yet when this was written."),
    "spooled": (ticket(Delivery.SPOOLED, "Redis refused."), "Not delivered: Redis refused. Send it later with ddn replay results"),
    "spooled, unknown why": (ticket(Delivery.SPOOLED), "Not delivered: the reason is not known. Send it"),
    "kept, and why": (ticket(Delivery.KEPT, "No Redis URL is set."), "No Redis URL is set."),
    "kept": (ticket(Delivery.KEPT), "Answered in the robot process; nothing was sent."),
    "lost": (ticket(Delivery.LOST, "The disk is full."), "Neither delivered nor kept on disk: The disk is full."),
}


@pytest.mark.parametrize(("given", "said"), DELIVERIES.values(), ids=DELIVERIES)
def test_a_card_says_where_the_report_is(given, said):
    text = page(given).text
    if said:
        assert f"Delivery{said}" in text or f". {said}" in text
    else:
        assert "Delivery" not in text


def test_without_an_output_file_no_command_is_shown_for_it():
    assert "ddn attach" not in page(ticket(Delivery.PENDING, stage=Stage.INTERIM), View(output="")).text


def test_a_path_with_spaces_is_quoted_in_a_command():
    assert "'my output.xml'" in page(ticket(Delivery.PENDING, stage=Stage.INTERIM), View(output="a b/my output.xml")).text


def test_only_a_report_that_was_sent_has_a_task_in_flower():
    assert [link["href"] for link in page(ticket()).links] == ["https://flower.test:5555/task/id-1"]
    assert page(ticket(Delivery.SPOOLED)).links == []
    assert "task id-1" in page(ticket(), View("output.xml")).text


def test_commands_that_confirm_and_correct_wait_for_their_release():
    assert "ddn confirm" not in page(ticket()).text
    assert "Right? ddn confirm id-1 Wrong? ddn correct id-1" in page(ticket(), replace(VIEW, corrections=True)).text
    unknown = page(ticket(verdict=Verdict.UNKNOWN), replace(VIEW, corrections=True)).text
    assert "Known? ddn correct id-1" in unknown
    assert "ddn confirm" not in unknown


def test_a_card_tells_all_that_is_known():
    text = page(
        ticket(
            of=report(redactions={"jwt": 1, "password": 2}, truncated=(Truncation("log", 9000, 300),)),
            members=("Shop.Pays", *(f"Shop.T{number}" for number in range(11))),
            recommendation="Start it.",
            evidence=(Evidence("refused", "log"), Evidence("b"), Evidence("c"), Evidence("a fourth quote")),
            suspects=(Suspect("3e1f09bc77aa11", "agent.yaml", "moved"),),
            similar=(
                Similar("r", "2026-10-02T10:00:00", "VPN down", "Dana", "https://jira.test/browse/OPS-8"),
                Similar("q", root_cause="x"),
            ),
            novelty=Novelty.REGRESSED,
            first_seen="2026-09-14T08:00:00Z",
            times_seen=14,
            reused_from="id-0",
            degraded=("pinecone: timed out",),
            sent_to=("gemini: log",),
            trace=(Step("why", "look()", "found"),),
            engine=Engine("r-1", "m-1", "7", "correct", {"a": 1.0, "b": 2.5}, 3, 5123, 412, 0.0021),
        )
    ).text
    for said in (
        "INFRA_ERROR network, disk, memory, browser or a service",
        "The host was down.",
        "Start it.",
        "refused log",
        "Shop.T0, Shop.T1, Shop.T2, Shop.T3, Shop.T4 and 6 more",
        "came back after it had been gone, seen 14 times, first on 2026-09-14, this verdict is reused from id-0",
        "3e1f09bc77aa agent.yaml moved",
        "2026-10-02: VPN down (confirmed by Dana, OPS-8)",
        "x (not confirmed)",
        "pinecone: timed out",
        "gemini: log",
        "final verdict · rule r-1 · pipeline 7 · knowledge graded correct · 3.5 s · 3 calls · 5,123 + 412 tokens · $0.0021",
        "3 secrets taken out (jwt 1, password 2)",
        "log cut from 9,000 to 300",
        "How it was found (1 step)whylook()found",
    ):
        assert said in text
    assert "a fourth quote" not in text


def test_a_member_names_the_first_and_shows_no_quote():
    given = ticket(members=("Shop.Pays", "Shop.Other"), evidence=(Evidence("only in the log of the first"),))
    text = Page(member_card(given, given.members[1])).text
    assert text == "INFRA_ERROR The host was down. Same error, message and keyword as in Shop.Pays, which has the whole analysis."


def test_a_test_that_a_suite_setup_failed_says_so():
    setup = Member(Place(suite_id="s1", keyword="setup"), "Shop")
    given = Ticket(report(), analysis(), [setup, Member(Place(test_id="s1-t1"), "Shop.Pays")])
    assert "Caused by Shop (suite setup), which" in Page(member_card(given, given.members[1])).text
    assert "Tests failedShop.Pays" in page(given).text


def test_a_long_root_cause_is_cut_with_the_whole_behind_a_fold():
    cause = "The pool was exhausted: " + "word " * 1000 + "x" * 300
    html = full_card(ticket(root_cause=cause), VIEW)
    shown, _, folded = html.partition("<details>")
    assert "All of it (5,324 characters)" in folded
    assert cause in Page("<details>" + folded.partition("</details>")[0] + "</details>").text
    assert "x" * 300 not in shown
    assert len(re.findall("word", shown.partition('class="ddn-cause"')[2])) < 60


def test_short_texts_have_no_fold():
    assert "<details>" not in full_card(ticket(root_cause="x" * 300, recommendation="y" * 700), VIEW)


def test_many_steps_are_counted_not_listed():
    html = full_card(ticket(trace=tuple(Step(f"step {number}") for number in range(50))), VIEW)
    assert html.count("<li>") == 20
    assert "How it was found (50 steps)" in html
    assert "and 30 more" in html


def test_a_root_cause_of_any_size_leaves_a_card_of_bounded_size():
    huge = "<&>\u202e\x1b[31m" * 300_000
    assert len(full_card(ticket(root_cause=huge, recommendation=huge, evidence=(Evidence(huge),), missing=(huge,)), VIEW)) < 200_000


def test_a_typical_card_is_small():
    given = ticket(
        Delivery.PENDING,
        stage=Stage.INTERIM,
        members=("Shop.Pays", "Shop.Other"),
        recommendation="Check that the host is in DNS. " * 5,
        evidence=(Evidence("q" * 150, "error message"), Evidence("r" * 150, "log")),
    )
    assert len(full_card(given, VIEW)) < 4500
    assert len(member_card(given, given.members[1])) < 1200


def test_code_in_back_ticks_is_set_as_code():
    html = full_card(ticket(recommendation="Run `pip install <x>` now."), VIEW)
    assert "Run <code>pip install &lt;x&gt;</code> now." in html


@pytest.mark.parametrize("mark", ["\u202e", "\u202d", "\u2066", "\u2069", "\u200f", "\u061c", "\ufeff", "\U000e0041"])
def test_characters_that_reorder_or_hide_text_are_gone(mark):
    html = full_card(ticket(root_cause=f"a{mark}b", evidence=(Evidence(f"c{mark}d"),)), VIEW)
    assert mark not in html
    assert "ab" in html
    assert "cd" in html


def test_each_foreign_text_finds_its_own_direction():
    html = full_card(
        ticket(root_cause="שגיאה", recommendation="עצה", evidence=(Evidence("ציטוט", "log"),), members=("Shop.Pays", "בדיקה")), VIEW
    )
    for own in (
        'dir="auto">שגיאה</p>',
        'dir="auto">עצה</div>',
        'dir="auto">ציטוט</code>',
        "<bdi>בדיקה</bdi>",
    ):
        assert own in html


def test_what_xml_cannot_hold_and_escape_sequences_are_not_in_a_card():
    bad = "a\x00b\x1b[31mred\x1b[0m\x9b1m\ud800\ufffe\x1b]0;title\x07end"
    of = report(id=bad, project=bad)
    html = full_card(ticket(Delivery.PENDING, of=of, stage=Stage.INTERIM, project="", root_cause=bad), View(f"x/{bad}"))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", html)
    assert "a�bred��end" in html


def test_line_breaks_of_all_kinds_are_kept_as_one_kind():
    html = full_card(ticket(recommendation="one\r\ntwo\x85three\u2028four"), VIEW)
    assert "one\ntwo\nthree\nfour" in html


def test_badges_can_be_read():
    for colour in COLOURS.values():
        assert 1.05 / (_luminance(colour) + 0.05) >= 5.5


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def failed_in(**fields):
    return Page(full_card(ticket(of=report(**fields)), VIEW)).text


CALLS = (KeywordCall("Outer", "res", source="a.robot", lineno=3), KeywordCall("Pay", "Shop", source="b.resource", lineno=9))
CODE = ("  32: price = PRICES[item]", "> 33: return price['net']", "  34: ")
RAISED = ExceptionInfo("KeyError", frames=(Frame("lib.py", 1, "outer"), Frame("shop/pay.py", 33, "gross", CODE)))


def test_the_card_says_which_line_called_the_failing_keyword_and_which_raised():
    assert "Failed inShop.Pay b.resource:9, raised in gross shop/pay.py:3333: return price['net']" in failed_in(
        keywords=CALLS, exception=RAISED
    )


def test_the_projects_own_line_is_shown_before_one_of_a_package():
    frames = (Frame("shop/pay.py", 33, "gross", own=True), Frame("requests/api.py", 7, "get"))
    assert "Failed ingross shop/pay.py:33" in failed_in(exception=ExceptionInfo("KeyError", frames=frames))


def test_the_card_names_no_line_that_is_not_known():
    assert "Failed in" not in failed_in(keywords=(KeywordCall("Pay", "Shop"),))
    assert "Failed ingross shop/pay.py:33" in failed_in(exception=RAISED)


def test_the_failing_line_is_escaped():
    calls = (KeywordCall(HOSTILE, HOSTILE, source=HOSTILE, lineno=1),)
    raised = ExceptionInfo("E", frames=(Frame(HOSTILE, 1, HOSTILE, (f"> 1: {HOSTILE}",)),))
    page = Page(full_card(ticket(of=report(keywords=calls, exception=raised)), VIEW))
    assert page.elements <= ELEMENTS
    assert page.attributes <= ATTRIBUTES
