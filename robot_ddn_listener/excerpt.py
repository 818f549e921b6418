"""A test's log as lines, and the choice of lines when there are too many: the ends, and windows around what failed."""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any

from robot.result import ForIteration, Keyword

from .annotation import card_facts
from .contract import LogLine, Truncation
from .model import parts

MAX_TEXT_CHARACTERS = 8_000  # of one message; more is a page source or a dump
HEAD_LINES = 30
TAIL_LINES = 60
WINDOW_BEFORE = 12
WINDOW_AFTER = 8
MAX_DEPTH = 60  # of keywords; Robot itself stops at its recursion limit
_WEIGHTY = ("FAIL", "ERROR", "WARN")

_MARKUP = re.compile(r"<(?:br|/p|/tr|/div)[^<>]*>|(<[^<>]*>)", re.IGNORECASE)
_ATTACHMENT = re.compile(r"(?:src|href)=[\"']([^\"'<>]{1,300})[\"']", re.IGNORECASE)


def log_lines(items: Iterable[Any]) -> list[LogLine]:
    """Return the messages and keyword starts inside `items`, in the order of the log, keywords indented by depth."""
    return list(_lines(items, 0))


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


def cut_log(lines: list[LogLine], limit: int) -> tuple[tuple[LogLine, ...], tuple[Truncation, ...]]:
    """Return at most about `limit` characters of `lines`: windows around failures and errors, the tail, the head, in log order."""
    size = sum(len(line.text) for line in lines)
    if size <= limit:
        return tuple(lines), ()
    kept: set[int] = set()
    spent = 0
    for index in _by_weight(lines):
        if index not in kept and spent + len(lines[index].text) <= limit:
            kept.add(index)
            spent += len(lines[index].text)
    return tuple(_with_gaps(lines, sorted(kept))), (Truncation("log", size, spent),)


def cut_text(text: str, limit: int) -> str:
    """Return `text`, or its head and tail with the number of characters left out between them."""
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    return f"{text[:head]} [... {len(text) - head - tail} characters left out ...] {text[-tail:]}"


def plain_text(message: Any) -> str:
    """Return a log message's text, without markup where it is HTML."""
    text = cut_text(message.message, MAX_TEXT_CHARACTERS)
    if message.html:
        text = unescape(_MARKUP.sub(lambda tag: " " if tag[1] else "\n", text)).strip()
    return text


def describe(item: Any) -> str:
    """Return a keyword's name and arguments, or a control structure as it is written in the data."""
    if isinstance(item, Keyword):  # files of old versions have keywords of type FOR
        return "    ".join([item.full_name or "", *(str(argument) for argument in item.args)])
    return f"{_kind(item)}    {_control_text(item)}".rstrip()


def _kind(item: Any) -> str:
    return str(item.type).replace("IF/ELSE ROOT", "IF").replace("TRY/EXCEPT ROOT", "TRY")


def _control_text(item: Any) -> str:
    if item.type == "FOR":
        return "    ".join([*item.assign, item.flavor or "IN", *(str(value) for value in item.values)])
    if isinstance(item, ForIteration):
        return "    ".join(f"{name} = {value}" for name, value in item.assign.items())
    if item.type == "VAR":
        return "    ".join([item.name or "", *(str(value) for value in item.value)])
    if item.type == "GROUP":
        return item.name or ""
    if item.type == "EXCEPT":
        return "    ".join(str(pattern) for pattern in item.patterns)
    if item.type in ("ERROR", "RETURN"):
        return "    ".join(str(value) for value in item.values)
    return str(getattr(item, "condition", "") or "")


def _lines(items: Iterable[Any], depth: int) -> Iterator[LogLine]:
    for item in items:
        if item.type == "MESSAGE":
            if item.html and card_facts(item.message):
                continue  # our own answer of an earlier time is no evidence
            yield LogLine(plain_text(item), item.level, item.timestamp.isoformat() if item.timestamp else "")
        elif depth < MAX_DEPTH and getattr(item, "status", "") != "NOT RUN":
            if item.type not in ("IF/ELSE ROOT", "TRY/EXCEPT ROOT"):
                yield LogLine("  " * depth + cut_text(describe(item), 1000), "KEYWORD")
            yield from _lines(parts(item), depth + 1)


def _messages(items: Iterable[Any], depth: int) -> Iterator[Any]:
    for item in items:
        if item.type == "MESSAGE":
            yield item
        elif depth < MAX_DEPTH:
            yield from _messages(parts(item), depth + 1)


def _by_weight(lines: list[LogLine]) -> Iterator[int]:
    last = len(lines) - 1
    weighty = [index for index, line in enumerate(lines) if line.level in _WEIGHTY]
    # The last failures first: what ended the test stands at the end of its log.
    for index in reversed(weighty):
        yield index
        yield from range(max(0, index - WINDOW_BEFORE), min(last, index + WINDOW_AFTER) + 1)
    yield from range(last, max(-1, last - TAIL_LINES), -1)
    yield from range(min(HEAD_LINES, last + 1))
    yield from range(last, -1, -1)


def _with_gaps(lines: list[LogLine], kept: list[int]) -> Iterator[LogLine]:
    expected = 0
    for index in kept:
        if index > expected:
            yield LogLine(f"[... {index - expected} lines left out ...]", "INFO")
        yield lines[index]
        expected = index + 1
