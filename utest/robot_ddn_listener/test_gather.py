from robot.api import ExecutionResult

from robot_ddn_listener.annotation import Place
from robot_ddn_listener.capture import Failed
from robot_ddn_listener.contract import Phase
from robot_ddn_listener.gather import Gatherer, system_messages

SETUP_FAILS = """*** Settings ***
Suite Setup    Fail    no database
*** Test Cases ***
A
    Log    a
B
    Log    b
"""
TEARDOWN_FAILS = """*** Settings ***
Suite Teardown    Fail    cannot clean
*** Test Cases ***
Passes
    Log    a
Fails
    Fail    own
Skipped
    Skip    not today
"""
TWO_FAIL = "*** Test Cases ***\nFirst\n    Fail    one\nSecond\n    Fail    two\n"


def members(failed):
    return [member.full_name.partition(".")[2] or member.full_name for member in (failed.member, *failed.also)]


def loaded(run):
    result = ExecutionResult(run.output)
    found = []
    Gatherer(found.append, system_messages(result.errors)).loaded(result.suite)
    return found


def same(run):
    """The failures of the run are those that are found in its output file."""
    live = [(item.member, getattr(item, "also", ()), getattr(item, "message", "")) for item in (*run.failed, *run.untouched)]
    late = loaded(run)
    late = [item for item in late if isinstance(item, Failed)] + [item for item in late if not isinstance(item, Failed)]
    return live == [(item.member, getattr(item, "also", ()), getattr(item, "message", "")) for item in late]


def test_a_failed_suite_setup_is_one_failure_for_all_its_tests(catch):
    run = catch({"s.robot": SETUP_FAILS})
    assert [members(failed) for failed in run.failed] == [["S (suite setup)", "A", "B"]]
    failed = run.failed[0]
    assert (failed.phase, failed.message, failed.member.place) == (Phase.SUITE_SETUP, "no database", Place("", "s1", "setup"))
    assert run.reports[0].exception.message == "no database"
    assert same(run)


def test_a_failed_setup_of_an_outer_suite_covers_the_inner_suites(catch):
    init = "*** Settings ***\nSuite Setup    Fail    outer\n"
    run = catch({"top/__init__.robot": init, "top/s.robot": SETUP_FAILS}, sources=["top"])
    assert [members(failed) for failed in run.failed] == [["Top (suite setup)", "S.A", "S.B"]]
    assert same(run)


def test_a_failed_suite_teardown_takes_only_tests_without_a_failure_of_their_own(catch):
    run = catch({"t.robot": TEARDOWN_FAILS})
    assert [members(failed) for failed in run.failed] == [["Fails"], ["T (suite teardown)", "Passes"]]
    assert run.failed[1].message == "cannot clean"
    assert same(run)


def test_suite_setup_and_teardown_that_both_fail_are_two_failures(catch):
    run = catch({"s.robot": SETUP_FAILS.replace("*** Test", "Suite Teardown    Fail    cannot clean\n*** Test")})
    assert [members(failed) for failed in run.failed] == [["S (suite setup)", "A", "B"], ["S (suite teardown)"]]


def test_a_test_skipped_on_failure_is_a_failure_and_a_skipped_one_is_none(catch):
    run = catch({"t.robot": TWO_FAIL.replace("Fail    two", "Skip    two")}, skiponfailure=["*"], settag=["x"])
    assert [failed.message for failed in run.failed] == ["one"]
    assert same(run)


def test_tests_after_exit_on_failure_name_the_trigger(catch):
    run = catch({"t.robot": TWO_FAIL}, exitonfailure=True)
    assert [members(failed) for failed in run.failed] == [["First"]]
    assert [(item.test_name, item.why) for item in run.untouched] == [
        ("Second", "This test did not run. Failure occurred and exit-on-failure mode is in use. Trigger: T.First")
    ]
    assert same(run)


def test_tests_after_exit_on_error_name_the_error(catch):
    suite = "*** Settings ***\nLibrary    nowhere.py\n*** Test Cases ***\nFirst\n    Log    x\nSecond\n    Log    x\n"
    run = catch({"a.robot": "*** Test Cases ***\nFails\n    Fail    before", "t.robot": suite}, exitonerror=True)
    assert len(run.failed) == 1
    assert all("exit-on-error" in item.why and "nowhere.py" in item.why for item in run.untouched)
    assert len(run.untouched) == 2


def test_tests_after_a_fatal_error_name_the_test_that_was_fatal(catch):
    run = catch({"t.robot": TWO_FAIL.replace("Fail    one", "Fatal Error    stop")})
    assert run.untouched[0].why.endswith("Trigger: T.First")


def test_a_test_that_a_signal_stopped_is_a_failure_that_stays_in_the_process(catch):
    stopped = TWO_FAIL.replace("Fail    one", "Fatal Error    Execution terminated by signal")  # Robot's own words
    run = catch({"t.robot": stopped})
    assert [(failed.test_name, bool(failed.kept)) for failed in run.failed] == [("First", True)]
    assert run.untouched[0].why.endswith("Trigger: a signal that stopped the run during 'T.First'")
    assert same(run)


def test_a_test_that_opted_out_is_left_alone(catch):
    run = catch({"t.robot": TWO_FAIL}, settag=["DDN:Off"])
    assert run.failed == run.untouched == []


def test_a_passing_run_and_a_dry_run_take_nothing_over(catch):
    assert catch({"t.robot": "*** Test Cases ***\nT\n    Log    x"}).failed == []
    assert catch({"t.robot": "*** Test Cases ***\nT\n    No Such Keyword"}, dryrun=True).failed == []


def test_a_handled_failure_in_a_suite_setup_is_no_failure(catch):
    suite = "*** Settings ***\nSuite Setup    Run Keyword And Ignore Error    Fail    x\n" + TWO_FAIL
    run = catch({"t.robot": suite})
    assert [members(failed) for failed in run.failed] == [["First"], ["Second"]]
    assert all(not report.exception.causes for report in run.reports)


def test_tasks_are_taken_over_like_tests(catch):
    run = catch({"t.robot": TWO_FAIL.replace("Test Cases", "Tasks")}, rpa=True)
    assert [members(failed) for failed in run.failed] == [["First"], ["Second"]]


def test_several_top_suites_keep_their_ids(catch):
    run = catch({"a.robot": TWO_FAIL, "b.robot": SETUP_FAILS})
    assert [failed.member.place for failed in run.failed] == [Place("s1-s1-t1"), Place("s1-s1-t2"), Place("", "s1-s2", "setup")]
    assert same(run)


def test_a_failed_import_in_a_resource_file_of_any_name_is_told_with_the_failure_that_it_caused(catch):
    shared = "*** Settings ***\nLibrary    not_there.py\n"
    uses = "*** Settings ***\nResource    shared/steps.robot\n*** Test Cases ***\nUses It\n    Missing Keyword"
    other = "*** Settings ***\nLibrary    nowhere.py\n*** Test Cases ***\nOther\n    Fail    x"
    files = {"suites/a.robot": other, "suites/shared/steps.robot": shared, "suites/u.robot": uses}
    run = catch(files, sources=["suites/a.robot", "suites/u.robot"])
    for failed in (run.failed[1], loaded(run)[1]):
        assert failed.test_name == "Uses It"
        assert ["not_there.py" in error.text for error in failed.errors] == [True]


def test_a_suite_teardown_that_is_no_keyword_is_answered_in_the_tests_it_made_fail(catch):
    run = catch({"t.robot": TEARDOWN_FAILS.replace("Fail    cannot clean", "${NOT THERE}")})
    assert [members(failed) for failed in run.failed] == [["Fails"], ["Passes"]]
    assert run.failed[1].phase is Phase.SUITE_TEARDOWN
    assert "NOT THERE" in run.failed[1].message
    assert [failed.member.full_name for failed in loaded(run)] == ["T.Fails"]  # its output file says that the other one passed


def test_tests_of_an_inner_suite_below_a_failed_setup_are_claimed_by_that_setup_only(catch):
    init = "*** Settings ***\nSuite Setup    Fail    outer\n"
    run = catch({"top/__init__.robot": init, "top/s.robot": TWO_FAIL, "top/t.robot": TWO_FAIL}, sources=["top"])
    assert [members(failed) for failed in run.failed] == [["Top (suite setup)", "S.First", "S.Second", "T.First", "T.Second"]]


def test_tests_skipped_on_failure_of_their_suites_setup_belong_to_it(catch):
    run = catch({"s.robot": SETUP_FAILS}, skiponfailure=["*"], settag=["x"])
    assert [members(failed) for failed in run.failed] == [["S (suite setup)", "A", "B"]]
    assert same(run)


def test_what_an_outer_suites_setup_has_caught_is_no_part_of_an_inner_suites_failure(catch):
    init = "*** Settings ***\nSuite Setup    Run Keyword And Ignore Error    Evaluate    open('/nope')\n"
    run = catch({"top/__init__.robot": init, "top/s.robot": SETUP_FAILS}, sources=["top"])
    assert [(call.raised.type, call.raised.message) for call in run.failed[0].calls] == [("AssertionError", "no database")]
