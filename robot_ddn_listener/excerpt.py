"""A test's log as lines, and the choice of lines when there are too many: errors, what is news among them first, and the ends."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from html import unescape
from itertools import chain
from typing import Any

from robot.result import ForIteration, Keyword

from .annotation import card_facts
from .contract import CAUGHT_LEVEL, LogLine, Truncation
from .edges import cut_text
from .model import parts, text_of
from .redaction.names import secret_kind
from .redaction.tokens import private_key_lines
from .templates import by_interest, telling_lines

MAX_TEXT_CHARACTERS = 8_000  # of one message; more is a page source, a dump, or what a program wrote
MIN_LINES = 20  # of a long message that is cut by lines; with fewer it is cut in its middle
HEAD_LINES = 30
TAIL_LINES = 60
WINDOW = (12, 8)  # lines before and after one that failed
NARROW_WINDOW = (4, 6)  # around an error inside a message
GAP_CHARACTERS = 40  # of the line that says how many were left out
ERRORS_SHARE = 0.5  # of the limit, at most, for lines that look like errors; the rest is for what stands around them
MAX_DEPTH = 60  # of keywords; Robot itself stops at its recursion limit

_MARKUP = re.compile(r"<(?:br|/p|/tr|/div)[^<>]*>|(<[^<>]*>)", re.IGNORECASE)
_ATTACHMENT = re.compile(r"(?:src|href)=[\"']([^\"'<>]{1,300})[\"']", re.IGNORECASE)


def log_lines(items: Iterable[Any]) -> list[LogLine]:
    """Return the messages and keyword starts inside `items`, in the order of the log, keywords indented by depth."""
    return list(_lines(items, 0, is_below_passed=False, is_caught=False))


def attachments(items: Iterable[Any], limit: int = 20) -> tuple[str, ...]:
    """Return files that HTML messages inside `items` link or show, such as screenshots; embedded images are left out."""
    found = dict.fromkeys(
        target
        for message in _messages(items, 0)
        if message.html
        for target in _ATTACHMENT.findall(message.message)
        if not target.startswith(("data:", "http:", "https:", "javascript:", "#"))
    )
    return tuple(found)[-limit:]


def cut_log(lines: list[LogLine], limit: int, extra: int = 0) -> tuple[tuple[LogLine, ...], tuple[Truncation, ...]]:
    """Return at most about `limit` characters of `lines`: errors, rare ones first, windows around them, the tail, the head.

    Each line counts `extra` characters more than it has: an empty one takes its room, too.
    """
    size = sum(len(line.text) for line in lines)
    if size + extra * len(lines) <= limit:
        return tuple(lines), ()
    texts, levels = _without_keys([line.text for line in lines]), [line.level for line in lines]
    kept = _fitting(texts, levels, limit, WINDOW, max(extra, 1))
    spent = sum(len(texts[index]) for index in kept)
    return tuple(_with_gaps(lines, texts, kept)), (Truncation("log", size, spent),)


def plain_text(message: Any) -> str:
    """Return a log message's text, without markup where it is HTML."""
    if not message.html:
        return _cut_lines(message.message, MAX_TEXT_CHARACTERS)
    text = cut_text(message.message, MAX_TEXT_CHARACTERS)
    return unescape(_MARKUP.sub(_plain_tag, text)).strip()


def _plain_tag(tag: re.Match[str]) -> str:
    """Return what stands for a tag; of XML in an HTML message the name of a secret stays, which tells redaction of it."""
    if not tag[1]:
        return "\n"
    name = tag[1][1:-1]
    return f" {name}: " if name.isidentifier() and secret_kind(name) else " "


def describe(item: Any) -> str:
    """Return a keyword's name and arguments, or a control structure as it is written in the data."""
    if isinstance(item, Keyword):  # files of old versions have keywords of type FOR
        return "    ".join([item.full_name or "", *map(text_of, item.args)])
    return f"{_kind(item)}    {_control_text(item)}".rstrip()


def _kind(item: Any) -> str:
    return str(item.type).replace("IF/ELSE ROOT", "IF").replace("TRY/EXCEPT ROOT", "TRY")


def _control_text(item: Any) -> str:
    if item.type == "FOR":
        return "    ".join([*item.assign, item.flavor or "IN", *map(text_of, item.values)])
    if isinstance(item, ForIteration):
        return "    ".join(f"{name} = {value}" for name, value in item.assign.items())
    if item.type == "VAR":
        return "    ".join([item.name or "", *map(text_of, item.value)])
    if item.type == "GROUP":
        return item.name or ""
    if item.type == "EXCEPT":
        return "    ".join(map(text_of, item.patterns))
    if item.type in ("ERROR", "RETURN"):
        return "    ".join(map(text_of, item.values))
    return str(getattr(item, "condition", "") or "")


def _lines(items: Iterable[Any], depth: int, *, is_below_passed: bool, is_caught: bool) -> Iterator[LogLine]:
    for item in items:
        if item.type == "MESSAGE":
            if item.html and card_facts(item.message):
                continue  # our own answer of an earlier time is no evidence
            level = CAUGHT_LEVEL if is_caught else item.level
            yield LogLine(plain_text(item), level, item.timestamp.isoformat() if item.timestamp else "")
        elif depth < MAX_DEPTH and getattr(item, "status", "") != "NOT RUN":
            if item.type not in ("IF/ELSE ROOT", "TRY/EXCEPT ROOT"):
                yield LogLine("  " * depth + cut_text(describe(item), 1000), "KEYWORD")
            failed, passed = item.status == "FAIL", item.status == "PASS"
            yield from _lines(
                parts(item), depth + 1, is_below_passed=is_below_passed or passed, is_caught=failed and is_below_passed
            )


def _messages(items: Iterable[Any], depth: int) -> Iterator[Any]:
    for item in items:
        if item.type == "MESSAGE":
            yield item
        elif depth < MAX_DEPTH:
            yield from _messages(parts(item), depth + 1)


def _cut_lines(text: str, limit: int) -> str:
    """Return `text`, or of a longer one of many lines those that matter, else its head and tail."""
    if len(text) <= limit:
        return text
    lines = _without_keys(text.split("\n"))
    if len(lines) < MIN_LINES:
        return cut_text(text, limit)
    kept = _fitting(lines, (), limit, NARROW_WINDOW, GAP_CHARACTERS)
    return "\n".join(f"{_gap(missing)}\n{lines[index]}" if missing else lines[index] for index, missing in _gapped(kept))


def _without_keys(texts: list[str]) -> list[str]:
    """Return the texts with the inner lines of private keys empty: where the lines around are left out nothing tells them."""
    inner = private_key_lines(texts)
    return ["" if index in inner else text for index, text in enumerate(texts)] if inner else texts


def _fitting(texts: Sequence[str], levels: Sequence[str], limit: int, window: tuple[int, int], extra: int) -> list[int]:
    """Return the indexes of what matters most and fits into `limit` characters, each line with `extra` ones, in log order."""
    errors = _whole_groups(telling_lines(texts, levels), texts, int(limit * ERRORS_SHARE), extra)
    wanted = by_interest([group[0] for group in errors], len(texts), window, (HEAD_LINES, TAIL_LINES))
    rest = range(len(texts) - 1, -1, -1)
    return sorted(_first_fitting(chain(chain.from_iterable(errors), wanted, rest), texts, limit, extra))


def _whole_groups(groups: Iterable[list[int]], texts: Sequence[str], limit: int, extra: int) -> list[list[int]]:
    kept = []
    for group in groups:
        size = sum(len(texts[index]) + extra for index in group)
        if size <= limit:
            kept.append(group)
            limit -= size
    return kept


def _first_fitting(indexes: Iterable[int], texts: Sequence[str], limit: int, extra: int) -> list[int]:
    kept: dict[int, None] = {}
    for index in indexes:
        if index not in kept and len(texts[index]) + extra <= limit:
            kept[index] = None
            limit -= len(texts[index]) + extra
        if limit <= extra:
            break
    return list(kept)


def _with_gaps(lines: Sequence[LogLine], texts: Sequence[str], kept: Iterable[int]) -> Iterator[LogLine]:
    for index, missing in _gapped(kept):
        if missing:
            yield LogLine(_gap(missing), "INFO")
        yield replace(lines[index], text=texts[index])


def _gapped(kept: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield each index with the number of those left out before it."""
    expected = 0
    for index in kept:
        yield index, index - expected
        expected = index + 1


def _gap(missing: int) -> str:
    return f"[... {missing} lines left out ...]"
