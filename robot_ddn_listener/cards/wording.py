"""The words that the card, the metadata and the console share.

Everything here is plain text. HTML is made in card.py, Robot's own markup in render.py.
"""

import os
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePath

from ..annotation import CardFacts
from ..contract import Analysis, ErrorType, Stage, Verdict
from ..ticket import Delivery, Member, Ticket
from .legible import count, one_line

CONFIDENCE_BANDS = ((0.85, ""), (0.65, "likely, please confirm"), (0.0, "uncertain"))
"""The lowest confidence of each wording: from .85 a cause is told plainly, and below .40 the backend names none.

Words, not figures, because until a model is calibrated its figure is no probability.
"""

MEANINGS = {
    ErrorType.CODE_ERROR: "a defect in the product under test or in a library it uses",
    ErrorType.TEST_ERROR: "a defect in the test: keyword, locator, data or wait",
    ErrorType.INFRA_ERROR: "network, disk, memory, browser or a service",
    ErrorType.CONFIG_ERROR: "configuration, credential, variable, path or permission",
    ErrorType.DEPENDENCY_ERROR: "a missing or incompatible package, driver or version",
    ErrorType.UNKNOWN: "the kind of cause is not known",
}

CAUSE_CHARACTERS = 300
"""What is shown of a root cause at once: about three lines of a card; it is meant to be one sentence."""
NAME_CHARACTERS = 160
NOTE_CHARACTERS = 400
NOT_ANALYSED = "not analysed"
_FIXTURE_SUFFIXES = (" (suite setup)", " (suite teardown)")


@dataclass(frozen=True, slots=True)
class View:
    """What the reader's side looks like: where things are, and which of them are wanted.

    `output` is the path of the output file and `spool` the folder of undelivered reports; the console names them as they
    are given, the card by their last part, because a report is read on other machines than the one that wrote it.
    `corrections` shows the commands that confirm and correct. `noun` is ``task`` in an RPA run.
    """

    output: str
    spool: str = ""
    attach_command: str = "ddn attach"
    replay_command: str = "ddn replay"
    flower_url: str = ""
    tags: bool = True
    metadata: bool = True
    suite_metadata: bool = True
    corrections: bool = False
    noun: str = "test"


@dataclass(frozen=True, slots=True)
class Group:
    """One line of a summary. `tests` is how many tests failed by this; 0 when only a suite's setup or teardown did."""

    error_type: ErrorType
    cause: str
    by: str
    tests: int
    first: str

    @property
    def others(self) -> int:
        """How many tests there are besides `first`."""
        return self.tests if self.first.endswith(_FIXTURE_SUFFIXES) else max(self.tests - 1, 0)


def confidence_word(analysis: Analysis) -> str:
    """Return what is said of the confidence, nothing where it is high; a percentage only where it is a calibrated probability."""
    if not 0 <= analysis.confidence <= 1:
        return CONFIDENCE_BANDS[-1][1]
    word = next(word for lowest, word in CONFIDENCE_BANDS if analysis.confidence >= lowest)
    if not analysis.calibrated:
        return word
    return f"{word} ({analysis.confidence:.0%})" if word else f"{analysis.confidence:.0%} sure"


def answered_by(analysis: Analysis) -> str:
    """Return what kind of answer this is, e.g. ``rule dns-failure`` or ``AI (model-x), unconfirmed``."""
    if analysis.verdict is Verdict.NOT_ANALYSED:
        return NOT_ANALYSED
    if analysis.confirmed_by:
        tickets = (past.ticket for past in analysis.similar if past.confirmed_by == analysis.confirmed_by and past.ticket)
        said = ", ".join((analysis.confirmed_by, *list(tickets)[:1]))
        return f"confirmed by a person, {one_line(said, 80)}"
    source = _source(analysis)
    if analysis.verdict is Verdict.UNKNOWN:
        return f"{source} found no cause" if source else "no rule matched"
    return f"{source}, unconfirmed" if analysis.engine.model else source or "offline analysis"


def _source(analysis: Analysis) -> str:
    engine = analysis.engine
    if engine.model:
        return f"AI ({one_line(engine.model, 80)})"
    if engine.rule_id:
        return f"rule {one_line(engine.rule_id, 80)}"
    if analysis.verdict is Verdict.DIAGNOSED and analysis.references:
        return f"offline analysis, knowledge: {one_line(analysis.references[0].title, 80)}"
    return "offline analysis" if engine.pipeline_version else ""


def certainty(analysis: Analysis) -> str:
    """Return what is said of the confidence; nothing where it is high, a person has answered or no cause is claimed."""
    claimed = analysis.verdict is Verdict.DIAGNOSED and not analysis.confirmed_by
    return confidence_word(analysis) if claimed else ""


def headline(ticket: Ticket) -> str:
    """Return the root cause on one line, or a sentence that says there is none."""
    analysis = ticket.analysis
    if cause := one_line(analysis.root_cause, CAUSE_CHARACTERS):
        return cause
    if analysis.verdict is Verdict.NOT_ANALYSED:
        why = ticket.note or next(iter(analysis.missing), "")
        return one_line(why, CAUSE_CHARACTERS) or "This failure was not analysed."
    return "The cause was not found."


def delivery_note(ticket: Ticket, view: View) -> tuple[str, str]:
    """Return what the reader must know of the report's way, and the command that helps; both empty when all is well."""
    note = one_line(ticket.note, NOTE_CHARACTERS)
    if ticket.analysis.verdict is Verdict.NOT_ANALYSED:
        return ("" if note == headline(ticket) else note), ""
    return _DELIVERY[ticket.delivery](ticket, view, note)


def _answered(ticket: Ticket, view: View, note: str) -> tuple[str, str]:
    return (note, "") if ticket.analysis.stage is Stage.FINAL else _pending(ticket, view, note)


def _pending(ticket: Ticket, view: View, note: str) -> tuple[str, str]:
    if ticket.analysis.stage is Stage.FINAL:
        return note, ""
    if not view.output:
        return _joined("Best verdict so far.", note), ""
    said = _joined("Best verdict so far.", note, "Add the final one, once it is there, with")
    return said, f"{view.attach_command} {_shell(PurePath(view.output).name)}"


def _waiting(_ticket: Ticket, _view: View, note: str) -> tuple[str, str]:
    return _joined("The report was not sent yet when this was written.", note), ""


def _spooled(_ticket: Ticket, view: View, note: str) -> tuple[str, str]:
    folder = PurePath(spool_folder(view)).name or "."
    return f"Not delivered: {_reason(note)} Send it later with", f"{view.replay_command} {_shell(folder)}"


def _kept(_ticket: Ticket, _view: View, note: str) -> tuple[str, str]:
    return note or "Answered in the robot process; nothing was sent.", ""


def _lost(_ticket: Ticket, _view: View, note: str) -> tuple[str, str]:
    return f"Neither delivered nor kept on disk: {_reason(note)} More than this will not be known of this failure.", ""


_DELIVERY = {
    Delivery.WAITING: _waiting,
    Delivery.PENDING: _pending,
    Delivery.ANSWERED: _answered,
    Delivery.SPOOLED: _spooled,
    Delivery.KEPT: _kept,
    Delivery.LOST: _lost,
}


def _reason(note: str) -> str:
    return (note or "the reason is not known").rstrip(".") + "."


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def spool_folder(view: View) -> str:
    return view.spool or os.path.dirname(view.output) or "."


def attach_command(view: View) -> str:
    """Return the command for the machine that the run was on."""
    return f"{view.attach_command} {_shell(view.output)}"


def replay_command(view: View) -> str:
    return f"{view.replay_command} {_shell(spool_folder(view))}"


def _shell(path: str) -> str:
    return subprocess.list2cmdline([path]) if os.name == "nt" else shlex.quote(path)


def group_of(ticket: Ticket) -> Group:
    tests = sum(member.is_test for member in ticket.members)
    first = place_name(ticket.members[0]) if ticket.members else ticket.report.full_name
    return Group(ticket.analysis.error_type, headline(ticket), _answer(ticket.analysis), tests, first)


def _answer(analysis: Analysis) -> str:
    return ", ".join(part for part in (certainty(analysis), answered_by(analysis)) if part)


def groups_from_facts(facts: Iterable[CardFacts]) -> list[Group]:
    """Return the groups of a result whose tickets are gone, such as one merged by pabot, from the cards that stand in it."""
    by_report = sorted(facts, key=lambda card: (card.report_id, card.role != "full"))
    return [_group_of_cards(list(cards)) for _, cards in groupby(by_report, key=lambda card: card.report_id)]


def _group_of_cards(cards: Sequence[CardFacts]) -> Group:
    tests = sum(not card.name.endswith(_FIXTURE_SUFFIXES) for card in cards)
    first = cards[0]
    return Group(first.error_type, first.cause, first.by, tests, first.name)


def place_name(member: Member) -> str:
    """Return the full name of a test, or that of a suite with the part that failed."""
    name = one_line(member.full_name, NAME_CHARACTERS)
    if member.is_test or name.endswith(_FIXTURE_SUFFIXES):
        return name
    return f"{name} (suite {member.place.keyword})"


def by_size(groups: Iterable[Group]) -> list[Group]:
    """Return the groups that hit most tests first, and those that were not analysed last."""
    return sorted(groups, key=lambda group: (group.by == NOT_ANALYSED, -group.tests))


def title(groups: Sequence[Group], noun: str) -> str:
    """Return e.g. ``14 failed tests, 3 causes (CODE_ERROR 11, INFRA_ERROR 3), 2 not analysed``."""
    analysed = [group for group in groups if group.by != NOT_ANALYSED]
    failed = sum(group.tests for group in groups)
    skipped = sum(group.tests for group in groups if group.by == NOT_ANALYSED)
    parts = [count(failed, f"failed {noun}")] if failed else []
    if analysed:
        parts.append(f"{count(len(analysed), 'cause')} ({', '.join(_counts_by_type(analysed))})")
    if skipped:
        parts.append(f"{skipped} {NOT_ANALYSED}")
    return ", ".join(parts)


def _counts_by_type(groups: Sequence[Group]) -> Iterator[str]:
    for error_type in ErrorType:
        sizes = [max(group.tests, 1) for group in groups if group.error_type is error_type]
        if sizes:
            yield f"{error_type.value} {sum(sizes):,}"


def size(group: Group, noun: str) -> str:
    return count(group.tests, noun) if group.tests else "suite setup or teardown"


def kind(group: Group) -> str:
    return NOT_ANALYSED.upper() if group.by == NOT_ANALYSED else group.error_type.value
