import json

import pytest
from robot.api import ExecutionResult
from robot.result import Keyword

from robot_ddn_listener.annotation import Place
from robot_ddn_listener.capture import Failed, argument_values, capture, failing_keyword
from robot_ddn_listener.contract import MAX_REPORT_BYTES, FailureReport, Phase, Run, decode, encode
from robot_ddn_listener.gather import Gatherer, system_messages
from robot_ddn_listener.live import FailedCall, Raised
from robot_ddn_listener.ticket import Member

LIBRARY = """
import json

class Broken(Exception):
    pass

def deep():
    shallow = {}
    return shallow["price"]

def look_up():
    deep()

def wrapped():
    try:
        deep()
    except KeyError as error:
        raise Broken("no price") from error

def parse(text):
    return json.loads(text)

def unprintable():
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError
    raise Odd

def shout(count):
    for number in range(int(count)):
        print("line %d with a text of some length" % number)
    raise Broken("after %s lines" % count)
"""


def suite(body, settings="", keywords=""):
    return f"*** Settings ***\nLibrary    lib.py\n{settings}\n*** Test Cases ***\n{body}\n*** Keywords ***\n{keywords}\n"


def one(catch, body, **rest):
    run = catch({"lib.py": LIBRARY, "t.robot": suite(body, **rest)})
    assert len(run.reports) == 1
    return run.reports[0]


def test_the_path_of_keywords_has_arguments_and_source_lines(catch):
    report = one(catch, "T\n    Outer    7", keywords="Outer\n    [Arguments]    ${n}\n    Log    ${n}\n    Fail    bad ${n}")
    assert [(call.full_name, call.args, call.source, call.lineno) for call in report.keywords] == [
        ("Outer", ("7",), "t.robot", 6),
        ("BuiltIn.Fail", ("bad ${n}",), "t.robot", 11),
    ]
    assert failing_keyword(report) == "BuiltIn.Fail"
    assert (report.source, report.lineno, report.phase) == ("t.robot", 5, Phase.TEST)


@pytest.mark.parametrize("level", ["INFO", "NONE"])
def test_the_live_exception_has_frames_and_code_lines_at_any_log_level(catch, level):
    run = catch({"lib.py": LIBRARY, "t.robot": suite("T\n    Look Up")}, loglevel=level)
    exception = run.reports[0].exception
    assert (exception.type, exception.message) == ("KeyError", "'price'")
    assert [(frame.file, frame.function) for frame in exception.frames] == [("lib.py", "look_up"), ("lib.py", "deep")]
    assert '> 9:     return shallow["price"]' in exception.frames[-1].code
    assert any("shallow = {}" in line for line in exception.frames[-1].code)


def test_the_chain_of_an_exception_is_kept(catch):
    exception = one(catch, "T\n    Wrapped").exception
    assert exception.type == "lib.Broken"
    assert [cause.type for cause in exception.causes] == ["KeyError"]
    assert exception.causes[0].frames


def test_an_exception_that_cannot_be_printed_is_captured_all_the_same(catch):
    causes = one(catch, "T\n    Unprintable").exception.causes
    assert [cause.message for cause in causes] == ["<no message: RuntimeError in __str__>"]


@pytest.mark.parametrize(
    "handled",
    [
        "Run Keyword And Ignore Error    Look Up",
        "Run Keyword And Expect Error    *    Look Up",
        "${ok}    ${error} =    Run Keyword And Ignore Error    Look Up",
    ],
)
@pytest.mark.parametrize("then", ["Fail    other", "No Such Keyword", "Log    ${NOT THERE}"])
def test_what_a_passing_keyword_has_caught_is_no_part_of_a_later_failure(catch, handled, then):
    exception = one(catch, f"T\n    {handled}\n    {then}").exception
    assert exception is None or (exception.type != "KeyError" and exception.causes == ())


def test_what_a_passing_keyword_inside_the_failing_one_has_caught_is_no_part_of_it_either(catch):
    report = one(catch, "T\n    Outer", keywords="Outer\n    Run Keyword And Ignore Error    Look Up\n    Fail    other")
    assert (report.exception.message, report.exception.causes) == ("other", ())


def test_of_many_tries_the_last_one_gives_the_exception(catch):
    body = "T\n    Set Test Variable    ${left}    ${30}\n    Wait Until Keyword Succeeds    30x    0s    Try"
    keywords = """Try
    ${left} =    Evaluate    $left - 1
    Set Test Variable    ${left}
    IF    ${left} > 2    Look Up    ELSE    Wrapped"""
    exception = one(catch, body, keywords=keywords).exception
    assert (exception.type, [cause.type for cause in exception.causes]) == ("lib.Broken", ["KeyError"])


def test_a_try_branch_that_was_handled_is_not_the_failing_path(catch):
    report = one(catch, "T\n    TRY\n        Look Up\n    EXCEPT    *    type=GLOB\n        Fail    handled badly\n    END")
    assert [call.type for call in report.keywords] == ["TRY/EXCEPT ROOT", "EXCEPT", "KEYWORD"]
    assert report.error_message == "handled badly"


NESTED = """T
    FOR    ${i}    IN    1    2    3
        IF    ${i} == 2
            WHILE    True
                GROUP    inner
                    Fail    in the middle
                END
            END
        END
    END
"""


def test_control_structures_are_steps_of_the_path(catch):
    report = one(catch, NESTED)
    assert [call.type for call in report.keywords] == [
        "FOR", "ITERATION", "IF/ELSE ROOT", "IF", "WHILE", "ITERATION", "GROUP", "KEYWORD",
    ]  # fmt: skip
    assert report.keywords[1].name.split() == ["ITERATION", "${i}", "=", "2"]


def test_of_several_continuable_failures_the_first_is_the_path(catch):
    body = "T\n    [Template]    Check\n    1\n    2"
    report = one(catch, body, keywords="Check\n    [Arguments]    ${n}\n    Fail    wrong ${n}")
    assert report.keywords[0].args == ("1",)
    assert "2) wrong 2" in report.error_message


def test_of_repeated_tries_the_last_is_the_path(catch):
    report = one(catch, "T\n    Wait Until Keyword Succeeds    3x    0s    Look Up")
    assert [call.full_name for call in report.keywords] == ["BuiltIn.Wait Until Keyword Succeeds", "lib.Look Up"]
    assert report.exception.type == "KeyError"


@pytest.mark.parametrize(
    ("body", "phase", "message"),
    [
        ("T\n    [Setup]    Fail    early\n    Log    x", Phase.SETUP, "Setup failed:\nearly"),
        ("T\n    Log    x\n    [Teardown]    Fail    late", Phase.TEARDOWN, "Teardown failed:\nlate"),
        ("T\n    Fail    here\n    [Teardown]    Fail    late", Phase.TEST, "here\n\nAlso teardown failed:\nlate"),
    ],
)
def test_the_phase_is_the_part_that_failed(catch, body, phase, message):
    report = one(catch, body)
    assert (report.phase, report.error_message) == (phase, message)


def test_messages_of_the_failing_branch_come_with_their_surroundings_in_log_order(catch):
    report = one(catch, "T\n    Log    before\n    Run Keyword    Log    inside\n    Fail    end")
    assert [(line.level, line.text.strip()) for line in report.log] == [
        ("KEYWORD", "BuiltIn.Log    before"),
        ("INFO", "before"),
        ("KEYWORD", "BuiltIn.Run Keyword    Log    inside"),
        ("KEYWORD", "BuiltIn.Log    inside"),
        ("INFO", "inside"),
        ("KEYWORD", "BuiltIn.Fail    end"),
        ("FAIL", "end"),
    ]


def test_what_a_caught_failure_logged_is_marked_as_caught(catch):
    report = one(catch, "T\n    Run Keyword And Ignore Error    Fail    expected\n    Log    after\n    Fail    other")
    assert [(line.level, line.text) for line in report.log if line.level != "KEYWORD"] == [
        ("CAUGHT", "expected"),
        ("INFO", "after"),
        ("FAIL", "other"),
    ]


def test_what_failed_keywords_got_for_named_parameters_is_known_by_name(catch):
    library = LIBRARY + "\ndef log_in(user, password):\n    raise Broken\n"
    run = catch(
        {"lib2.py": library, "t.robot": "*** Settings ***\nLibrary    lib2.py\n*** Test Cases ***\nT\n    Log In    bob    ${1}23"}
    )
    assert argument_values(run.failed[0].calls) == {"user": "bob"}
    run = catch({"t.robot": "*** Settings ***\nLibrary    lib2.py\n*** Test Cases ***\nT\n    Log In    bob    open"})
    assert argument_values(run.failed[0].calls) == {"user": "bob", "password": "open"}


def test_a_failed_import_is_told_with_the_failure_that_it_caused(catch):
    run = catch({"t.robot": "*** Settings ***\nLibrary    not_there.py\n*** Test Cases ***\nT\n    Missing Keyword    1"})
    report = run.reports[0]
    assert "not_there.py" in report.execution_errors[0].text
    assert report.keywords[0].name == "Missing Keyword"


def test_an_import_error_of_another_suite_is_not_told(catch):
    run = catch(
        {
            "a.robot": "*** Settings ***\nLibrary    not_there.py\n*** Test Cases ***\nA\n    Fail    a",
            "b.robot": "*** Test Cases ***\nB\n    Fail    b",
        }
    )
    assert run.report("A").execution_errors
    assert not run.report("B").execution_errors


def test_html_messages_become_text_and_their_files_attachments(catch):
    body = "T\n    Log    <a href='shot-1.png'><img src='shot-1.png'></a> a &lt; b    html=True\n    Fail    x"
    report = one(catch, body)
    assert "a < b" in [line.text for line in report.log]
    assert report.attachments == ("shot-1.png",)


def test_a_huge_log_is_cut_to_the_limit_and_keeps_both_ends_and_the_failure(catch):
    body = "T\n    Log    the very beginning\n    FOR    ${i}    IN RANGE    40\n        Log    ${{'ä' * 15000}}\n    END\n"
    body += "    Shout    20000"
    report = one(catch, body)
    assert len(json.dumps(encode(report))) <= MAX_REPORT_BYTES
    assert report.truncated[0].what == "log"
    texts = [line.text for line in report.log]
    assert "Broken: after 20000 lines" in texts
    assert any("lines left out" in text for text in texts)


def test_a_huge_message_keeps_head_and_tail(catch):
    body = suite("T\n    Fail    ${{'head ' + 'x' * 3000000 + ' tail'}}")
    report = catch({"lib.py": LIBRARY, "t.robot": body}, maxerrorlines="NONE").reports[0]
    assert report.error_message.startswith("head xxx")
    assert report.error_message.endswith(" tail")
    assert report.truncated[0].what == "error_message"


def test_paths_outside_the_project_lose_the_folders_above(catch):
    frames = one(catch, "T\n    Parse    {").exception.frames
    assert all(not frame.file.startswith("/") for frame in frames)
    assert ("json/decoder.py", False) in [(frame.file, frame.own) for frame in frames]
    assert ("lib.py", True) in [(frame.file, frame.own) for frame in frames]


def test_a_virtual_environment_inside_the_project_is_not_the_projects_own(tmp_path):
    file = tmp_path / ".venv" / "lib" / "python3.12" / "site-packages" / "requests" / "api.py"
    raised = Raised("E", "m", ((str(file), 1, "get"), (str(tmp_path / "lib.py"), 2, "own")))
    keyword = Keyword(name="k", status="FAIL", message="m")
    call = FailedCall(result=keyword, data=None, raised=raised)
    failed = Failed(Member(Place("s1-t1"), "S.T"), Phase.TEST, "m", "S", "T", items=(keyword,), calls=(call,))
    frames = capture(failed, "p", Run("run"), tmp_path).exception.frames
    assert [(frame.file, frame.own) for frame in frames] == [("requests/api.py", False), ("lib.py", True)]


def test_a_report_survives_its_way_over_the_wire(catch):
    report = one(catch, "T\n    Look Up")
    assert decode(FailureReport, json.loads(json.dumps(encode(report)))) == report


def test_a_loaded_output_gives_the_same_report_but_for_what_only_lives_while_it_runs(catch):
    body = NESTED + "Other\n    [Tags]    b    a\n    Run Keyword And Ignore Error    Look Up\n    Look Up"
    run = catch({"lib.py": LIBRARY, "t.robot": suite(body)})
    result = ExecutionResult(run.output)
    loaded = []
    Gatherer(loaded.append, system_messages(result.errors)).loaded(result.suite)
    again = [capture(failed, "project", Run("run"), run.folder) for failed in loaded]
    assert len(again) == 2
    for live, late in zip(run.reports, again, strict=True):
        assert (late.full_name, late.error_message, late.phase, late.tags) == (
            live.full_name,
            live.error_message,
            live.phase,
            live.tags,
        )
        assert [line.text for line in late.log] == [line.text for line in live.log]
        assert [(call.full_name, call.args) for call in late.keywords] == [(call.full_name, call.args) for call in live.keywords]
