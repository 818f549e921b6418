"""Suspect: commits that may have broken what failed, and the lines of code around it.

A commit is a suspect when it is not in the history of the last pass and touches a file that the failure went through: best the very
lines, then lines next to them, then the file, and last, where the last pass is known, the folder of the failing code.
A commit that touches none of these is not named, and without a commit of the run nothing is claimed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from robot_ddn_listener.contract import ExceptionInfo, FailureReport, Git, Suspect

from ..ports import CodeHost, CodeHostError, Commit, CommitDiff, Problem, SourceLines
from .case import Case
from .changed_lines import Block, changed_lines, distance, line_before

MAX_SUSPECTS = 3
LAST_COMMITS = 10  # looked at where the last pass is not known; further back almost nothing is the cause of a new failure
SINCE_PASS = 20  # commits that touch the files; more is no suspicion
DIFFS = 3  # read to compare lines where each costs a call over the network; the newest are the likeliest
DIFFS_HERE = 10  # some milliseconds each
MAX_PLACES = 8
LINES_AROUND = 10
NEAR_LINES = 3
SUBJECT_CHARACTERS = 60

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A line that the failure went through; `role` says what it has to do with it."""

    file: str
    line: int
    role: str


# What a commit has to do with a place, the most telling first.
_LINE, _NEAR, _FILE, _IN_FOLDER = range(4)
_WORDS = {_LINE: "changed line", _NEAR: "changed lines next to line", _FILE: "changed the file of line"}


@dataclass(frozen=True, slots=True)
class _Rated:
    """Why `commit` is a suspect; `rank` says how telling that is, and how far inside the place is. `age` counts commits back."""

    rank: tuple[int, int]
    commit: Commit
    file: str
    words: str
    age: int = 0


def suspect(case: Case, hosts: Sequence[CodeHost], last_pass: Callable[[FailureReport], str]) -> Case:
    """Return `case` with suspects and code.

    `hosts` are asked in their order, the next one where one fails or does not know the commit. `last_pass` returns the commit
    of the test's last pass before this run, else its date (ISO 8601), else nothing.
    """
    commit, places = case.report.run.git.commit, places_of(case.report)
    if not hosts or not commit or not places:
        return case
    asked = _Asked(hosts)
    suspects = _suspects(asked, places, case.report.run.git, last_pass(case.report))
    code = tuple(lines for place in _told_apart(places[:2]) if (lines := _code(asked, place, commit)))
    return replace(
        case,
        analysis=replace(case.analysis, suspects=suspects),
        code=code,
        problems=(*case.problems, *asked.problems()),
        sent_to=(*case.sent_to, *asked.sent_to()),
    )


def places_of(report: FailureReport) -> tuple[Place, ...]:
    """Return the project's own lines that the failure went through: where it was raised, what called it, and so on outwards."""
    frames = [Place(frame.file, frame.line, "in the trace") for frame in _own_frames(report.exception)]
    calls = [Place(call.source, call.lineno, f"which calls '{call.full_name}'") for call in reversed(report.keywords)]
    first = [replace(frames[0], role="where it failed")] if frames else []
    places = [*first, *calls[:1], *frames[1:], *calls[1:], Place(report.source, report.lineno, "where the test begins")]
    unique: dict[tuple[str, int], Place] = {}
    for place in places:
        unique.setdefault((place.file, place.line), place)
    return tuple(place for place in unique.values() if place.file and place.line > 0)[:MAX_PLACES]


class _Asked:
    """Asks one code host after the other, and remembers what failed and who was told what."""

    def __init__(self, hosts: Sequence[CodeHost]):
        self._hosts = list(hosts)
        self._failed: list[tuple[CodeHost, CodeHostError]] = []
        self._reached: dict[str, CodeHost] = {}
        self._used: set[str] = set()

    def first(self, question: Callable[[CodeHost], T | None]) -> T | None:
        """Return the first answer that is not None; a host that failed is not asked again."""
        for host in tuple(self._hosts):
            try:
                answer = question(host)
            except CodeHostError as error:
                self._hosts.remove(host)
                self._failed.append((host, error))
                continue
            self._reached[host.name] = host
            if answer is not None:
                self._used.add(host.name)
                return answer
        return None

    def problems(self) -> Iterator[Problem]:
        used = ", ".join(host.name for host in self._hosts if host.name in self._used)
        for host, error in self._failed:
            yield Problem(f"{host.name}: {error.cause}, {f'{used} used' if used else 'suspects may be missing'}", error)

    def has_left_the_machine(self) -> bool:
        return any(host.sees for host in self._reached.values())

    def sent_to(self) -> Iterator[str]:
        return (f"{host.name}: {host.sees}" for host in self._reached.values() if host.sees)


def _own_frames(exception: ExceptionInfo | None) -> Iterator[Place]:
    if exception:
        for frame in reversed(exception.frames):
            if frame.own:
                yield Place(frame.file, frame.line, "")
        for cause in exception.causes:
            yield from _own_frames(cause)


def _told_apart(places: Sequence[Place]) -> Iterator[Place]:
    """Leave out a place whose lines are shown with an earlier one."""
    for index, place in enumerate(places):
        if not any(place.file == other.file and abs(place.line - other.line) <= LINES_AROUND for other in places[:index]):
            yield place


def _code(asked: _Asked, place: Place, commit: str) -> SourceLines | None:
    first, last = max(1, place.line - LINES_AROUND), place.line + LINES_AROUND
    return asked.first(lambda host: host.source(place.file, first, last, commit))


def _suspects(asked: _Asked, places: Sequence[Place], git: Git, since: str) -> tuple[Suspect, ...]:
    if since == git.commit:
        return ()  # it passed with the same commit
    uncommitted = "; the run had uncommitted changes, too" if git.dirty else ""
    reason = "the last pass is not known"
    if since:
        folder = _folder(places[0].file)
        commits = _commits(asked, [*_files(places), *([folder] if folder else [])], git.commit, since, SINCE_PASS)
        if commits is not None:
            return _named(_ranked(asked, places, commits), f"since the last pass ({since[:10]}){uncommitted}")
        reason = f"the last pass ({since[:10]}) is not in the history"
    commits = _commits(asked, _files(places), git.commit, "", LAST_COMMITS)
    when = f"in the last {LAST_COMMITS} commits up to the run's: {reason}{uncommitted}"
    return _named(_ranked(asked, places, commits or ()), when)


def _commits(asked: _Asked, paths: Sequence[str], until: str, since: str, limit: int) -> tuple[Commit, ...] | None:
    return asked.first(lambda host: host.commits(paths, until, since, limit))


def _files(places: Sequence[Place]) -> list[str]:
    return list(dict.fromkeys(place.file for place in places))


def _folder(file: str) -> str:
    """Return the folder of a file with a slash at its end, nothing for the project's root: all commits touch that."""
    return file[: file.rfind("/") + 1]


def _ranked(asked: _Asked, places: Sequence[Place], commits: Sequence[Commit]) -> list[_Rated]:
    """Rate the commits, the newest first; of those whose changes are read, lines are followed back to where they stood."""
    lines = {place: place.line for place in places}
    readable = DIFFS if asked.has_left_the_machine() else DIFFS_HERE
    rated = []
    for age, commit in enumerate(commits):
        diff = _diff(asked, commit, places) if age < readable else None
        changes = {change.file: changed_lines(change.patch) for change in diff.changes if change.patch} if diff else {}
        rated += [
            replace(best, age=age) for best in sorted(_reasons(commit, places, lines, changes), key=lambda item: item.rank)[:1]
        ]
        lines = _before(lines, commit, changes)
    return sorted(rated, key=lambda item: (item.rank, item.age))[:MAX_SUSPECTS]


def _diff(asked: _Asked, commit: Commit, places: Sequence[Place]) -> CommitDiff | None:
    paths = [*_files(places), *(file for file in commit.files if file.endswith("/"))]
    return asked.first(lambda host: host.diff(commit.id, paths))


def _reasons(
    commit: Commit, places: Sequence[Place], lines: Mapping[Place, int], changes: Mapping[str, Sequence[Block]]
) -> Iterator[_Rated]:
    for index, place in enumerate(places):
        if place.file in commit.files:
            away = distance(changes.get(place.file, ()), lines[place]) if place in lines else None
            kind = _FILE if away is None or away > NEAR_LINES else _NEAR if away else _LINE
            yield _Rated((kind, index), commit, place.file, f"{_WORDS[kind]} {place.line}, {place.role}")
    folder = _folder(places[0].file)
    beside = [file for file in (*changes, *commit.files) if folder and file.startswith(folder)]
    if beside:
        words = f"changed a file in the folder of {places[0].file}, {places[0].role}"
        yield _Rated((_IN_FOLDER, 0), commit, beside[0], words)


def _before(lines: Mapping[Place, int], commit: Commit, changes: Mapping[str, Sequence[Block]]) -> dict[Place, int]:
    """Return where the places stood before `commit`, without those that it wrote and those whose changes were not read."""
    before = dict(lines)
    for place, line in lines.items():
        if place.file in commit.files:
            earlier = line_before(changes[place.file], line) if place.file in changes else None
            before.pop(place)
            before |= {place: earlier} if earlier else {}
    return before


def _named(rated: Sequence[_Rated], when: str) -> tuple[Suspect, ...]:
    return tuple(Suspect(item.commit.id, item.file, _why(item, when)) for item in rated)


def _why(item: _Rated, when: str) -> str:
    subject = " ".join(item.commit.subject.split())
    shown = subject if len(subject) <= SUBJECT_CHARACTERS else f"{subject[:SUBJECT_CHARACTERS]}…"
    return f"{item.words}, {when}" + (f" — “{shown}”" if shown else "")
