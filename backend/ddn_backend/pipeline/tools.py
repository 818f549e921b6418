"""The tools a model may use: they read, and only what belongs to the report's own project.

None takes a project, a run or an address: what it may see is fixed when it is made. A tool whose source is not there, or not
allowed by the operator's consent, is not offered. Whatever goes wrong in one is an observation for the model.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import PurePosixPath

from robot_ddn_listener.contract import FailureReport, Similar

from ..ports import CodeHost, Commit, Passage, Tool
from .material import Redact, Send, known_causes, visible

MAX_TOOL_CALLS = 16  # of one analysis: two for each of a model's calls
OBSERVATION_CHARACTERS = 4_000  # about 1000 tokens
LINES_AROUND = 12
MAX_MATCHES = 20
MAX_SOURCE_LINES = 120
LINE_CHARACTERS = 400
NOTE_CHARACTERS = 200
MESSAGE_CHARACTERS = 300

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_SECRET_FILES = re.compile(r"\.env|\.pem|\.key|\.p12|\.pfx|\.netrc|\.pgpass|id_(?:rsa|dsa|ecdsa|ed25519)|credential|secret", re.I)


@dataclass(frozen=True, slots=True)
class Sources:
    """What tools read, each bound to one report's project."""

    knowledge: Callable[[str], Sequence[Passage]] | None = None
    past_failures: Callable[[str], Sequence[Similar]] | None = None
    host: CodeHost | None = None
    commits: Callable[[], Sequence[Commit] | None] | None = None


class RefusalError(Exception):
    """The model asked for something that is not there or not allowed; the message is its observation."""


class Toolbox:
    """The tools of one analysis; counts calls, refuses repeated ones, and remembers what was used and what broke.

    `redact` takes secrets out of what tools read.
    """

    def __init__(self, report: FailureReport, sources: Sources, send: Send, redact: Redact) -> None:
        self._sources = sources
        self._redact = redact
        self._lock = threading.Lock()
        self._asked: dict[str, str] = {}
        self._problems: dict[str, None] = {}
        self._kinds: set[Send] = set()
        self._used: set[str] = set()
        offered = [(kind, ask) for kind, ask in _readers(report, sources, send) if send.allows(kind)]
        self.tools = tuple(Tool(self._guarded(kind, ask)) for kind, ask in offered)

    @property
    def problems(self) -> tuple[str, ...]:
        """What configured parts failed with, for the reader."""
        return tuple(self._problems)

    @property
    def kinds(self) -> frozenset[Send]:
        """What kinds of text were given out."""
        return frozenset(self._kinds)

    @property
    def sent_to(self) -> tuple[str, ...]:
        """Services besides the model that were asked, and what they saw."""
        host = self._sources.host
        was_asked = self._used & {"read_source", "read_commit_diff", "commits_since_last_pass"}
        return (f"{host.name}: {host.sees}",) if host and host.sees and was_asked else ()

    def _guarded(self, kind: Send, ask: Callable[..., str]) -> Callable[..., str]:
        @wraps(ask)
        def asked(*args: object, **kwargs: object) -> str:
            name = ask.__name__
            key = json.dumps([name, args, kwargs], sort_keys=True, default=str)
            if refusal := self._refusal(name, key):
                return refusal
            observation = self._observed(kind, lambda: ask(*args, **kwargs), name)
            with self._lock:
                self._asked[key] = observation
            return observation

        return asked

    def _refusal(self, name: str, key: str) -> str:
        with self._lock:
            if key in self._asked:
                before = self._asked[key][:MESSAGE_CHARACTERS]
                return f"Refused: {name} was asked exactly this before. Ask something else, or conclude. It answered: {before}"
            if len(self._asked) >= MAX_TOOL_CALLS:
                return f"Refused: {MAX_TOOL_CALLS} tool calls were made, more are not allowed. Conclude."
            self._asked[key] = "still being answered"
        return ""

    def _observed(self, kind: Send, read: Callable[[], str], name: str) -> str:
        try:
            text = visible(self._redact(read()))
        except RefusalError as refusal:
            return str(refusal)
        except Exception as error:  # noqa: BLE001 - whatever a tool's source raises, the model goes on without it and the reader is told
            return self._failed(name, error)
        with self._lock:
            self._kinds.add(kind)
            self._used.add(name)
        return _cut(text)

    def _failed(self, name: str, error: Exception) -> str:
        self._problems[f"{name}: {error}"[:NOTE_CHARACTERS]] = None
        return f"{name} failed ({type(error).__name__}): not available now. Go on without it."


def _readers(report: FailureReport, sources: Sources, send: Send) -> Iterator[tuple[Send, Callable[..., str]]]:
    if sources.knowledge:
        yield Send.MESSAGE, _search_knowledge(sources.knowledge, send)
    if sources.past_failures:
        yield Send.LOG, _search_past_failures(sources.past_failures)
    if report.log:
        yield Send.LOG, _read_log(report)
    if sources.host:
        yield Send.CODE, _read_source(sources.host, report.run.git.commit)
    if sources.commits:
        yield Send.CODE, _commits_since_last_pass(sources.commits)
    if sources.commits and sources.host:
        yield Send.CODE, _read_commit_diff(sources.commits, sources.host)


def _search_knowledge(search: Callable[[str], Sequence[Passage]], send: Send) -> Callable[..., str]:
    def search_knowledge(query: str) -> str:
        """Search documents about known causes of failures by what the failure looks like: error texts, exception names."""
        return "\n".join(known_causes(search(query), send)) or "Nothing was found."

    return search_knowledge


def _search_past_failures(search: Callable[[str], Sequence[Similar]]) -> Callable[..., str]:
    def search_past_failures(query: str) -> str:
        """Search earlier failures of this project by their error text; their causes, confirmed by a person or not, are told."""
        return "\n".join(_earlier(item) for item in search(query)) or "Nothing was found."

    return search_past_failures


def _earlier(item: Similar) -> str:
    status = f"confirmed by {item.confirmed_by}" if item.confirmed_by else "unconfirmed"
    return f"- {item.when or 'earlier'}, {status}: {item.root_cause}"


def _read_log(report: FailureReport) -> Callable[..., str]:
    lines = [text for entry in report.log for text in entry.text.splitlines()]

    def read_log(around: int | None = None, grep: str | None = None) -> str:
        """Read the failed test's log, with numbers: lines near number `around`, or those that contain the text `grep`."""
        if grep:
            found = [number for number, text in enumerate(lines, 1) if grep.lower() in text.lower()]
            return _numbered(lines, found[:MAX_MATCHES], len(found)) if found else f"None of the {len(lines)} lines contains it."
        if around is None:
            raise RefusalError(f"Expected 'around' (1 to {len(lines)}) or 'grep'.")
        wanted = range(max(1, around - LINES_AROUND), min(len(lines), around + LINES_AROUND) + 1)
        return _numbered(lines, wanted, len(wanted)) if wanted else f"The log has the lines 1 to {len(lines)}."

    return read_log


def _numbered(lines: Sequence[str], numbers: Sequence[int], found: int) -> str:
    more = [f"... and {found - len(numbers)} more lines."] if found > len(numbers) else []
    return "\n".join([*(f"{number}: {lines[number - 1][:LINE_CHARACTERS]}" for number in numbers), *more])


def _read_source(host: CodeHost, commit: str) -> Callable[..., str]:
    def read_source(file: str, first_line: int, last_line: int) -> str:
        """Read lines of a file of this project; `file` is relative to the project's root, as in the frames and keywords."""
        _check_path(file)
        if not 1 <= first_line <= last_line:
            raise RefusalError("Expected 1 <= first_line <= last_line.")
        found = host.source(file, first_line, min(last_line, first_line + MAX_SOURCE_LINES - 1), commit)
        if not found:
            raise RefusalError("There is no such file in this project.")
        return "\n".join(f"{number}: {line[:LINE_CHARACTERS]}" for number, line in enumerate(found.lines, found.first))

    return read_source


def _check_path(file: str) -> None:
    path = PurePosixPath(file.replace("\\", "/"))
    if path.is_absolute() or ":" in file or "\0" in file or is_secret_file(file):
        raise RefusalError(
            "Refused: only files of this project can be read, by their path in it, and none that is hidden or holds secrets."
        )


def is_secret_file(file: str) -> bool:
    """Tell whether a file by its name holds secrets, or is hidden."""
    parts = PurePosixPath(file.replace("\\", "/")).parts
    return any(part.startswith(".") for part in parts) or _SECRET_FILES.search(file) is not None


def _commits_since_last_pass(commits: Callable[[], Sequence[Commit] | None]) -> Callable[..., str]:
    def commits_since_last_pass() -> str:
        """List the commits since this test last passed, newest first, with the files they touch."""
        return "\n".join(_told(commit) for commit in commits() or ()) or "None is known."

    return commits_since_last_pass


def _told(commit: Commit) -> str:
    return f"{commit.id[:12]} {commit.when} {commit.subject}: {', '.join(commit.files)}"[:LINE_CHARACTERS]


def _read_commit_diff(commits: Callable[[], Sequence[Commit] | None], host: CodeHost) -> Callable[..., str]:
    def read_commit_diff(commit: str) -> str:
        """Read what one of the commits since the last pass changed; `commit` is its id as commits_since_last_pass names it."""
        wanted = commit.strip().lower()
        known = [item.id for item in commits() or () if _COMMIT.fullmatch(wanted) and item.id.startswith(wanted)]
        if not known:
            raise RefusalError("Refused: only commits that commits_since_last_pass names can be read.")
        diff = host.diff(known[0])
        changes = [change for change in diff.changes if not is_secret_file(change.file)] if diff else []
        return "\n".join(f"{change.file}\n{change.patch}" for change in changes) or "Nothing is known of it."

    return read_commit_diff


def _cut(text: str) -> str:
    if len(text) <= OBSERVATION_CHARACTERS:
        return text
    half = OBSERVATION_CHARACTERS // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"
