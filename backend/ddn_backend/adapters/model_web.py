"""What a provider's own web search led to, out of pydantic-ai's messages: pages with their addresses, and what rests on each.

It is a call of its own: not every model can search the web and call our tools in one.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..ports import WebPage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse

MAX_PAGES = 5
MAX_TEXT = 2_000  # characters of what rests on one page
TITLE_CHARACTERS = 200


def answer_text(response: "ModelResponse") -> str:
    """Return what the model wrote."""
    return "\n".join(part.content for part in response.parts if part.part_kind == "text")[:MAX_TEXT]


def pages(response: "ModelResponse") -> tuple[WebPage, ...]:
    """Return the pages that the answer rests on, or where it does not say so, those that were found; by address, each once."""
    told: dict[str, WebPage] = {}
    for title, url, text in [*_cited(response), *_found(response)]:
        if url.startswith(("https://", "http://")):
            before = told[url].text if url in told else ""
            told[url] = WebPage((title or url)[:TITLE_CHARACTERS], url, f"{before}\n{text}".strip()[:MAX_TEXT])
    return tuple(told.values())[:MAX_PAGES]


def _cited(response: "ModelResponse") -> Iterator[tuple[str, str, str]]:
    for part in response.parts:
        for citation in getattr(part, "citations", None) or ():
            text = _backed(getattr(part, "content", ""), citation.anchor)
            for source in citation.sources:
                yield getattr(source, "title", "") or "", getattr(source, "url", "") or "", text


def _backed(text: str, anchor: Any) -> str:
    return text[anchor.start : anchor.end] if anchor and anchor.kind == "content" else ""


def _found(response: "ModelResponse") -> Iterator[tuple[str, str, str]]:
    for part in response.parts:
        if part.part_kind == "builtin-tool-return":
            yield from _addresses(part.content)


def _addresses(content: object) -> Iterator[tuple[str, str, str]]:
    """Yield titles and addresses, however a provider nests them."""
    if isinstance(content, Mapping):
        url = content.get("uri") or content.get("url")
        if isinstance(url, str):
            yield str(content.get("title") or ""), url, ""
        else:
            for inner in content.values():
                yield from _addresses(inner)
    elif isinstance(content, (list, tuple)):
        for inner in content:
            yield from _addresses(inner)
