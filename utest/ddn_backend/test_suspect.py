"""Suspects: which commits are named, why, in which order, and when nothing is claimed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.adapters.git import GitCheckout
from ddn_backend.adapters.github import GitHub
from ddn_backend.pipeline.case import Case
from ddn_backend.pipeline.changed_lines import changed_lines, distance, line_before
from ddn_backend.pipeline.suspect import places_of, suspect
from ddn_backend.ports import CodeHost
from robot_ddn_listener.contract import Analysis, ExceptionInfo, FailureReport, Frame, Git, KeywordCall, Run, Suspect
from servers.github import REPOSITORY, TOKEN, Fault, GitHubServer, Project, in_an_hour

LIBRARY = [f"line {number}" for number in range(1, 61)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "shop")


def text(**changed: str) -> str:
    """Return the library's text; ``l42="new"`` writes line 42."""
    return "".join(f"{changed.get(f'l{number}', line)}\n" for number, line in enumerate(LIBRARY, 1))


def report(commit: str, **changed: Any) -> FailureReport:
    frames = (
        Frame("tests/lib/Keywords.py", 7, "order", own=True),
        Frame("lib/shop.py", 42, "pay", own=True),
        Frame("requests/api.py", 59, "get"),
    )
    plain = FailureReport(
        id="r", project="shop", fingerprint="f", suite_name="s", test_name="t", error_message="m",
        run=Run("run", git=Git(commit=commit)),
        source="tests/order.robot", lineno=3,
        keywords=(KeywordCall("Order", "", source="tests/order.robot", lineno=4),
                  KeywordCall("Pay", "Keywords", source="tests/pay.resource", lineno=12)),
        exception=ExceptionInfo("TypeError", "x", frames),
    )  # fmt: skip
    return replace(plain, **changed)


def asked(failed: FailureReport, hosts: Sequence[CodeHost], since: str = "") -> Case:
    return suspect(Case(failed, Analysis(failed.id)), hosts, lambda _: since)


def suspects(project: Project, commit: str, since: str = "", **changed: Any) -> tuple[Suspect, ...]:
    case = asked(report(commit, **changed), [GitCheckout(project.root)], since)
    assert case.problems == ()
    return case.analysis.suspects


def test_a_commit_that_changed_the_failing_line_since_the_last_pass_is_named(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    commit = project.commit("Pay in cents", lib__shop_py=text(l42="changed"))
    assert suspects(project, commit, passed) == (
        Suspect(commit, "lib/shop.py", f"changed line 42, where it failed, since the last pass ({passed[:10]}) — “Pay in cents”"),
    )


def test_the_very_lines_come_before_lines_next_to_them_and_these_before_the_file(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    line = project.commit(lib__shop_py=text(l42="line"))
    file = project.commit(lib__shop_py=text(l42="line", l1="file"))
    near = project.commit(lib__shop_py=text(l42="line", l1="file", l44="near"))
    assert [(item.commit, item.why.split(",")[0]) for item in suspects(project, near, passed)] == [
        (line, "changed line 42"),
        (near, "changed lines next to line 42"),
        (file, "changed the file of line 42"),
    ]


def test_a_line_that_was_written_again_does_not_count_for_older_commits(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    project.commit(lib__shop_py=text(l42="older"))
    newer = project.commit(lib__shop_py=text(l42="newer"))
    found = suspects(project, newer, passed)
    assert [item.why.split(",")[0] for item in found] == ["changed line 42", "changed the file of line 42"]
    assert found[0].commit == newer


def test_lines_next_to_the_failing_one_are_told_as_such(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    found = suspects(project, project.commit(lib__shop_py=text(l45="near")), passed)
    assert [item.why.partition(", since")[0] for item in found] == ["changed lines next to line 42, where it failed"]


def test_a_line_is_followed_back_through_newer_commits(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    changed_it = project.commit(lib__shop_py=text(l22="changed"))
    moved_it = project.commit(lib__shop_py="new\n" * 20 + text(l22="changed"))
    found = suspects(project, moved_it, passed)
    assert [item.commit for item in found] == [changed_it, moved_it]
    assert found[0].why.startswith("changed line 42, where it failed")


def test_the_line_that_calls_the_failing_keyword_counts_too(project: Project) -> None:
    passed = project.commit(tests__pay_resource="".join(f"{number}\n" for number in range(30)))
    commit = project.commit(tests__pay_resource="".join(f"{'x' if number == 11 else number}\n" for number in range(30)))
    found = suspects(project, commit, passed)
    assert [(item.file, item.why.partition(", since")[0]) for item in found] == [
        ("tests/pay.resource", "changed line 12, which calls 'Keywords.Pay'")
    ]


def test_a_commit_beside_the_failing_file_is_the_last_to_be_named(project: Project) -> None:
    passed = project.commit(lib__shop_py=text(), lib__cart_py="1\n")
    in_file = project.commit(lib__shop_py=text(l1="x"))
    beside = project.commit(lib__cart_py="2\n")
    found = suspects(project, beside, passed)
    assert [(item.commit, item.file) for item in found] == [(in_file, "lib/shop.py"), (beside, "lib/cart.py")]
    assert found[1].why.startswith("changed a file in the folder of lib/shop.py, where it failed, since")


def test_at_most_three_are_named(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    for number in range(6):
        commit = project.commit(lib__shop_py=text(l1=str(number)))
    assert len(suspects(project, commit, passed)) == 3


def test_commits_that_touch_nothing_of_the_failure_are_not_named(project: Project) -> None:
    passed = project.commit(lib__shop_py=text(), docs__a_md="1\n")
    assert suspects(project, project.commit(docs__a_md="2\n", other__x_py="1\n"), passed) == ()


def test_the_root_folder_is_no_folder_to_suspect(project: Project) -> None:
    passed = project.commit_files({"shop.py": "1\n", "other.py": "1\n"})
    commit = project.commit_files({"other.py": "2\n"})
    exception = ExceptionInfo("E", "", (Frame("shop.py", 1, own=True),))
    assert suspects(project, commit, passed, exception=exception) == ()


def test_a_pass_of_the_same_commit_leaves_nothing_to_suspect(project: Project) -> None:
    project.commit(lib__shop_py=text())
    commit = project.commit(lib__shop_py=text(l42="x"))
    assert suspects(project, commit, commit) == ()


def test_without_a_last_pass_the_last_commits_are_looked_at_and_it_is_said(project: Project) -> None:
    project.commit(lib__shop_py=text())
    commit = project.commit(lib__shop_py=text(l42="x"))
    found = suspects(project, commit)
    assert found[0].commit == commit
    assert "changed line 42, where it failed, in the last 10 commits up to the run's: the last pass is not known" in found[0].why


def test_without_a_last_pass_older_commits_and_neighbours_are_not_suspected(project: Project) -> None:
    project.commit(lib__shop_py=text())
    for number in range(10):
        commit = project.commit(lib__cart_py=f"{number}\n")
    assert suspects(project, commit) == ()


def test_a_last_pass_that_the_history_lacks_is_told(project: Project) -> None:
    project.commit(lib__shop_py=text())
    commit = project.commit(lib__shop_py=text(l42="x"))
    assert "the last pass (c0ffee0000) is not in the history" in suspects(project, commit, "c0ffee" + "0" * 34)[0].why


def test_the_last_pass_may_be_a_date(project: Project) -> None:
    project.commit(lib__shop_py=text())
    commit = project.commit(lib__shop_py=text(l42="x"))
    found = suspects(project, commit, "2026-03-01T18:00:00+00:00")
    assert [item.commit for item in found] == [commit]
    assert "since the last pass (2026-03-01)" in found[0].why


def test_uncommitted_changes_are_told(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    commit = project.commit(lib__shop_py=text(l42="x"))
    found = suspects(project, commit, passed, run=Run("run", git=Git(commit=commit, dirty=True)))
    assert "; the run had uncommitted changes, too" in found[0].why


def test_a_long_subject_is_cut_and_stays_on_one_line(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    found = suspects(project, project.commit("Long " * 50, lib__shop_py=text(l42="x")), passed)
    assert found[0].why.endswith("…”")
    assert len(found[0].why) < 220


def test_the_code_around_the_failing_line_and_the_keyword_is_that_of_the_run(project: Project) -> None:
    commit = project.commit(lib__shop_py=text(), tests__pay_resource="".join(f"{number}\n" for number in range(30)))
    project.commit(lib__shop_py="later\n")
    case = asked(report(commit), [GitCheckout(project.root)], commit)
    assert [(lines.file, lines.first, len(lines.lines)) for lines in case.code] == [
        ("lib/shop.py", 32, 21),
        ("tests/pay.resource", 2, 21),
    ]
    assert case.code[0].lines[10] == "line 42"


def test_a_file_that_is_too_young_shows_no_code(project: Project) -> None:
    commit = project.commit(docs__a_md="1\n")
    assert asked(report(commit), [GitCheckout(project.root)]).code == ()


def test_places_go_from_where_it_failed_outwards() -> None:
    assert [(place.file, place.line) for place in places_of(report("c"))] == [
        ("lib/shop.py", 42),
        ("tests/pay.resource", 12),
        ("tests/lib/Keywords.py", 7),
        ("tests/order.robot", 4),
        ("tests/order.robot", 3),
    ]


def test_without_own_frames_the_call_of_the_failing_keyword_is_the_place() -> None:
    assert places_of(report("c", exception=None))[0].file == "tests/pay.resource"


class Untouched:
    """A code host that must not be asked."""

    name = "none"
    sees = ""

    def __getattr__(self, name: str) -> Any:
        pytest.fail(f"{name} was asked for")


@pytest.mark.parametrize("changed", [{"run": Run("run")}, {"exception": None, "keywords": (), "source": ""}])
def test_without_a_commit_or_a_place_nobody_is_asked(changed: dict[str, Any]) -> None:
    failed = report("c" * 40, **changed)
    host: Any = Untouched()
    assert asked(failed, [host]) == Case(failed, Analysis(failed.id))


def test_without_a_code_host_nothing_is_claimed() -> None:
    assert asked(report("c" * 40), []) == Case(report("c" * 40), Analysis("r"))


def test_github_alone_names_the_same_suspects_and_takes_at_most_ten_calls(project: Project) -> None:
    passed = project.commit(lib__shop_py=text(), tests__pay_resource="a\n" * 30, tests__lib__Keywords_py="a\n", lib__cart_py="a\n")
    project.commit(lib__cart_py="b\n", tests__lib__Keywords_py="b\n")
    project.commit("Pay", lib__shop_py=text(l42="x"), tests__order_robot="x\n")
    commit = project.commit(tests__pay_resource="b\n" * 30)
    with GitHubServer(project) as server:
        case = asked(report(commit), [GitHub(REPOSITORY, TOKEN, api=server.url)], passed)
    assert case.problems == ()
    assert case.analysis.suspects == suspects(project, commit, passed)
    assert len(server.asked) <= 10
    assert case.sent_to == ("github: names of files of the trace, ids of commits",)


def test_when_github_limits_the_checkout_is_used_and_it_is_said(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    commit = project.commit(lib__shop_py=text(l42="x"))
    with GitHubServer(project) as server:
        server.faults.append(Fault(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(in_an_hour())}))
        hosts = [GitHub(REPOSITORY, TOKEN, api=server.url), GitCheckout(project.root)]
        case = asked(report(commit), hosts, passed)
    assert [item.commit for item in case.analysis.suspects] == [commit]
    note = case.problems[0].note
    assert note.startswith("github: rate limited until ")
    assert note.endswith(" UTC, local checkout used")
    assert len(server.asked) == 1


def test_what_the_checkout_does_not_know_github_is_asked_about(project: Project, tmp_path: Path) -> None:
    passed = project.commit(lib__shop_py=text())
    project.git("clone", "--quiet", str(project.root), str(tmp_path / "old"))
    commit = project.commit(lib__shop_py=text(l42="x"))
    with GitHubServer(project) as server:
        hosts = [GitCheckout(tmp_path / "old"), GitHub(REPOSITORY, TOKEN, api=server.url)]
        case = asked(report(commit), hosts, passed)
    assert [item.commit for item in case.analysis.suspects] == [commit]
    assert case.problems == ()


@pytest.mark.parametrize(
    ("fault", "note"),
    [
        (Fault(401), "github: it does not accept GITHUB_TOKEN (401), suspects may be missing"),
        (Fault(502), "github: it answered 502, suspects may be missing"),
        (Fault(200, {}, b"<html>"), "github: the answer is not GitHub's, suspects may be missing"),
    ],
)
def test_a_github_that_fails_leaves_the_answer_without_suspects(project: Project, fault: Fault, note: str) -> None:
    commit = project.commit(lib__shop_py=text())
    with GitHubServer(project) as server:
        server.faults.append(fault)
        case = asked(report(commit), [GitHub(REPOSITORY, TOKEN, api=server.url)])
    assert case.analysis.suspects == ()
    assert [problem.note for problem in case.problems] == [note]


def test_a_failure_half_way_keeps_what_is_known(project: Project) -> None:
    passed = project.commit(lib__shop_py=text())
    commit = project.commit(lib__shop_py=text(l42="x"))
    with GitHubServer(project) as server:
        host = GitHub(REPOSITORY, TOKEN, api=server.url, calls_a_minute=3)  # too few to read the diff
        case = asked(report(commit), [host], passed)
    assert [item.why.partition(", since")[0] for item in case.analysis.suspects] == ["changed the file of line 42, where it failed"]
    assert case.problems[0].note.startswith("github: rate limited until ")


PATCH = """@@ -1,3 +1,4 @@
 a
+new
 b
 c
@@ -10,4 +11,3 @@ def f():
 d
-e
-f
+g
 h
\\ No newline at end of file"""


def test_changed_lines_are_those_without_what_surrounds_them() -> None:
    assert [(block.old, block.removed, block.new, block.added) for block in changed_lines(PATCH)] == [(2, 0, 2, 1), (11, 2, 12, 1)]


@pytest.mark.parametrize(("line", "before"), [(1, 1), (2, None), (3, 2), (11, 10), (12, None), (13, 13), (20, 20)])
def test_a_line_is_found_where_it_stood_before(line: int, before: int | None) -> None:
    assert line_before(changed_lines(PATCH), line) == before


@pytest.mark.parametrize(("line", "away"), [(1, 1), (2, 0), (3, 1), (6, 4), (12, 0), (14, 2)])
def test_the_distance_is_that_to_the_nearest_change(line: int, away: int) -> None:
    assert distance(changed_lines(PATCH), line) == away


def test_lines_that_were_only_removed_are_beside_both_neighbours() -> None:
    removed = changed_lines("@@ -5,3 +5,2 @@\n a\n-b\n c")
    assert [distance(removed, line) for line in (4, 5, 6, 7)] == [2, 1, 1, 2]
    assert [line_before(removed, line) for line in (5, 6)] == [5, 7]


def test_a_file_that_was_emptied_and_one_without_a_patch_are_read() -> None:
    assert distance(changed_lines("@@ -1,2 +0,0 @@\n-a\n-b"), 1) == 1
    assert distance(changed_lines(""), 1) is None
