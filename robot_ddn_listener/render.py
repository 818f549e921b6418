"""Tickets of a run -> what its reader sees: cards, tags, metadata and console lines.

Robot formats metadata itself, after any escaping of ours: `[javascript:...|x]` becomes a live link, a bare image URL loads
the image. So in metadata every foreign text is defused: no character is left that Robot's formatter acts on.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate

from .annotation import TAG_PREFIX, Annotations, Place
from .cards.card import full_card, member_card
from .cards.legible import count, one_line
from .cards.wording import (
    NOT_ANALYSED,
    NOTE_CHARACTERS,
    Group,
    View,
    answered_by,
    attach_command,
    by_size,
    certainty,
    confidence_word,
    group_of,
    groups_from_facts,
    headline,
    kind,
    replay_command,
    size,
    title,
)
from .contract import Verdict
from .ticket import Delivery, Ticket

__all__ = [
    "Group",
    "View",
    "annotations",
    "confidence_word",
    "console_lines",
    "group_of",
    "groups_from_facts",
    "suite_summary",
    "summary_line",
]

CONSOLE_COLUMNS = 78
METADATA_CAUSE_CHARACTERS = 200
CONSOLE_GROUPS = 20
CONSOLE_CAUSE_CHARACTERS = 150  # two lines
METADATA_GROUPS = 50

_WORD_JOINER = "\u2060"  # has no width; between two characters it keeps them from being read as markup
_EMOJI_STYLE = "\ufe0f"  # makes the narrow character before it wide
_MARKUP = re.compile(r"[*`]|(?<![^\W_])_|(?<=:)//")


def annotations(tickets: Sequence[Ticket], view: View) -> Annotations:
    """Return all that is written into the result for `tickets`."""
    return Annotations(
        cards=_cards(tickets, view),
        tags=dict(_tags(tickets)) if view.tags else {},
        test_metadata=dict(_test_metadata(tickets)) if view.metadata else {},
        suite_metadata=suite_summary([group_of(ticket) for ticket in tickets], view.noun) if view.suite_metadata else "",
    )


def _cards(tickets: Sequence[Ticket], view: View) -> dict[Place, str]:
    cards = {}
    for ticket in tickets:
        for number, member in enumerate(ticket.members):
            cards[member.place] = member_card(ticket, member) if number else full_card(ticket, view)
    return cards


def _tags(tickets: Sequence[Ticket]) -> Iterator[tuple[str, str]]:
    """A test that was not analysed has no kind of cause, so it has no tag either."""
    for ticket in tickets:
        if ticket.analysis.verdict is not Verdict.NOT_ANALYSED:
            tag = TAG_PREFIX + ticket.analysis.error_type.lower()  # lower case: Robot reads OR in a pattern as an operator
            yield from ((member.place.test_id, tag) for member in ticket.members if member.is_test)


def _test_metadata(tickets: Sequence[Ticket]) -> Iterator[tuple[str, str]]:
    for ticket in tickets:
        line = _type_and_source(ticket)
        yield from ((member.place.test_id, line) for member in ticket.members if member.is_test)


def _type_and_source(ticket: Ticket) -> str:
    analysis = ticket.analysis
    if analysis.verdict is Verdict.NOT_ANALYSED:
        return answered_by(analysis)
    source = "confirmed by a person" if analysis.confirmed_by else _rule_or_model(ticket)
    return _defused(", ".join(part for part in (analysis.error_type.value, certainty(analysis), source) if part))


def _rule_or_model(ticket: Ticket) -> str:
    engine = ticket.analysis.engine
    if engine.model:
        return f"AI ({one_line(engine.model, 80)})"
    return f"rule {one_line(engine.rule_id, 80)}" if engine.rule_id else ""


def suite_summary(groups: Sequence[Group], noun: str = "test") -> str:
    """Return the suite's metadata, in Robot's own markup: counts by type, then one line a group. Empty without groups."""
    if not groups:
        return ""
    listed = by_size(groups)
    lines = [f"- *{kind(group)}* {_defused(_summary(group, noun))}" for group in listed[:METADATA_GROUPS]]
    if len(listed) > METADATA_GROUPS:
        lines.append(f"- and {count(len(listed) - METADATA_GROUPS, 'more group')}")
    return "\n".join([title(listed, noun), "", *lines])


def _summary(group: Group, noun: str) -> str:
    by = "" if group.by == NOT_ANALYSED else f"{group.by}; "
    return f"{size(group, noun)}: {one_line(group.cause, METADATA_CAUSE_CHARACTERS)} ({by}first in {group.first})"


def _defused(text: str) -> str:
    """Return `text` as one line on which Robot's formatter finds neither a link, an image, a URL nor a style."""
    text = one_line(text, 4 * NOTE_CHARACTERS).replace("|", "¦")
    return _MARKUP.sub(lambda found: _WORD_JOINER + found[0], text)


def summary_line(ticket: Ticket) -> str:
    """Return the answer to `ticket` as one line of plain text."""
    return f"{kind(group_of(ticket))} ({group_of(ticket).by}): {headline(ticket)}"


def console_lines(tickets: Sequence[Ticket], view: View, groups: Sequence[Group] | None = None) -> list[str]:
    """Return the groups for the console, no line wider than CONSOLE_COLUMNS; empty without tickets.

    `groups` are those of the tickets unless given: tickets made of cards know less than the cards.
    """
    if not tickets:
        return []
    groups = by_size([group_of(ticket) for ticket in tickets] if groups is None else groups)
    lines = list(_wrapped(f"Failure analysis: {title(groups, view.noun)}", ""))
    for group in groups[:CONSOLE_GROUPS]:
        lines.extend(_group_lines(group, view))
    if len(groups) > CONSOLE_GROUPS:
        lines.append(f"and {count(len(groups) - CONSOLE_GROUPS, 'more group')}, all of them in log.html")
    return lines + list(_commands(tickets, view))


def _group_lines(group: Group, view: View) -> Iterator[str]:
    by = "" if group.by == NOT_ANALYSED else f", {group.by}"
    yield from _wrapped(f"{kind(group)}: {size(group, view.noun)}{by}", "")
    yield from _wrapped(one_line(group.cause, CONSOLE_CAUSE_CHARACTERS), "  ")
    others = f" and {group.others:,} more" if group.others else ""
    yield from _wrapped(f"{group.first}{others}", "  ")


def _commands(tickets: Sequence[Ticket], view: View) -> Iterator[str]:
    """What is open, with the command that helps, on lines of their own."""
    pending, spooled, lost = (_in_state(tickets, state) for state in (Delivery.PENDING, Delivery.SPOOLED, Delivery.LOST))
    if pending:
        yield f"Not final yet: {count(len(pending), 'verdict')}.{' Add later with' if view.output else ''}"
        yield from _whole(attach_command(view)) if view.output else ()
    if spooled:
        yield from _wrapped(f"Not delivered: {count(len(spooled), 'report')} ({_note(spooled[0])}). Send later with", "")
        yield from _whole(replay_command(view))
    if lost:
        yield from _wrapped(f"Lost: {count(len(lost), 'report')} ({_note(lost[0])})", "")


def _whole(command: str) -> Iterator[str]:
    """A command that fits stays as it is, to be copied: a path may hold spaces that count."""
    if columns(command) <= CONSOLE_COLUMNS - 2:
        yield f"  {command}"
    else:
        yield from _wrapped(command, "  ")


def _in_state(tickets: Sequence[Ticket], state: Delivery) -> list[Ticket]:
    return [ticket for ticket in tickets if ticket.delivery is state]


def _note(ticket: Ticket) -> str:
    return one_line(ticket.note, CONSOLE_CAUSE_CHARACTERS).rstrip(".") or "the reason is not known"


def _wrapped(text: str, indent: str) -> Iterator[str]:
    """Yield `text` on lines of at most CONSOLE_COLUMNS; what does not fit within one, such as a path, is broken."""
    line, room = "", CONSOLE_COLUMNS - len(indent)
    for word in text.split():
        if line and columns(f"{line} {word}") > room:
            yield indent + line
            line = ""
        line = f"{line} {word}" if line else word
        while columns(line) > room:
            head = _fitting(line, room)
            yield indent + head
            line = line[len(head) :]
    if line:
        yield indent + line


def _fitting(text: str, room: int) -> str:
    widths = accumulate(_width(character) for character in text)
    return text[: sum(width <= room for width in widths)]


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes, rather one too many than one too few."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" or character == _EMOJI_STYLE else 1
