"""What every code host keeps to: paths inside the project, text only, and sizes that fit an analysis."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from ..ports import CommitDiff, FileChange, SourceLines

MAX_FILE_BYTES = 1_000_000  # longer files are generated, and GitHub does not send them inline
MAX_LINES = 400  # of one piece of source
MAX_LINE_CHARACTERS = 300  # as in the frames of a report
MAX_PATCH_CHARACTERS = 20_000  # of one file: about 5000 tokens
MAX_DIFF_CHARACTERS = 60_000  # of one commit

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_BRANCH = re.compile(r"[A-Za-z0-9_][\w./+-]*")


@dataclass(frozen=True, slots=True)
class Since:
    """Where to stop looking back: at a commit, at a date (UTC), or at neither."""

    commit: str = ""
    date: str = ""


def is_inside(path: str) -> bool:
    """Tell whether `path`, a folder with a slash at its end, is written so that it can only mean a place inside the project."""
    if not path or path.startswith(("/", "~")) or any(character < " " or character in '\\:*?"<>|' for character in path):
        return False
    return all(part not in ("", ".", "..") and part.lower() != ".git" for part in path.removesuffix("/").split("/"))


def is_commit(text: str) -> bool:
    return _COMMIT.fullmatch(text) is not None


def is_revision(text: str) -> bool:
    """Tell whether `text` can be the name of a commit or branch; none that a program could take for an option or a range."""
    return is_commit(text) or (_BRANCH.fullmatch(text) is not None and ".." not in text and not text.endswith((".lock", "/", ".")))


def since_of(text: str) -> Since | None:
    """Return what `text` names, None where it is neither a commit nor an ISO 8601 date."""
    if not text:
        return Since()
    if is_commit(text):
        return Since(commit=text)
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Since(date=f"{date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")


def touches(file: str, path: str) -> bool:
    return file == path or (path.endswith("/") and PurePosixPath(file).is_relative_to(path))


def touched(files: Iterable[str], paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of `files` that are, or are below, one of `paths`."""
    return tuple(file for file in files if any(touches(file, path) for path in paths))


def cut_lines(file: str, content: bytes, first: int, last: int, commit: str) -> SourceLines | None:
    """Return lines `first` to `last` of a file's content; None where it is no text, too long, or has no such line."""
    if not content or len(content) > MAX_FILE_BYTES or b"\0" in content:
        return None
    first = max(1, first)
    every = content.decode("utf-8", "replace").removesuffix("\n").split("\n")  # splitlines() knows more ends than editors count
    lines = every[first - 1 : min(last, first + MAX_LINES - 1)]
    return SourceLines(file, first, tuple(_whole_words(line.rstrip("\r")) for line in lines), commit) if lines else None


def _whole_words(line: str) -> str:
    """Cut a long line between two words: the first half of a token would not be known for the secret that it is."""
    if len(line) <= MAX_LINE_CHARACTERS:
        return line
    return line[: max(line.rfind(" ", 0, MAX_LINE_CHARACTERS), 0)] or line[:MAX_LINE_CHARACTERS]


def cut_diff(diff: CommitDiff) -> CommitDiff:
    """Return `diff` with patches that fit, and in words what was cut off."""
    changes, cut = [], list(diff.cut)
    room = MAX_DIFF_CHARACTERS
    for change in diff.changes:
        patch = _whole_lines(change.patch, min(room, MAX_PATCH_CHARACTERS))
        room -= len(patch)
        if len(patch) < len(change.patch):
            cut.append(f"{change.file}: {len(change.patch) - len(patch)} of {len(change.patch)} characters were left out")
        changes.append(replace(change, patch=patch))
    return replace(diff, changes=tuple(changes), cut=tuple(cut))


def hunks(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of one file's diff from the first hunk on."""
    begun = False
    for line in lines:
        begun = begun or line.startswith("@@")
        if begun:
            yield line


def changes_in(changes: Iterable[FileChange], paths: Sequence[str]) -> tuple[FileChange, ...]:
    return tuple(change for change in changes if not paths or touched((change.file, change.before), paths))


def _whole_lines(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: text.rfind("\n", 0, limit) + 1]
