"""Analyses go into real outputs, and nothing else of them changes."""

import io
import json
import os
import re
import shutil
import stat
from datetime import datetime
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
import robot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from robot.api import ExecutionResult
from robot.result import Result
from robot.result import TestSuite as ResultSuite
from robot.version import get_version

from robot_ddn_listener.annotation import Annotations, CardFacts, Place, card_facts
from robot_ddn_listener.attach import attach_to_file, attach_to_result, cards_in_file, cards_in_result, keep
from robot_ddn_listener.contract import ErrorType, Stage
from robot_ddn_listener.errors import OutputError

HAS_TEST_METADATA = tuple(int(part) for part in get_version(naked=True).split(".")[:2]) >= (7, 5)

FIRST = """
*** Settings ***
Suite Teardown    Fail    teardown of the suite
Metadata          Owner    Jörg ]]> & <me>

*** Test Cases ***
Passes
    [Documentation]    Ångström & <b>markup</b>
    [Tags]    ddn:off    smoke
    Log    <b>bold</b> <![CDATA[ not data ]]> <!-- no comment -->    html=True
    Log    <div>a warning of the test's own</div>    WARN    html=True
    Log    <div data-ddn="quoted">not a card</div>
    Log    <div data-ddn="quoted">not a card</div>    html=True
    Log    <div data-ddn="quoted">not a card</div>    WARN

Fails deep inside
    [Setup]    Log    set up
    FOR    ${i}    IN    1    2
        IF    ${i} == 2
            TRY
                GROUP    inner
                    Fail    nope ]]> ü
                END
            EXCEPT    other
                Log    never
            END
        END
    END
    [Teardown]    Log    torn down

Setup fails
    [Setup]    Fail    set up

Is a template
    [Template]    Should Be Equal
    1    1
    1    2
    3    4

Teardown fails
    [Timeout]    1 minute
    No Operation
    [Teardown]    Fail    torn down

Skipped
    Skip    not today
"""
SECOND = """
*** Settings ***
Suite Setup    Fail    setup of the suite
Test Tags      zeta    _alpha

*** Test Cases ***
Never runs
    Log    never
"""
TEST = "s1-s1-t2"
FAILED = (TEST, "s1-s1-t3", "s1-s1-t4", "s1-s1-t5")
SUITE_SETUP = Place(suite_id="s1-s2-s1", keyword="setup")
SUITE_TEARDOWN = Place(suite_id="s1-s1", keyword="teardown")
KINDS = ("robot.xml", "legacy.xml", "rebot.xml", "tasks.xml", "robot.json", "rebot.json")
HOSTILE = "]]> & &amp; <script>alert(1)</script> \" ' \u0000\ud800\uffff\u0008 \U0001f600 \u202e\r\n\t end"
HOSTILE_AS_KEPT = "]]> & &amp; <script>alert(1)</script> \" ' \ufffd\ufffd\ufffd\ufffd \U0001f600 \u202e\r\n\t end"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """One run of the two suites in every form of output file, by KINDS."""
    folder = tmp_path_factory.mktemp("outputs")
    for name, text in {"tests/first.robot": FIRST, "tests/nested/second.robot": SECOND}.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text, encoding="utf-8")
    tests = folder / "tests"
    run(tests, folder / "robot.xml")
    run(tests, folder / "legacy.xml", legacyoutput=True)
    run(tests, folder / "robot.json")
    run(tests, folder / "tasks.xml", rpa=True)
    for source, target in ("robot.xml", "rebot.xml"), ("robot.xml", "rebot.json"):
        quietly(robot.rebot, folder / source, folder / target)
    return folder


def run(tests, output, **options):
    quietly(robot.run, tests, output, loglevel="DEBUG", **options)


def quietly(program, source, output, **options):
    program(str(source), output=str(output), log=None, report=None, stdout=io.StringIO(), stderr=io.StringIO(), **options)


@pytest.fixture(params=KINDS)
def output(request, outputs, tmp_path):
    return Path(shutil.copy(outputs / request.param, tmp_path / request.param))


@pytest.fixture
def xml(outputs, tmp_path):
    return Path(shutil.copy(outputs / "robot.xml", tmp_path / "output.xml"))


def card(report="r1", *, text="It broke.", stage="interim", name=""):
    return f'<div data-ddn="{report}" data-ddn-stage="{stage}" data-ddn-type="CODE_ERROR" data-ddn-name="{name}">{text}</div>'


def everything(text="It broke."):
    tests = (*FAILED, "s1-s2-s1-t1")
    places = (*(Place(test_id=test_id) for test_id in tests), SUITE_SETUP, SUITE_TEARDOWN)
    return Annotations(
        cards={place: card(f"r{number}", text=text) for number, place in enumerate(places)},
        tags={**dict.fromkeys(tests, "ddn:CODE_ERROR"), "s1-s1-t1": "ddn:TEST_ERROR"},
        test_metadata={TEST: "CODE_ERROR, likely"},
        suite_metadata=f"2 groups: {text}",
    )


def one(text="It broke.", **more):
    return Annotations(cards={Place(test_id=TEST): card(text=text, **more)}, tags={TEST: "ddn:CODE_ERROR"})


def suite_of(path):
    return ExecutionResult(path).suite


def find_test(path, test_id=TEST):
    return next(test for test in suite_of(path).all_tests if test.id == test_id)


def cards_of(body):
    return [item.message for item in body if item.type == item.MESSAGE and card_facts(item.message)]


def without_ours(content):
    """Take what we insert into an output.xml out again, told by its own marks."""
    for pattern in (
        rb'<msg [^>]*level="WARN" html="true">&lt;div data-ddn=.*?</msg>\n',
        rb"<tag>ddn:[A-Z_]*</tag>\n",
        rb'<meta name="(Root cause|Failure analysis)">.*?</meta>\n',
        rb'<stat pass="\d+" fail="\d+" skip="\d+">ddn:[A-Z_]*</stat>\n',
    ):
        content = re.sub(pattern, b"", content, flags=re.DOTALL)
    return content


def without_ours_in_json(content):
    """The same for an output.json; what we had to make anew, and what was empty before, goes too."""
    for pattern in (
        rb'\{\n"type":"MESSAGE",\n"message":"<div data-ddn=[^\n]*,\n"level":"WARN",\n"html":true(,\n"timestamp":"[^\n]*")?\n\},?',
        rb',?\n?\{\n"label":"ddn:[A-Z_]+",\n"pass":\d+,\n"fail":\d+,\n"skip":\d+\n\}',
        rb',?"ddn:(CODE_ERROR|TEST_ERROR|UNKNOWN)"(?=[\],\n])',
        rb',?\n?"(Root cause|Failure analysis)":"(\\.|[^"\\])*"',
        rb',\n"(body|tags|metadata)":(\[\]|\{\})',
    ):
        content = re.sub(pattern, b"", content)
    return content


def outcome(path):
    return [(test.full_name, test.status, test.message, test.start_time, test.elapsed_time) for test in suite_of(path).all_tests]


# Into a file


def test_cards_tags_and_metadata_are_loaded_by_robot(output):
    attached = attach_to_file(output, everything())
    assert (attached.changed, attached.missing) == (True, ())
    suite = suite_of(output)
    tests = {test.id: test for test in suite.all_tests}
    for number, test_id in enumerate(FAILED):
        assert cards_of(tests[test_id].body) == [card(f"r{number}")]
        assert "ddn:CODE_ERROR" in set(tests[test_id].tags)
    assert set(tests["s1-s1-t1"].tags) == {"ddn:off", "smoke", "ddn:TEST_ERROR"}
    assert cards_of(suite.suites[1].suites[0].setup.body) == [card("r5")]
    assert cards_of(suite.suites[0].teardown.body) == [card("r6")]
    assert suite.metadata["Failure analysis"] == "2 groups: It broke."


def test_the_card_is_the_first_thing_in_a_body_and_has_the_time_of_its_test(output):
    attach_to_file(output, everything())
    test = find_test(output)
    first = test.body[0]
    assert (first.message, first.level, first.html, first.timestamp) == (
        card("r0"),
        "WARN",
        True,
        round_like(output, test.start_time),
    )
    assert cards_of([suite_of(output).suites[0].teardown.body[0]])


def round_like(path, time):
    return time.replace(microsecond=time.microsecond // 1000 * 1000) if path.name == "legacy.xml" else time


def test_outcomes_are_equal_with_and_without_cards(output):
    before = outcome(output)
    attach_to_file(output, everything())
    assert outcome(output) == before


def test_attaching_twice_changes_not_one_byte_more(output):
    attach_to_file(output, everything(HOSTILE))
    content = output.read_bytes()
    inode = output.stat().st_ino
    assert not attach_to_file(output, everything(HOSTILE))
    assert (output.read_bytes(), output.stat().st_ino) == (content, inode)


def test_all_bytes_but_ours_stay(output):
    before = output.read_bytes()
    attach_to_file(output, everything(HOSTILE))
    after = output.read_bytes()
    assert after != before
    assert unattached(output, after) == unattached(output, before)


def unattached(path, content):
    return without_ours(content) if path.suffix == ".xml" else without_ours_in_json(content)


def test_what_is_inserted_is_ascii(output):
    before = output.read_bytes()
    attach_to_file(output, everything(HOSTILE))
    assert not set(output.read_bytes()) - set(before) - set(range(128))


def test_hostile_text_arrives_and_characters_that_xml_cannot_hold_are_replaced(output):
    attach_to_file(output, everything(HOSTILE))
    assert cards_of(find_test(output).body) == [card("r0", text=HOSTILE_AS_KEPT)]
    assert suite_of(output).metadata["Failure analysis"] == f"2 groups: {HOSTILE_AS_KEPT}"


def test_the_rows_of_the_tag_statistics_are_those_that_robot_counts(output):
    attach_to_file(output, everything())
    assert tag_rows(output) == counted_by_robot(output)
    assert ("ddn:CODE_ERROR", 0, 5, 0) in tag_rows(output)
    # It passed, but the teardown of its suite did not.
    assert ("ddn:TEST_ERROR", 0, 1, 0) in tag_rows(output)


def test_a_skipped_test_stays_skipped_in_the_tag_statistics_when_the_suites_teardown_fails(output):
    attach_to_file(output, Annotations(tags={"s1-s1-t6": "ddn:UNKNOWN"}))
    assert tag_rows(output) == counted_by_robot(output)
    assert ("ddn:UNKNOWN", 0, 0, 1) in tag_rows(output)


def test_the_rows_of_the_tag_statistics_follow_a_changed_tag(output):
    attach_to_file(output, everything())
    attach_to_file(output, Annotations(tags=dict.fromkeys((*FAILED, "s1-s2-s1-t1"), "ddn:INFRA_ERROR")))
    assert tag_rows(output) == counted_by_robot(output)
    assert [row[0] for row in tag_rows(output)] == ["_alpha", "ddn:INFRA_ERROR", "ddn:off", "ddn:TEST_ERROR", "smoke", "zeta"]


def tag_rows(path):
    if path.suffix == ".json":
        rows = json.loads(path.read_bytes())["statistics"]["tags"]
        return [(row["label"], row["pass"], row["fail"], row["skip"]) for row in rows]
    rows = ElementTree.parse(path).findall("statistics/tag/stat")
    return [(row.text, int(row.get("pass")), int(row.get("fail")), int(row.get("skip"))) for row in rows]


def counted_by_robot(path):
    result = ExecutionResult(path)
    # Robot Framework 7.2 forgets this when it reads JSON, though it counts so when it writes the file.
    result.handle_suite_teardown_failures()
    return [(tag.name, tag.passed, tag.failed, tag.skipped) for tag in result.statistics.tags]


@pytest.mark.skipif(not HAS_TEST_METADATA, reason="metadata in tests came with Robot Framework 7.5")
def test_the_root_cause_becomes_metadata_of_the_test(output):
    attach_to_file(output, everything())
    attach_to_file(output, Annotations(test_metadata={TEST: "CODE_ERROR, certain"}))
    expected = {} if output.name == "legacy.xml" else {"Root cause": "CODE_ERROR, certain"}
    assert dict(find_test(output).metadata) == expected


@pytest.mark.parametrize("kind", ["robot.xml", "robot.json"])
def test_a_file_of_an_older_robot_gets_no_metadata_in_tests(outputs, kind, tmp_path):
    output = tmp_path / kind
    output.write_bytes(re.sub(rb"Robot 7\.\d+(\.\d+)?", b"Robot 7.4.2", (outputs / kind).read_bytes()))
    attach_to_file(output, everything())
    assert b"Root cause" not in output.read_bytes()


def test_a_final_card_replaces_an_interim_one_and_nothing_else_changes(output):
    attach_to_file(output, one("first"))
    before = output.read_bytes()
    assert attach_to_file(output, one("final", stage="final"))
    after = output.read_bytes()
    assert after.replace(b"final", b"interim", 1).replace(b"final", b"first") == before
    assert [facts.stage for _, facts in cards_in_file(output)] == [Stage.FINAL]


def test_places_that_are_not_named_keep_what_they_have(output):
    attach_to_file(output, everything())
    attach_to_file(output, one("later"))
    assert cards_of(find_test(output, "s1-s1-t3").body) == [card("r1")]
    assert suite_of(output).metadata["Failure analysis"] == "2 groups: It broke."
    assert len(cards_in_file(output)) == len(everything().cards)


def test_tags_that_users_write_with_our_prefix_are_left_alone(output):
    attach_to_file(output, Annotations(tags={"s1-s1-t1": "ddn:CODE_ERROR"}))
    attach_to_file(output, Annotations(tags={"s1-s1-t1": "ddn:TEST_ERROR"}))
    assert set(find_test(output, "s1-s1-t1").tags) == {"ddn:off", "ddn:TEST_ERROR", "smoke"}


def test_messages_of_the_test_itself_are_not_taken_for_cards(output):
    place = Place(test_id="s1-s1-t1")
    attach_to_file(output, Annotations(cards={place: card()}))
    assert "a warning of the test's own" in output.read_text(encoding="utf-8")
    assert [found for found, _ in cards_in_file(output)] == [place]


def test_a_card_whose_place_is_not_in_the_file_is_reported_and_the_others_are_attached(output):
    lost = (Place(test_id="s1-s7-t1"), Place(suite_id="s1", keyword="setup"), Place(test_id="nonsense"))
    cards = {**dict.fromkeys(lost, card()), Place(test_id=TEST): card()}
    attached = attach_to_file(output, Annotations(cards=cards))
    assert attached
    assert attached.missing == lost
    assert len(cards_in_file(output)) == 1


def test_a_file_without_any_of_the_places_stays_as_it_is(output):
    before, content = output.stat(), output.read_bytes()
    attached = attach_to_file(output, Annotations(cards={Place(test_id="s1-s7-t1"): card()}, tags={"s1-s7-t1": "ddn:UNKNOWN"}))
    assert not attached
    after = output.stat()  # reading it may have changed the time of its last access
    assert (after.st_ino, after.st_mtime_ns, output.read_bytes()) == (before.st_ino, before.st_mtime_ns, content)


def test_a_card_follows_the_name_on_it_when_a_listener_has_changed_the_ids(output):
    third = find_test(output, "s1-s1-t3").full_name
    attached = attach_to_file(
        output, Annotations(cards={Place(test_id="s1-s1-t4"): card(name=third)}, tags={"s1-s1-t4": "ddn:CODE_ERROR"})
    )
    assert not attached.missing
    assert cards_of(find_test(output, "s1-s1-t3").body) == [card(name=third)]
    assert "ddn:CODE_ERROR" in set(find_test(output, "s1-s1-t3").tags)
    assert not cards_of(find_test(output, "s1-s1-t4").body)


def test_a_card_with_a_name_that_no_test_has_goes_by_its_id(output):
    attach_to_file(output, one(name="Tests.Renamed"))
    assert cards_of(find_test(output).body) == [card(name="Tests.Renamed")]


def test_several_top_suites_are_below_one_root(outputs, tmp_path):
    first, second = outputs / "tests/first.robot", outputs / "tests/nested/second.robot"
    output = tmp_path / "output.xml"
    robot.run(str(first), str(second), output=str(output), log=None, report=None, stdout=io.StringIO(), stderr=io.StringIO())
    attach_to_file(output, Annotations(cards={Place(test_id="s1-s2-t1"): card()}, suite_metadata="1 group"))
    assert cards_of(suite_of(output).suites[1].tests[0].body) == [card()]
    assert suite_of(output).metadata["Failure analysis"] == "1 group"


def test_a_json_file_of_a_suite_alone_is_annotated(outputs, tmp_path):
    output = tmp_path / "suite.json"
    suite_of(outputs / "robot.xml").to_json(output)
    attach_to_file(output, one())
    assert cards_of(find_test(output).body) == [card()]


def test_a_file_may_have_any_name(outputs, tmp_path):
    output = Path(shutil.copy(outputs / "robot.json", tmp_path / "output.xml"))
    attach_to_file(output, one())
    json.loads(output.read_bytes())
    assert len(cards_in_file(output)) == 1


@pytest.mark.parametrize("kind", ["robot.xml", "robot.json"])
def test_a_byte_order_mark_is_tolerated(outputs, kind, tmp_path):
    output = tmp_path / kind
    output.write_bytes(b"\xef\xbb\xbf" + (outputs / kind).read_bytes())
    attach_to_file(output, one())
    without = tmp_path / "without"
    without.write_bytes(output.read_bytes()[3:])
    attach_to_file(without, one())
    assert output.read_bytes()[3:] == without.read_bytes()
    assert len(cards_in_file(without)) == 1


# XML that Robot itself does not write


def test_xml_written_anew_by_another_tool_is_annotated(xml):
    tree = ElementTree.parse(xml)
    for element in tree.iter():
        element.tail = None
    tree.write(xml, encoding="ISO-8859-1")
    attach_to_file(xml, everything(HOSTILE))
    assert cards_of(find_test(xml).body) == [card("r0", text=HOSTILE_AS_KEPT)]
    assert find_test(xml, "s1-s1-t1").doc == "Ångström & <b>markup</b>"
    assert tag_rows(xml) == counted_by_robot(xml)


def test_cdata_sections_and_comments_are_kept_and_a_card_in_one_is_replaced(tmp_path):
    output = tmp_path / "output.xml"
    text = card(text="old")
    output.write_text(
        f"""<?xml version='1.0'?><!-- <test id="s1-t1"> --><robot generator='Robot 7.5' schemaversion='5'><suite name='S'>
        <test name='T'><!-- > --><msg level='WARN' html='true'><![CDATA[{text}]]></msg><msg level='INFO'><![CDATA[<test>]]></msg>
        <tag><![CDATA[ddn:UNKNOWN]]></tag><status status='FAIL'/></test><status status='FAIL'/></suite></robot>"""
    )
    attach_to_file(output, Annotations(cards={Place(test_id="s1-t1"): card(text="new")}, tags={"s1-t1": "ddn:CODE_ERROR"}))
    test = suite_of(output).tests[0]
    assert [message.message for message in test.body] == [card(text="new"), "<test>"]
    assert set(test.tags) == {"ddn:CODE_ERROR"}
    assert "<!-- > -->" in output.read_text()


def test_elements_without_content_take_nothing(tmp_path):
    output = tmp_path / "output.xml"
    text = """<robot generator="Robot 7.5" schemaversion="5"><suite name="S"><kw name="K" type="SETUP"/><test name="T"/>
        <status status="FAIL"/></suite><statistics><tag/></statistics></robot>"""
    output.write_text(text)
    places = (Place(test_id="s1-t1"), Place(suite_id="s1", keyword="setup"))
    attached = attach_to_file(output, Annotations(cards=dict.fromkeys(places, card()), tags={"s1-t1": "ddn:CODE_ERROR"}))
    assert not attached
    assert output.read_text() == text


def test_lists_of_tags_without_content_are_written_anew_or_left(tmp_path):
    output = tmp_path / "output.xml"
    output.write_text(
        """<robot generator="Robot 3.2.2"><suite name="S"><test name="T"><kw name="K"><status status="PASS"/></kw><tags/>
        <status status="FAIL"/></test><status status="FAIL"/></suite><statistics><tag/></statistics></robot>"""
    )
    attach_to_file(output, Annotations(cards={Place(test_id="s1-t1"): card()}, tags={"s1-t1": "ddn:CODE_ERROR"}))
    root = ElementTree.parse(output).getroot()
    assert [child.tag for child in root.find(".//test")] == ["kw", "kw", "tags", "tags", "status"]
    assert list(map(set, (test.tags for test in suite_of(output).all_tests))) == [{"ddn:CODE_ERROR"}]
    assert [child.tag for child in root.find("statistics")] == ["tag"]


# Files that are refused


def utf16(content):
    return content.decode().replace("UTF-8", "UTF-16").encode("utf-16")


REFUSED = {
    "utf-16": ("robot.xml", utf16, "UTF-16"),
    "utf-16 without a mark": ("robot.xml", lambda content: content.decode().encode("utf-16-le"), "UTF-16"),
    "utf-16 only by its declaration": ("robot.xml", lambda content: content.replace(b"UTF-8", b"UTF-16"), "encoding"),
    "an unknown encoding": ("robot.xml", lambda content: content.replace(b"UTF-8", b"klingon"), "encoding"),
    "truncated xml": ("robot.xml", lambda content: content[: len(content) // 2], "well-formed"),
    "xml that lacks only its end": ("robot.xml", lambda content: content.rstrip()[:-8], "well-formed"),
    "malformed xml": ("robot.xml", lambda content: content.replace(b"</kw>", b"", 1), "well-formed"),
    "other xml": ("robot.xml", lambda content: b"<html><body/></html>", "<html>"),
    "no xml": ("robot.xml", lambda content: b"hello", "well-formed"),
    "nothing": ("robot.xml", lambda content: b"", "empty"),
    "truncated json": ("robot.json", lambda content: content[: len(content) // 2], "not JSON"),
    "json cut in a body": ("robot.json", lambda content: content[: content.index(b"nope")], "not JSON"),
    "json that lacks only its end": ("robot.json", lambda content: content.rstrip()[:-1], "not JSON"),
    "json with more after its end": ("robot.json", lambda content: content + b"}", "not JSON"),
    "malformed json": ("robot.json", lambda content: content.replace(b":", b"", 1), "not JSON"),
    "other json": ("robot.json", lambda content: b'{"a": [1, {"b": null}]}', "no suite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_no_output_is_refused_and_stays_as_it_is(outputs, case, tmp_path):
    kind, spoil, named = REFUSED[case]
    output = tmp_path / "output.xml"
    output.write_bytes(spoil((outputs / kind).read_bytes()))
    before = (output.read_bytes(), output.stat().st_ino, output.stat().st_mtime_ns)
    with pytest.raises(OutputError, match=rf"^Attaching analyses to '.*output\.xml' failed: .*{named}.* The file is unchanged\.$"):
        attach_to_file(output, everything())
    with pytest.raises(OutputError, match=r"^Reading analyses in "):
        cards_in_file(output)
    assert (output.read_bytes(), output.stat().st_ino, output.stat().st_mtime_ns) == before
    assert os.listdir(tmp_path) == ["output.xml"]


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        attach_to_file(tmp_path / "missing.xml", one())
    with pytest.raises(OutputError, match="directory"):
        cards_in_file(tmp_path)


def test_a_full_disk_leaves_the_output_as_it_is_and_nothing_beside_it(xml):
    resource = pytest.importorskip("resource")
    before = xml.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before), limits[1]))
    try:
        with pytest.raises(OutputError, match="The file is unchanged"):
            attach_to_file(xml, one())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert xml.read_bytes() == before
    assert os.listdir(xml.parent) == ["output.xml"]


# The file as a file


def test_mode_and_symbolic_links_are_kept(xml):
    xml.chmod(0o640)
    link = xml.parent / "link.xml"
    link.symlink_to(xml.name)
    attach_to_file(link, one())
    assert link.is_symlink()
    assert stat.S_IMODE(xml.stat().st_mode) == 0o640
    assert len(cards_in_file(xml)) == 1
    assert sorted(os.listdir(xml.parent)) == ["link.xml", "output.xml"]


def test_the_original_is_put_back_byte_by_byte_with_its_time_and_mode(xml):
    xml.chmod(0o640)
    os.utime(xml, ns=(10**18, 10**18 + 1))
    before = (xml.read_bytes(), xml.stat().st_mtime_ns, xml.stat().st_mode)
    original = keep(xml)
    attach_to_file(xml, one())
    assert xml.read_bytes() != before[0]
    original.restore()
    assert (xml.read_bytes(), xml.stat().st_mtime_ns, xml.stat().st_mode) == before
    assert os.listdir(xml.parent) == ["output.xml"]


def test_the_original_is_put_back_where_there_are_no_hard_links(xml, monkeypatch):
    def no_links(source, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    os.utime(xml, ns=(10**18, 10**18 + 1))
    xml.chmod(0o644)
    before = (xml.read_bytes(), xml.stat().st_mtime_ns, xml.stat().st_mode)
    original = keep(xml)
    assert stat.S_IMODE(original.kept.stat().st_mode) == 0o600
    attach_to_file(xml, one())
    original.restore()
    assert (xml.read_bytes(), xml.stat().st_mtime_ns, xml.stat().st_mode) == before


def test_an_original_that_was_never_replaced_is_restored_all_the_same(xml):
    before = xml.read_bytes()
    keep(xml).restore()
    assert xml.read_bytes() == before
    assert os.listdir(xml.parent) == ["output.xml"]


def test_an_original_behind_a_symbolic_link_is_put_back_behind_it(xml):
    link = xml.parent / "link.xml"
    link.symlink_to(xml.name)
    before = xml.read_bytes()
    original = keep(link)
    attach_to_file(link, one())
    original.restore()
    assert link.is_symlink()
    assert xml.read_bytes() == before


def test_an_output_that_is_gone_cannot_be_kept(xml):
    xml.unlink()
    with pytest.raises(OutputError, match=r"^Keeping output file "):
        keep(xml)


def test_two_listeners_of_one_run_put_the_same_original_back(xml):
    before = xml.read_bytes()
    first = keep(xml)
    attach_to_file(xml, one())
    second = keep(xml)
    attach_to_file(xml, one("another"))
    first.restore()
    second.restore()
    assert xml.read_bytes() == before
    assert os.listdir(xml.parent) == ["output.xml"]


# Files of older Robot Frameworks

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<robot generator="{generator}" generated="20200909 22:59:53.699" rpa="false"{schema}>
<suite id="s1" name="Root" source="/root">
<suite id="s1-s1" name="Sub" source="/root/sub.robot">
"""
ROBOT_3 = (
    HEAD
    + """<kw name="Prepare" library="lib" type="setup">
<doc>Prepares.</doc>
<arguments>
<arg>one</arg>
</arguments>
<msg timestamp="20200909 22:59:53.800" level="FAIL">no</msg>
<status status="FAIL" starttime="20200909 22:59:53.700" endtime="20200909 22:59:53.900"></status>
</kw>
<test id="s1-s1-t1" name="Fails">
<kw name="Passes" library="lib" type="setup">
<status status="PASS" starttime="20200909 22:59:54.000" endtime="20200909 22:59:54.000"></status>
</kw>
<kw name="${{i}} IN [ 1 ]" type="for">
<kw name="${{i}} = 1" type="foritem">
<kw name="Log" library="BuiltIn">
<doc>Logs.</doc>
<arguments>
<arg>x</arg>
</arguments>
<msg timestamp="20200909 22:59:54.000" level="INFO" html="yes">x</msg>
<status status="PASS" starttime="20200909 22:59:54.000" endtime="20200909 22:59:54.000"></status>
</kw>
<status status="PASS" starttime="20200909 22:59:54.000" endtime="20200909 22:59:54.000"></status>
</kw>
<status status="PASS" starttime="20200909 22:59:54.000" endtime="20200909 22:59:54.000"></status>
</kw>
<kw name="Breaks" library="lib">
<doc>Breaks.</doc>
<tags>
<tag>keyword-tag</tag>
</tags>
<kw name="Fail" library="BuiltIn">
<msg timestamp="20200909 22:59:54.000" level="FAIL">broken</msg>
<status status="FAIL" starttime="20200909 22:59:54.000" endtime="20200909 22:59:54.000"></status>
</kw>
<status status="FAIL" starttime="20200909 22:59:54.000" endtime="20200909 22:59:54.000"></status>
</kw>
<doc>Some words.</doc>
<tags>
<tag>first</tag>
</tags>
<status status="FAIL" starttime="20200909 22:59:53.950" endtime="20200909 22:59:54.100" critical="yes">broken</status>
</test>
<test id="s1-s1-t2" name="Has no keywords">
<status status="FAIL" starttime="20200909 22:59:54.200" endtime="20200909 22:59:54.300" critical="yes">Parent suite setup failed:
no</status>
</test>
<status status="FAIL" starttime="20200909 22:59:53.700" endtime="20200909 22:59:55.000"></status>
</suite>
<doc></doc>
{metadata}<status status="FAIL" starttime="20200909 22:59:53.700" endtime="20200909 22:59:55.000"></status>
</suite>
<statistics>
<total>
<stat fail="2" pass="0">Critical Tests</stat>
<stat fail="2" pass="0">All Tests</stat>
</total>
<tag>
<stat fail="1" pass="0" info="critical">first</stat>
<stat fail="1" pass="0" doc="Old &amp; good" links="a:b">ddn:UNKNOWN</stat>
</tag>
<suite>
<stat fail="2" id="s1" name="Root" pass="0">Root</stat>
</suite>
</statistics>
<errors>
</errors>
</robot>
"""
)
ROBOT_4_TO_6 = (
    HEAD
    + """<kw name="Prepare" library="lib" type="SETUP">
<arg>one</arg>
<tag>keyword-tag</tag>
<doc>Prepares.</doc>
<msg timestamp="20200909 22:59:53.800" level="FAIL">no</msg>
<status status="FAIL" starttime="20200909 22:59:53.700" endtime="20200909 22:59:53.900"/>
</kw>
<test id="s1-s1-t1" name="Fails">
<for flavor="IN">
<var>${{i}}</var>
<value>1</value>
<iter>
<var name="${{i}}">1</var>
<kw name="Fail" library="BuiltIn">
<arg>broken</arg>
<doc>Fails.</doc>
<msg timestamp="20200909 22:59:54.000" level="FAIL">broken</msg>
<status status="FAIL" starttime="20200909 22:59:54.000" endtime="20200909 22:59:54.000"/>
</kw>
<status status="FAIL" starttime="20200909 22:59:54.000" endtime="20200909 22:59:54.000"/>
</iter>
<status status="FAIL" starttime="20200909 22:59:54.000" endtime="20200909 22:59:54.000"/>
</for>
<doc>Some words.</doc>
<tag>first</tag>
<timeout value="1 minute"/>
<status status="FAIL" starttime="20200909 22:59:53.950" endtime="20200909 22:59:54.100">broken</status>
</test>
<test id="s1-s1-t2" name="Has no keywords">
<status status="FAIL" starttime="N/A" endtime="N/A">Parent suite setup failed:
no</status>
</test>
<status status="FAIL" starttime="20200909 22:59:53.700" endtime="20200909 22:59:55.000"/>
</suite>
{metadata}<status status="FAIL" starttime="20200909 22:59:53.700" endtime="20200909 22:59:55.000"/>
</suite>
<statistics>
<total>
<stat pass="0" fail="2" skip="0">All Tests</stat>
</total>
<tag>
<stat pass="0" fail="1" skip="0" info="combined" combined="xANDz">x AND z</stat>
<stat pass="0" fail="1" skip="0">first</stat>
</tag>
<suite>
<stat pass="0" fail="2" skip="0" id="s1" name="Root">Root</stat>
</suite>
</statistics>
<errors>
</errors>
</robot>
"""
)
OLD = {
    "3.0": (ROBOT_3, "Robot 3.0.2 (Python 2.7.14 on win32)", ""),
    "3.2": (ROBOT_3, "Robot 3.2.2 (Python 3.8.2 on linux)", ""),
    "4.1": (ROBOT_4_TO_6, "Robot 4.1.3 (Python 3.8.2 on linux)", ' schemaversion="2"'),
    "5.0": (ROBOT_4_TO_6, "Robot 5.0.1 (Python 3.8.2 on linux)", ' schemaversion="3"'),
    "6.1": (ROBOT_4_TO_6, "Robot 6.1.1 (Python 3.8.2 on linux)", ' schemaversion="4"'),
}
OLD_ANNOTATIONS = Annotations(
    cards={
        Place(test_id="s1-s1-t1"): card("r1"),
        Place(test_id="s1-s1-t2"): card("r2"),
        Place(suite_id="s1-s1", keyword="setup"): card("r3"),
    },
    tags={"s1-s1-t1": "ddn:CODE_ERROR", "s1-s1-t2": "ddn:TEST_ERROR"},
    test_metadata={"s1-s1-t1": "CODE_ERROR"},
    suite_metadata="2 groups",
)


@pytest.fixture(params=OLD)
def old(request, tmp_path):
    output = tmp_path / f"{request.param}.xml"
    text, generator, schema = OLD[request.param]
    output.write_text(text.format(generator=generator, schema=schema, metadata=""))
    return output


def test_an_old_file_is_annotated_in_the_form_it_has(old):
    before = outcome(old)
    assert not attach_to_file(old, OLD_ANNOTATIONS).missing
    suite = suite_of(old)
    assert [place for place, _ in cards_in_file(old)] == [place for place, _ in cards_in_result(suite)]
    assert dict(zip(*places_and_cards(old), strict=True)) == OLD_ANNOTATIONS.cards
    assert suite.metadata["Failure analysis"] == "2 groups"
    assert set(find_test(old, "s1-s1-t1").tags) == {"first", "ddn:CODE_ERROR"}
    assert set(find_test(old, "s1-s1-t2").tags) == {"ddn:TEST_ERROR"}
    assert outcome(old) == before
    content = old.read_bytes()
    assert not attach_to_file(old, OLD_ANNOTATIONS)
    assert old.read_bytes() == content


def places_and_cards(path):
    cards = re.findall(r">(&lt;div data-ddn.*?)</msg>", path.read_text(), re.DOTALL)
    return [place for place, _ in cards_in_file(path)], [ElementTree.fromstring(f"<a>{html}</a>").text for html in cards]


@pytest.mark.parametrize("old", [version for version in OLD if version < "4"], indirect=True)
def test_robot_3_gets_its_cards_inside_keywords_its_tags_wrapped_and_its_statistics_without_skips(old):
    attach_to_file(old, OLD_ANNOTATIONS)
    root = ElementTree.parse(old).getroot()
    allowed = {"kw", "doc", "tags", "timeout", "status"}
    tests = root.findall(".//test")
    assert {child.tag for test in tests for child in test} <= allowed
    assert message_before(tests[0].find("kw[@name='Breaks']"), "kw") == {
        "timestamp": "20200909 22:59:53.950",
        "level": "WARN",
        "html": "yes",
    }
    assert [child.tag for child in tests[0].find("kw[@name='Breaks']")] == ["doc", "tags", "msg", "kw", "status"]
    assert [child.tag for child in tests[1].find("kw")] == ["msg", "status"]
    assert [tag.text for tag in tests[0].findall("tags/tag")] == ["first", "ddn:CODE_ERROR"]
    assert [child.tag for child in root.find(".//kw[@name='Prepare']")] == ["doc", "arguments", "msg", "msg", "status"]
    assert root.find("suite/metadata/item").attrib == {"name": "Failure analysis"}
    rows = [(row.text, dict(row.attrib)) for row in root.findall("statistics/tag/stat")]
    assert rows == [
        ("first", {"fail": "1", "pass": "0", "info": "critical"}),
        ("ddn:CODE_ERROR", {"fail": "1", "pass": "0"}),
        ("ddn:TEST_ERROR", {"fail": "1", "pass": "0"}),
    ]


def message_before(keyword, name):
    children = list(keyword)
    position = [child.tag for child in children].index(name)
    return dict(children[position - 1].attrib)


@pytest.mark.parametrize("old", [version for version in OLD if version > "4"], indirect=True)
def test_robot_4_to_6_get_their_cards_first_in_the_test_with_their_own_timestamps(old):
    attach_to_file(old, OLD_ANNOTATIONS)
    tests = ElementTree.parse(old).findall(".//test")
    assert [child.tag for child in tests[0]] == ["msg", "for", "doc", "tag", "tag", "timeout", "status"]
    assert dict(tests[0][0].attrib) == {"timestamp": "20200909 22:59:53.950", "level": "WARN", "html": "true"}
    assert [child.tag for child in tests[1]] == ["msg", "tag", "status"]
    rows = [row.text for row in ElementTree.parse(old).findall("statistics/tag/stat")]
    assert rows == ["x AND z", "ddn:CODE_ERROR", "ddn:TEST_ERROR", "first"]


def test_metadata_of_an_old_root_suite_is_added_to_and_replaced(old):
    own = '<item name="Owner">me</item>\n'
    content = old.read_text()
    end = content.rindex("<status ", 0, content.index("<statistics>"))
    is_3 = old.name.startswith("3.")
    own = f"<metadata>\n{own}</metadata>\n" if is_3 else own.replace("item", "meta")
    old.write_text(content[:end] + own + content[end:])
    attach_to_file(old, Annotations(suite_metadata="first"))
    attach_to_file(old, Annotations(suite_metadata="second"))
    assert dict(suite_of(old).metadata) == {"Owner": "me", "Failure analysis": "second"}
    assert len(ElementTree.parse(old).findall("suite/metadata" if is_3 else "suite/meta")) == (1 if is_3 else 2)


# Into a result in memory


def test_a_result_in_memory_gets_what_a_file_gets(output):
    suite = suite_of(output)
    attach_to_result(suite, everything(), generator_has_test_metadata=output.name != "legacy.xml")
    attach_to_file(output, everything())
    assert content_of(suite) == content_of(suite_of(output))


def test_attaching_to_a_result_twice_changes_nothing_more_and_a_new_card_replaces_the_old(outputs):
    suite = suite_of(outputs / "robot.xml")
    attach_to_result(suite, everything())
    before = content_of(suite)
    attach_to_result(suite, everything())
    assert content_of(suite) == before
    attach_to_result(suite, everything("new"))
    assert len(cards_in_result(suite)) == len(everything().cards)
    assert cards_of(suite.suites[0].tests[1].body) == [card("r0", text="new")]


def test_a_changed_tag_takes_the_place_of_the_old_one_in_a_result(outputs):
    suite = suite_of(outputs / "robot.xml")
    for tag in ("ddn:CODE_ERROR", "ddn:TEST_ERROR"):
        attach_to_result(suite, Annotations(tags={"s1-s1-t1": tag}))
    assert set(suite.suites[0].tests[0].tags) == {"ddn:off", "ddn:TEST_ERROR", "smoke"}


def content_of(suite):
    content = suite.to_dict()
    for item in walk(content):
        for key in ("timestamp", "elapsed_time"):
            item.pop(key, None)
    return content


def walk(item):
    if isinstance(item, dict):
        yield item
        item = item.values()
    elif not isinstance(item, (list, tuple)):
        return
    for child in item:
        yield from walk(child)


def test_a_result_whose_bodies_were_cleared_gets_cards_and_no_new_fixtures(outputs):
    suite = suite_of(outputs / "robot.xml")
    for child in (suite.suites[0], suite.suites[1].suites[0]):
        child.setup = child.teardown = None
        for test in child.tests:
            test.setup = test.teardown = None
            test.body.clear()
    attach_to_result(suite, everything())
    assert [place for place, _ in cards_in_result(suite)] == [Place(test_id=test_id) for test_id in (*FAILED, "s1-s2-s1-t1")]
    assert not suite.suites[1].suites[0].has_setup
    assert not suite.suites[1].suites[0].setup.body


def test_places_that_are_not_in_a_result_are_passed_over(outputs):
    suite = suite_of(outputs / "robot.xml")
    before = content_of(suite)
    places = (Place(test_id="s1-s1-t0"), Place(test_id="s1-s1-t99"), Place(test_id="s2-t1"), Place(test_id="x"))
    suites = (Place(suite_id="s1-s9", keyword="setup"), Place(suite_id="s1", keyword="teardown"))
    ids = dict.fromkeys((place.test_id for place in places), "ddn:UNKNOWN")
    attach_to_result(suite, Annotations(cards=dict.fromkeys((*places, *suites), card()), tags=ids, test_metadata=ids))
    assert content_of(suite) == before


def test_cards_are_found_with_their_facts_in_the_order_of_the_file(xml):
    attach_to_file(xml, everything())
    found = cards_in_file(xml)
    assert found == cards_in_result(suite_of(xml))
    assert found[0] == (Place(test_id=TEST), CardFacts("r0", error_type=ErrorType.CODE_ERROR))
    tests = [Place(test_id=test_id) for test_id in FAILED]
    assert [place for place, _ in found] == [*tests, SUITE_TEARDOWN, SUITE_SETUP, Place(test_id="s1-s2-s1-t1")]


def test_a_file_without_cards_has_none(output):
    assert cards_in_file(output) == ()


# Any text

TEXT = st.text(max_size=30) | st.text(alphabet="<>&\"'{}[]\\,: \n\r\té]\u2028\ufeff!-", max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_stands_in_names_messages_and_cards_the_rest_of_the_file_stays(tmp_path, data):
    for name in ("output.xml", "output.json"):
        output = tmp_path / name
        generated(*(data.draw(TEXT) for _ in range(4))).save(output)
        before = output.read_bytes()
        outcome_before = outcome(output)
        wanted = Annotations(cards={Place(test_id="s1-t1"): card(text=data.draw(TEXT))}, tags={"s1-t1": "ddn:UNKNOWN"})
        assert not attach_to_file(output, wanted).missing
        after = output.read_bytes()
        assert unattached(output, after) == unattached(output, before)
        assert tag_rows(output) == [("ddn:UNKNOWN", 0, 1, 0)]
        assert outcome(output) == outcome_before
        assert len(cards_of(suite_of(output).tests[0].body)) == 1
        assert not attach_to_file(output, wanted)


def generated(name, message, argument, log):
    suite = ResultSuite(legal_in_robot(name) or "S")
    test = suite.tests.create(legal_in_robot(message) or "T", status="FAIL", message=legal_in_robot(log))
    keyword = test.body.create_keyword("K", args=[legal_in_robot(argument)], status="FAIL")
    keyword.body.create_message(legal_in_robot(log), "WARN", html=True, timestamp=datetime(2026, 1, 2))
    return Result(suite=suite)


def legal_in_robot(text):
    """Robot's own writers let some characters through that the readers then refuse."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", text)


# Outputs from elsewhere


@cache
def outputs_from_elsewhere():
    folder = os.environ.get("DDN_OUTPUTS")
    return sorted(Path(folder).glob("*.xml")) if folder else []


@pytest.mark.skipif(not os.environ.get("DDN_OUTPUTS"), reason="DDN_OUTPUTS names no folder of output files")
@pytest.mark.parametrize("source", outputs_from_elsewhere(), ids=lambda path: path.name[:20])
def test_outputs_from_elsewhere_are_annotated_and_all_else_in_them_stays(source, tmp_path):
    output = tmp_path / "output.xml"
    output.write_bytes(source.read_bytes())
    before = outcome(output)
    ids = [test.id for test in suite_of(output).all_tests if test.failed]
    wanted = Annotations(
        cards={Place(test_id=test_id): card() for test_id in ids},
        tags=dict.fromkeys(ids, "ddn:CODE_ERROR"),
        test_metadata=dict.fromkeys(ids, "CODE_ERROR"),
        suite_metadata="groups",
    )
    assert not attach_to_file(output, wanted).missing
    assert outcome(output) == before
    assert [place for place, _ in cards_in_file(output)] == list(wanted.cards)
    assert all("ddn:CODE_ERROR" in set(test.tags) for test in suite_of(output).all_tests if test.failed)
    if ids:
        row = next(row for row in ElementTree.parse(output).findall("statistics/tag/stat") if row.text == "ddn:CODE_ERROR")
        assert int(row.get("fail")) == len(ids)
    assert without_old_forms(without_ours(output.read_bytes())) == without_old_forms(source.read_bytes())


def without_old_forms(content):
    for pattern in (
        rb'<msg [^>]*html="yes">&lt;div data-ddn=.*?</msg>\n',
        rb"<stat [^>]*>ddn:[A-Z_]*</stat>\n",
        rb'<item name="Failure analysis">.*?</item>\n',
        rb'<kw name="Failure analysis" library="robot_ddn_listener">\n.*?</kw>\n',
        rb"<(tags|metadata)>\n</\1>\n",
    ):
        content = re.sub(pattern, b"", content, flags=re.DOTALL)
    return content
