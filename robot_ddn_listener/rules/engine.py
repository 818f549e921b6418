"""Clues and rules, and which of several matching rules tells the cause.

Every rule is tried. A match weighs its rule's rank, less what the place of its first clue costs: the message itself speaks of
this failure, the log of what happened around it, the execution errors of the whole run. So a dead browser in the log explains
"element not found" in the message, but not "no keyword with name". Of equal weights the earlier rule wins.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from ..contract import MAX_EVIDENCE, MAX_QUOTE_CHARACTERS, Analysis, Engine, ErrorType, Evidence, FailureReport, Verdict
from .abstention import missing
from .hints import hints_of
from .views import Passage, Place, Views

CODE = ErrorType.CODE_ERROR
CONFIG = ErrorType.CONFIG_ERROR
DEPENDENCY = ErrorType.DEPENDENCY_ERROR
INFRA = ErrorType.INFRA_ERROR
TEST = ErrorType.TEST_ERROR

# Ranks: how near to the root of a failure the rules of a kind look.
FATAL = 50  # the ground is gone: a dead browser or service, a full disk, no memory
CAUSE = 40  # Robot could not load or understand what the rest needs
PRECISE = 30  # the text names the cause
GENERAL = 20  # the text names the kind of problem, causes differ
GUESS = 10  # the usual cause of a common shape

_COST = {  # in ranks
    Place.MESSAGE: 0,
    Place.IMPORTS: 0,
    Place.TRACE: 2,
    Place.TEARDOWN: 21,
    Place.LOG: 26,
    Place.ERRORS: 32.5,
    Place.KEYWORDS: 0,
    Place.NAMES: 0,
}
_LATER = 0.1  # cost of each passage before the one that matched, and of each failure before it in "Several failures occurred"
_SPOKEN = (Place.MESSAGE, Place.TRACE)
_ANYWHERE = (Place.MESSAGE, Place.TRACE, Place.IMPORTS, Place.TEARDOWN, Place.LOG)
_LOADED = (Place.IMPORTS, Place.MESSAGE, Place.TRACE)

_LOG_CONFIDENCE = 0.85  # of a rule's own, where its first clue stands in the log and not in the failure itself
_GROUP_CHARACTERS = 100
_LEAD_CHARACTERS = 40  # shown before a match in a line that is too long to quote


@dataclass(frozen=True, slots=True)
class Clue:
    """A pattern (case is ignored; a blank stands for any white space; every repetition is bounded) and where it may stand.

    `hint` holds lower-case texts separated by ``|``, one of which is in every text that matches: the pattern is neither
    compiled nor tried without it.
    """

    pattern: str
    hint: str
    places: tuple[Place, ...] = _SPOKEN


@dataclass(frozen=True, slots=True)
class Rule:
    """One known cause: all `clues` must be found and none of `unless`. Evidence is quoted from `clues`, then `support`.

    `cause` and `advice` may use the named groups of all clues, e.g. ``{host}``. `confidence` is the share of right answers
    expected of rules of this kind, not of this rule on the examples at hand.
    """

    id: str
    error_type: ErrorType
    rank: int
    confidence: float
    clues: tuple[Clue, ...]
    cause: str
    advice: str
    unless: tuple[Clue, ...] = field(default=())
    support: tuple[Clue, ...] = field(default=())


def said(pattern: str, hint: str) -> Clue:
    """The failure's message or its exception says so."""
    return Clue(pattern, hint)


def anywhere(pattern: str, hint: str) -> Clue:
    """The failure, the log around it, or what failed after it says so."""
    return Clue(pattern, hint, _ANYWHERE)


def whole_run(pattern: str, hint: str) -> Clue:
    """As `anywhere`, or the execution errors of the run say so."""
    return Clue(pattern, hint, (*_ANYWHERE, Place.ERRORS))


def loaded(pattern: str, hint: str) -> Clue:
    """A problem of loading says so: an execution error that can explain the message, the message, or the exception."""
    return Clue(pattern, hint, _LOADED)


def imported(pattern: str, hint: str) -> Clue:
    """An execution error that can explain the message says so, or the message where it is one."""
    return Clue(pattern, hint, (Place.IMPORTS,))


def logged(pattern: str, hint: str) -> Clue:
    """The log around the failure says so."""
    return Clue(pattern, hint, (Place.LOG,))


def running(pattern: str, hint: str) -> Clue:
    """A keyword on the failing path, as ``Owner.Name  arguments``, is such."""
    return Clue(pattern, hint, (Place.KEYWORDS,))


def named(pattern: str, hint: str) -> Clue:
    """The name of the test or of a keyword on the failing path says so."""
    return Clue(pattern, hint, (Place.NAMES,))


@dataclass(frozen=True, slots=True)
class _Find:
    place: Place
    passage: Passage
    match: re.Match[str]
    cost: float


@dataclass(frozen=True, slots=True)
class _Hit:
    rule: Rule
    finds: tuple[_Find, ...]

    @property
    def weight(self) -> float:
        return self.rule.rank - self.finds[0].cost

    @property
    def confidence(self) -> float:
        far = self.finds[0].place in (Place.LOG, Place.ERRORS)
        return round(self.rule.confidence * _LOG_CONFIDENCE, 2) if far else self.rule.confidence


def judge(report: FailureReport, rules: tuple[Rule, ...]) -> Analysis:
    """Return what the weightiest of the matching `rules` says of `report`, or an abstention."""
    views = Views(report)
    best = max(_hits(rules, views), key=lambda hit: hit.weight, default=None)
    return _diagnosis(report, best, views) if best and best.weight >= GUESS else _abstention(report)


def _hits(rules: tuple[Rule, ...], views: Views) -> Iterator[_Hit]:
    for rule in rules:
        finds = tuple(_finds(rule.clues, views))
        if len(finds) == len(rule.clues) and not any(_find(clue, views) for clue in rule.unless):
            yield _Hit(rule, finds)


def _finds(clues: tuple[Clue, ...], views: Views) -> Iterator[_Find]:
    for clue in clues:
        find = _find(clue, views)
        if not find:
            return
        yield find


def _find(clue: Clue, views: Views) -> _Find | None:
    hints = hints_of(clue.hint)
    for place in clue.places:
        lowered = views.lowered(place)
        if not lowered.has(hints):
            continue
        passages, pattern = views.passages(place), _compiled(clue.pattern)
        for number in lowered.numbers(hints):
            match = pattern.search(passages[number].text)
            if match:
                return _Find(place, passages[number], match, _cost(place, number, match))
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(" ", r"\s"), re.IGNORECASE)


_NUMBERED = re.compile(r"\n\d{1,3}\) ")


def _cost(place: Place, number: int, match: re.Match[str]) -> float:
    later = min(number, 9)
    if place is Place.MESSAGE and match.string.startswith("Several failures occurred"):
        later += min(len(_NUMBERED.findall(match.string, 0, match.start())), 9)
    return _COST[place] + _LATER * later


def _diagnosis(report: FailureReport, hit: _Hit, views: Views) -> Analysis:
    rule = hit.rule
    supporting = tuple(find for clue in rule.support if (find := _find(clue, views)))
    words = _Words(hit.finds)
    return Analysis(
        report_id=report.id,
        project=report.project,
        fingerprint=report.fingerprint,
        verdict=Verdict.DIAGNOSED,
        error_type=rule.error_type,
        root_cause=rule.cause.format_map(words),
        recommendation=rule.advice.format_map(words),
        confidence=hit.confidence,
        evidence=tuple(_evidence(_one_a_passage(hit.finds) + supporting, views)),
        engine=Engine(rule_id=rule.id),
    )


class _Words(dict[str, str]):
    """The named groups of all finds, each on one line and short; a group that took no part reads as an ellipsis."""

    def __init__(self, finds: tuple[_Find, ...]):
        super().__init__()
        for find in finds:
            self.update({name: _short(text) for name, text in find.match.groupdict().items() if text})

    def __missing__(self, name: str) -> str:
        return "..."


def _short(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _GROUP_CHARACTERS else folded[: _GROUP_CHARACTERS - 1] + "…"


def _one_a_passage(finds: tuple[_Find, ...]) -> tuple[_Find, ...]:
    return tuple({id(find.passage): find for find in reversed(finds)}.values())[::-1]


def _evidence(finds: tuple[_Find, ...], views: Views) -> Iterator[Evidence]:
    """Yield what was found, each once, and the message itself where the cause stands elsewhere."""
    quotes: dict[str, str] = {}
    for find in finds:
        quote = _quote(find.passage.text, *find.match.span("quote" if find.match.groupdict().get("quote") else 0))
        if find.passage.where and quote and not any(quote in other or other in quote for other in quotes):
            quotes[quote] = find.passage.where
    message = views.passages(Place.MESSAGE)[0]
    if message.text and message.where not in quotes.values():
        quotes[_quote(message.text, start := _headline(message.text), start)] = message.where
    for quote, where in list(quotes.items())[:MAX_EVIDENCE]:
        yield Evidence(quote, where)


_HEADING = re.compile(r"(?:[\w ]{1,40}failed:|Several failures occurred:)\n(?:1\) )?")


def _headline(message: str) -> int:
    """Return where `message` begins behind Robot's own headings such as ``Setup failed:``."""
    heading = _HEADING.match(message)
    return heading.end() if heading else 0


def _quote(text: str, start: int, end: int) -> str:
    """Return the line (or lines) around ``text[start:end]``, cut at words to what evidence may hold."""
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end)
    stop = stop if stop >= 0 else len(text)
    if stop - begin > MAX_QUOTE_CHARACTERS:
        lead = min(_LEAD_CHARACTERS, max(0, MAX_QUOTE_CHARACTERS - (end - start)))
        begin = _word_start(text, max(begin, min(start - lead, stop - MAX_QUOTE_CHARACTERS)), start)
        stop = min(stop, begin + MAX_QUOTE_CHARACTERS)
    return " ".join(text[begin:stop].split())


def _word_start(text: str, begin: int, start: int) -> int:
    """Return the first start of a word from `begin` on, but not beyond `start`."""
    if not begin or text[begin - 1].isspace():
        return begin
    blank = text.find(" ", begin, start)
    return blank + 1 if blank >= 0 else begin


def _abstention(report: FailureReport) -> Analysis:
    return Analysis(report_id=report.id, project=report.project, fingerprint=report.fingerprint, missing=missing(report))
