"""Robot's log.html and report.html as a reader's browser shows them: rendered by a headless Chromium, read from its DOM."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

from conditions import PATIENCE_SECONDS, missing
from robot.api.deco import keyword, library

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=10000",
)
_WITHOUT_END = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_UNSEEN = ("script", "style")


@library(scope="GLOBAL")
class Pages:
    def __init__(self) -> None:
        self._opened: dict[tuple[Path, str, int], ElementTree.Element] = {}

    @keyword
    def open_page(self, path: Path, anchor: str = "") -> ElementTree.Element:
        """Return the page as it is after its scripts have run; the same page is rendered once.

        `anchor` is what follows the # of its address.
        """
        key = (path, anchor, path.stat().st_mtime_ns)
        if key not in self._opened:
            self._opened[key] = self._rendered(path.resolve().as_uri() + (f"#{anchor}" if anchor else ""))
        return self._opened[key]

    @keyword
    def open_address(self, address: str) -> ElementTree.Element:
        """Return the page at a URL as it is after its scripts have run."""
        return self._rendered(address)

    @keyword
    def part_of_page(self, page: ElementTree.Element, identity: str) -> ElementTree.Element:
        """Return the element with that id, such as ``s1-t2``, the id of a test in log.html."""
        found = page.find(f".//*[@id='{identity}']")
        if found is None:
            raise AssertionError(f"Nothing on the page has the id '{identity}'.")
        return found

    @keyword
    def shown_cards(self, part: ElementTree.Element) -> list[ElementTree.Element]:
        """Return all cards of ours in a page or a part of one."""
        return [element for element in part.iter() if element.get("data-ddn")]

    @keyword
    def shown_groups(self, page: ElementTree.Element) -> dict[str, list[ElementTree.Element]]:
        """Return the shown cards by report id, those with the whole analysis first."""
        groups: dict[str, list[ElementTree.Element]] = {}
        for card in sorted(self.shown_cards(page), key=lambda card: card.get("data-ddn-role") != "full"):
            groups.setdefault(str(card.get("data-ddn")), []).append(card)
        return groups

    @keyword
    def shown_text(self, part: ElementTree.Element) -> str:
        """Return the text in a part of a page, without scripts and styles, in one line."""
        return " ".join("".join(_texts(part)).split())

    @keyword
    def shown_tag_statistics(self, page: ElementTree.Element) -> dict[str, str]:
        """Return the rows "Statistics by Tag" of our tags as ``pass/fail/skip`` by tag."""
        rows = [[self.shown_text(cell) for cell in row.iter("td")] for row in self.part_of_page(page, "tag-stats").iter("tr")]
        return {row[0]: "/".join(row[2:5]) for row in rows if row and row[0].startswith("ddn:") and row[0] != "ddn:off"}

    @keyword
    def shown_row(self, part: ElementTree.Element, heading: str) -> ElementTree.Element:
        """Return the first cell that stands beside `heading`, as in a table of metadata."""
        for row in part.iter("tr"):
            head, cell = row.find("th"), row.find("td")
            if head is not None and cell is not None and self.shown_text(head) == heading:
                return cell
        raise AssertionError(f"There is no row '{heading}'.")

    @keyword
    def shown_rows(self, part: ElementTree.Element, heading: str) -> list[str]:
        """Return the texts of all cells beside `heading`; empty when there is none."""
        rows = [(row.find("th"), row.find("td")) for row in part.iter("tr")]
        found = [cell for head, cell in rows if head is not None and cell is not None and self.shown_text(head) == heading]
        return [self.shown_text(cell) for cell in found]

    @keyword
    def shown_test_columns(self, page: ElementTree.Element, column: str) -> dict[str, str]:
        """Return a column of report.html's table of tests, by the test's name; empty when there is no such column."""
        table = self.part_of_page(page, "test-details")
        heads = [str(head.get("title")) for head in table.findall("thead/tr/th")]
        if column not in heads:
            return {}
        rows = [[self.shown_text(cell) for cell in row.findall("td")] for row in table.findall("tbody/tr")]
        return {row[0].rpartition(" . ")[2]: row[heads.index(column)] for row in rows}

    @keyword
    def nothing_should_be_live(self, part: ElementTree.Element) -> None:
        """Fail for a script, an image, a frame, an event or a link that is not http(s) in a part of a page."""
        live = [found for element in part.iter() for found in live_in(element)]
        if live:
            raise AssertionError(f"Live in what we inserted: {live}")

    @keyword
    def shown_title(self, page: ElementTree.Element) -> str:
        title = page.find(".//title")
        return "" if title is None else self.shown_text(title)

    def _rendered(self, address: str) -> ElementTree.Element:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            command = [browser(), *_OPTIONS, f"--user-data-dir={profile}", "--dump-dom", address]
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE_SECONDS * 2, check=False)
        page = done.stdout.decode("utf-8", "replace")
        if done.returncode or "<body" not in page:
            raise AssertionError(f"The browser showed nothing of {address}: {done.stderr.decode(errors='replace')[-500:]}")
        return parsed(page)


def browser() -> str:
    named = os.environ.get("DDN_CHROMIUM")
    browser = next(filter(None, map(shutil.which, (named,) if named else _BROWSERS)), None)
    if not browser:
        raise missing("Chromium")
    return browser


def _texts(part: ElementTree.Element) -> Iterator[str]:
    if part.tag not in _UNSEEN:
        yield part.text or ""
        for child in part:
            yield from _texts(child)
            yield child.tail or ""


def live_in(element: ElementTree.Element) -> Iterator[str]:
    """Yield what is live in an element itself: a script, something that loads, an event, an address that is not http(s)."""
    if element.tag in ("script", "img", "iframe", "object", "embed", "form", "svg", "video", "audio", "link", "base"):
        yield f"<{element.tag}>"
    for name, value in element.items():
        if name.startswith("on") or ("javascript:" in value.lower() and not name.startswith("data-ddn")):
            yield f"{name}={value}"
        if name in ("href", "src", "action", "srcdoc") and not value.startswith(("http://", "https://", "#")):
            yield f"{name}={value}"


def parsed(page: str) -> ElementTree.Element:
    """Return the elements of a page."""
    builder = _Builder()
    builder.feed(page)
    builder.close()
    return builder.root


class _Builder(HTMLParser):
    """What --dump-dom writes has all its end tags, but for the elements that never have one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = ElementTree.Element("page")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = ElementTree.SubElement(self._open[-1], tag, {name: value or "" for name, value in attrs})
        if tag not in _WITHOUT_END:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        parent = self._open[-1]
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + data
        else:
            parent.text = (parent.text or "") + data
