"""Payloads of cross-site scripting wherever a reader's page takes foreign text from, and a server that notices what loads."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unicodedata import bidirectional, category
from urllib.parse import quote
from xml.etree import ElementTree

from Outputs import Outputs
from Payloads import FAMILIES, families_in, live_by_their_elements, live_families, live_page, page_of_frames, payloads
from robot.api import TestSuite
from robot.api.deco import keyword, library
from robot.utils import escape, html_format

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "utest"))
from servers.gemini import Answer, GeminiServer, conclude, prompt, refusal

TURNING = ("LRO", "RLO", "LRE", "RLE", "PDF", "LRI", "RLI", "FSI", "PDI")  # classes of characters
BARE = "a page without escapes"
SHOWS_ALL = (
    "cards of the backend",
    "cards of forged answers",
    "metadata in log.html of forged answers",
    "metadata in report.html of forged answers",
)


@library(scope="SUITE")
class Injected:
    """The stand-in model answers with the payload of the failure that it is asked about, and refuses where it says so."""

    def __init__(self) -> None:
        self.visitors: list[str] = []
        self.live: dict[str, set[str]] = {}
        self.shown: dict[str, set[str]] = {}
        self._tracker = ThreadingHTTPServer(("127.0.0.1", 0), _counting(self.visitors))
        threading.Thread(target=self._tracker.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.model = GeminiServer(self._answer).__enter__()

    @property
    def payloads(self) -> dict[str, str]:
        return payloads(f"http://127.0.0.1:{self._tracker.server_port}")

    def _answer(self, request: dict[str, Any]) -> Answer:
        asked = prompt(request)
        name = next((name for name in FAMILIES if f"family <{name}>" in asked), "script")
        text = self.payloads[name]
        if "is refused" in asked:
            return refusal()
        return conclude(
            root_cause=text,
            recommendation=f"`{text}` {text}",
            evidence=[{"quote": f"The gizmo of family <{name}> was not amused", "where": text}],
            missing=[text],
            confidence=0.5,
        )

    @keyword
    def make_hostile_project(self, folder: Path) -> Path:
        """Make a repository whose suite has payloads as names, tags, messages and logs, and whose commits have them as subjects."""
        root = Path(folder) / "project"
        (root / "tests").mkdir(parents=True)
        git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
        subprocess.run([*git, "init", "--quiet"], check=True)
        for number, payload in enumerate(self.payloads.values()):
            (root / "tests" / "hostile.robot").write_text(self._suite(number), encoding="utf-8")
            subprocess.run([*git, "add", "--all"], check=True)
            subprocess.run([*git, "commit", "--quiet", f"--message={_in_one_line(payload)}"], check=True)
        return root

    @keyword
    def make_hostile_runbooks(self, folder: Path) -> Path:
        """Write a runbook for each payload, with it as title, cause, remedy and address."""
        where = Path(folder) / "runbooks"
        where.mkdir()
        for name, payload in self.payloads.items():
            flat = _in_one_line(payload)
            symptom = f"The widget of family <{name}> is refused"
            head = ["---", f"title: {flat}", "error_type: INFRA_ERROR", "symptoms:", f"  - {symptom}", "urls:"]
            head += [f"  - https://example.com/{quote(flat, safe='')}", f"  - {flat}", "---", ""]
            text = "\n".join([*head, "## Cause", "", flat, "", "## Remedy", "", payload.replace("\x00", ""), ""])
            (where / f"{name.replace(' ', '-')}.md").write_text(text, encoding="utf-8")
        return where

    @keyword
    def page_of_live_payloads(self, folder: Path) -> Path:
        """Write a page on which nothing is escaped: what a browser does with it is what must not happen elsewhere."""
        page = Path(folder) / "live.html"
        page.write_text(live_page(self.payloads), encoding="utf-8")
        return page

    @keyword
    def page_of_inserted_html(self, output: Path) -> Path:
        """Write a page of all cards and metadata in an output file, each in a frame: one that is live hides no other."""
        outputs = Outputs()
        cards = [card.html for card in outputs.cards_in(output).values()]
        metadata = [outputs.suite_metadata_in(output)["Failure analysis"], *outputs.test_metadata_in(output).values()]
        page = Path(output).with_name("inserted.html")
        page.write_text(page_of_frames([*cards, *map(html_format, metadata)]), encoding="utf-8")
        return page

    @keyword
    def note_what_is_live(self, place: str, page: ElementTree.Element, *parts: ElementTree.Element, is_plain: bool = False) -> None:
        """Note the families that did something on the page, or are live in parts of it, and those that are shown in these."""
        marked = "".join(str(element.get("id")) for element in page.iter("html"))
        ran = families_in(" ".join([marked, *self.visitors]))
        self.visitors.clear()
        self.live.setdefault(place, set()).update(ran | live_families(parts, is_plain=is_plain))
        self.shown.setdefault(place, set()).update(*(families_in("".join(part.itertext())) for part in parts))

    @keyword
    def note_what_is_live_where_nothing_is_escaped(self, page: ElementTree.Element) -> None:
        self.note_what_is_live(BARE, page)
        self.live[BARE] |= live_by_their_elements(self.payloads)

    @keyword
    def family_should_be_harmless(self, family: str) -> None:
        """Fail unless payloads of the family are live where nothing is escaped, shown in all places, and live in none."""
        if family not in self.live[BARE]:
            raise AssertionError(f"'{family}' is live nowhere: it tests nothing.")
        live = [place for place, found in self.live.items() if place != BARE and family in found]
        if live:
            raise AssertionError(f"'{family}' is live in: {', '.join(live)}")
        hidden = [place for place in SHOWS_ALL if family not in self.shown.get(place, ())]
        if hidden:
            raise AssertionError(f"'{family}' is not shown in: {', '.join(hidden)}")

    @keyword
    def acting_on_terminals(self, text: str) -> list[str]:
        """Return the control characters of a text, but for line feeds, and those that turn the direction of writing."""
        return [one for one in text if one != "\n" and (category(one) == "Cc" or bidirectional(one) in TURNING)]

    @keyword
    def every_family_should_have_a_test_in(self, source: str) -> None:
        tests = [test.name for test in TestSuite.from_file_system(source).tests]
        if missing := [name for name in FAMILIES if name not in (test.lower() for test in tests)]:
            raise AssertionError(f"Families without a test: {missing}")

    @keyword
    def end_injected(self) -> None:
        self.model.__exit__(None, None, None)
        self._tracker.shutdown()
        self._tracker.server_close()

    def _suite(self, commits: int) -> str:
        name_of_suite = " ".join(map(self._cell, ("script", "robot's link", "robot's image")))
        lines = ["*** Settings ***", f"Name    {name_of_suite}", "", "*** Test Cases ***"]
        for number, name in enumerate(FAMILIES):
            cell = self._cell(name)
            lines += [f"T{number} {cell}", f"    [Tags]    {cell}", f"    Log    {cell}    WARN"]
            lines += [f"    Fail    The gizmo of family <{name}> was not amused: {cell}", ""]
            lines += [f"K{number} {cell}", f"    Fail    The widget of family <{name}> is refused", ""]
        return "\n".join([*lines, f"# changed {commits} times", ""])

    def _cell(self, name: str) -> str:
        return escape(_in_one_line(self.payloads[name]))


def _in_one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())


def _counting(visitors: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visitors.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name http.server looks for

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler
