"""Foreign text, from logs and models, made fit to be read: nothing in it acts on a terminal, reorders or hides what is shown."""

import re

_ANSI = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
# Marks, embeddings, overrides and isolates reorder what is read; tag characters hide text; none of them shows.
_UNSEEN = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
# What XML 1.0 cannot hold, and the C1 controls that a terminal acts on.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def one_line(text: str, limit: int) -> str:
    """Return foreign `text` without anything that acts on a terminal or reorders what is read, on one line, cut to `limit`.

    Of a text without end only a beginning is looked at.
    """
    return clipped(" ".join(clean(text[: limit * 20]).split()), limit)


def clipped(text: str, limit: int) -> str:
    """Return `text` cut to `limit` characters, at a space if there is one near, with an ellipsis where it was cut."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ", limit - 30 if limit > 60 else limit)
    return (head[:space] if space > 0 else head).rstrip() + "…"


def clean(text: str) -> str:
    """Return foreign `text` without escape sequences and bidi controls, with line feeds only, and � for what XML cannot hold."""
    text = "\n".join(_UNSEEN.sub("", _ANSI.sub("", text)).splitlines())
    return _UNSHOWABLE.sub("\ufffd", text)
