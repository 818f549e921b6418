"""Where a run comes from: Robot, Python, platform, CI and git, read without starting a program except for `git status`."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from robot.version import get_version

from .run import Ci, Git, Run

GIT_STATUS_SECONDS = 2.0  # a large work tree must not hold the sender thread

# Provider, the variable that tells it, and the build's URL from its variables.
_CI = (
    ("GitHub Actions", "GITHUB_ACTIONS", "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"),
    ("GitLab CI", "GITLAB_CI", "{CI_JOB_URL}"),
    ("Jenkins", "JENKINS_URL", "{BUILD_URL}"),
    ("Azure Pipelines", "TF_BUILD", "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}"),
    ("CircleCI", "CIRCLECI", "{CIRCLE_BUILD_URL}"),
    ("Buildkite", "BUILDKITE", "{BUILDKITE_BUILD_URL}"),
    ("TeamCity", "TEAMCITY_VERSION", "{BUILD_URL}"),
    ("Bitbucket Pipelines", "BITBUCKET_BUILD_NUMBER", "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}"),
    ("CI", "CI", ""),
)
# CI services check a commit out, not a branch; these hold its name, that of a merge request's own branch first.
_BRANCHES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
    "CI_COMMIT_REF_NAME",
    "CHANGE_BRANCH",
    "BRANCH_NAME",
    "GIT_BRANCH",
    "BUILD_SOURCEBRANCHNAME",
    "CIRCLE_BRANCH",
    "BUILDKITE_BRANCH",
    "BITBUCKET_BRANCH",
)
_REMOTE_URL = r"(?m)\[remote \"([^\"]+)\"\][^\[]*?^\s*url\s*=\s*(\S+)"


class Origin(NamedTuple):
    """A run, its project and the folder that holds it: that of its git checkout, else that of its suites."""

    project: str
    run: Run
    folder: Path


def origin_of(
    root: Any,
    run_id: str,
    project: str,
    environ: Mapping[str, str],
    started_in: Path,
    status_seconds: float = GIT_STATUS_SECONDS,
    slow_is_dirty: bool = False,
) -> Origin:
    """Return where the run of the top suite `root` comes from; without a folder of its own it is one of `started_in`.

    An empty `project` is that of the git remote, else the top suite's name.
    """
    folder = _common_folder(root) or started_in
    folder = folder if folder.is_dir() else folder.parent
    run = describe_run(run_id, root.name, folder, environ, status_seconds, slow_is_dirty)
    return Origin(project or project_name(run.git.repo) or root.name, run, project_root(folder) or folder)


def working_folder(otherwise: Path) -> Path:
    """Return the current folder, or the other one when a test has removed it."""
    try:
        return Path.cwd()
    except OSError:
        return otherwise


def describe_run(
    run_id: str,
    name: str,
    folder: Path,
    environ: Mapping[str, str],
    status_seconds: float = GIT_STATUS_SECONDS,
    slow_is_dirty: bool = False,
) -> Run:
    """Return what is known of the run; `folder` is where its suites are.

    `git status` may take `status_seconds`; `slow_is_dirty` says what a checkout counts as that takes longer.
    """
    return Run(
        id=run_id,
        name=name,
        robot=get_version(),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        ci=_ci(environ),
        git=_git(folder, environ, status_seconds, slow_is_dirty),
    )


def project_name(repository: str) -> str:
    """Return the last part of a remote's URL or path without ``.git``; empty for an empty one."""
    return re.split(r"[/:\\]", repository.rstrip("/").removesuffix(".git"))[-1]


def project_root(folder: Path) -> Path | None:
    """Return the folder that holds ``.git``, looking upwards from `folder`."""
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)


def _common_folder(root: Any) -> Path | None:
    """Return the folder that the suites of a run share; several top suites have one above them."""
    sources = [root.source] if root.source else [suite.source for suite in root.suites if suite.source]
    try:
        return Path(os.path.commonpath([Path(source).resolve() for source in sources])) if sources else None
    except ValueError:  # on several drives
        return None


def _ci(environ: Mapping[str, str]) -> Ci:
    for provider, variable, url in _CI:
        if environ.get(variable):
            try:
                return Ci(provider, url.format_map(environ))
            except KeyError:
                return Ci(provider)
    return Ci()


def _git(folder: Path, environ: Mapping[str, str], status_seconds: float, slow_is_dirty: bool) -> Git:
    root = project_root(folder)
    if not root:
        return Git()
    try:
        store = _git_folder(root)
        branch, commit = _head(store)
        branch = branch or next((environ[name].removeprefix("origin/") for name in _BRANCHES if environ.get(name)), "")
        return Git(repo=_remote(store), commit=commit, branch=branch, dirty=_is_dirty(root, status_seconds, slow_is_dirty))
    except (OSError, ValueError):
        return Git()  # an unreadable repository is as good as none: nothing of the analysis rests on it


def _git_folder(root: Path) -> Path:
    entry = root / ".git"
    if entry.is_dir():
        return entry
    return (root / entry.read_text(encoding="utf-8", errors="replace").partition("gitdir:")[2].strip()).resolve()


def _head(store: Path) -> tuple[str, str]:
    head = (store / "HEAD").read_text(encoding="utf-8", errors="replace").strip()
    if not head.startswith("ref:"):
        return "", head
    reference = head.partition(":")[2].strip()
    branch = reference.removeprefix("refs/heads/")
    common = _common(store)
    for place in (store / reference, common / reference):
        if place.is_file():
            return branch, place.read_text(encoding="utf-8", errors="replace").strip()
    packed = common / "packed-refs"
    lines = packed.read_text(encoding="utf-8", errors="replace").splitlines() if packed.is_file() else []
    return branch, next((line.split()[0] for line in lines if line.endswith(" " + reference)), "")


def _common(store: Path) -> Path:
    pointer = store / "commondir"  # a linked work tree keeps its refs and config in the main one
    return (store / pointer.read_text(encoding="utf-8").strip()).resolve() if pointer.is_file() else store


def _remote(store: Path) -> str:
    config = _common(store) / "config"
    found = dict(re.findall(_REMOTE_URL, config.read_text(encoding="utf-8", errors="replace"))) if config.is_file() else {}
    return found.get("origin") or next(iter(found.values()), "")


def _is_dirty(root: Path, seconds: float, slow_is_dirty: bool) -> bool:
    command = ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"]
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except subprocess.TimeoutExpired:
        return slow_is_dirty
    except (OSError, subprocess.SubprocessError):
        return False
    return bool(answer.stdout.strip())
