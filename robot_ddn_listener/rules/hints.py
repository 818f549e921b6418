"""Whether a text holds one of a clue's hints, asked some thousand times a report.

A long text is looked at by its words, each once: a log says the same words again and again, so its vocabulary is a small part of
it. A hint whose longest word is not in the vocabulary, at a word's beginning or end where the hint says so, is not in the text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

LONG_CHARACTERS = 1_000  # from here on looking at the words first is cheaper than looking at the text

_WORD = re.compile("[a-z0-9]+")
_EDGE = "\n"  # around each word of a vocabulary


@dataclass(frozen=True, slots=True)
class Hint:
    """`text` in lower case; `word` is the longest word in it, with an edge where the hint ends the word; `core` is it without."""

    text: str
    word: str
    core: str


@cache
def hints_of(texts: str) -> tuple[Hint, ...]:
    """Return the hints that `texts` names, separated by ``|``."""
    return tuple(map(_hint, texts.split("|")))


def _hint(text: str) -> Hint:
    longest = max(_WORD.finditer(text), key=lambda match: match.end() - match.start(), default=None)
    if not longest:
        return Hint(text, "", text)
    before = _EDGE if longest.start() > 0 else ""
    after = _EDGE if longest.end() < len(text) else ""
    return Hint(text, f"{before}{longest[0]}{after}", longest[0])


class Lowered:
    """Texts of one place in lower case, to be asked for hints."""

    def __init__(self, texts: Sequence[str]):
        self.texts = tuple(text.lower() for text in texts)
        self._all = "\n".join(self.texts)
        self._words = f"{_EDGE}{_EDGE.join(set(_WORD.findall(self._all)))}{_EDGE}" if len(self._all) >= LONG_CHARACTERS else ""

    def has(self, hints: tuple[Hint, ...]) -> bool:
        """Tell whether one of `hints` is in any of the texts."""
        if not self._all:
            return False
        words, everything = self._words, self._all
        for hint in hints:  # noqa: SIM110 - the innermost loop of all: a generator takes twice the time
            if (not words or hint.word in words) and hint.text in everything:
                return True
        return False

    def numbers(self, hints: tuple[Hint, ...]) -> list[int]:
        """Return which texts may hold one of `hints`, at least its longest word."""
        return [number for number, text in enumerate(self.texts) if any(hint.core in text for hint in hints)]
