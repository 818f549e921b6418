"""Walking Robot's result model, alike for a running test and for one loaded from an output file."""

from collections.abc import Iterator
from typing import Any

OPT_OUT_TAG = "ddn:off"
_TERMINATED = "Execution terminated by signal"  # Robot's own words; nothing else in its result model tells it


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


def is_terminated(test: Any) -> bool:
    """Tell whether a signal stopped the run while `test` ran."""
    return bool(test.message == _TERMINATED)


def did_not_end(test: Any) -> bool:
    """Tell whether a test that counts as failed did not run, or not to its end, because something else stopped the run."""
    return is_terminated(test) or bool(test.tags.robot("exit"))


def suite_parts(suite: Any) -> Iterator[tuple[str, str, float]]:
    """Yield how a suite's setup and teardown ended: name, status, seconds. Robot takes them out of its result after `end_suite`."""
    for part in ("setup", "teardown"):
        if getattr(suite, f"has_{part}"):
            keyword = getattr(suite, part)
            yield f"{suite.full_name} (suite {part})", keyword.status, seconds(keyword)


def seconds(item: Any) -> float:
    """Return how long a test or keyword took, in seconds."""
    return round(float(item.elapsed_time.total_seconds()), 3)


def text_of(value: object) -> str:
    """Return the text of an argument: a library that calls a keyword may give it any object, such as a proxy that has none."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - str() runs the user's code, which may raise anything; the rest of the failure still tells
        return f"<no text: {type(error).__name__} in __str__ of {type(value).__name__}>"
