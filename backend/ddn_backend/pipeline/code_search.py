"""Code search: where the project's own code names what the failure names. A source to widen to, before the web.

What it finds is code and no cause: it never becomes an answer, the model that concludes reads it, and `ddn explain` shows it.
"""

import builtins
import re
from collections.abc import Iterator

from robot_ddn_listener.contract import ErrorType

from ..ports import CodeHost, CodeHostError, Document, DocumentKind, Found, Passage, Problem, Query, SourceLines
from .material import Redact
from .tools import is_secret_file

WORDS = 6  # that are looked for at a time
SHORTEST_WORD = 5
HIGHEST_SCORE = 0.25  # of code that has all words: below what the knowledge base finds, which is written for the purpose
GRADED_BY = "code search"

# What programmers make up: snake_case, CamelCase or CAPITALS with an underscore.
_IDENTIFIER = re.compile(r"\b(?:[A-Za-z]\w*_\w+|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*)\b")
_KNOWN_TO_ALL = frozenset(dir(builtins))


class CodeSearch:
    """A source over a code host; `redact` takes secrets out of what it reads."""

    name = "code search"

    def __init__(self, host: CodeHost, redact: Redact) -> None:
        self._host = host
        self._redact = redact

    def find(self, query: Query, limit: int = 3) -> Found:
        """Return places in the code that have the query's identifiers, those with most of them first."""
        words = identifiers(query.text)
        if not words:
            return Found()
        sent_to = (f"{self._host.name}: identifiers of the failure",) if self._host.sees else ()
        try:
            found = self._host.search(words, limit)
        except CodeHostError as error:
            return Found((), (Problem(f"{self._host.name}: {error.cause or error}", error),), sent_to)
        return Found(tuple(self._passage(lines, words) for lines in found if not is_secret_file(lines.file)), (), sent_to)

    def _passage(self, lines: SourceLines, words: tuple[str, ...]) -> Passage:
        text = self._redact("\n".join(_numbered(lines)))
        score = round(HIGHEST_SCORE * sum(word in text for word in words) / len(words), 3)
        document = Document(
            id=f"code/{lines.file}",
            title=f"{lines.file}:{lines.first}" if lines.first else lines.file,
            error_type=ErrorType.UNKNOWN,
            cause=text,
            remedy="",
            kind=DocumentKind.CODE,
        )
        return Passage(document, score, score, GRADED_BY)


def _numbered(lines: SourceLines) -> Iterator[str]:
    for number, line in enumerate(lines.lines, lines.first):
        yield f"{number}: {line}" if lines.first else line


def identifiers(text: str) -> tuple[str, ...]:
    """Return the words of `text` that look like names in code, the first ones."""
    found = (word for word in _IDENTIFIER.findall(text) if len(word) >= SHORTEST_WORD and word not in _KNOWN_TO_ALL)
    return tuple(dict.fromkeys(found))[:WORDS]
