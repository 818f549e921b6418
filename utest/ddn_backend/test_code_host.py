"""What every code host keeps to: the same questions to the local checkout and, over the wire, to GitHub."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ddn_backend.adapters.git import GitCheckout
from ddn_backend.adapters.github import GitHub
from ddn_backend.ports import CodeHost, Commit, SourceLines
from servers.github import REPOSITORY, TOKEN, GitHubServer, Project

UNKNOWN = "c0ffee" + "0" * 34


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "shop")


@pytest.fixture(params=["git", "github"])
def host(request: pytest.FixtureRequest, project: Project) -> Iterator[CodeHost]:
    if request.param == "git":
        yield GitCheckout(project.root)
        return
    with GitHubServer(project) as server:
        yield GitHub(REPOSITORY, TOKEN, api=server.url, calls_a_minute=100)


def ids(commits: tuple[Commit, ...] | None) -> list[str]:
    assert commits is not None
    return [commit.id for commit in commits]


def test_lines_are_those_of_the_commit(host: CodeHost, project: Project) -> None:
    old = project.commit(lib__shop_py="a = 1\nb = 2\nc = 3\nd = 4\n")
    project.commit(lib__shop_py="changed\n")
    assert host.source("lib/shop.py", 2, 3, old) == SourceLines("lib/shop.py", 2, ("b = 2", "c = 3"), old)


def test_lines_are_counted_as_editors_and_tracebacks_do(host: CodeHost, project: Project) -> None:
    commit = project.commit(lib__shop_py="a\r\nb\x0c\u2028\x1e\nc\n")
    found = host.source("lib/shop.py", 1, 9, commit)
    assert found
    assert found.lines == ("a", "b\x0c\u2028\x1e", "c")


def test_lines_beyond_the_end_are_left_out(host: CodeHost, project: Project) -> None:
    commit = project.commit(lib__shop_py="a\nb\nc\n")
    found = host.source("lib/shop.py", -5, 900, commit)
    assert found
    assert (found.first, found.lines) == (1, ("a", "b", "c"))
    assert host.source("lib/shop.py", 4, 9, commit) is None


@pytest.mark.parametrize("file", ["lib/none.py", "lib", "lib/"])
def test_what_is_no_file_of_the_commit_is_nothing(host: CodeHost, project: Project, file: str) -> None:
    assert host.source(file, 1, 9, project.commit(lib__shop_py="a\n")) is None


@pytest.mark.parametrize("commit", [UNKNOWN, "--help", "HEAD~1", "a..b", "@{-1}", "main:lib"])
def test_an_unknown_commit_is_nothing(host: CodeHost, project: Project, commit: str) -> None:
    known = project.commit(lib__shop_py="a\n")
    assert host.source("lib/shop.py", 1, 9, commit) is None
    assert host.diff(commit) is None
    assert host.commits(["lib/shop.py"], commit) is None
    assert host.commits(["lib/shop.py"], known, commit) is None


@pytest.mark.parametrize("content", ["a\0b\n", "x" * 1_100_000])
def test_binary_and_huge_files_are_nothing(host: CodeHost, project: Project, content: str) -> None:
    assert host.source("lib/shop.py", 1, 9, project.commit(lib__shop_py=content)) is None


@pytest.mark.parametrize(
    "file",
    ["../shop/lib/shop.py", "lib/../lib/shop.py", "/etc/passwd", "lib/shop.py\0", "", ".", "./lib/shop.py", "lib//shop.py",
     ".git/config", "lib/.GIT/config", "~/x", "C:/x", "lib\\shop.py", ":(top)lib/shop.py", "*"],
)  # fmt: skip
def test_paths_that_could_lead_elsewhere_are_refused(host: CodeHost, project: Project, file: str) -> None:
    commit = project.commit(lib__shop_py="a\n")
    assert host.source(file, 1, 9, commit) is None
    assert host.source(file, 1, 9) is None
    assert not host.commits([file], commit)


def test_commits_since_another_are_those_that_touch_the_paths_the_newest_first(host: CodeHost, project: Project) -> None:
    project.commit(lib__shop_py="1\n")
    passed = project.commit(docs__a_md="1\n")
    first = project.commit("Two things", lib__shop_py="2\n", lib__cart_py="2\n")
    project.commit(docs__a_md="2\n")
    last = project.commit(lib__cart_py="3\n")
    found = host.commits(["lib/shop.py", "lib/cart.py"], last, passed)
    assert ids(found) == [last, first]
    assert found
    assert set(found[1].files) == {"lib/shop.py", "lib/cart.py"}
    assert (found[1].subject, found[1].when[:10]) == ("Two things", "2026-03-03")


def test_a_branch_that_was_merged_since_counts_however_old_its_commits_are(host: CodeHost, project: Project) -> None:
    project.commit(lib__shop_py="1\n")
    project.git("checkout", "--quiet", "-b", "feature")
    old = project.commit(lib__shop_py="2\n")
    project.git("checkout", "--quiet", "main")
    passed = project.commit(docs__a_md="1\n")
    project.git("merge", "--quiet", "--no-ff", "--message=Merge", "feature")
    head = project.git("rev-parse", "HEAD").strip()
    assert ids(host.commits(["lib/shop.py"], head, passed)) == [old]


def test_a_merge_is_not_named_even_where_it_changed_something(host: CodeHost, project: Project) -> None:
    passed = project.commit(lib__shop_py="1\n")
    project.git("checkout", "--quiet", "-b", "feature")
    there = project.commit(lib__shop_py="2\n")
    project.git("checkout", "--quiet", "main")
    here = project.commit(lib__shop_py="3\n")
    project.git("merge", "--quiet", "--no-commit", "--strategy=ours", "feature")
    merge = project.commit(lib__shop_py="both\n")
    assert set(ids(host.commits(["lib/shop.py"], merge, passed))) == {here, there}
    diff = host.diff(merge)
    assert diff
    assert [change.patch for change in diff.changes] == ["@@ -1 +1 @@\n-3\n+both"]


def test_a_folder_stands_for_all_files_below_it(host: CodeHost, project: Project) -> None:
    passed = project.commit(lib__shop_py="1\n")
    inside, _ = project.commit(lib__more__cart_py="1\n"), project.commit(library__x_py="1\n")
    assert ids(host.commits(["lib/"], "main", passed)) == [inside]


def test_nothing_touched_is_an_answer(host: CodeHost, project: Project) -> None:
    passed = project.commit(lib__shop_py="1\n")
    assert host.commits(["lib/shop.py"], project.commit(docs__a_md="1\n"), passed) == ()


def test_commits_since_a_date(host: CodeHost, project: Project) -> None:
    project.commit(lib__shop_py="1\n")
    later = project.commit(lib__shop_py="2\n")
    for since in ("2026-03-02", "2026-03-02T00:00:00Z", "2026-03-02T11:59:00.5", "2026-03-02T13:00:00+02:00"):
        assert ids(host.commits(["lib/shop.py"], later, since)) == [later]


@pytest.mark.parametrize("since", ["yesterday", "--output=x", "last week", "2026-13-99", "2026-03-02; x"])
def test_a_since_that_is_neither_commit_nor_date_is_not_known(host: CodeHost, project: Project, since: str) -> None:
    assert host.commits(["lib/shop.py"], project.commit(lib__shop_py="1\n"), since) is None


def test_without_a_since_only_the_last_commits_are_looked_at(host: CodeHost, project: Project) -> None:
    project.commit(lib__shop_py="1\n")
    near = project.commit(lib__shop_py="2\n")
    head = project.commit(docs__a_md="1\n")
    assert ids(host.commits(["lib/shop.py"], head, limit=2)) == [near]


def test_a_diff_names_each_file_with_its_hunks(host: CodeHost, project: Project) -> None:
    project.commit_files({"lib/shop.py": "a\nb\n", "lib/old name.py": "same\n" * 9, "docs/a.md": "x\n"})
    commit = project.commit_files(
        {"lib/shop.py": "a\nB\n", "lib/old name.py": None, "lib/new näme.py": "same\n" * 9, "docs/a.md": "y\n"},
        "Change\n\nAll of it.",
    )
    diff = host.diff(commit)
    assert diff
    assert (diff.commit, diff.subject, diff.cut) == (commit, "Change", ())
    changes = {change.file: change for change in diff.changes}
    assert changes["lib/shop.py"].patch.startswith("@@ -1,2 +1,2 @@\n a\n-b\n+B")
    if "lib/new näme.py" in changes:
        assert changes["lib/new näme.py"].before == "lib/old name.py"
    only = host.diff(commit, ["docs/"])
    assert only
    assert [change.file for change in only.changes] == ["docs/a.md"]


def test_a_diff_of_paths_that_a_commit_does_not_touch_is_empty(host: CodeHost, project: Project) -> None:
    diff = host.diff(project.commit(lib__shop_py="a\n"), ["docs/"])
    assert diff
    assert diff.changes == ()


def test_a_long_diff_is_cut_and_says_so(host: CodeHost, project: Project) -> None:
    diff = host.diff(project.commit(lib__shop_py="".join(f"line {number}\n" for number in range(5000))))
    assert diff
    assert len(diff.changes[0].patch) <= 20_000
    assert diff.cut[0].startswith("lib/shop.py: ")
    assert diff.cut[0].endswith("characters were left out")


def test_code_is_searched_for_whole_words_in_tracked_files(host: CodeHost, project: Project) -> None:
    project.commit(lib__shop_py="a = 1\nrefill_glimmer()\n", docs__a_md="refill_glimmer_twice\n", lib__cart_py="pay_now()\n")
    (project.root / "untracked.py").write_text("refill_glimmer()\n")
    found = host.search(["refill_glimmer", "pay_now", "--output=x"])
    assert {lines.file for lines in found} == {"lib/shop.py", "lib/cart.py"}
    assert any("refill_glimmer()" in lines.lines for lines in found)
    assert [len(host.search(["refill_glimmer", "pay_now"], limit)) for limit in (1, 3)] == [1, 2]


@pytest.mark.parametrize("words", [[], ["nowhere_at_all"], ["-O/tmp/x"], ["a b"]])
def test_a_search_may_find_nothing(host: CodeHost, project: Project, words: list[str]) -> None:
    project.commit(lib__shop_py="a b -O/tmp/x\n")
    assert host.search(words) == ()


def test_the_first_commit_has_a_diff(host: CodeHost, project: Project) -> None:
    diff = host.diff(project.commit(lib__shop_py="a\n"))
    assert diff
    assert [change.patch for change in diff.changes] == ["@@ -0,0 +1 @@\n+a"]
