"""What of a report a rule may look at: passages by place, with white space folded line by line and cut to a fixed size."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import IntEnum, auto
from itertools import islice

from ..contract import CAUGHT_LEVEL, ExceptionInfo, FailureReport
from .hints import Lowered

PASSAGE_CHARACTERS = 12_000  # of one text: half from its start, half from its end; errors stand at either
LOG_CHARACTERS = 48_000  # of the log, counted from its end, where the failure is
LOG_LINES = 400
ERROR_LINES = 60
CAUSES = 10  # of an exception
FRAMES = 30


class Place(IntEnum):
    """Where a clue looks. MESSAGE is the failure itself, TEARDOWN what failed after it, TRACE the exception.

    IMPORTS are the problems of Robot's own (a failed import, a missing file) that can explain the message, most relevant first.
    LOG and ERRORS come latest first, KEYWORDS is the failing path from the inside out, NAMES is what test and keywords are called.
    """

    MESSAGE = auto()
    TEARDOWN = auto()
    TRACE = auto()
    IMPORTS = auto()
    LOG = auto()
    ERRORS = auto()
    KEYWORDS = auto()
    NAMES = auto()


@dataclass(frozen=True, slots=True)
class Passage:
    """`where` is what Evidence calls the place; empty where a passage is never quoted."""

    text: str
    where: str = ""


class Views:
    """The passages of one report by place, each made when first asked for."""

    def __init__(self, report: FailureReport):
        self._report = report
        self._passages: dict[Place, tuple[Passage, ...]] = {}
        self._lowered: dict[Place, Lowered] = {}

    def passages(self, place: Place) -> tuple[Passage, ...]:
        if place not in self._passages:
            self._passages[place] = tuple(_READERS[place](self._report))
        return self._passages[place]

    def lowered(self, place: Place) -> Lowered:
        """Return all texts of `place`, for a quick look before any pattern is tried."""
        lowered = self._lowered.get(place)
        if lowered is None:
            lowered = self._lowered[place] = Lowered([passage.text for passage in self.passages(place)])
        return lowered


def fold(text: str) -> str:
    """Return `text` with its white space folded inside lines and its empty lines dropped."""
    return "\n".join(folded for line in text.splitlines() if (folded := " ".join(line.split())))


def _cut(text: str, where: str) -> Iterator[Passage]:
    half = PASSAGE_CHARACTERS // 2
    yield Passage(fold(text if len(text) <= PASSAGE_CHARACTERS else text[:half]), where)
    if len(text) > PASSAGE_CHARACTERS:
        yield Passage(fold(text[-half:]), where)


_ALSO_FAILED = re.compile(r"\n\s{0,9}Also (?:parent suite )?teardown failed:")


def _message(report: FailureReport) -> Iterator[Passage]:
    yield from _cut(_ALSO_FAILED.split(report.error_message, 1)[0], "error message")


def _teardown(report: FailureReport) -> Iterator[Passage]:
    for part in _ALSO_FAILED.split(report.error_message, 1)[1:]:
        yield from _cut(part, "error message")


def _trace(report: FailureReport) -> Iterator[Passage]:
    if report.exception:
        yield from _exception(report.exception)
        for cause in report.exception.causes[:CAUSES]:
            yield from _exception(cause)


def _exception(exception: ExceptionInfo) -> Iterator[Passage]:
    yield from _cut(f"{exception.type}: {exception.message}" if exception.message else exception.type, "exception")
    yield Passage("\n".join(f"{frame.file} in {frame.function}" for frame in exception.frames[-FRAMES:]))


_EXPLAINABLE = re.compile(r"No keyword with name '(?P<keyword>[^'\n]{1,200})|Variable '[^'\n]{1,200}' not found")
_IMPORT_PROBLEM = re.compile(
    r"(?i)importing |initializing |getting keyword names|adding keyword |does not exist|creating keyword |contains no keywords"
    r"|resource file|environment variable|unrecognized section|library '[^'\n]{1,200}' expected"
)
_VARIABLES_ONLY = re.compile(r"(?i)variable file '[^'\n]{1,300}'")  # lacks no keyword
_FILE_PROBLEM = re.compile(r"(?i)(?:resource|variable) file|\.(?:resource|robot|ya?ml|json)' does not exist|setting variable ")
_OWN_PROBLEM = re.compile(
    r"(?i)importing [^\n]{0,300}failed|initializing [^\n]{0,300}failed|(?:file|library) '[^'\n]{1,300}' does not exist"
)


def _imports(report: FailureReport) -> Iterator[Passage]:
    """Yield the message where it is itself such a problem, then those of the execution errors that can explain it."""
    explained = _EXPLAINABLE.search(report.error_message[:PASSAGE_CHARACTERS])
    if not explained:
        if _OWN_PROBLEM.search(report.error_message[:PASSAGE_CHARACTERS]):
            yield from _message(report)
        return
    if explained["keyword"] and _is_misspelled(explained["keyword"], report.error_message):
        return
    explains = _explains_keyword if explained["keyword"] else _FILE_PROBLEM.search
    texts = dict.fromkeys(
        error.text for error in report.execution_errors[:ERROR_LINES] if explains(error.text[:PASSAGE_CHARACTERS])
    )
    for text in sorted(texts, key=lambda text: _distance(text, explained["keyword"] or "", report)):
        yield from _cut(text, "execution errors")


def _explains_keyword(problem: str) -> bool:
    return bool(_IMPORT_PROBLEM.search(problem)) and not _VARIABLES_ONLY.search(problem)


_SUGGESTION = re.compile(r"(?:Did you mean:|\n) +(?:[^\n]{0,80}\.)?([^\n.]{1,120})")
_ALIKE = 0.84  # from here on a suggested keyword is the one that was meant, and no import is to blame


def _is_misspelled(keyword: str, message: str) -> bool:
    """Tell whether Robot suggests a keyword that differs by a slip only."""
    suggestions = message.partition("Did you mean:")[1:]
    wanted = _squashed(keyword.rpartition(".")[2])
    names = (_squashed(name) for name in _SUGGESTION.findall("".join(suggestions)[:PASSAGE_CHARACTERS]))
    return any(wanted != name and SequenceMatcher(None, wanted, name).ratio() >= _ALIKE for name in names)


def _squashed(name: str) -> str:
    return name.replace(" ", "").replace("_", "").lower()


_OWNERS = {  # libraries that often fail to import: how the problem names them, and keywords that only they have
    "seleniumlibrary|selenium": "open browser|close browser|close all browsers|go to|click element|click button|click link"
    "|input text|title should be",
    "browser|node|playwright": "new browser|new context|new page|new persistent context|open browser|close browser|fill text"
    "|type text|click|get text",
    "requests": "create session|get|post|put|delete|get on session|post on session|put on session|delete on session|get request"
    "|post request",
    "sshlibrary|paramiko": "open connection|login|login with public key|execute command|put file|close all connections",
    "telnet": "open connection|read until prompt|close all connections",
    "databaselibrary": "connect to database|connect to database using custom params"
    "|disconnect from database|query|execute sql string|row count|table must exist",
    "appiumlibrary|appium": "open application|close application|click element|input text|tap",
}


def _distance(text: str, keyword: str, report: FailureReport) -> int:
    """Return how far an import problem is from a missing keyword: its library, its own file, a missing file, others."""
    head = text[:400].lower()
    owner, _, wanted = keyword.lower().rpartition(".")
    if owner and owner in head.partition(": ")[2]:
        return 0
    if any(
        wanted in keywords.split("|") and any(f"'{name}" in head for name in names.split("|"))
        for names, keywords in _OWNERS.items()
    ):
        return 0
    if report.source and report.source in text[:400]:
        return 1
    return 2 if "does not exist" in head else 3


def _log(report: FailureReport) -> Iterator[Passage]:
    left = LOG_CHARACTERS
    for line in islice((line for line in reversed(report.log) if line.level not in ("KEYWORD", CAUGHT_LEVEL)), LOG_LINES):
        for passage in _cut(line.text, "log"):
            yield passage
            left -= len(passage.text)
        if left <= 0:
            return


def _errors(report: FailureReport) -> Iterator[Passage]:
    for error in report.execution_errors[: -ERROR_LINES - 1 : -1]:
        yield from _cut(error.text, "execution errors")


def _keywords(report: FailureReport) -> Iterator[Passage]:
    for keyword in reversed(report.keywords):
        yield from _cut("  ".join((keyword.full_name, *keyword.args)), "")


def _names(report: FailureReport) -> Iterator[Passage]:
    yield from _cut(report.test_name, "")
    for keyword in report.keywords:
        yield from _cut(keyword.name, "")


_READERS: dict[Place, Callable[[FailureReport], Iterator[Passage]]] = {
    Place.MESSAGE: _message,
    Place.TEARDOWN: _teardown,
    Place.TRACE: _trace,
    Place.IMPORTS: _imports,
    Place.LOG: _log,
    Place.ERRORS: _errors,
    Place.KEYWORDS: _keywords,
    Place.NAMES: _names,
}
