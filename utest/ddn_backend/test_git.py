"""The local checkout: only what git tracks below the root, no program of anybody's, no network, bounded."""

import os
import pickle
import shutil
import stat
import time
from pathlib import Path

import pytest

from ddn_backend.adapters.git import GitCheckout
from ddn_backend.errors import PermanentError, SettingsError, TransientError
from ddn_backend.ports import CodeHostError
from servers.github import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "shop")


@pytest.fixture
def checkout(project: Project) -> GitCheckout:
    return GitCheckout(project.root)


def clone(project: Project, to: Path, *options: str) -> Path:
    project.git("clone", "--quiet", *options, project.root.as_uri(), str(to))
    return to


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_without_a_commit_lines_are_those_on_disk(checkout: GitCheckout, project: Project) -> None:
    project.commit(lib__shop_py="committed\n")
    (project.root / "lib" / "shop.py").write_text("edited\n")
    found = checkout.source("lib/shop.py", 1, 9)
    assert found
    assert (found.lines, found.commit) == (("edited",), "")


def test_a_file_that_git_does_not_track_is_nothing(checkout: GitCheckout, project: Project) -> None:
    project.commit_files({"a.py": "a\n", ".gitignore": ".env\n"})
    (project.root / ".env").write_text("password\n")
    (project.root / "new.py").write_text("new\n")
    assert [checkout.source(file, 1, 9) for file in (".env", "new.py")] == [None, None]


@pytest.mark.parametrize("target", ["{outside}/secret", ".env", ".git/config", "loop"])
def test_a_tracked_link_to_what_is_not_tracked_is_nothing(
    checkout: GitCheckout, project: Project, tmp_path: Path, target: str
) -> None:
    (tmp_path / "secret").write_text("password\n")
    project.commit_files({"a.py": "a\n", ".gitignore": ".env\n"})
    (project.root / ".env").write_text("password\n")
    (project.root / "loop").symlink_to(target.format(outside=tmp_path))
    commit = project.commit("A link")
    assert (checkout.source("loop", 1, 9), checkout.source("loop", 1, 9, commit)) == (None, None)


def test_a_folder_that_is_a_link_out_of_the_project_is_nothing(checkout: GitCheckout, project: Project, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "shop.py").write_text("not ours\n")
    project.commit(lib__shop_py="ours\n")
    shutil.rmtree(project.root / "lib")
    (project.root / "lib").symlink_to(tmp_path / "outside")
    assert checkout.source("lib/shop.py", 1, 9) is None


def test_below_a_root_inside_the_checkout_only_its_files_are_read(project: Project) -> None:
    passed = project.commit_files({"tests/a.robot": "a\n", "deploy/keys.yaml": "k\n"})
    commit = project.commit_files({"tests/a.robot": "b\n", "deploy/keys.yaml": "l\n"})
    checkout = GitCheckout(project.root / "tests")
    assert checkout.source("tests/a.robot", 1, 9)
    assert checkout.source("tests/a.robot", 1, 9, commit)
    assert (checkout.source("deploy/keys.yaml", 1, 9), checkout.source("deploy/keys.yaml", 1, 9, commit)) == (None, None)
    assert checkout.commits(["deploy/keys.yaml"], commit, passed) == ()
    found = checkout.commits(["tests/a.robot", "deploy/keys.yaml"], commit, passed)
    assert found
    assert found[0].files == ("tests/a.robot",)
    diff = checkout.diff(commit)
    assert diff
    assert [change.file for change in diff.changes] == ["tests/a.robot"]


def test_a_tracked_link_out_of_a_root_inside_the_checkout_is_nothing(project: Project) -> None:
    project.commit_files({"tests/a.robot": "a\n", "deploy/keys.yaml": "k\n"})
    (project.root / "tests" / "link").symlink_to("../deploy/keys.yaml")
    project.commit("A link")
    assert GitCheckout(project.root / "tests").source("tests/link", 1, 9) is None
    assert GitCheckout(project.root).source("tests/link", 1, 9)


def test_no_program_that_the_checkout_names_is_run(checkout: GitCheckout, project: Project, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    trap = program(tmp_path / "trap", f'touch "{ran}"; cat')
    passed = project.commit_files({"lib/shop.py": "a\n", ".gitattributes": "*.py diff=trap filter=trap\n"})
    commit = project.commit(lib__shop_py="b\n")
    for name in ("core.fsmonitor", "core.pager", "diff.external", "diff.trap.textconv", "diff.trap.command", "gpg.program"):
        project.git("config", name, str(trap))
    for name, value in (("filter.trap.smudge", trap), ("filter.trap.clean", trap), ("log.showSignature", "true")):
        project.git("config", name, str(value))
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc"):
        program(project.root / ".git" / "hooks" / hook, f'touch "{ran}"')
    os.utime(project.root / "lib" / "shop.py", (1, 1))
    assert checkout.source("lib/shop.py", 1, 9)
    assert checkout.source("lib/shop.py", 1, 9, commit)
    assert checkout.commits(["lib/"], commit, passed)
    assert checkout.diff(commit)
    assert not ran.exists()


def test_what_a_partial_clone_lacks_is_not_fetched(project: Project, tmp_path: Path) -> None:
    project.git("config", "uploadpack.allowFilter", "true")
    commit = project.commit(lib__shop_py="a\n")
    head = project.commit(lib__shop_py="b\n")
    place = clone(project, tmp_path / "clone", "--filter=blob:none")
    before = sorted((place / ".git" / "objects").rglob("*"))
    checkout = GitCheckout(place)
    assert checkout.source("lib/shop.py", 1, 9, head)
    with pytest.raises(CodeHostError):
        checkout.source("lib/shop.py", 1, 9, commit)
    assert sorted((place / ".git" / "objects").rglob("*")) == before


def test_the_oldest_commit_of_a_shallow_clone_is_never_named(project: Project, tmp_path: Path) -> None:
    project.commit(lib__shop_py="1\n")
    oldest = project.commit(docs__a_md="1\n")
    head = project.commit(lib__shop_py="2\n")
    checkout = GitCheckout(clone(project, tmp_path / "clone", "--depth=2"))
    found = checkout.commits(["lib/shop.py", "docs/a.md"], head)
    assert found
    assert [commit.id for commit in found] == [head]
    assert checkout.diff(oldest) is None


def test_the_environment_of_the_worker_does_not_reach_git(
    checkout: GitCheckout, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = project.commit(lib__shop_py="a\n")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(tmp_path / "nothing"))
    assert checkout.source("lib/shop.py", 1, 9, commit)
    assert checkout.diff(commit)


def test_a_git_that_hangs_is_stopped_and_may_be_tried_again(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = project.commit(lib__shop_py="a\n")
    monkeypatch.setenv("PATH", str(program(tmp_path / "bin" / "git", "exec sleep 60").parent), prepend=os.pathsep)
    start = time.monotonic()
    with pytest.raises(TransientError, match=r"^Reading checkout '.*shop' failed: git took longer than 0\.1 s\. The analysis goes"):
        GitCheckout(project.root, seconds=0.1).source("lib/shop.py", 1, 9, commit)
    assert time.monotonic() - start < 30


def test_a_commit_that_is_too_long_to_read_says_so(checkout: GitCheckout, project: Project) -> None:
    commit = project.commit_files({f"vendored/{number}.txt": "x" * 900_000 + "\n" for number in range(6)})
    diff = checkout.diff(commit)
    assert diff
    assert (diff.changes, diff.cut) == ((), ("the changes: they are longer than 4,000,000 bytes",))


def test_a_subject_that_looks_like_a_commit_is_a_subject(checkout: GitCheckout, project: Project) -> None:
    passed = project.commit(lib__shop_py="a\n")
    subject = "\x1e" + "a" * 40
    commit = project.commit(subject, lib__shop_py="b\n")
    last = project.commit("Last", lib__shop_py="c\n")
    found = checkout.commits(["lib/shop.py"], last, passed)
    assert found
    assert [(item.id, item.subject) for item in found] == [(last, "Last"), (commit, subject)]


def test_without_git_it_is_said(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = project.commit(lib__shop_py="a\n")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(PermanentError, match="there is no program 'git'") as caught:
        GitCheckout(project.root).source("lib/shop.py", 1, 9, commit)
    assert isinstance(caught.value, CodeHostError)
    assert caught.value.cause == "git is not installed"


def test_a_root_that_is_no_checkout_names_the_setting(tmp_path: Path, project: Project) -> None:
    project.commit(lib__shop_py="a\n")
    GitCheckout(project.root).check()
    (tmp_path / "plain").mkdir()
    for place in (tmp_path / "plain", tmp_path / "nowhere"):
        with pytest.raises(SettingsError, match=r"DDN_SOURCE_ROOT"):
            GitCheckout(place).check()


def test_an_error_keeps_cause_and_delay_between_processes() -> None:
    from ddn_backend.ports import CodeHostDownError

    again = pickle.loads(pickle.dumps(CodeHostDownError("Reading failed: x. y.", "x", 5.0)))
    assert (str(again), again.cause, again.delay) == ("Reading failed: x. y.", "x", 5.0)
