"""What would be needed to know the cause where no rule may speak."""

import re

from ..contract import FailureReport

_MESSAGE_CHARACTERS = 4000
_NEEDED = (
    (r"Test timeout|Keyword timeout|timeout [^\n]{1,40} exceeded", "what the keyword was waiting for when the time was up"),
    (
        r" != |should (?:be|have|not|contain)|does not (?:contain|match)|are different|contains |expected",
        "which side is right, the expected value or the actual one: the requirement, or the last run in which this check passed",
    ),
    (r"^(?:[\w ]{1,30}:\n)?\w{1,60}(?:Error|Exception)\b", "the traceback down to the line that failed (log level DEBUG shows it)"),
    (r"HTTP|\b[45]\d\d\b", "the response that the service gave, and its own log"),
)
_SHORT_LOG = 3


def missing(report: FailureReport) -> tuple[str, ...]:
    """Return what a person (or a better engine) would have to see, one short phrase each."""
    return tuple(_needs(report)) or ("a second occurrence of this failure, or the log of the system under test for this time",)


def _needs(report: FailureReport) -> list[str]:
    message = report.error_message[:_MESSAGE_CHARACTERS]
    if not message.strip():
        return ["an error message: the failing keyword gives none", "the log of the failing keyword at level DEBUG"]
    needs = [text for pattern, text in _NEEDED if re.search(pattern, message)]
    if sum(line.level != "KEYWORD" for line in report.log) < _SHORT_LOG:
        needs.append("the log messages of the failing keyword (log level DEBUG)")
    return needs
