"""What stands in output files: statuses and messages as Robot reads them, our cards, and everything that is not ours."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from robot.api import ExecutionResult
from robot.api.deco import keyword, library

_FACT = re.compile(r'data-ddn(?:-(\w+))?="([^"]*)"')
_QUOTE = re.compile(r'<code class="ddn-quote"[^>]*>(.*?)</code>', re.DOTALL)
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_LINE_NUMBER = re.compile(r"^>?\s*\d+: ")
_TAG = re.compile(r"<[^>]+>")

_TIMES = re.compile(r'\b(start|elapsed|time|generated|starttime|endtime|timestamp)="[^"]*"')
_OURS = re.compile(
    r'<msg [^>]*html="true"[^>]*>&lt;div data-ddn=.*?</msg>\n'
    r"|<tag>ddn:(?:[a-z]+_error|unknown)</tag>\n"
    r'|<meta name="(?:Root cause|Failure analysis)">.*?</meta>\n'
    r"|<stat [^>]*>ddn:(?:[a-z]+_error|unknown)</stat>\n",
    re.DOTALL,
)


@dataclass(frozen=True)
class Card:
    """A card of ours. `index` is its position in the body it stands in, `direct` whether that is the test's or fixture's own."""

    id: str
    role: str
    stage: str
    type: str
    cause: str
    by: str
    name: str
    project: str
    delivery: str
    index: int
    html: str = field(repr=False)
    report: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        return _squeezed(unescape(_TAG.sub(" ", _STYLE.sub("", self.html))))

    @property
    def quotes(self) -> list[str]:
        return [unescape(quote) for quote in _QUOTE.findall(self.html)]


@library
class Outputs:
    @keyword
    def cards_in(self, path: Path) -> dict[str, Card]:
        """Return the cards in an output file by the name of their test, or of their suite with `` setup`` or `` teardown``.

        Fails when a place holds two, or when a card stands anywhere but directly in a test or a suite's setup or teardown.
        """
        suite = ExecutionResult(str(path)).suite
        cards = dict(_cards(suite))
        everywhere = _count(path)
        if everywhere != len(cards):
            raise AssertionError(f"{everywhere} cards stand in '{path}', but only {len(cards)} at their place: {sorted(cards)}")
        return cards

    @keyword
    def reports_of(self, cards: dict[str, Card], *names: str) -> list[str]:
        """Return the different report ids of the cards with those names."""
        return sorted({cards[name].id for name in names})

    @keyword
    def statuses_in(self, path: Path) -> dict[str, str]:
        """Return status and message of each test, by full name."""
        return {test.full_name: f"{test.status}: {test.message}" for test in ExecutionResult(str(path)).suite.all_tests}

    @keyword
    def failed_tests_in(self, path: Path) -> list[str]:
        return [test.name for test in ExecutionResult(str(path)).suite.all_tests if test.failed]

    @keyword
    def every_failure_should_have_one_card(self, path: Path) -> None:
        """Every failed test that did not opt out has a card, and no other test has."""
        tests = [test.name for test in _tests(path) if test.failed and "ddn:off" not in test.tags]
        carded = [name for name in self.cards_in(path) if not name.endswith((" setup", " teardown"))]
        if sorted(tests) != sorted(carded):
            raise AssertionError(f"Cards have {sorted(carded)}, but failed have {sorted(tests)}.")

    @keyword
    def every_failure_should_have_an_answer(self, path: Path) -> None:
        """Each failed test has a card of its own, in whatever file: by its full name, since names repeat."""
        suite = ExecutionResult(str(path)).suite
        without = [test.full_name for test in suite.all_tests if test.failed and not list(_own_cards(test.body))]
        if without:
            raise AssertionError(f"{len(without)} failed tests in '{path}' have no card: {without[:5]}")

    @keyword
    def analysis_tags_in(self, path: Path) -> dict[str, str]:
        """Return the ``ddn:`` tag of each test that has one, by the test's name; fails for two in one test."""
        tags = {test.name: [tag for tag in test.tags if tag.startswith("ddn:") and tag != "ddn:off"] for test in _tests(path)}
        twice = [name for name, found in tags.items() if len(found) > 1]
        if twice:
            raise AssertionError(f"Tests with two tags of ours: {twice}")
        return {name: found[0] for name, found in tags.items() if found}

    @keyword
    def tag_statistics_in(self, path: Path) -> dict[str, str]:
        """Return the ``ddn:`` rows of <statistics> as ``pass/fail/skip`` by tag, as they stand in the file."""
        rows = ElementTree.parse(path).getroot().findall("statistics/tag/stat")
        mine = [row for row in rows if (row.text or "").startswith("ddn:") and row.text != "ddn:off"]
        return {str(row.text): "/".join(row.get(name, "?") for name in ("pass", "fail", "skip")) for row in mine}

    @keyword
    def expected_tag_statistics(self, path: Path) -> dict[str, str]:
        """Return what `Tag Statistics In` must be, counted over the tests themselves."""
        counts: dict[str, Counter[str]] = {}
        for test in _tests(path):
            for tag in test.tags:
                if tag.startswith("ddn:") and tag != "ddn:off":
                    counts.setdefault(tag, Counter())[test.status] += 1
        return {tag: f"{count['PASS']}/{count['FAIL']}/{count['SKIP']}" for tag, count in counts.items()}

    @keyword
    def suite_metadata_in(self, path: Path) -> dict[str, str]:
        return dict(ExecutionResult(str(path)).suite.metadata)

    @keyword
    def test_metadata_in(self, path: Path) -> dict[str, str]:
        """Return the metadata "Root cause" by test name; read from the file itself, as old Robots know no metadata of tests."""
        tests = ElementTree.parse(path).getroot().iter("test")
        found = {str(test.get("name")): test.find("meta[@name='Root cause']") for test in tests}
        return {name: str(meta.text) for name, meta in found.items() if meta is not None}

    @keyword
    def quotes_from_elsewhere(self, path: Path, test: str, card: Card, *sources: Path) -> list[str]:
        """Return what `card` quotes that stands neither in its test, nor in the execution errors, nor in the `sources`."""
        root = ElementTree.parse(path).getroot()
        places = (next(element for element in root.iter("test") if element.get("name") == test), root.find("errors"))
        texts = [element.text or "" for place in places if place is not None for element in place.iter()]
        texts = [text for text in texts if not text.startswith("<div data-ddn")]
        everything = _squeezed("\n".join([*texts, *(source.read_text(encoding="utf-8") for source in sources)]))
        return [quote for quote in card.quotes if _squeezed(_LINE_NUMBER.sub("", quote).strip("…")) not in everything]

    @keyword
    def without_times(self, path: Path) -> str:
        """Return the file as it is, but for when things happened."""
        return _TIMES.sub(r'\1=""', Path(path).read_text(encoding="utf-8"))

    @keyword
    def without_times_and_analysis(self, path: Path) -> str:
        """Return the file as it would be without our insertions, which are whole lines, and without times."""
        return _OURS.sub("", self.without_times(path))

    @keyword
    def xunit_failures_in(self, path: Path) -> dict[str, str]:
        """Return the messages of failures (and skips) in an xunit file, by test name."""
        cases = ElementTree.parse(path).getroot().iter("testcase")
        return {str(case.get("name")): str(part.get("message")) for case in cases for part in case if part.get("message")}

    @keyword
    def console_without_analysis(self, stdout: str, folder: Path) -> str:
        """Return what robot said on the console but our lines, whatever its output folder was called."""
        return re.sub(r"^Failure analysis: .*?(?=^Output: )", "", stdout, flags=re.MULTILINE | re.DOTALL).replace(str(folder), "")


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _tests(path: Path) -> "list[Any]":
    return list(ExecutionResult(str(path)).suite.all_tests)


def _cards(suite: Any) -> Iterator[tuple[str, Card]]:
    parts = [(f"{suite.name} setup", suite.setup)] if suite.has_setup else []
    parts += [(f"{suite.name} teardown", suite.teardown)] if suite.has_teardown else []
    for name, part in [*parts, *((test.name, test) for test in suite.tests)]:
        found = list(_own_cards(part.body))
        if len(found) > 1:
            raise AssertionError(f"'{name}' has {len(found)} cards.")
        yield from ((name, card) for card in found)
    for child in suite.suites:
        yield from _cards(child)


def _own_cards(body: Any) -> Iterator[Card]:
    for index, item in enumerate(body):
        if item.type == item.MESSAGE and item.html and item.message.startswith("<div data-ddn="):
            start = item.message[: item.message.index(">")]
            facts = {key or "id": unescape(value) for key, value in _FACT.findall(start)}
            yield Card(**facts, index=index, html=item.message)


def _count(path: Path) -> int:
    """Count the cards in the text of the file, wherever they stand."""
    return len(re.findall(r'(?:&lt;|<)div data-ddn=\\?"', Path(path).read_text(encoding="utf-8")))
