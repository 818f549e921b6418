"""The records of splicing, the same for output.xml and output.json: what of ours a file holds, and where the rest would go.

`xml_scan` and `json_scan` read a file into a `Scan` of byte offsets; `plan` compares it with the annotations and gives edits;
`edited_copy` writes the file with them. All else is copied byte by byte.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..annotation import TAG_PREFIX, Place

COLUMNS = {"pass": "PASS", "fail": "FAIL", "skip": "SKIP"}

# Only tags that name an error type are ours to replace: users write others with the same prefix, such as ddn:off.
_OUR_TAG = re.compile(re.escape(TAG_PREFIX) + "([A-Z_]+_ERROR|UNKNOWN)", re.IGNORECASE)
_GENERATOR = re.compile(r"(?:Robot|Rebot) (\d+)\.(\d+)")
_FIRST_WITH_TEST_METADATA = (7, 5)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Edit:
    """The bytes from `start` to `end` of the file become `text`."""

    start: int
    end: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """Where something new goes, with what must surround it there."""

    at: int
    before: bytes = b""
    after: bytes = b""


@dataclass(frozen=True, slots=True)
class Found:
    """A text that already stands in the file, and the bytes that encode it (no tags; in JSON with the quotes)."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class Spot:
    """A test, or a suite's setup or teardown. `name` is a test's full name, `started` the file's own form of its start time."""

    place: Place
    name: str = ""
    status: str = ""
    started: str = ""
    card: Found | None = None
    tag: Found | None = None
    metadata: Found | None = None
    card_gap: Gap | None = None
    tag_gap: Gap | None = None
    metadata_gap: Gap | None = None


@dataclass(slots=True)
class Row:
    """One row of the tag statistics. `attributes` as in the file."""

    attributes: Mapping[str, Any]
    start: int
    end: int = 0
    label: str = ""

    @property
    def is_combined(self) -> bool:
        return bool(self.attributes.get("info") or self.attributes.get("combined"))


@dataclass(slots=True)
class TagTable:
    """The rows of the tag statistics stand from `start` to `end`, with `between` between them.

    A table that is not there yet has no rows, and its first ones get `before` and `after` around them.
    """

    rows: list[Row]
    start: int
    end: int
    between: bytes = b""
    before: bytes = b""
    after: bytes = b""


class Format(Protocol):
    """Writes our texts in the file's own form, in ASCII."""

    def text(self, text: str) -> bytes: ...
    def card(self, html: str, started: str) -> bytes: ...
    def tag(self, tag: str) -> bytes: ...
    def test_metadata(self, text: str) -> bytes: ...
    def suite_metadata(self, text: str) -> bytes: ...
    def row(self, tag: str, counts: Counter[str], attributes: Mapping[str, Any]) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """The spots that matter to the caller, beside those that already hold something of ours."""

    places: frozenset[Place] = frozenset()
    names: frozenset[str] = frozenset()

    def __contains__(self, spot: Spot) -> bool:
        return bool(spot.place in self.places or spot.card or spot.tag or spot.name in self.names)


@dataclass(slots=True)
class Scan:
    """What a file holds; `spots` in file order."""

    format: Format
    spots: list[Spot] = field(default_factory=list)
    has_test_metadata: bool = False
    suite_metadata: Found | None = None
    suite_metadata_gap: Gap | None = None
    tag_table: TagTable | None = None


def is_written_by_robot(generator: str) -> bool:
    """Files by `robot` hold the status of each test before the suite's teardown, those by `rebot` after it."""
    return generator.split(" ")[0].upper() == "ROBOT"


def knows_test_metadata(generator: str) -> bool:
    """Older versions refuse to load metadata in a test."""
    version = _GENERATOR.match(generator)
    return version is not None and (int(version[1]), int(version[2])) >= _FIRST_WITH_TEST_METADATA


def legal(text: str) -> str:
    """Return `text` with what neither XML 1.0 nor UTF-8 can hold replaced by U+FFFD."""
    return _ILLEGAL.sub("\ufffd", text)


def is_our_tag(tag: str) -> bool:
    return bool(_OUR_TAG.fullmatch(tag))


def same_name(one: str, other: str) -> bool:
    """Metadata names are equal for Robot whatever their case, spaces and underscores."""
    return normal_name(one) == normal_name(other)


def settle_teardown(spots: Iterable[Spot], teardown_status: str) -> None:
    """A suite's teardown decides over its tests, but `robot` writes their own status into the file."""
    for spot in spots:
        if teardown_status == "SKIP" or (teardown_status == "FAIL" and spot.status != "SKIP"):
            spot.status = teardown_status


def normal_name(name: str) -> str:
    return name.casefold().replace(" ", "").replace("_", "")
