import pytest
from hypothesis import given
from hypothesis import strategies as st

from robot_ddn_listener.fingerprint import fingerprint, normalise, report_id

SAME_CAUSE = [
    ("Element with locator 'row-12' not found", "Element with locator 'row-7' not found"),
    ("Connection refused: 127.0.0.1:41233", "Connection refused: 127.0.0.1:50871"),
    ("Timed out after 10.25 s at 2026-01-02 10:11:12", "Timed out after 9.8 s at 2026-03-04T01:02:03.456Z"),
    ("<Session object at 0x7f4a3b2c1d00>", "<Session object at 0x7f0000000010>"),
    ("No such file: /tmp/abc123/x.log", "No such file: /tmp/zzz/x.log"),
    ("order 3fa85f64-5717-4562-b3fc-2c963f66afa6 lost", "order 0b8ce0a2-1a2b-4c3d-8e4f-5a6b7c8d9e0f lost"),
    ("user 123456 not found", "user 98765432 not found"),
]
OTHER_CAUSE = [
    ("500 != 200", "401 != 200"),
    ("HTTPError: 500 Server Error", "HTTPError: 503 Server Error"),
    ("[Errno 111] Connection refused", "[Errno 104] Connection reset"),
    ("exit code 3221225477", "exit code 3221225781"),
    ("WinError 10061", "WinError 10060"),
    ("Connection refused: db:5432", "Connection refused: db:6379"),
    ("Process was killed by signal 9", "Process was killed by signal 11"),
    ("HTTP-500", "HTTP-404"),
]


@pytest.mark.parametrize(("one", "other"), SAME_CAUSE)
def test_what_varies_between_two_occurrences_is_taken_out(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), OTHER_CAUSE)
def test_what_tells_causes_apart_stays(one, other):
    assert normalise(one) != normalise(other)


def test_type_and_keyword_are_part_of_the_group():
    parts = [("KeyError", "Lib.Do It"), ("", "Lib.Do It"), ("KeyError", "Lib.Other")]
    assert len({fingerprint(kind, "x", keyword) for kind, keyword in parts}) == 3


def test_keyword_spelling_is_not_part_of_the_group():
    assert fingerprint("", "x", "Lib.Do It") == fingerprint("", "x", "Lib.do_it")


def test_one_group_has_one_id_in_a_run_and_another_in_the_next():
    assert report_id("run", "abc") == report_id("run", "abc")
    assert len({report_id("run", "abc"), report_id("run", "abd"), report_id("next", "abc")}) == 3


def test_two_projects_whose_runs_are_called_the_same_have_different_ids():
    """A build number is no name of its own: project A's answer would stand under project B's failure."""
    assert len({report_id("build-17", "abc", project) for project in ("", "ours", "theirs")}) == 3


@given(st.text())
def test_normalising_twice_changes_nothing_more(text):
    once = normalise(text)
    assert normalise(once) == once


@given(st.text(), st.text())
def test_any_text_has_a_group_and_an_id(message, run):
    assert len(fingerprint("", message, "k")) == 16
    assert len(report_id(run, "g")) == 36
