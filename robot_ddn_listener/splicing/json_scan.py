"""Scanning an output.json (Robot Framework >= 7.2): one pass over its tokens, byte offsets only, memory flat.

The scan walks suites, tests and their direct bodies; what lies deeper is skipped bracket by bracket, without decoding it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from mmap import mmap
from typing import Any

from ..annotation import SUITE_METADATA_NAME, TEST_METADATA_NAME, Place, card_facts
from .records import (
    COLUMNS,
    Found,
    Gap,
    Row,
    Scan,
    Spot,
    TagTable,
    Wanted,
    is_our_tag,
    is_written_by_robot,
    knows_test_metadata,
    legal,
    same_name,
    settle_teardown,
)

_MARK = b"data-ddn"
_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SCALAR = re.compile(rb'%b|[^"{}\[\],:\s]++' % _STRING, re.DOTALL)
_NEXT_BRACKET = re.compile(rb'(?:[^"{}\[\]]*+%b)*+[^"{}\[\]]*+([{}\[\]])' % _STRING, re.DOTALL)


def scan_json(buffer: mmap | bytes, wanted: Wanted) -> Scan:
    """Return what `buffer` holds. Raises ValueError when it is not JSON or not a Robot Framework output."""
    return _Scanner(buffer, wanted).read()


class JsonFormat:
    """The form of Robot's own writer: no spaces, each member on its own line."""

    def text(self, text: str) -> bytes:
        return json.dumps(legal(text)).encode("ascii")

    def card(self, html: str, started: str) -> bytes:
        message = {"type": "MESSAGE", "message": legal(html), "level": "WARN", "html": True}
        return _lines({**message, "timestamp": started} if started else message)

    def tag(self, tag: str) -> bytes:
        return self.text(tag)

    def test_metadata(self, text: str) -> bytes:
        return b"%b:%b" % (self.text(TEST_METADATA_NAME), self.text(text))

    def suite_metadata(self, text: str) -> bytes:
        return b"%b:%b" % (self.text(SUITE_METADATA_NAME), self.text(text))

    def row(self, tag: str, counts: Counter[str], attributes: Mapping[str, Any]) -> bytes:
        return _lines({"label": legal(tag), **attributes, **{name: counts[status] for name, status in COLUMNS.items()}})


def _lines(members: Mapping[str, Any]) -> bytes:
    return ("{\n" + ",\n".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in members.items()) + "\n}").encode(
        "ascii"
    )


class _Suite:
    def __init__(self, suite_id: str):
        self.id = suite_id
        self.is_root = "-" not in suite_id
        self.name = ""
        self.spots: list[Spot] = []
        self.teardown_status = ""


class _Scanner:
    def __init__(self, buffer: mmap | bytes, wanted: Wanted):
        self.cursor = _Cursor(buffer)
        self.wanted = wanted
        self.scan = Scan(JsonFormat())
        self.generator = ""

    def read(self) -> Scan:
        root = _Suite("s1")
        for key in self.cursor.members():
            self._root_member(key, root)
        if not self.scan.suite_metadata_gap:
            self._end_suite(root)
        self.cursor.expect_end()
        if not (root.name or root.spots):
            raise ValueError("it has no suite; Expected an output of Robot Framework.")
        self.scan.has_test_metadata = knows_test_metadata(self.generator)
        self.scan.spots = [spot for spot in root.spots if spot in self.wanted]
        return self.scan

    def _root_member(self, key: str, root: _Suite) -> None:
        if key == "suite":
            self._suite(root)
        elif key == "statistics":
            self._statistics()
        elif key == "generator":
            self.generator = str(self.cursor.value())
        else:
            # A file written by TestSuite.to_json is the suite itself.
            self._suite_member(key, root)

    def _suite(self, suite: _Suite) -> list[Spot]:
        for key in self.cursor.members():
            self._suite_member(key, suite)
        self._end_suite(suite)
        return suite.spots

    def _suite_member(self, key: str, suite: _Suite) -> None:
        if key == "suites":
            for number, _ in enumerate(self.cursor.elements(), start=1):
                suite.spots += self._suite(_Suite(f"{suite.id}-s{number}"))
        elif key == "tests":
            for number, _ in enumerate(self.cursor.elements(), start=1):
                suite.spots.append(self._test(f"{suite.id}-t{number}"))
        elif key in ("setup", "teardown"):
            self._fixture(key, suite)
        elif key == "name":
            suite.name = str(self.cursor.value())
        elif key == "metadata" and suite.is_root:
            self.scan.suite_metadata, self.scan.suite_metadata_gap = self._metadata(SUITE_METADATA_NAME)
        else:
            self.cursor.skip()

    def _end_suite(self, suite: _Suite) -> None:
        if suite.is_root and not self.scan.suite_metadata_gap:
            self.scan.suite_metadata_gap = _new_member(self.cursor.end_gap, b'"metadata":{', b"}")
        # Rebot writes the status that the teardown has led to.
        if is_written_by_robot(self.generator):
            settle_teardown(suite.spots, suite.teardown_status)
        for spot in suite.spots:
            spot.name = f"{suite.name}.{spot.name}"

    def _fixture(self, kind: str, suite: _Suite) -> None:
        spot = Spot(Place(suite_id=suite.id, keyword=kind))
        for key in self.cursor.members():
            self._common_member(key, spot)
        self._end_spot(spot)
        suite.spots.append(spot)
        if kind == "teardown":
            suite.teardown_status = spot.status

    def _test(self, test_id: str) -> Spot:
        spot = Spot(Place(test_id=test_id))
        for key in self.cursor.members():
            if key == "name":
                spot.name = str(self.cursor.value())
            elif key == "tags":
                spot.tag, spot.tag_gap = self._tags()
            elif key == "metadata":
                spot.metadata, spot.metadata_gap = self._metadata(TEST_METADATA_NAME)
            else:
                self._common_member(key, spot)
        self._end_spot(spot)
        return spot

    def _common_member(self, key: str, spot: Spot) -> None:
        if key == "body":
            spot.card, spot.card_gap = self._body()
        elif key == "status":
            spot.status = str(self.cursor.value())
        elif key == "start_time":
            spot.started = str(self.cursor.value() or "")
        else:
            self.cursor.skip()

    def _end_spot(self, spot: Spot) -> None:
        end = self.cursor.end_gap
        spot.card_gap = spot.card_gap or _new_member(end, b'"body":[', b"]")
        spot.metadata_gap = spot.metadata_gap or _new_member(end, b'"metadata":{', b"}")
        spot.tag_gap = spot.tag_gap or _new_member(end, b'"tags":[', b"]")

    def _body(self) -> tuple[Found | None, Gap]:
        first = 0
        card = None
        for start in self.cursor.elements():
            first = first or start
            self.cursor.skip()
            card = self._card(start) or card
        return card, Gap(first, after=b",") if first else self.cursor.end_gap

    def _card(self, start: int) -> Found | None:
        # Nearly all of a body is keywords: looking into them one by one would take five times as long.
        if self.cursor.buffer.find(_MARK, start, self.cursor.at) < 0:
            return None
        self.cursor.at = start
        message = None
        facts = {}
        for key in self.cursor.members():
            start = self.cursor.at
            self.cursor.skip()
            if key == "message":
                message = (start, self.cursor.at)
            elif key in ("type", "level", "html"):
                facts[key] = self.cursor.raw(start, self.cursor.at)
        if not message or facts != {"type": b'"MESSAGE"', "level": b'"WARN"', "html": b"true"}:
            return None
        text = str(self.cursor.decoded(*message))
        return Found(text, *message) if card_facts(text) else None

    def _tags(self) -> tuple[Found | None, Gap]:
        ours = None
        for start in self.cursor.elements():
            tag = str(self.cursor.value())
            ours = Found(tag, start, self.cursor.at) if is_our_tag(tag) else ours
        return ours, self.cursor.end_gap

    def _metadata(self, name: str) -> tuple[Found | None, Gap]:
        ours = None
        for key in self.cursor.members():
            start = self.cursor.at
            text = str(self.cursor.value())
            ours = Found(text, start, self.cursor.at) if same_name(key, name) else ours
        return ours, self.cursor.end_gap

    def _statistics(self) -> None:
        for key in self.cursor.members():
            if key == "tags":
                self.scan.tag_table = self._tag_table()
            else:
                self.cursor.skip()
        if not self.scan.tag_table:
            gap = _new_member(self.cursor.end_gap, b'"tags":[', b"]")
            self.scan.tag_table = TagTable([], gap.at, gap.at, b",", gap.before, gap.after)

    def _tag_table(self) -> TagTable:
        rows = []
        for start in self.cursor.elements():
            attributes = dict(self.cursor.value())
            rows.append(Row(attributes, start, self.cursor.at, str(attributes.get("label", ""))))
        start, end = (rows[0].start, rows[-1].end) if rows else (self.cursor.end_gap.at,) * 2
        between = self.cursor.raw(rows[0].end, rows[1].start) if len(rows) > 1 else b","
        return TagTable(rows, start, end, between)


def _new_member(end: Gap, opening: bytes, closing: bytes) -> Gap:
    return Gap(end.at, end.before + b"\n" + opening, closing)


class _Cursor:
    """Walks over JSON text. In the loops over `members` and `elements` the caller must take each value."""

    def __init__(self, buffer: mmap | bytes):
        self.buffer = buffer
        self.at = len(_BOM) if buffer[: len(_BOM)] == _BOM else 0
        self.end_gap = Gap(0)  # where something can be added to the object or list that was left last
        self._skip_space()

    def members(self) -> Iterator[str]:
        """Go through the object that starts here; yields each key with the cursor at its value."""
        for _ in self._items(b"{", b"}"):
            key = str(self.value())
            self._expect(b":")
            yield key

    def elements(self) -> Iterator[int]:
        """Go through the list that starts here; yields where each element starts."""
        yield from self._items(b"[", b"]")

    def _items(self, opening: bytes, closing: bytes) -> Iterator[int]:
        self._expect(opening)
        gap = Gap(self.at)
        while not self._is_next(closing):
            if gap.before:
                self._expect(b",")
            yield self.at
            gap = Gap(self.at, b",")
            self._skip_space()
        self._expect(closing, skip_space=False)
        self.end_gap = gap

    def value(self) -> Any:
        """Decode the value that starts here."""
        start = self.at
        self.skip()
        return self.decoded(start, self.at)

    def skip(self) -> None:
        """Go to the end of the value that starts here."""
        if not (self._is_next(b"{") or self._is_next(b"[")):
            self._go_past(_SCALAR)
            return
        depth = 0
        while True:
            depth += 1 if self._go_past(_NEXT_BRACKET) in (b"{", b"[") else -1
            if not depth:
                return

    def raw(self, start: int, end: int) -> bytes:
        return self.buffer[start:end]

    def decoded(self, start: int, end: int) -> Any:
        return json.loads(self.raw(start, end).decode("utf-8"))

    def expect_end(self) -> None:
        self._skip_space()
        if self.at != len(self.buffer):
            raise ValueError(f"it is not JSON: Expected nothing more at byte {self.at}.")

    def _go_past(self, pattern: re.Pattern[bytes]) -> bytes:
        match = pattern.match(self.buffer, self.at)
        if not match:
            raise ValueError(f"it is not JSON: Expected a value at byte {self.at}, got {self._here()}.")
        self.at = match.end()
        return match[match.lastindex or 0]

    def _is_next(self, character: bytes) -> bool:
        return self.buffer[self.at : self.at + 1] == character

    def _expect(self, character: bytes, *, skip_space: bool = True) -> None:
        if not self._is_next(character):
            raise ValueError(f"it is not JSON: Expected '{character.decode()}' at byte {self.at}, got {self._here()}.")
        self.at += 1
        if skip_space:
            self._skip_space()

    def _here(self) -> str:
        return repr(bytes(self.buffer[self.at : self.at + 10])) if self.at < len(self.buffer) else "the end of the file"

    def _skip_space(self) -> None:
        match = _SPACE.match(self.buffer, self.at)
        self.at = match.end() if match else self.at
