"""Scanning an output.xml of any Robot Framework from 3.0 on: one pass of expat, byte offsets only, memory flat."""

from collections.abc import Mapping
from typing import BinaryIO
from xml.parsers import expat

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
    same_name,
    settle_teardown,
)
from .xml_format import SCHEMA_BEFORE_4, XmlFormat

CHUNK_BYTES = 1 << 16

_BEFORE_BODY = frozenset(("doc", "arguments", "arg", "assign", "var", "tags", "tag", "timeout"))
_AFTER_METADATA = frozenset(("tags", "tag", "timeout", "status"))


def scan_xml(source: BinaryIO, wanted: Wanted) -> Scan:
    """Return what `source` holds. Raises ValueError when it is no Robot Framework output, ExpatError when it is no XML."""
    _refuse_utf16(source.read(4))
    source.seek(0)
    scanner = _Scanner(wanted)
    while chunk := source.read(CHUNK_BYTES):
        scanner.parser.Parse(chunk, False)
    scanner.parser.Parse(b"", True)
    return scanner.scan


def _refuse_utf16(start: bytes) -> None:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start:
        raise ValueError("it is encoded in UTF-16 or UTF-32; Expected UTF-8 or another encoding that contains ASCII.")


class _Scanner:
    """Gives the events of expat to the innermost frame: an element whose direct children matter. All else only counts depth."""

    def __init__(self, wanted: Wanted):
        self.use(XmlFormat(SCHEMA_BEFORE_4, ""))
        self.wanted = wanted
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartCdataSectionHandler = self._start_text
        self._frames: list[_Frame] = [_Document(self)]
        self._depth = 0
        self._level = 1
        self._text: list[str] = []
        self._text_from = 0
        self._text_depth = 0

    @property
    def at(self) -> int:
        return self.parser.CurrentByteIndex

    def use(self, form: XmlFormat) -> None:
        self.format = form
        self.scan = Scan(form, has_test_metadata=form.has_test_metadata)

    def keep(self, spot: Spot) -> None:
        if spot in self.wanted:
            self.scan.spots.append(spot)

    def read_text(self) -> None:
        """Give the text of the element that starts to the frame's `found`, if there is any."""
        self._text.clear()
        self._text_from = 0
        self._text_depth = self._depth
        self.parser.CharacterDataHandler = self._add_text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == self._level:
            frame = self._frames[-1].child(name, attributes)
            if frame:
                self._frames.append(frame)
                self._level += 1
        if name == "msg" and attributes.get("level") == "WARN" and "html" in attributes:
            self.read_text()

    def _end(self, name: str) -> None:
        if self._depth == self._text_depth:
            self._end_text(name)
        if self._depth < self._level:
            self._level = self._depth
            self._frames.pop().end(self.at)
        self._depth -= 1

    def _start_text(self) -> None:
        self._text_from = self._text_from or self.at

    def _add_text(self, text: str) -> None:
        self._start_text()
        self._text.append(text)

    def _end_text(self, name: str) -> None:
        if self._text_from:
            self._frames[-1].found(name, Found("".join(self._text), self._text_from, self.at))
        self._text_depth = 0
        self.parser.CharacterDataHandler = None


class _Frame:
    def __init__(self, scanner: _Scanner):
        self.scanner = scanner

    def child(self, name: str, attributes: dict[str, str]) -> "_Frame | None":
        """A direct child starts; return a frame when its own children matter."""
        return None

    def found(self, name: str, found: Found) -> None:
        """An element that was asked for with `read_text` had this text."""

    def end(self, at: int) -> None:
        """The element ends. Its end tag stands at `at`, but an element without content may have none (``<tag/>``)."""


class _Document(_Frame):
    def child(self, name: str, attributes: dict[str, str]) -> _Frame | None:
        if name == "suite":
            return _Suite(self.scanner, attributes)
        if name != "robot":
            raise ValueError(f"its root element is <{name}>; Expected <robot>.")
        schema = attributes.get("schemaversion", "")
        self.scanner.use(XmlFormat(int(schema) if schema.isdecimal() else SCHEMA_BEFORE_4, attributes.get("generator", "")))
        return _Robot(self.scanner)


class _Robot(_Frame):
    def child(self, name: str, attributes: dict[str, str]) -> _Frame | None:
        if name == "suite":
            return _Suite(self.scanner, attributes)
        return _Statistics(self.scanner) if name == "statistics" else None


class _Suite(_Frame):
    def __init__(self, scanner: _Scanner, attributes: Mapping[str, str], parent: "_Suite | None" = None):
        super().__init__(scanner)
        self.is_root = parent is None
        # Robot itself counts, too, and does not read the ids in the file.
        self.id: str = f"{parent.id}-s{parent.suites}" if parent else "s1"
        self.name: str = f"{parent.name}.{attributes.get('name', '')}" if parent else attributes.get("name", "")
        self.suites: int = 0
        self.tests: int = 0
        self.first_spot = len(scanner.scan.spots)
        self.teardown: Spot | None = None

    def child(self, name: str, attributes: dict[str, str]) -> _Frame | None:
        if name == "test":
            self.tests += 1
            return _Test(self.scanner, f"{self.id}-t{self.tests}", f"{self.name}.{attributes.get('name', '')}")
        if name == "suite":
            self.suites += 1
            return _Suite(self.scanner, attributes, self)
        if name == "kw":
            return self._fixture(attributes.get("type", "").lower())
        return self._metadata(name, attributes) if self.is_root else None

    def _fixture(self, kind: str) -> _Frame | None:
        if kind not in ("setup", "teardown"):
            return None
        spot = Spot(Place(suite_id=self.id, keyword=kind))
        if kind == "teardown":
            self.teardown = spot
        return _Keyword(self.scanner, spot)

    def _metadata(self, name: str, attributes: Mapping[str, str]) -> _Frame | None:
        scan = self.scanner.scan
        if name == "metadata":
            return _Wrapper(self.scanner, self)
        if name in ("meta", "item") and same_name(attributes.get("name", ""), SUITE_METADATA_NAME):
            self.scanner.read_text()
        if name == "status" and not scan.suite_metadata_gap:
            scan.suite_metadata_gap = self.scanner.format.suite_metadata_gap(self.scanner.at)
        return None

    def found(self, name: str, found: Found) -> None:
        if name != "msg":
            self.scanner.scan.suite_metadata = found

    def wrapped(self, gap: Gap) -> None:
        self.scanner.scan.suite_metadata_gap = gap

    def end(self, at: int) -> None:
        # Rebot writes the status that the teardown has led to.
        if self.teardown and self.scanner.format.is_robot:
            settle_teardown(self.scanner.scan.spots[self.first_spot :], self.teardown.status)


class _Wrapper(_Frame):
    """``<tags>`` and ``<metadata>`` of files before Robot Framework 4.0: the children count as the owner's."""

    def __init__(self, scanner: _Scanner, owner: "_Suite | _Test"):
        super().__init__(scanner)
        self.owner = owner
        self.has_content = False
        scanner.read_text()

    def child(self, name: str, attributes: dict[str, str]) -> _Frame | None:
        self.has_content = True
        return self.owner.child(name, attributes)

    def found(self, name: str, found: Found) -> None:
        self.has_content = True
        if name not in ("tags", "metadata"):
            self.owner.found(name, found)

    def end(self, at: int) -> None:
        if self.has_content:
            self.owner.wrapped(Gap(at))


class _Test(_Frame):
    def __init__(self, scanner: _Scanner, test_id: str, name: str):
        super().__init__(scanner)
        self.spot = Spot(Place(test_id=test_id), name)
        self.body_at = self.metadata_at = self.tags_at = 0
        self.has_plain_tags = False

    def child(self, name: str, attributes: dict[str, str]) -> _Frame | None:
        self._note_position(name, attributes, self.scanner.at)
        if name == "status":
            self.spot.status = attributes.get("status", "")
            self.spot.started = self.scanner.format.started(attributes)
        elif name == "tag" or (name == "meta" and same_name(attributes.get("name", ""), TEST_METADATA_NAME)):
            self.scanner.read_text()
        elif name == "tags":
            return _Wrapper(self.scanner, self)
        elif name == "kw" and self.scanner.format.is_old:
            return _OldTestKeyword(self.scanner, self.spot)
        return None

    def _note_position(self, name: str, attributes: Mapping[str, str], at: int) -> None:
        if not (name == "kw" and attributes.get("type", "").lower() == "setup"):
            self.body_at = self.body_at or at
        if name in _AFTER_METADATA:
            self.metadata_at = self.metadata_at or at
        if name in ("timeout", "status"):
            self.tags_at = self.tags_at or at

    def found(self, name: str, found: Found) -> None:
        if name == "meta":
            self.spot.metadata = found
        elif name == "tag":
            self.has_plain_tags = True
            self.spot.tag = found if is_our_tag(found.text) else self.spot.tag
        elif card_facts(found.text):
            self.spot.card = self.spot.card or found

    def wrapped(self, gap: Gap) -> None:
        self.spot.tag_gap = gap

    def end(self, at: int) -> None:
        form = self.scanner.format
        if self.body_at:
            self.spot.card_gap = self.spot.card_gap or form.test_card_gap(self.body_at, self.spot.started)
            self.spot.metadata_gap = Gap(self.metadata_at or at)
            self.spot.tag_gap = self.spot.tag_gap or form.tag_gap(self.tags_at or at, self.has_plain_tags)
            self.scanner.keep(self.spot)


class _Keyword(_Frame):
    """A suite's setup or teardown: its card stands before all that it logs."""

    def __init__(self, scanner: _Scanner, spot: Spot):
        super().__init__(scanner)
        self.spot = spot
        self.status = ""
        self.body_at = 0

    def child(self, name: str, attributes: dict[str, str]) -> _Frame | None:
        if not (self.scanner.format.is_before_7 and name in _BEFORE_BODY):
            self.body_at = self.body_at or self.scanner.at
        if name == "status":
            self.status = attributes.get("status", "")
            self.spot.started = self.spot.started or self.scanner.format.started(attributes)
        return None

    def found(self, name: str, found: Found) -> None:
        if card_facts(found.text):
            self.spot.card = self.spot.card or found

    def end(self, at: int) -> None:
        self.spot.status = self.status
        if self.body_at:
            self.spot.card_gap = Gap(self.body_at)
            self.scanner.keep(self.spot)


class _OldTestKeyword(_Keyword):
    """Before Robot Framework 4.0 a test has no messages of its own: its first failing keyword takes the card."""

    def end(self, at: int) -> None:
        if self.status == "FAIL":
            self.spot.card_gap = self.spot.card_gap or Gap(self.body_at)


class _Statistics(_Frame):
    def child(self, name: str, attributes: dict[str, str]) -> _Frame | None:
        if name == "total":
            return _Total(self.scanner)
        return _TagTable(self.scanner) if name == "tag" else None


class _Total(_Frame):
    """Shows the columns of all tables: Robot Framework 3 has no skipped tests and wrote the others in any order."""

    def child(self, name: str, attributes: dict[str, str]) -> _Frame | None:
        self.scanner.format.row_columns = tuple(name for name in attributes if name in COLUMNS)
        return None


class _TagTable(_Frame):
    def __init__(self, scanner: _Scanner):
        super().__init__(scanner)
        self.rows: list[Row] = []
        self.has_content = False
        scanner.read_text()

    def child(self, name: str, attributes: dict[str, str]) -> _Frame | None:
        self._end_row(self.scanner.at)
        self.rows.append(Row(attributes, self.scanner.at))
        self.has_content = True
        self.scanner.read_text()
        return None

    def _end_row(self, at: int) -> None:
        if self.rows:
            self.rows[-1].end = at

    def found(self, name: str, found: Found) -> None:
        self.has_content = True
        if self.rows:
            self.rows[-1].label = found.text

    def end(self, at: int) -> None:
        self._end_row(at)
        if self.has_content:
            self.scanner.scan.tag_table = TagTable(self.rows, self.rows[0].start if self.rows else at, at)
