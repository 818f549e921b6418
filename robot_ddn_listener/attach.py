"""Analyses into results: output.xml and output.json on disk, and the result model in memory.

On disk only our own elements are inserted or replaced, byte by byte; the file is replaced as a whole, at once, or not at all.
Attaching again replaces what was attached before, and changes nothing where that is equal.
"""

import mmap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from xml.parsers.expat import ExpatError

from robot.result import Keyword, Message, TestCase, TestSuite

from .annotation import SUITE_METADATA_NAME, TEST_METADATA_NAME, Annotations, CardFacts, Place, card_facts
from .errors import OutputError
from .splicing.edited_copy import edited_copy, put_in_place
from .splicing.json_scan import scan_json
from .splicing.original import Original, keep
from .splicing.plan import plan, wanted_of
from .splicing.records import Scan, Wanted, is_our_tag, legal
from .splicing.xml_scan import scan_xml

__all__ = ["Attached", "Original", "attach_to_file", "attach_to_result", "cards_in_file", "cards_in_result", "keep"]

_BOM = b"\xef\xbb\xbf"
_SNIFF_BYTES = 4096

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attached:
    """What `attach_to_file` did; true when the file changed. `missing` are the places of cards that are not in the file."""

    changed: bool
    missing: tuple[Place, ...] = ()

    def __bool__(self) -> bool:
        return self.changed


def attach_to_file(path: Path, annotations: Annotations) -> Attached:
    """Write `annotations` into the output.xml or output.json at `path` (told by content), following symbolic links.

    Memory stays flat whatever the size of the file (an output.json is mapped, not read). OutputError leaves it untouched.
    """
    with _errors_named("Attaching analyses to", path, "The file is unchanged."):
        real = path.resolve(strict=True)
        with open(real, "rb") as source:
            scan = _scan(source, wanted_of(annotations))
            edits, missing = plan(scan, annotations, partial(_read, source))
            copy = edited_copy(source, edits, real) if edits else None
        if copy:
            put_in_place(copy, real)
    return Attached(bool(edits), missing)


def cards_in_file(path: Path) -> tuple[tuple[Place, CardFacts], ...]:
    """Return the cards of ours in the output file at `path`, in file order. Raises OutputError."""
    with _errors_named("Reading analyses in", path, "They are not used."), open(path, "rb") as source:
        spots = _scan(source, Wanted()).spots
    found = ((spot.place, card_facts(spot.card.text)) for spot in spots if spot.card)
    return tuple((place, facts) for place, facts in found if facts)


@contextmanager
def _errors_named(doing: str, path: Path, then: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{doing} '{path}' failed: {error.strerror or error}. {then}") from error
    except ExpatError as error:
        raise OutputError(f"{doing} '{path}' failed: it is not well-formed XML: {error}. {then}") from error
    except (ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise OutputError(f"{doing} '{path}' failed: {error} {then}") from error


def _scan(source: BinaryIO, wanted: Wanted) -> Scan:
    start = source.read(_SNIFF_BYTES)
    if not start:
        raise ValueError("it is empty; Expected an output.xml or output.json.")
    source.seek(0)
    if start.removeprefix(_BOM).lstrip()[:1] != b"{":
        return scan_xml(source, wanted)
    with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return scan_json(content, wanted)


def _read(source: BinaryIO, start: int, end: int) -> bytes:
    source.seek(start)
    return source.read(end - start)


def attach_to_result(suite: TestSuite, annotations: Annotations, *, generator_has_test_metadata: bool = True) -> None:
    """Write `annotations` into the result whose root is `suite`; places that are not in it are passed over.

    Robot empties the bodies of a result while it runs; the cards go into what is left. False for `generator_has_test_metadata`
    keeps metadata out of tests although the installed Robot Framework (>= 7.5) has it.
    """
    for place, card in annotations.cards.items():
        owner = _owner(suite, place)
        if owner is not None:
            _attach_card(owner, legal(card))
    for test_id, tag in annotations.tags.items():
        test = _test(suite, test_id)
        if test is not None:
            _attach_tag(test, legal(tag))
    for test_id, text in annotations.test_metadata.items():
        test = _test(suite, test_id)
        if generator_has_test_metadata and test is not None and hasattr(test, "metadata"):
            test.metadata[TEST_METADATA_NAME] = legal(text)
    if annotations.suite_metadata:
        suite.metadata[SUITE_METADATA_NAME] = legal(annotations.suite_metadata)


def _attach_card(owner: TestCase | Keyword, card: str) -> None:
    message = next(_cards(owner.body), None)
    if message is None:
        owner.body.insert(0, Message(card, "WARN", html=True, timestamp=owner.start_time))
    elif message.message != card:
        message.message = card


def _attach_tag(test: TestCase, tag: str) -> None:
    # Not `tags.remove`, nor `tag in tags`: these take patterns, and ERROR contains the operator OR.
    test.tags = [*(other for other in test.tags if not is_our_tag(other)), tag]


def cards_in_result(suite: TestSuite) -> tuple[tuple[Place, CardFacts], ...]:
    """Return the cards of ours in the result whose root is `suite`, in the order of the log."""
    found = ((place, next(_cards(owner.body), None)) for place, owner in _owners(suite, "s1"))
    facts = ((place, card_facts(message.message)) for place, message in found if message)
    return tuple((place, fact) for place, fact in facts if fact)


def _owners(suite: TestSuite, suite_id: str) -> Iterator[tuple[Place, TestCase | Keyword]]:
    if suite.has_setup:
        yield Place(suite_id=suite_id, keyword="setup"), suite.setup
    for number, child in enumerate(suite.suites, start=1):
        yield from _owners(child, f"{suite_id}-s{number}")
    for number, test in enumerate(suite.tests, start=1):
        yield Place(test_id=f"{suite_id}-t{number}"), test
    if suite.has_teardown:
        yield Place(suite_id=suite_id, keyword="teardown"), suite.teardown


def _owner(root: TestSuite, place: Place) -> TestCase | Keyword | None:
    if place.test_id:
        return _test(root, place.test_id)
    suite = _suite(root, place.suite_id)
    if suite is None:
        return None
    # Reading a fixture that is not there would create it.
    present = suite.has_setup if place.keyword == "setup" else suite.has_teardown
    return getattr(suite, place.keyword) if present else None


def _test(root: TestSuite, test_id: str) -> TestCase | None:
    suite_id, _, number = test_id.rpartition("-t")
    suite = _suite(root, suite_id)
    return _item(suite.tests, number) if suite is not None else None


def _suite(root: TestSuite, suite_id: str) -> TestSuite | None:
    first, *numbers = suite_id.split("-s")
    suite: TestSuite | None = root if first == "s1" else None
    for number in numbers:
        suite = _item(suite.suites, number) if suite is not None else None
    return suite


def _item(items: Sequence[T], number: str) -> T | None:
    index = int(number) - 1 if number.isdecimal() else -1
    return items[index] if 0 <= index < len(items) else None


def _cards(body: Iterable[Any]) -> Iterator[Message]:
    # Files from before Robot Framework 4.0 hold a test's card inside a keyword.
    for item in body:
        if item.type != item.MESSAGE:
            yield from _cards(item.body)
        elif item.html and item.level == "WARN" and card_facts(item.message):
            yield item
