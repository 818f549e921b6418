"""Where a run comes from: Robot, Python, platform, CI and git, read without starting a program except for `git status`."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from robot.version import get_version

from .contract import Ci, Git, Run

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
_REMOTE_URL = re.compile(r"\[remote \"([^\"]+)\"\][^\[]*?^\s*url\s*=\s*(\S+)", re.MULTILINE)


def describe_run(run_id: str, name: str, folder: Path, environ: Mapping[str, str]) -> Run:
    """Return what is known of the run; `folder` is where its suites are."""
    return Run(
        id=run_id,
        name=name,
        robot=get_version(),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        ci=_ci(environ),
        git=_git(folder),
    )


def project_name(repository: str) -> str:
    """Return the last part of a remote's URL or path without ``.git``; empty for an empty one."""
    return re.split(r"[/:\\]", repository.rstrip("/").removesuffix(".git"))[-1]


def project_root(folder: Path) -> Path | None:
    """Return the folder that holds ``.git``, looking upwards from `folder`."""
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)


def _ci(environ: Mapping[str, str]) -> Ci:
    for provider, variable, url in _CI:
        if environ.get(variable):
            try:
                return Ci(provider, url.format_map(environ))
            except KeyError:
                return Ci(provider)
    return Ci()


def _git(folder: Path) -> Git:
    root = project_root(folder)
    if not root:
        return Git()
    try:
        store = _git_folder(root)
        branch, commit = _head(store)
        return Git(repo=_remote(store), commit=commit, branch=branch, dirty=_is_dirty(root))
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
    found = dict(_REMOTE_URL.findall(config.read_text(encoding="utf-8", errors="replace"))) if config.is_file() else {}
    return found.get("origin") or next(iter(found.values()), "")


def _is_dirty(root: Path) -> bool:
    command = ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"]
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            timeout=GIT_STATUS_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return bool(answer.stdout.strip())
