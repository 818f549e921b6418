"""What is written into a result, and how our own cards are recognised when they are met again."""

import re
from dataclasses import dataclass, field
from html import unescape

from .contract import ErrorType, Stage

TAG_PREFIX = "ddn:"
SUITE_METADATA_NAME = "Failure analysis"
TEST_METADATA_NAME = "Root cause"

_CARD_START = re.compile(r"\s*<div\s+(data-ddn=\"[^>]*)>")
_ATTRIBUTE = re.compile(r"data-ddn(?:-([a-z]+))?=\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card goes: a test (`test_id` such as ``s1-s2-t3``), or a suite's setup or teardown keyword.

    `keyword` is ``setup`` or ``teardown`` for the latter, and `suite_id` such as ``s1-s2`` the suite.
    """

    test_id: str = ""
    suite_id: str = ""
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card says of itself in the ``data-ddn`` attributes of its outermost element.

    `role` is ``full`` for the first of a group and ``member`` for the others; `cause` is the one-line root cause, `by` the
    certainty and kind of answer ("uncertain, rule dns-failure"), `name` the full name of the test (or of the suite's setup or
    teardown) it stands in, `delivery` where the report was when the card was written (``pending``, ``spooled``, ...),
    `report` what a full card shows of its report, as cards/carried.py writes it.
    """

    report_id: str
    project: str = ""
    stage: Stage = Stage.INTERIM
    role: str = "full"
    error_type: ErrorType = ErrorType.UNKNOWN
    cause: str = ""
    by: str = ""
    name: str = ""
    delivery: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True)
class Annotations:
    """All that is written into one result, by Robot's ids. A place that already holds a card of ours gets the new one instead."""

    cards: dict[Place, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    test_metadata: dict[str, str] = field(default_factory=dict)
    suite_metadata: str = ""


def card_facts(html: str) -> CardFacts | None:
    """Return the facts of a card of ours, None when `html` (a log message) is not one."""
    start = _CARD_START.match(html)
    if not start:
        return None
    found = {name: unescape(value) for name, value in _ATTRIBUTE.findall(start[1])}
    return CardFacts(
        report_id=found[""],
        project=found.get("project", ""),
        stage=Stage(found.get("stage", "")),
        role=found.get("role", "full"),
        error_type=ErrorType(found.get("type", "")),
        cause=found.get("cause", ""),
        by=found.get("by", ""),
        name=found.get("name", ""),
        delivery=found.get("delivery", ""),
        report=found.get("report", ""),
    )
