"""Where a project's code and its history can be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import BackendError, PermanentError, TransientError


@dataclass(frozen=True, slots=True)
class SourceLines:
    """Lines of a project's file; `first` is the number of the first one, 0 where that is not known.

    `commit` is empty where they are the work tree's.
    """

    file: str
    first: int
    lines: tuple[str, ...]
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """`files` are those of the paths asked for that it touches. `when` is ISO 8601. Names of people are left out on purpose."""

    id: str
    subject: str = ""
    when: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileChange:
    """`patch` holds the hunks of a unified diff, empty for a binary file; `before` is the file's name before it was renamed."""

    file: str
    patch: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class CommitDiff:
    """What a commit changed against its first parent; `cut` says in words what was left out."""

    commit: str
    subject: str = ""
    changes: tuple[FileChange, ...] = ()
    cut: tuple[str, ...] = ()


class CodeHostError(BackendError):
    """A code host did not answer. `cause` is what the reader of an answer is told: "rate limited until 12:30 UTC".

    `delay` is the number of seconds after which asking again may help, 0 where it is not known.
    """

    def __init__(self, message: str, cause: str = "", delay: float = 0.0):
        super().__init__(message)  # Celery makes errors again from their arguments: the message must be enough
        self.cause = cause
        self.delay = delay


class CodeHostDownError(CodeHostError, TransientError):
    """Asking again may help."""


class CodeHostRefusedError(CodeHostError, PermanentError):
    """Asking again cannot help before a setting was changed."""


class CodeHost(Protocol):
    """Where a project's code and its history can be read, and nothing else. Paths are relative to the project's root.

    Every method raises CodeHostError where the host fails; None means that it works and has no such file or commit.
    """

    @property
    def name(self) -> str:
        """What readers know it by."""

    @property
    def sees(self) -> str:
        """What another machine sees when it is asked, in words; empty where nothing leaves this one."""

    def source(self, file: str, first: int, last: int, commit: str = "") -> SourceLines | None:
        """Return lines `first` to `last` of `file` as of `commit`, fewer at the file's end."""

    def commits(self, paths: Sequence[str], until: str, since: str = "", limit: int = 20) -> tuple[Commit, ...] | None:
        """Return commits that touch one of `paths` (files, or folders with a slash at the end), the newest first, no merges.

        They are those up to and with `until` (a commit or branch) that are not in the history of the commit `since`, or not
        before `since` where that is an ISO 8601 date; at most the `limit` newest. Without `since` only the `limit` newest
        commits of the history are looked at, whatever they touch. None: `until` or `since` is not known here.
        """

    def search(self, words: Sequence[str], limit: int = 3) -> tuple[SourceLines, ...]:
        """Return lines around whole `words`, of the `limit` files at most that have most of them; as of now, not of a commit."""

    def diff(self, commit: str, paths: Sequence[str] = ()) -> CommitDiff | None:
        """Return what `commit` changed, in `paths` only if any are named."""
