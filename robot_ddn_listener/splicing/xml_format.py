"""Our elements in the form that an output.xml of some Robot Framework has: each version must be able to load what it wrote."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..annotation import SUITE_METADATA_NAME, TEST_METADATA_NAME
from .records import COLUMNS, Gap, is_written_by_robot, knows_test_metadata, legal

# What the `schemaversion` of <robot> tells; files before Robot Framework 4.0 have none.
SCHEMA_BEFORE_4 = 1
SCHEMA_OF_7 = 5

_OLD_KEYWORD = b'<kw name="Failure analysis" library="robot_ddn_listener">\n'


class XmlFormat:
    """The form of the file's own schema; non-ASCII becomes character references, so the file's encoding does not matter."""

    def __init__(self, schema: int, generator: str):
        self.is_old = schema <= SCHEMA_BEFORE_4
        self.is_before_7 = schema < SCHEMA_OF_7
        self.is_robot = is_written_by_robot(generator)
        self.row_columns: tuple[str, ...] = tuple(COLUMNS)
        # --legacyoutput is there for readers that know nothing of test metadata.
        self.has_test_metadata = knows_test_metadata(generator) and not self.is_before_7

    def started(self, status: Mapping[str, str]) -> str:
        return status.get("starttime" if self.is_before_7 else "start", "")

    def test_card_gap(self, at: int, started: str) -> Gap:
        if not self.is_old:
            return Gap(at)
        times = self.attributes({"starttime": started or "N/A", "endtime": started or "N/A"})
        return Gap(at, _OLD_KEYWORD, b'<status status="PASS"%b></status>\n</kw>\n' % times)

    def tag_gap(self, at: int, has_plain_tags: bool) -> Gap:
        is_wrapped = self.is_old and not has_plain_tags
        return Gap(at, b"<tags>\n", b"</tags>\n") if is_wrapped else Gap(at)

    def suite_metadata_gap(self, at: int) -> Gap:
        return Gap(at, b"<metadata>\n", b"</metadata>\n") if self.is_old else Gap(at)

    def text(self, text: str) -> bytes:
        text = legal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
        return text.encode("ascii", "xmlcharrefreplace")

    def card(self, html: str, started: str) -> bytes:
        time = self.attributes({"timestamp" if self.is_before_7 else "time": started} if started else {})
        return b'<msg%b level="WARN" html="%b">%b</msg>\n' % (time, b"yes" if self.is_old else b"true", self.text(html))

    def tag(self, tag: str) -> bytes:
        return b"<tag>%b</tag>\n" % self.text(tag)

    def test_metadata(self, text: str) -> bytes:
        return self._metadata(TEST_METADATA_NAME, text)

    def suite_metadata(self, text: str) -> bytes:
        return self._metadata(SUITE_METADATA_NAME, text)

    def _metadata(self, name: str, text: str) -> bytes:
        element = b"item" if self.is_old else b"meta"
        return b"<%b%b>%b</%b>\n" % (element, self.attributes({"name": name}), self.text(text), element)

    def row(self, tag: str, counts: Counter[str], attributes: Mapping[str, Any]) -> bytes:
        columns = {name: str(counts[COLUMNS[name]]) for name in self.row_columns}
        return b"<stat%b>%b</stat>\n" % (self.attributes({**attributes, **columns}), self.text(tag))

    def attributes(self, values: Mapping[str, str]) -> bytes:
        return b"".join(b' %b="%b"' % (name.encode(), self.text(value).replace(b'"', b"&quot;")) for name, value in values.items())
