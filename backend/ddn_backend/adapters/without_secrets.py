"""A code host whose commits are told without the secrets in their subjects: those stand in verdicts, where everybody reads them.

Source lines and patches pass as they are, because what changed is found in them by position; whoever gives those out redacts them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..ports import CodeHost, Commit, CommitDiff, SourceLines


class WithoutSecrets:
    """Answers as `host` does; `redact` takes secrets out of a text."""

    def __init__(self, host: CodeHost, redact: Callable[[str], str]):
        self._host = host
        self._redact = redact

    @property
    def name(self) -> str:
        return self._host.name

    @property
    def sees(self) -> str:
        return self._host.sees

    def source(self, file: str, first: int, last: int, commit: str = "") -> SourceLines | None:
        """See CodeHost."""
        return self._host.source(file, first, last, commit)

    def commits(self, paths: Sequence[str], until: str, since: str = "", limit: int = 20) -> tuple[Commit, ...] | None:
        """See CodeHost."""
        found = self._host.commits(paths, until, since, limit)
        return found and tuple(replace(commit, subject=self._redact(commit.subject)) for commit in found)

    def search(self, words: Sequence[str], limit: int = 3) -> tuple[SourceLines, ...]:
        """See CodeHost."""
        return self._host.search(words, limit)

    def diff(self, commit: str, paths: Sequence[str] = ()) -> CommitDiff | None:
        """See CodeHost."""
        found = self._host.diff(commit, paths)
        return found and replace(found, subject=self._redact(found.subject))
