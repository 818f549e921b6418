"""Walking Robot's result model, alike for a running test and for one loaded from an output file."""

from collections.abc import Iterator
from typing import Any


def parts(item: Any) -> Iterator[Any]:
    """Yield what ran inside `item` (a test, keyword or control structure), messages included."""
    if getattr(item, "has_setup", False):
        yield item.setup
    yield from getattr(item, "body", ())
    if getattr(item, "has_teardown", False):
        yield item.teardown


def failed_as_such(test: Any) -> bool:
    """Tell whether a test failed, or was skipped because its failure is to be skipped (a part of it failed nevertheless)."""
    if test.status == "FAIL":
        return True
    return test.status == "SKIP" and any(getattr(item, "status", "") == "FAIL" for item in parts(test))
