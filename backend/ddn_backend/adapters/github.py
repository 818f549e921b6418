"""A project's code and history on GitHub or GitHub Enterprise: the same questions that the local checkout answers."""

import base64
import binascii
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from redis import Redis

from ..call_rates import GITHUB_CALLS_A_MINUTE
from ..ports import Commit, CommitDiff, FileChange, SourceLines
from .code_bounds import (
    MAX_LINE_CHARACTERS,
    changes_in,
    cut_diff,
    cut_lines,
    is_commit,
    is_inside,
    is_revision,
    since_of,
    touched,
    touches,
)
from .github_rest import ANSWER_SECONDS, FRESH_SECONDS, MAX_ANSWER_BYTES, PUBLIC_API, GitHubRest, TooLongError

FOREVER_SECONDS = 24 * 3600.0  # of what a whole commit id has: it cannot change
MAX_PATHS = 3  # asked for one by one, so each costs a call
PAGE = 100
MAX_WORDS = 6  # of one search: GitHub takes five operators between them
MAX_FRAGMENT_LINES = 12
FILES_OF_A_COMPARISON = 300  # GitHub names no more

_WHOLE_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class GitHub:
    """Reads `repository` (owner/name). One instance may be used by many threads.

    `api` is the address of GitHub Enterprise, with or without ``/api/v3``. Without `redis` nothing is cached, and the limit holds
    for this process only. `seconds` is how long one answer may take.
    """

    name = "github"
    sees = "names of files of the trace, ids of commits"

    def __init__(
        self,
        repository: str,
        token: str = "",
        redis: "Redis | None" = None,
        api: str = PUBLIC_API,
        calls_a_minute: int = GITHUB_CALLS_A_MINUTE,
        seconds: float = ANSWER_SECONDS,
    ):
        self._rest = GitHubRest(repository, token, redis, api, calls_a_minute, seconds)

    def check(self) -> None:
        """Raise CodeHostError where the repository cannot be read with these settings."""
        self._rest.check()

    def source(self, file: str, first: int, last: int, commit: str = "") -> SourceLines | None:
        """See CodeHost; without `commit` of the default branch."""
        if not is_inside(file) or file.endswith("/") or (commit and not is_revision(commit)):
            return None
        parameters = {"ref": commit} if commit else {}
        try:
            entry = self._rest.json(f"/contents/{quote(file)}", "Reading a file", parameters, _freshness(commit))
        except TooLongError:
            return None
        content = _content(entry)
        return cut_lines(file, content, first, last, commit) if content is not None else None

    def commits(self, paths: Sequence[str], until: str, since: str = "", limit: int = 20) -> tuple[Commit, ...] | None:
        """See CodeHost. At most MAX_PATHS of `paths` are looked at, the first ones that changed at all."""
        start, paths = since_of(since), tuple(path for path in paths if is_inside(path))
        if start is None or not is_revision(until):
            return None
        if start.date:
            return self._touching(paths, {"sha": until, "since": start.date, "per_page": limit}, limit)
        window = self._between(start.commit, until) if start.commit else self._last(until, limit)
        if window is None:
            return None
        ids, changed = window
        paths = tuple(path for path in paths if changed is None or any(touches(file, path) for file in changed))
        found = self._touching(paths, {"sha": until, "per_page": min(PAGE, max(limit, len(ids)))}, PAGE)
        return found and tuple(commit for commit in found if commit.id in ids)[:limit]

    def search(self, words: Sequence[str], limit: int = 3) -> tuple[SourceLines, ...]:
        """See CodeHost. One call; GitHub searches the default branch, and tells fragments without their line numbers."""
        wanted = [word for word in words if word.isidentifier()][:MAX_WORDS]
        if not wanted:
            return ()
        try:
            answer = self._rest.found(" OR ".join(wanted), limit)
        except TooLongError:
            return ()
        return () if answer is None else self._rest.understood("Searching the code", lambda: tuple(_fragments(answer))[:limit])

    def diff(self, commit: str, paths: Sequence[str] = ()) -> CommitDiff | None:
        """See CodeHost. GitHub leaves out patches that are too long for it."""
        if not is_commit(commit):
            return None
        try:
            answer = self._rest.json(f"/commits/{commit}", "Reading a commit", {}, _freshness(commit))
        except TooLongError:
            return CommitDiff(commit, cut=(f"the changes: they are longer than {MAX_ANSWER_BYTES:,} bytes",))
        return None if answer is None else self._rest.understood("Reading a commit", lambda: _commit_diff(answer, paths))

    def _between(self, since: str, until: str) -> tuple[frozenset[str], tuple[str, ...] | None] | None:
        """Return the ids of the commits between two, the newest 100 at least, and the files that changed (None: too many)."""
        path, doing = f"/compare/{quote(since, '')}...{quote(until, '')}", "Comparing commits"
        fresh = min(_freshness(since), _freshness(until))
        pages = [self._rest.bounded_json(path, doing, {"per_page": PAGE, "page": 1}, fresh)]
        if pages[0] is None:
            return None
        total = self._rest.understood(doing, lambda: int(pages[0]["total_commits"]))
        if total > PAGE:
            pages.append(self._rest.bounded_json(path, doing, {"per_page": PAGE, "page": math.ceil(total / PAGE)}, fresh))
        return self._rest.understood(doing, lambda: (_ids(pages), _changed_files(pages[0])))

    def _last(self, until: str, limit: int) -> tuple[frozenset[str], None] | None:
        doing = "Listing commits"
        listed = self._rest.bounded_json("/commits", doing, {"sha": until, "per_page": limit}, _freshness(until))
        return listed if listed is None else self._rest.understood(doing, lambda: (frozenset(item["sha"] for item in listed), None))

    def _touching(self, paths: Sequence[str], parameters: Mapping[str, Any], limit: int) -> tuple[Commit, ...] | None:
        found: dict[str, Commit] = {}
        doing = "Listing commits"
        for path in paths[:MAX_PATHS]:
            asked = {**parameters, "path": path.removesuffix("/")}
            listed = self._rest.bounded_json("/commits", doing, asked, _freshness(parameters["sha"]))
            if listed is None:
                return None
            for commit in self._rest.understood(doing, partial(_listed, listed, path)):
                files = found[commit.id].files if commit.id in found else ()
                found[commit.id] = Commit(commit.id, commit.subject, commit.when, (*files, *commit.files))
        return tuple(sorted(found.values(), key=lambda commit: commit.when, reverse=True))[:limit]


def _freshness(revision: str) -> float:
    return FOREVER_SECONDS if _WHOLE_COMMIT.fullmatch(revision) else FRESH_SECONDS


def _fragments(answer: Any) -> Iterator[SourceLines]:
    for item in answer["items"]:
        lines = [line for match in item.get("text_matches", ()) for line in str(match["fragment"]).splitlines()]
        if lines and is_inside(str(item["path"])):
            yield SourceLines(str(item["path"]), 0, tuple(line[:MAX_LINE_CHARACTERS] for line in lines[:MAX_FRAGMENT_LINES]))


def _content(entry: Any) -> bytes | None:
    """Return a file's content; a folder is a list, a submodule has none, and of a long file there is no content inline."""
    if not isinstance(entry, dict) or entry.get("type") != "file" or entry.get("encoding") != "base64":
        return None
    try:
        return base64.b64decode(str(entry.get("content", "")))
    except binascii.Error:
        return None


def _ids(pages: Sequence[Any]) -> frozenset[str]:
    return frozenset(str(item["sha"]) for page in pages if page for item in page["commits"])


def _changed_files(comparison: Any) -> tuple[str, ...] | None:
    files = comparison["files"]
    if len(files) >= FILES_OF_A_COMPARISON:
        return None
    return tuple(name for file in files for name in (file["filename"], file.get("previous_filename")) if name)


def _listed(commits: Any, path: str) -> tuple[Commit, ...]:
    """Return all but merges."""
    return tuple(
        Commit(str(item["sha"]), _subject(item), str(item["commit"]["committer"]["date"]), (path,))
        for item in commits
        if len(item["parents"]) < 2
    )


def _subject(item: Any) -> str:
    return str(item["commit"]["message"]).partition("\n")[0]


def _commit_diff(answer: Any, paths: Sequence[str]) -> CommitDiff:
    changes = changes_in((_file_change(file) for file in answer["files"]), paths)
    silent = tuple(
        f"{file['filename']}: GitHub does not show its changes"
        for file in answer["files"]
        if "patch" not in file and file.get("changes") and touched([file["filename"]], paths or [file["filename"]])
    )
    return cut_diff(CommitDiff(str(answer["sha"]), _subject(answer), changes, silent))


def _file_change(file: Any) -> FileChange:
    return FileChange(str(file["filename"]), str(file.get("patch") or ""), str(file.get("previous_filename") or ""))
