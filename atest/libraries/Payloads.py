"""Payloads of cross-site scripting, each family with a mark of its own, and how a page shows that one of them is live on it."""

import re
from collections.abc import Callable, Iterable, Mapping
from html import escape, unescape
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from Pages import live_in, parsed
from robot.utils import html_format

OWN = "document.documentElement.id+=/OWNED{number}-/"  # without quotes or spaces: it stands in any attribute
SEEN = "{server}/seen/{number}"
# {own} is a script that leaves the family's mark on the page, {seen} an address on a server that counts who comes.
FAMILIES = {
    "script": "<script>{own}</script>",
    "closed attribute": '"><script>{own}</script>',
    "image with error": "<img src={seen} onerror={own}>",
    "svg": "<svg/onload={own}>",
    "event in attribute": "' onmouseover='{own}' autofocus onfocus='{own}' tabindex=1 x='",
    "event in quoted attribute": '" onmouseover="{own}" autofocus onfocus="{own}" tabindex=1 x="',
    "frame": "<iframe srcdoc='<script>parent.{own}</script>' src={seen}></iframe>",
    "object": "<object data={seen}></object><embed src={seen}>",
    "style": "<style>@import '{seen}';body{{background:url({seen})}}</style></style><link rel=stylesheet href={seen}>",
    "style attribute": '<div style="background:url({seen})">x</div>',
    "base and form": "<base href={seen}><form action={seen}><input type=image src={seen}></form>",
    "media": "<video autoplay poster={seen}><source src={seen} onerror={own}></video><details open ontoggle={own}>",
    "meta refresh": '<meta http-equiv=refresh content="0;url={seen}">',
    "end of the data": "</script><script>{own}</script><!--",
    "entities": "&lt;script&gt;{own}&lt;/script&gt; &#60;img src={seen} onerror={own}&#62;",
    "template": "${{{own}}} {{{{constructor.constructor('{own}')()}}}} <%= {own} %>",
    "script address": "javascript:{own}//",
    "page address": "data:text/html,<script>{own}</script>",
    "robot's link": "[javascript:{own}|click] [data:text/html,<script>{own}</script>|click] javascript:{own}",
    "robot's image": "[{seen}.png|{seen}.png] {seen}.png [{seen}.png|x]",
    "robot's styles": "*OWNED{number}-* _OWNED{number}-_",
    "robot's table": "| =head= | [javascript:{own}|x] | | [{seen}.png|x] | ---",
    "robot's html": "*HTML*<img src={seen} onerror={own}>",
    "markdown": "[x](javascript:{own}) ![x]({seen}.png) <javascript:{own}> [x]: {seen}",
    "split tag": "<scr<script>ipt>{own}</scr</script>ipt><img\nsrc={seen}\nonerror={own}>",
    "hidden characters": "<\u200bscript>{own}</script>\u202e<img\u2028src={seen} onerror={own}>\x00<svg\x0conload={own}>",
    "cdata": "]]><script>{own}</script><![CDATA[ --><script>{own}</script>",
}
_FORMATTED = ("robot's link", "robot's image", "robot's styles", "robot's table", "markdown")
# Where a payload is live when nothing is escaped; all others are on a bare page.
_CONTEXTS: dict[str, Callable[[str], str]] = {
    "event in attribute": "<p title='{}'>x</p>".format,
    **dict.fromkeys(("closed attribute", "event in quoted attribute"), '<p title="{}">x</p>'.format),
    "end of the data": '<script>x = "{}"</script>'.format,
    "entities": unescape,
    "template": "<script>x = `{}`</script>".format,
    "script address": '<a href="{}">x</a>'.format,
    "page address": "<iframe src='{}'></iframe>".format,
    **dict.fromkeys(_FORMATTED, html_format),
}
_MARK = re.compile(r"OWNED(\d+)-|/seen/(\d+)")
_MADE_BY_ROBOT = ("a", "b", "i", "table")  # out of *bold*, [link|text] and the like
_HARMLESS_HOST = "example.com"  # to which runbooks may link


def payloads(server: str) -> dict[str, str]:
    """Return the payload of each family; `server` is the address that counts who comes."""
    made = {}
    for number, (name, text) in enumerate(FAMILIES.items()):
        own, seen = OWN.format(number=number), SEEN.format(server=server, number=number)
        made[name] = text.format(own=own, seen=seen, number=number)
    return made


def families_in(text: str) -> set[str]:
    """Return the families whose marks stand in a text."""
    names = list(FAMILIES)
    return {names[int(found[1] or found[2])] for found in _MARK.finditer(text)}


def live_page(made: Mapping[str, str]) -> str:
    """Return a page on which each payload stands where it is live."""
    return page_of_frames(_CONTEXTS.get(name, str)(text) for name, text in made.items())


def page_of_frames(pieces: Iterable[str]) -> str:
    """Return a page of pieces of HTML, each in a frame of its own; what runs in one leaves its mark on the page."""
    tell = "try{document.documentElement.id+=contentDocument.documentElement.id}catch(e){}"
    frames = (f'<iframe srcdoc="{escape(piece)}" onload="{tell}"></iframe>' for piece in pieces)
    return f"<!DOCTYPE html><title>x</title><body>{''.join(frames)}</body>"


def live_by_their_elements(made: Mapping[str, str]) -> set[str]:
    """Return the families whose elements are live, where nothing is escaped, by themselves: they wait for a click."""
    return live_families((parsed(_CONTEXTS.get(name, str)(text)) for name, text in made.items()), is_plain=True)


def live_families(parts: Iterable[ElementTree.Element], *, is_plain: bool) -> set[str]:
    """Return the families that are live in parts of a page; where these are to be plain text any link, style or table is."""
    found = set()
    for element in (element for part in parts for element in part.iter()):
        if next(live_in(element), "") or _leads_away(element) or (is_plain and element.tag in _MADE_BY_ROBOT):
            found |= families_in(" ".join([*element.itertext(), *element.attrib.values()]))
    return found


def _leads_away(element: ElementTree.Element) -> bool:
    return element.tag == "a" and urlsplit(element.get("href") or "").hostname != _HARMLESS_HOST


def everywhere(text: str) -> dict[str, Any]:
    """Return the fields of an analysis with `text` in each one that holds text."""
    return {
        "verdict": "diagnosed",
        "error_type": "INFRA_ERROR",
        "confidence": 0.5,
        "root_cause": text,
        "recommendation": f"`{text}` {text}",
        "evidence": [{"quote": text, "where": text}],
        "missing": [text, text],
        "references": [{"title": text, "url": text}, {"title": "", "url": text}, {"title": text, "url": "https://example.com/"}],
        "similar": [{"report_id": text, "when": text, "root_cause": text, "confirmed_by": text, "ticket": text}],
        "novelty": text,
        "first_seen": text,
        "times_seen": 2,
        "reused_from": text,
        "suspects": [{"commit": text, "file": text, "why": text}],
        "engine": {
            "rule_id": text,
            "model": text,
            "pipeline_version": text,
            "crag_action": text,
            "step_seconds": {text: 0.1},
        },
        "degraded": [text],
        "sent_to": [text],
        "trace": [{"thought": text, "action": text, "observation": text}],
    }
