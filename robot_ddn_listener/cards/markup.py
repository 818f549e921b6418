"""Foreign text as HTML: cleaned and escaped, and nothing live in it but http links."""

import re
from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

from .legible import clean, one_line

LISTED_ITEMS = 5
LABEL_CHARACTERS = 160

_CODE_SPAN = re.compile(r"`([^`\n]{1,200})`")
_NOT_IN_URLS = re.compile(r"[\s\\\x00-\x20\x7f-\x9f]")


def item_list(items: Iterable[str]) -> str:
    """Return pieces of HTML as a list, a single one as it is, and none as nothing."""
    shown = [item for item in items if item]
    if len(shown) < 2:
        return "".join(f'<div dir="auto">{item}</div>' for item in shown)
    listed = [f'<li dir="auto">{item}</li>' for item in shown[:LISTED_ITEMS]]
    if len(shown) > LISTED_ITEMS:
        listed.append(f"<li>and {len(shown) - LISTED_ITEMS:,} more</li>")
    return f"<ul>{''.join(listed)}</ul>"


def link(url: str, label: str) -> str:
    """Return a link, only ever to http or https; of anything else the label alone."""
    shown = inline(label, LABEL_CHARACTERS)
    return f'<a href="{attribute(url)}" target="_blank" rel="noreferrer noopener">{shown}</a>' if host_of(url) else shown


def host_of(url: str) -> str:
    """Return where a link really leads; empty when it is none that may be followed."""
    if _NOT_IN_URLS.search(url) or clean(url) != url:
        return ""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def code(text: str) -> str:
    return text and f'<code dir="auto">{escaped(one_line(text, LABEL_CHARACTERS))}</code>'


def inline(text: str, limit: int) -> str:
    """Return text for the middle of a sentence of ours: a right-to-left name in it does not turn what stands around."""
    return text and f"<bdi>{escaped(one_line(text, limit))}</bdi>"


def prose(text: str) -> str:
    """Return whole sentences; what they put in back-ticks becomes code."""
    return _CODE_SPAN.sub(r"<code>\1</code>", escaped(text))


def escaped(text: str) -> str:
    return escape(clean(text), quote=False)


def attribute(text: str) -> str:
    return escape(clean(text))
