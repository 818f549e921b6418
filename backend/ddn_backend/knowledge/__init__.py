"""The shipped knowledge base: one Markdown file per known cause of failing tests, and the reader of such files.

A document starts with a front matter between two ``---`` lines: ``key: value``, or ``key:`` and below it ``  - item`` lines.
Values are taken word for word, without quoting. The body has the sections ``## Cause``, ``## Remedy`` and, optionally,
``## How to tell``. The first paragraph of Cause is one sentence that names the root cause, the first of Remedy one sentence
that says what to do: both are shown as they are.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from robot_ddn_listener.contract import ErrorType
from robot_ddn_listener.errors import DdnError

from ..ports import Document

SHIPPED: Traversable = files(__package__)

_TEXTS = ("id", "title", "error_type")
_LISTS = ("symptoms", "urls")
_REQUIRED = ("id", "title", "error_type", "symptoms")
_SECTIONS = ("Cause", "Remedy", "How to tell")

_Numbered = list[tuple[int, str]]


class KnowledgeError(DdnError):
    """The author of a knowledge document must act: the file or folder cannot be read; the message names file and line."""


def load(folder: Path | Traversable = SHIPPED) -> tuple[Document, ...]:
    """Return all documents in `folder`, by id; a file that is not as the module says raises KnowledgeError."""
    try:
        sources = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".md")}
    except (OSError, UnicodeError) as error:
        raise KnowledgeError(f"Loading knowledge documents from '{folder}' failed: {error}") from error
    if not sources:
        raise KnowledgeError(f"Loading knowledge documents from '{folder}' failed: Expected Markdown files, got none.")
    return tuple(parse(name, sources[name]) for name in sorted(sources))


def parse(name: str, source: str) -> Document:
    """Return the document in `source`, the text of the file called `name`."""
    lines = list(enumerate(source.splitlines(), start=1))
    head, body = _split(name, lines)
    facts = _front_matter(name, head)
    sections = _sections(name, body)
    _check(name, facts, sections)
    return Document(
        id=facts["id"][0],
        title=facts["title"][0],
        error_type=ErrorType(facts["error_type"][0]),
        cause=sections["Cause"],
        remedy=sections["Remedy"],
        symptoms=tuple(facts["symptoms"]),
        text="\n".join(line for _, line in body).strip(),
        urls=tuple(facts.get("urls", ())),
    )


def _split(name: str, lines: _Numbered) -> tuple[_Numbered, _Numbered]:
    if not lines or lines[0][1] != "---":
        raise _error(name, 1, "Expected '---' to open the front matter.")
    for index, (_, line) in enumerate(lines[1:], start=1):
        if line == "---":
            return lines[1:index], lines[index + 1 :]
    raise _error(name, 1, "Expected '---' to close the front matter, got the end of the file.")


def _front_matter(name: str, lines: _Numbered) -> dict[str, list[str]]:
    facts: dict[str, list[str]] = {}
    open_list = ""
    for number, line in lines:
        if line.startswith("  - "):
            if not open_list:
                raise _error(name, number, "Expected a key above the list item.")
            facts[open_list].append(_value(name, number, line[4:]))
            continue
        key, colon, value = line.partition(":")
        if not colon or key not in _TEXTS + _LISTS or key in facts:
            raise _error(name, number, f"Expected one of {', '.join(_TEXTS + _LISTS)}, each once; got {line!r}.")
        open_list = key if key in _LISTS else ""
        facts[key] = [] if open_list else [_value(name, number, value)]
        if open_list and value:
            raise _error(name, number, f"Expected the items of '{key}' below it, each as '  - item'; got {value!r}.")
    return facts


def _value(name: str, number: int, text: str) -> str:
    if not text.strip():
        raise _error(name, number, "Expected a value, got none.")
    return text.strip()


def _sections(name: str, lines: _Numbered) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in lines:
        if line.startswith("## "):
            title = line[3:].strip()
            if title not in _SECTIONS or title in found:
                raise _error(name, number, f"Expected one of {', '.join(_SECTIONS)}, each once; got '{title}'.")
            current = found[title] = []
        elif current is not None:
            current.append(line)
        elif line.strip():
            raise _error(name, number, "Expected a section such as '## Cause' before the first text.")
    return {title: "\n".join(text).strip() for title, text in found.items()}


def _check(name: str, facts: dict[str, list[str]], sections: dict[str, str]) -> None:
    for key in _REQUIRED:
        if not facts.get(key):
            raise _error(name, 1, f"Expected a value for '{key}', got none.")
    for title in ("Cause", "Remedy"):
        if not sections.get(title):
            raise _error(name, 1, f"Expected text in the section '## {title}', got none.")
    if facts["id"][0] != name.removesuffix(".md"):
        raise _error(name, 1, f"Expected the id to be the file's name, got '{facts['id'][0]}'.")
    if facts["error_type"][0] not in list(ErrorType):
        raise _error(name, 1, f"Expected error_type to be one of {', '.join(ErrorType)}; got '{facts['error_type'][0]}'.")
    for url in facts.get("urls", ()):
        if not url.startswith("https://"):
            raise _error(name, 1, f"Expected an https address, got '{url}'.")


def _error(name: str, number: int, problem: str) -> KnowledgeError:
    return KnowledgeError(f"Reading knowledge document '{name}' failed: line {number}: {problem}")
