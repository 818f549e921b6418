"""The project's own checkout, read through the git program: history and source, and nothing that git does not track.

A report is written by strangers, and a checkout's own configuration can name programs to run. So every call is read-only and
bounded in time and size; hooks, pagers, external diffs, file system monitors and the network are off, and paths and revisions
are checked before git sees them.
"""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from ..errors import SettingsError
from ..ports import CodeHostDownError, CodeHostError, CodeHostRefusedError, Commit, CommitDiff, FileChange, SourceLines
from .code_bounds import (
    MAX_FILE_BYTES,
    Since,
    changes_in,
    cut_diff,
    cut_lines,
    hunks,
    is_inside,
    is_revision,
    since_of,
    touched,
)

CALL_SECONDS = 5.0  # of one call of git; a warm one takes milliseconds
MAX_OUTPUT_BYTES = 4_000_000  # of one call; a commit that is longer vendors or generates
MAX_SHOWN_CHARACTERS = 200
MATCHES_OF_A_FILE = 20  # that are looked at
AROUND = 3  # lines before and after what was searched for

_OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "core.quotePath=false",
    "-c",
    "log.showSignature=false",
    "-c",
    "diff.suppressBlankEmpty=false",
    "-c",
    "protocol.allow=never",
)
_FORMAT = "%x1e%H%x00%P%x00%cI%x00%s%x00"
_MARK = re.compile(r"\x1e([0-9a-f]{40,64})")
_MATCH = re.compile(r"([^\0\n]+)\0(\d+)\0(.*)")
_ENDS_EARLY = -1


class GitCheckout:
    """Reads the checkout that `root` is, or is a folder of: only what is below `root`. One instance may be used by many threads."""

    name = "local checkout"
    sees = ""

    def __init__(self, root: str | Path, seconds: float = CALL_SECONDS):
        self._root = Path(root)
        self._seconds = seconds
        self._top: Path | None = None

    def check(self) -> None:
        """Raise SettingsError where DDN_SOURCE_ROOT does not name a checkout that git can read."""
        try:
            self._find_top()
        except CodeHostError as error:
            raise SettingsError(str(error)) from error

    def source(self, file: str, first: int, last: int, commit: str = "") -> SourceLines | None:
        """Return lines of a tracked file: as of `commit`, else as it is on disk."""
        if not self._may_read(file) or file.endswith("/"):
            return None
        content = self._content_at(file, commit) if commit else self._content_on_disk(file)
        return cut_lines(file, content, first, last, commit) if content is not None else None

    def commits(self, paths: Sequence[str], until: str, since: str = "", limit: int = 20) -> tuple[Commit, ...] | None:
        """See CodeHost. The oldest commit of a shallow clone is left out: git takes all files as its changes."""
        start, wanted = since_of(since), tuple(path for path in paths if self._may_read(path))
        if start is None or not self._has(until) or (start.commit and not self._has(start.commit)):
            return None
        if not wanted:
            return ()
        found = self._whole(_commits(self._log(wanted, until, start, limit)))
        commits = (Commit(commit.id, commit.subject, commit.when, touched(commit.files, wanted)) for commit in found)
        return tuple(commit for commit in commits if commit.files)[:limit]

    def search(self, words: Sequence[str], limit: int = 3) -> tuple[SourceLines, ...]:
        """See CodeHost. Of the files as they are on disk, in the first place that has a word."""
        wanted = [part for word in words if word.isidentifier() for part in ("-e", word)]
        if not wanted:
            return ()
        options = ("-z", "-n", "-I", "-w", "--fixed-strings", "--full-name", f"--max-count={MATCHES_OF_A_FILE}")
        _, output = self._call("grep", *options, *wanted, "--", folder=self._root, may_fail=True)
        found: dict[str, list[tuple[int, str]]] = {}
        for match in _MATCH.finditer(output.decode("utf-8", "replace")):
            found.setdefault(match[1], []).append((int(match[2]), match[3]))
        best = sorted(found, key=lambda file: (-sum(any(word in line for _, line in found[file]) for word in words), file))
        around = (self.source(file, found[file][0][0] - AROUND, found[file][0][0] + AROUND) for file in best[:limit])
        return tuple(lines for lines in around if lines)

    def diff(self, commit: str, paths: Sequence[str] = ()) -> CommitDiff | None:
        """See CodeHost."""
        wanted = tuple(path for path in paths if self._may_read(path))
        if not self._has(commit) or (paths and not wanted):
            return None
        code, output = self._call("show", *_SHOW, commit, "--", *wanted)
        mark, parents, _, subject, patch = [*output.decode("utf-8", "replace").split("\0", 4), *[""] * 4][:5]
        if not mark:
            return CommitDiff(commit)  # it touches none of the paths
        if not parents and self._is_shallow():
            return None
        cut = (f"the changes: they are longer than {MAX_OUTPUT_BYTES:,} bytes",) if code == _ENDS_EARLY else ()
        changes = () if cut else tuple(change for change in _file_changes(patch) if self._may_read(change.file))
        return cut_diff(CommitDiff(mark.removeprefix("\x1e"), subject, changes_in(changes, wanted), cut))

    def _may_read(self, path: str) -> bool:
        root, top = self._root.resolve(), self._find_top()
        return is_inside(path) and (top / path).is_relative_to(root)

    def _content_at(self, file: str, commit: str) -> bytes | None:
        if not self._has(commit):
            return None
        entry = self._text("ls-tree", "-z", commit, "--", file).split("\0")[0]
        mode, kind, blob, *_ = [*entry.replace("\t", " ").split(" "), "", "", ""]
        if not mode.startswith("100") or kind != "blob":  # a link, a folder, a submodule, or nothing
            return None
        code, content = self._call("cat-file", "blob", blob, limit=MAX_FILE_BYTES)
        return content if code == 0 else None

    def _content_on_disk(self, file: str) -> bytes | None:
        try:
            path = Path(os.path.realpath(self._find_top() / file, strict=True))
            if not path.is_relative_to(self._root.resolve()) or not path.is_file() or not self._is_tracked(path):
                return None
            with path.open("rb") as source:
                return source.read(MAX_FILE_BYTES + 1)
        except (OSError, ValueError):  # gone, a loop of links, or not ours to read
            return None

    def _is_tracked(self, path: Path) -> bool:
        """Tell whether git tracks what a path leads to; a tracked link to an untracked file does not count."""
        listed = self._text("ls-files", "-z", "--", path.relative_to(self._find_top()).as_posix())
        return listed == f"{path.relative_to(self._find_top()).as_posix()}\0"

    def _log(self, paths: Sequence[str], until: str, start: Since, limit: int) -> str:
        options = ["-z", "--no-merges", "--name-only", "--no-renames", f"--max-count={limit}", f"--format={_FORMAT}"]
        if start.commit:
            return self._text("log", *options, f"{start.commit}..{until}", "--", *paths)
        if start.date:
            return self._text("log", *options, f"--since={start.date}", until, "--", *paths)
        return self._text("log", *options, until, "--")

    def _has(self, revision: str) -> bool:
        if not is_revision(revision):
            return False
        code, _ = self._call("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", may_fail=True)
        return code == 0

    def _whole(self, commits: Iterator[tuple[Commit, bool]]) -> Iterator[Commit]:
        """Leave out the oldest commits of a shallow clone."""
        for commit, has_parents in commits:
            if has_parents or not self._is_shallow():
                yield commit

    def _is_shallow(self) -> bool:
        return self._text("rev-parse", "--is-shallow-repository").strip() == "true"

    def _find_top(self) -> Path:
        if self._top is None:
            if not self._root.is_dir():
                raise self._refused("it is no folder", f"'{self._root}' is no folder")
            _, output = self._call("rev-parse", "--show-toplevel", folder=self._root)
            self._top = Path(output.decode("utf-8", "replace").rstrip("\n")).resolve()
        return self._top

    def _text(self, *arguments: str) -> str:
        return self._call(*arguments)[1].decode("utf-8", "replace")

    def _call(
        self, *arguments: str, folder: Path | None = None, limit: int = MAX_OUTPUT_BYTES, may_fail: bool = False
    ) -> tuple[int, bytes]:
        """Return git's exit code, _ENDS_EARLY where it wrote more than `limit` bytes, and its output."""
        place = str(folder or self._find_top())
        code, output, problem = self._run([self._program(), *_OPTIONS, "-C", place, *arguments], limit)
        if code > 0 and not may_fail:
            said = problem.strip().removeprefix("fatal: ").partition("\n")[0][:MAX_SHOWN_CHARACTERS]
            raise self._refused(f"git {arguments[0]} ended with {code}", said or f"git {arguments[0]} ended with {code}")
        return code, output

    def _run(self, command: list[str], limit: int) -> tuple[int, bytes, str]:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(command[0])
        ) as process:
            assert process.stdout
            assert process.stderr
            late = threading.Event()

            def stop() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(self._seconds, stop)
            timer.start()
            try:
                output = process.stdout.read(limit + 1)
                if len(output) > limit:
                    process.kill()
                problem = process.stderr.read(10_000).decode("utf-8", "replace")
                code = process.wait()
            finally:
                timer.cancel()
        if late.is_set():
            raise self._down(f"git took longer than {self._seconds:g} s")
        return (_ENDS_EARLY if len(output) > limit else code), output, problem

    def _program(self) -> str:
        program = shutil.which("git")
        if not program:
            raise self._refused("git is not installed", "there is no program 'git' on the PATH")
        return program

    def _refused(self, cause: str, problem: str) -> CodeHostError:
        return CodeHostRefusedError(f"{self._doing()} failed: {problem}. {_NEXT} Check DDN_SOURCE_ROOT.", cause)

    def _down(self, cause: str) -> CodeHostError:
        return CodeHostDownError(f"{self._doing()} failed: {cause}. {_NEXT}", cause)

    def _doing(self) -> str:
        return f"Reading checkout '{self._root}'"


_NEXT = "The analysis goes on without it."
_SHOW = (
    f"--format={_FORMAT}",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--diff-merges=first-parent",
    "--find-renames",
    "--unified=3",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)


def _environment(program: str) -> dict[str, str]:
    """Nothing of our own environment but where home is: it may hold GIT_DIR, a proxy, or keys."""
    return {
        "PATH": os.pathsep.join((str(Path(program).parent), os.defpath)),
        "HOME": os.path.expanduser("~"),  # for safe.directory
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def _commits(log: str) -> Iterator[tuple[Commit, bool]]:
    """Yield each commit, and whether it has parents. Read by position: a subject may look like anything, but it holds no NUL."""
    words = [word.removeprefix("\n") for word in log.split("\0")]
    while words:
        mark = _MARK.fullmatch(words.pop(0))
        if mark:
            parents, when, subject = words[:3]
            words = words[3:]
            files = tuple(takewhile(lambda word: not _MARK.fullmatch(word), words))
            words = words[len(files) :]
            yield Commit(mark[1], subject, when, tuple(file for file in files if file)), bool(parents)


def _file_changes(diff: str) -> Iterator[FileChange]:
    parts = re.split(r"^diff --git .*\n", diff, flags=re.MULTILINE)
    for header, part in zip(re.findall(r"^diff --git (.*)\n", diff, re.MULTILINE), parts[1:], strict=True):
        head = part.partition("\n@@")[0]
        before, after = _name(head, r"--- a/", r"rename from "), _name(head, r"\+\+\+ b/", r"rename to ")
        file = after or before or header[2 : len(header) // 2]  # only its mode changed, or it is binary: `a/NAME b/NAME`
        yield FileChange(file, "\n".join(hunks(part.split("\n"))).rstrip("\n"), before if before != file else "")


def _name(head: str, *marks: str) -> str:
    found = re.search(rf"^(?:{'|'.join(marks)})(.*?)\t?$", head, re.MULTILINE)
    return found[1] if found else ""
