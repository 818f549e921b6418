"""HTML and SVG that cannot be broken out of: every text is escaped, unless it was made here."""

from collections.abc import Iterable
from html import escape
from unicodedata import category

VOID = ("meta", "br")


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Part = str | Markup | Iterable["Part"] | None


def element(tag: str, /, *parts: "Part", **attributes: object) -> Markup:
    """Return an element. Attributes that are None are left out; `class_` is class, and other underscores are hyphens."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"' for key, value in attributes.items() if value is not None
    )
    return Markup(f"<{tag}{given}>" if tag in VOID else f"<{tag}{given}>{joined(parts)}</{tag}>")


def joined(parts: "Part") -> Markup:
    """Return all parts as markup, one after the other."""
    if parts is None:
        return Markup("")
    if isinstance(parts, Markup):
        return parts
    if isinstance(parts, str):
        return Markup(escape(printable(parts)))
    return Markup("".join(joined(part) for part in parts))


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else printable(str(value))


def printable(text: str) -> str:
    """Return `text` without control characters, half surrogates and marks that turn the direction of writing."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if category(character).startswith("C") and character not in "\n\t" else character
        for character in text
    )
