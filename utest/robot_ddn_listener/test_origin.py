import shutil
import subprocess

import pytest

from robot_ddn_listener.contract import Ci, Git
from robot_ddn_listener.origin import describe_run, project_name, project_root
from utest.conftest import missing


@pytest.mark.parametrize(
    ("repository", "name"),
    [
        ("https://host/team/shop.git", "shop"),
        ("git@host:team/shop.git", "shop"),
        ("/srv/git/shop/", "shop"),
        ("C:\\git\\shop", "shop"),
        ("", ""),
    ],
)
def test_the_project_is_named_after_the_remote(repository, name):
    assert project_name(repository) == name


@pytest.mark.parametrize(
    ("environ", "ci"),
    [
        ({}, Ci()),
        ({"CI": "true"}, Ci("CI")),
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_SERVER_URL": "https://forge",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_RUN_ID": "7",
            },
            Ci("GitHub Actions", "https://forge/a/b/actions/runs/7"),
        ),
        ({"GITHUB_ACTIONS": "true"}, Ci("GitHub Actions")),
        ({"CI": "true", "GITLAB_CI": "true", "CI_JOB_URL": "https://forge/job/1"}, Ci("GitLab CI", "https://forge/job/1")),
        ({"JENKINS_URL": "http://j", "BUILD_URL": "http://j/job/2"}, Ci("Jenkins", "http://j/job/2")),
    ],
)
def test_the_ci_and_its_build_are_told_by_its_variables(tmp_path, environ, ci):
    assert describe_run("id", "Top", tmp_path, environ).ci == ci


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    if not shutil.which("git"):
        missing("git")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "t.robot").write_text("x")
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "origin", "https://host/team/shop.git")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def commit_of(folder):
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_commit_branch_and_remote_are_read_from_the_repository(repository):
    run = describe_run("id", "Top", repository / "tests", {})
    assert run.git == Git("https://host/team/shop.git", commit_of(repository), "main", False)
    assert project_root(repository / "tests") == repository


def test_changed_files_make_it_dirty_and_packed_references_are_found(repository):
    git(repository, "pack-refs", "--all")
    (repository / "tests" / "t.robot").write_text("y")
    assert describe_run("id", "Top", repository, {}).git == Git("https://host/team/shop.git", commit_of(repository), "main", True)


def test_a_detached_head_has_a_commit_and_no_branch(repository):
    git(repository, "checkout", "--detach")
    found = describe_run("id", "Top", repository, {}).git
    assert (found.commit, found.branch) == (commit_of(repository), "")


@pytest.mark.parametrize(
    ("environ", "branch"),
    [
        ({"GITHUB_REF_NAME": "7/merge", "GITHUB_HEAD_REF": "feature"}, "feature"),
        ({"CI_COMMIT_REF_NAME": "feature"}, "feature"),
        ({"GIT_BRANCH": "origin/feature"}, "feature"),
    ],
)
def test_where_ci_checks_a_commit_out_it_knows_the_branch(repository, environ, branch):
    assert describe_run("id", "Top", repository, environ).git.branch == "main"
    git(repository, "checkout", "--detach")
    assert describe_run("id", "Top", repository, environ).git.branch == branch


def test_a_checkout_whose_status_takes_too_long_counts_as_the_caller_says(repository):
    for slow_is_dirty in (True, False):
        assert describe_run("id", "Top", repository, {}, 0.0, slow_is_dirty).git.dirty is slow_is_dirty


def test_a_linked_work_tree_is_read_like_the_main_one(repository, tmp_path_factory):
    linked = tmp_path_factory.mktemp("linked") / "tree"
    git(repository, "worktree", "add", "-b", "other", str(linked))
    found = describe_run("id", "Top", linked, {}).git
    assert (found.repo, found.branch, found.commit) == ("https://host/team/shop.git", "other", commit_of(repository))


def test_a_folder_without_a_repository_has_none(tmp_path):
    (tmp_path / ".git").write_text("gitdir: nowhere")
    assert describe_run("id", "Top", tmp_path, {}).git == Git()
