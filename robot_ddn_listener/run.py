"""The part of the contract that every run needs, failing or not: the rest takes 10 ms to import, which a passing run never does."""

from dataclasses import dataclass

QUEUE = "ddn"
RUN_TASK_NAME = "tasks.record_run"


@dataclass(frozen=True, slots=True)
class Ci:
    provider: str = ""
    build_url: str = ""


@dataclass(frozen=True, slots=True)
class Git:
    repo: str = ""
    commit: str = ""
    branch: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of `robot` (or one of `pabot`, over all its processes)."""

    id: str
    name: str = ""
    robot: str = ""
    python: str = ""
    platform: str = ""
    ci: Ci = Ci()
    git: Git = Git()
