"""What is written beside the cards: tags, metadata that Robot will format, and console lines."""

import re
import unicodedata

import pytest
from robot.utils import html_format

from robot_ddn_listener.annotation import Annotations, CardFacts, Place
from robot_ddn_listener.contract import Analysis, Engine, ErrorType, FailureReport, Run, Stage, Verdict
from robot_ddn_listener.render import (
    Group,
    View,
    annotations,
    confidence_word,
    console_lines,
    groups_from_facts,
    suite_summary,
    summary_line,
)
from robot_ddn_listener.ticket import Delivery, Member, Ticket

VIEW = View(output="results/output.xml")


def ticket(number=1, members=("Shop.Pays",), delivery=Delivery.ANSWERED, note="", **fields) -> Ticket:
    report = FailureReport(f"id-{number}", "webshop", "f", Run("run"), "Shop", "Pays", "boom", full_name="Shop.Pays")
    known = {
        "report_id": report.id,
        "stage": Stage.FINAL,
        "verdict": Verdict.DIAGNOSED,
        "error_type": ErrorType.INFRA_ERROR,
        "root_cause": "The host was down.",
        "confidence": 0.9,
        "engine": Engine(rule_id="host-down"),
    }
    places = [Member(Place(test_id=f"s{number}-t{index}"), name) for index, name in enumerate(members, 1)]
    return Ticket(report, Analysis(**(known | fields)), places, delivery, note)


def not_analysed(number=1, members=("Shop.Pays",), note="The run was stopped.") -> Ticket:
    fields = {"verdict": Verdict.NOT_ANALYSED, "error_type": ErrorType.UNKNOWN, "root_cause": "", "engine": Engine()}
    return ticket(number, members, Delivery.KEPT, note, **fields)


SETUP = Member(Place(suite_id="s1", keyword="setup"), "Shop")


def setup_ticket() -> Ticket:
    given = ticket(members=("Shop.Pays", "Shop.Ships"))
    given.members.insert(0, SETUP)
    return given


def test_each_member_gets_a_card_the_first_the_full_one():
    cards = annotations([ticket(members=("A", "B", "C")), ticket(2)], VIEW).cards
    roles = {place.test_id: re.search('data-ddn-role="([a-z]+)"', html)[1] for place, html in cards.items()}
    assert roles == {"s1-t1": "full", "s1-t2": "member", "s1-t3": "member", "s2-t1": "full"}


def test_a_suite_setup_carries_the_card_and_its_tests_the_tag():
    made = annotations([setup_ticket()], VIEW)
    assert list(made.cards) == [SETUP.place, Place(test_id="s1-t1"), Place(test_id="s1-t2")]
    assert made.tags == {"s1-t1": "ddn:infra_error", "s1-t2": "ddn:infra_error"}


def test_what_was_not_analysed_has_no_tag():
    assert annotations([not_analysed()], VIEW).tags == {}


def test_what_is_switched_off_is_not_there():
    off = View(output="output.xml", tags=False, metadata=False, suite_metadata=False)
    made = annotations([ticket()], off)
    assert made == Annotations(cards=made.cards)
    assert made.cards


def test_no_failures_no_annotations():
    assert annotations([], VIEW) == Annotations()
    assert console_lines([], VIEW) == []


@pytest.mark.parametrize(
    ("given", "metadata"),
    [
        (ticket(), "INFRA_ERROR, rule host-down"),
        (ticket(engine=Engine(model="m-1"), confidence=0.6), "INFRA_ERROR, uncertain, AI (m-1)"),
        (ticket(engine=Engine(pipeline_version="1"), confidence=0.1), "INFRA_ERROR, uncertain"),
        (ticket(confirmed_by="Dana"), "INFRA_ERROR, confirmed by a person"),
        (ticket(verdict=Verdict.UNKNOWN, error_type=ErrorType.UNKNOWN, engine=Engine()), "UNKNOWN"),
        (not_analysed(), "not analysed"),
    ],
)
def test_test_metadata_holds_type_confidence_and_source_only(given, metadata):
    assert annotations([given], VIEW).test_metadata == {"s1-t1": metadata}


@pytest.mark.parametrize(
    ("confidence", "calibrated", "word"),
    [
        (1, False, ""),
        (0.85, False, ""),
        (0.84, False, "likely, please confirm"),
        (0.65, False, "likely, please confirm"),
        (0.64, False, "uncertain"),
        (0, False, "uncertain"),
        (0.9, True, "90% sure"),
        (0.7, True, "likely, please confirm (70%)"),
        (0.5, True, "uncertain (50%)"),
        (-1, True, "uncertain"),
    ],
)
def test_confidence_is_a_figure_only_when_calibrated(confidence, calibrated, word):
    assert confidence_word(Analysis("id", confidence=confidence, calibrated=calibrated)) == word


HOSTILE = (
    "[javascript:alert(1)|click]",
    "[https://evil.test|https://good.test]",
    "[data:image/png;base64,AAAA|x]",
    "[x|data:image/svg+xml,<svg>]",
    "[evil.png|x]",
    "[//evil.test/a.png|x]",
    "[mailto:a@b.test|x]",
    "https://evil.test/pixel.png",
    "(http://evil.test)",
    "javascript://evil.test/%0aalert(1)",
    "x http://evil.test",
    "data:image/png;base64,AAAA",
    "//evil.test/a.png",
    "mailto:a@b.test",
    "*bold*",
    "x *bold* y",
    "_italic_",
    "x ('_italic_') y",
    "_*both*_",
    "``code``",
    "x ``code`` y",
    "| a | b |",
    "| preformatted",
    "---",
    "= header =",
    "- item",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "a\n\n| b |\n---\n= c =\n- d\n[javascript:e|f]",
    "a\r\u2028[javascript:e|f]\x0bhttps://evil.test/a.png",
    "[javascript:alert(1)",
    "|x] [",
)
MARKUP = re.compile(r"<(?!/?(?:p|ul|li|b)>)[^>]*>")


def assert_nothing_live(metadata: str, bold: int) -> str:
    html = html_format(metadata)
    assert MARKUP.findall(html) == []
    assert html.count("<b>") == bold
    return html


@pytest.mark.parametrize("text", HOSTILE)
def test_robots_formatter_finds_nothing_in_suite_metadata(text):
    tickets = [
        ticket(1, members=(text,), root_cause=text, engine=Engine(rule_id=text)),
        ticket(2, members=(text,), root_cause=text, engine=Engine(model=text)),
        ticket(3, members=(text,), root_cause=f"a: {text}", confirmed_by=text),
        not_analysed(4, (text,), text),
    ]
    html = assert_nothing_live(annotations(tickets, VIEW).suite_metadata, bold=4)
    assert html.count("<li>") == 4


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("engine", ["rule_id", "model"])
def test_robots_formatter_finds_nothing_in_test_metadata(text, engine):
    made = annotations([ticket(engine=Engine(**{engine: text}))], VIEW)
    html = assert_nothing_live(made.test_metadata["s1-t1"], bold=0)
    assert html.startswith("<p>INFRA_ERROR, ")


@pytest.mark.parametrize("text", HOSTILE)
def test_robots_formatter_finds_nothing_in_a_summary_from_cards(text):
    cards = [CardFacts("id-1", error_type=ErrorType.CODE_ERROR, cause=text, by=text, name=text)]
    assert_nothing_live(suite_summary(groups_from_facts(cards)), bold=1)


def test_the_tests_of_defusing_can_fail():
    live = [text for text in HOSTILE if MARKUP.search(html_format(text))]
    assert len(live) >= 18


def test_a_defused_text_still_reads_the_same():
    summary = suite_summary([Group(ErrorType.CODE_ERROR, "*a* _b_ `c` c_d https://e.test/f [g|h]", "rule r", 1, "Shop.Pays")])
    assert "*a* _b_ `c` c_d https://e.test/f [g¦h]" in summary.replace("\u2060", "")
    assert "c_d" in summary


def test_suite_metadata_counts_by_type_and_has_a_line_for_each_group():
    tickets = [
        not_analysed(4, ("S.A", "S.B")),
        ticket(1, ("S.C",), error_type=ErrorType.CODE_ERROR, root_cause="Wrong total."),
        ticket(2, ("S.D", "S.E", "S.F")),
        ticket(3, ("S.G",), root_cause="The disk was full."),
    ]
    assert annotations(tickets, VIEW).suite_metadata.splitlines() == [
        "7 failed tests, 3 causes (CODE_ERROR 1, INFRA_ERROR 4), 2 not analysed",
        "",
        "- *INFRA_ERROR* 3 tests: The host was down. (rule host-down; first in S.D)",
        "- *CODE_ERROR* 1 test: Wrong total. (rule host-down; first in S.C)",
        "- *INFRA_ERROR* 1 test: The disk was full. (rule host-down; first in S.G)",
        "- *NOT ANALYSED* 2 tests: The run was stopped. (first in S.A)",
    ]


def test_suite_metadata_is_bounded():
    tickets = [ticket(number, root_cause="x" * 5000) for number in range(300)]
    lines = annotations(tickets, VIEW).suite_metadata.splitlines()
    assert len(lines) == 53
    assert lines[-1] == "- and 250 more groups"
    assert max(map(len, lines)) < 400


def test_an_rpa_run_has_tasks():
    assert annotations([ticket(members=("A", "B"))], View("output.xml", noun="task")).suite_metadata.startswith(
        "2 failed tasks, 1 cause"
    )


def test_groups_are_found_again_in_the_cards_of_a_merged_result():
    def card(report_id, role, name):
        return CardFacts(report_id, role=role, error_type=ErrorType.INFRA_ERROR, cause="Down.", by="rule r", name=name)

    cards = [
        card("2", "member", "S.B"),
        card("1", "member", "S.C"),
        card("2", "full", "S (suite setup)"),
        card("1", "full", "S.A"),
        card("2", "member", "S.D"),
    ]
    assert groups_from_facts(cards) == [
        Group(ErrorType.INFRA_ERROR, "Down.", "rule r", 2, "S.A"),
        Group(ErrorType.INFRA_ERROR, "Down.", "rule r", 2, "S (suite setup)"),
    ]


def test_an_answer_fits_on_one_line():
    given = ticket(root_cause="The host\n\n  was\tdown:\x1b[31m\u202e now.")
    assert summary_line(given) == "INFRA_ERROR (rule host-down): The host was down: now."


def test_the_console_shows_the_same_groups():
    tickets = [ticket(1, ("Shop.Pays", "Shop.Ships", "Shop.Returns")), not_analysed(2, ("Shop.Last",))]
    assert console_lines(tickets, VIEW) == [
        "Failure analysis: 4 failed tests, 1 cause (INFRA_ERROR 3), 1 not analysed",
        "INFRA_ERROR: 3 tests, rule host-down",
        "  The host was down.",
        "  Shop.Pays and 2 more",
        "NOT ANALYSED: 1 test",
        "  The run was stopped.",
        "  Shop.Last",
    ]


def test_a_suite_setup_is_not_counted_as_a_test():
    lines = console_lines([setup_ticket()], VIEW)
    assert lines[1:] == ["INFRA_ERROR: 2 tests, rule host-down", "  The host was down.", "  Shop (suite setup) and 2 more"]


def test_the_console_names_the_commands_that_bring_the_rest():
    tickets = [
        ticket(1, delivery=Delivery.PENDING),
        ticket(2, delivery=Delivery.SPOOLED, note="Redis refused."),
        ticket(3, delivery=Delivery.LOST, note="The disk is full."),
    ]
    assert console_lines(tickets, View("my results/output.xml"))[-5:] == [
        "Not final yet: 1 verdict. Add later with",
        "  ddn attach 'my results/output.xml'",
        "Not delivered: 1 report (Redis refused). Send later with",
        "  ddn replay 'my results'",
        "Lost: 1 report (The disk is full)",
    ]


def test_without_an_output_file_the_console_names_no_command_for_it():
    assert console_lines([ticket(delivery=Delivery.PENDING)], View(""))[-1] == "Not final yet: 1 verdict."


def test_spaces_in_a_path_stay_as_they_are():
    lines = console_lines([ticket(delivery=Delivery.PENDING)], View("a  b/output.xml"))
    assert lines[-1] == "  ddn attach 'a  b/output.xml'"


@pytest.mark.parametrize(
    "text",
    [
        "plain words " * 30,
        "x" * 300,
        "漢字" * 100,
        "漢字 かな " * 30,
        "❤️👨‍👩‍👧🎉" * 60,
        "e\u0301" * 200,
        "\x1b[1;31mred\x1b[0m " * 40,
        "\x1b]0;title\x07text " * 40,
        "a\x00\x08\x9b31m\r\nb " * 30,
        "שלום \u202eעולם " * 30,
    ],
)
def test_no_console_line_is_wider_than_78_columns_or_acts_on_the_terminal(text):
    tickets = [
        ticket(1, (text,), Delivery.SPOOLED, text, root_cause=text, engine=Engine(rule_id=text)),
        ticket(2, (text,), Delivery.LOST, text, confirmed_by=text),
        ticket(3, delivery=Delivery.PENDING),
        not_analysed(4, (text,), text),
    ]
    lines = console_lines(tickets, View("/very/long" * 20 + "/output.xml"))
    for line in lines:
        assert sum(_columns(character) for character in line) <= 78
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)
    assert len(lines) < 60


def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" or character == "\ufe0f" else 1


def test_words_are_not_broken_where_they_fit():
    lines = console_lines([ticket(root_cause="word " * 25)], VIEW)
    assert all(set(line.split()) == {"word"} for line in lines[2:4])


def test_many_groups_are_counted_not_listed():
    lines = console_lines([ticket(number) for number in range(30)], VIEW)
    assert lines[-1] == "and 10 more groups, all of them in log.html"
