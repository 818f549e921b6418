"""The users' own Markdown runbooks: reading them, and bringing what was learned of them up to date.

Front matter between two ``---`` lines is optional and may have title, error_type, symptoms and urls; keys of other programs are
passed over. A file with several ``## `` sections is one document a section, unless its sections are named after what a
document has (Symptoms, Cause, Remedy and what else they are called). Code blocks, inline code and quotations are read as
symptoms.

The id of a document is ``runbook/<file>#<section>@<content>``, so that what is new, changed or gone shows in the ids alone.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, unquote

from robot_ddn_listener.contract import ErrorType, encode

from ..ports import Document, DocumentKind, Shelf
from . import KnowledgeError

MAX_BYTES = 1_000_000  # of one file: beyond that it is a dump or a book
MAX_SECTION_CHARACTERS = 20_000
MAX_SYMPTOMS = 20
MAX_NAME_CHARACTERS = 400  # Pinecone takes ids of 512
MAX_SYMPTOM_CHARACTERS = 300
BATCH = 48  # documents put at a time: so often the progress moves
SUFFIXES = (".md", ".markdown")
RUNBOOK = "runbook/"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # how a text in UTF-16 begins

_MEANINGS = {
    "symptoms": "symptoms|symptom|error|errors|message|problem|what it looks like|signature",
    "cause": "cause|causes|root cause|reason|why|why it happens|explanation|background",
    "remedy": "remedy|fix|solution|resolution|workaround|what to do|how to fix|how to fix it|action|actions|mitigation",
}
_MEANING = {title: meaning for meaning, titles in _MEANINGS.items() for title in titles.split("|")}
_CODE = re.compile(r"```[^\n]*\n(.*?)(?:```|\Z)|`([^`\n]{4,})`", re.DOTALL)
_QUOTATION = re.compile(r"[\"“]([^\"“”\n]*\w[ \t][^\"“”\n]*)[\"”]")  # two words at least: one alone is a name
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d+\.)\s+")

_Lines = list[tuple[int, str]]
_Sections = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. `scopes` are the beginnings of all ids that the paths stand for, `kept` those of unreadable files.

    `names` tells, by the beginning of their ids, what the paths and the files below them were called.
    """

    documents: tuple[Document, ...] = ()
    problems: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, file: str) -> str:
        """Return what a file of `Changes` is called where it was asked for."""
        known = next((given for given in (file, *_folders(file)) if given in self.names), "")
        return self.names[known] + unquote(file[len(known) :]) if known else unquote(file.removeprefix(RUNBOOK))


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of files by what became of them."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def read(paths: Iterable[Path], project: str = "") -> Reading:
    """Read the runbooks at `paths`, files or folders; a file that cannot be read is a problem and the others are read."""
    documents: list[Document] = []
    problems: list[str] = []
    scopes: list[str] = []
    kept: list[str] = []
    names: dict[str, str] = {}
    for path in paths:
        scopes += _scopes(path)
        names[_prefix(path)] = str(path)
        for file in _files(path):
            names[_prefix(file)] = str(file)
            try:
                documents += parse(str(file), _text(file), project, origin(file))
            except KnowledgeError as error:
                problems.append(str(error))
                kept.append(_file_scope(file))
    return Reading(tuple(documents), tuple(problems), tuple(scopes), tuple(kept), names)


def is_barren(path: Path) -> bool:
    """Return whether `path` is a folder without anything to read."""
    return path.is_dir() and not any(_files(path))


def parse(name: str, source: str, project: str = "", identity: str = "") -> tuple[Document, ...]:
    """Return the documents in `source`, the text of the runbook called `name`; their ids begin with `identity`, else `name`."""
    head, body = _split(name, list(enumerate(source.splitlines(), start=1)))
    facts = _front_matter(name, head)
    title, sections = _title(name, facts, body), _sections(body)
    parts = [(title, sections)] if _is_structured(sections) or len(sections) < 3 else _apart(title, sections)
    documents = [_document(heading, part, facts, project) for heading, part in parts if _said(part)]
    return tuple(replace(document, id=_id(identity or name, number, document)) for number, document in enumerate(documents))


def bring_up_to_date(
    shelf: Shelf,
    project: str,
    wanted: Sequence[Document],
    scopes: Sequence[str],
    kept: Sequence[str] = (),
    step: Callable[[int], None] = lambda documents: None,
) -> Changes:
    """Make the shelf hold, of all ids that begin with one of `scopes`, just those of `wanted` and those that begin with `kept`.

    `step` is called with the number of documents that were dealt with.
    """
    there = frozenset(name for scope in dict.fromkeys(scopes) for name in shelf.ids(project, scope))
    new = list({document.id: document for document in wanted if document.id not in there}.values())
    step(len(wanted) - len(new))
    for start in range(0, len(new), BATCH):
        shelf.put(project, new[start : start + BATCH])
        step(len(new[start : start + BATCH]))
    gone = there - {document.id for document in wanted} - {name for name in there if name.startswith(tuple(kept))}
    if gone:  # after the new ones are there: a runbook that changed is never missing
        shelf.drop(project, gone)
    return _changes({document.id for document in wanted}, {document.id for document in new}, there, gone)


def digest(document: Document) -> str:
    """Return a short text that is another one when the document's content is."""
    content = repr(encode(replace(document, id="", project="")))
    return sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def origin(path: Path) -> str:
    """Return the name of a file that is the same on all machines: from the top of its git checkout, else as an absolute path."""
    resolved = path.resolve()
    for folder in resolved.parents:
        if (folder / ".git").exists():
            return resolved.relative_to(folder.parent).as_posix()
    return resolved.as_posix().lstrip("/")


def _scopes(path: Path) -> list[str]:
    """A path that is gone may have been a file or a folder."""
    folder = [f"{_prefix(path)}/"] if not path.is_file() else []
    return folder + ([_file_scope(path)] if not path.is_dir() else [])


def _file_scope(path: Path) -> str:
    return f"{_prefix(path)}#"


def _prefix(path: Path) -> str:
    return _named(origin(path))


def _named(name: str) -> str:
    quoted = quote(name)
    if len(quoted) > MAX_NAME_CHARACTERS:
        quoted = f"{quoted[:MAX_NAME_CHARACTERS]}~{sha256(quoted.encode()).hexdigest()[:12]}"
    return f"{RUNBOOK}{quoted}"


def _id(name: str, number: int, document: Document) -> str:
    return f"{_named(name)}#{number}@{digest(document)}"


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield from [path] if path.exists() else []
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if name.lower().endswith(SUFFIXES) and not name.startswith("."))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _error(str(file), 1, f"{error.strerror}.") from error
    if len(content) > MAX_BYTES:
        raise _error(str(file), _line_of(content, MAX_BYTES), f"Expected at most {MAX_BYTES} bytes, got more.")
    if content.startswith(UTF_16):
        raise _error(str(file), 1, "Expected UTF-8, got UTF-16.")
    if b"\0" in content:
        raise _error(str(file), _line_of(content, content.index(b"\0")), "Expected Markdown, got a binary file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = content[error.start]
        raise _error(str(file), _line_of(content, error.start), f"Expected UTF-8, got the byte 0x{byte:02x}.") from error


def _line_of(content: bytes, place: int) -> int:
    return content.count(b"\n", 0, place) + 1


def _split(name: str, lines: _Lines) -> tuple[_Lines, _Lines]:
    if not lines or lines[0][1].rstrip() != "---":
        return [], lines
    for index, (_, line) in enumerate(lines[1:], start=1):
        if line.rstrip() in ("---", "..."):
            return lines[1:index], lines[index + 1 :]
    raise _error(name, 1, "Expected '---' to close the front matter, got the end of the file.")


def _front_matter(name: str, lines: _Lines) -> dict[str, list[str]]:
    facts: dict[str, list[str]] = {}
    key = ""
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if key and (line[0].isspace() or line.startswith("-")):
            facts[key] += [_unquoted(line.strip().removeprefix("-"))]
            continue
        key, value = _key_and_value(name, number, line)
        facts[key] = _values(value)
        if key == "error_type" and facts[key] and facts[key][0] not in list(ErrorType):
            raise _error(name, number, f"Expected error_type to be one of {', '.join(ErrorType)}; got '{facts[key][0]}'.")
    return facts


def _key_and_value(name: str, number: int, line: str) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if not colon or not key.strip() or line[0].isspace() or line.startswith("-"):
        raise _error(name, number, f"Expected 'key: value' in the front matter, got {line[:60]!r}.")
    return key.strip().lower(), value.strip()


def _values(value: str) -> list[str]:
    if value.startswith("[") and value.endswith("]"):
        return [_unquoted(item) for item in value[1:-1].split(",") if item.strip()]
    return [_unquoted(value)] if value else []


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _title(name: str, facts: Mapping[str, Sequence[str]], body: _Lines) -> str:
    headings = (line[2:].strip() for _, line in body if line.startswith("# "))
    return next(iter(facts.get("title", ())), "") or next(headings, "") or Path(name).stem.replace("-", " ").replace("_", " ")


def _sections(body: _Lines) -> _Sections:
    """Return (heading, text) of the parts between ``## `` lines; what stands before the first has no heading."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    in_code = False
    for _, line in body:
        in_code ^= line.lstrip().startswith("```")
        if line.startswith("## ") and not in_code:
            sections.append((line[3:].strip(" #"), []))
        elif in_code or not line.startswith("# "):
            sections[-1][1].append(line)
    return [(heading, "\n".join(lines).strip()[:MAX_SECTION_CHARACTERS]) for heading, lines in sections]


def _is_structured(sections: _Sections) -> bool:
    return any(heading.lower() in _MEANING for heading, _ in sections)


def _apart(title: str, sections: _Sections) -> list[tuple[str, _Sections]]:
    return [(f"{title}: {heading}" if heading else title, [(heading, text)]) for heading, text in sections]


def _said(sections: _Sections) -> bool:
    return any(text for _, text in sections)


def _document(title: str, sections: _Sections, facts: Mapping[str, Sequence[str]], project: str) -> Document:
    meant = {_MEANING[heading.lower()]: text for heading, text in sections if heading.lower() in _MEANING}
    text = "\n\n".join(f"## {heading}\n\n{text}" if heading else text for heading, text in sections if text)
    paragraphs = _paragraphs(next(text for _, text in sections if text))
    error_type = ErrorType(next(iter(facts.get("error_type", ())), ErrorType.UNKNOWN))
    return Document(
        id="",
        title=title,
        error_type=error_type,
        cause=meant.get("cause") or paragraphs[0],
        remedy=meant.get("remedy") or next(iter(paragraphs[1:]), f"Follow the runbook '{title}'."),
        symptoms=tuple(dict.fromkeys(_symptoms(title, meant.get("symptoms", ""), text, facts)))[:MAX_SYMPTOMS],
        text=text,
        urls=tuple(url for url in facts.get("urls", ()) if url.startswith("https://")),
        kind=DocumentKind.RUNBOOK,
        project=project,
    )


def _symptoms(title: str, section: str, text: str, facts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    listed = (_LIST_ITEM.sub("", line).strip("` ") for line in section.splitlines() if not line.startswith("```"))
    code = (line for found in _CODE.finditer(text) for line in (found[1] or found[2] or "").splitlines())
    quotations = (found[1] for found in _QUOTATION.finditer(_CODE.sub("", text)))
    for symptom in (*facts.get("symptoms", ()), *listed, *code, *quotations, title):
        if symptom.strip():
            yield symptom.strip()[:MAX_SYMPTOM_CHARACTERS]


def _paragraphs(text: str) -> list[str]:
    without_code = _CODE.sub(lambda found: found[2] or "", text)
    return [part.strip() for part in re.split(r"\n\s*\n", without_code) if part.strip()] or [text]


def _changes(wanted: Collection[str], new: Collection[str], there: Collection[str], gone: Collection[str]) -> Changes:
    """Sections count with their file."""
    is_new, was_there, is_gone, is_wanted = ({_file(name) for name in names} for names in (new, there, gone, wanted))
    return Changes(
        added=tuple(sorted(is_new - was_there)),
        updated=tuple(sorted((is_new | is_gone) & was_there & is_wanted)),
        removed=tuple(sorted(is_gone - is_wanted)),
        unchanged=tuple(sorted(is_wanted - is_new - is_gone)),
    )


def _folders(file: str) -> Iterator[str]:
    while "/" in file:
        file = file.rpartition("/")[0]
        yield file


def _file(name: str) -> str:
    return name.partition("#")[0]


def _error(name: str, number: int, problem: str) -> KnowledgeError:
    return KnowledgeError(f"Learning runbook '{name}' failed: line {number}: {problem} The other files are learned.")
