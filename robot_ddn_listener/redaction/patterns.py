"""The user's own patterns: compiled, or refused with the reason before any text is searched with them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

LARGE_REPEAT = 20  # a repetition of up to so many is no danger inside another


class UnusablePatternError(ValueError):
    """Which pattern cannot be used, and why; its text is left out, it may quote a secret."""


def compiled(patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """Return the patterns, compiled; UnusablePatternError for the first that is unusable."""
    return tuple(_compiled(pattern, position) for position, pattern in enumerate(patterns, 1))


def _compiled(pattern: str, position: int) -> re.Pattern[str]:
    try:
        found = re.compile(pattern)
        if not _repeats_within_a_repeat(pattern):
            return found
        problem = "a repetition within a repetition, as in (a+)+, can search for ever; write it without"
    except re.error as error:
        problem = f"{error.msg} at character {error.pos}" if error.pos is not None else error.msg
        problem = f"it is not a regular expression ({problem})"
    except (TypeError, RecursionError, OverflowError) as error:
        problem = f"it is not a regular expression ({type(error).__name__})"
    raise UnusablePatternError(f"pattern {position} cannot be used: {problem}.")


def _repeats_within_a_repeat(pattern: str) -> bool:
    # The search holds the interpreter: nothing could stop it, neither a deadline nor Ctrl-C. So the shape is looked at before.
    from re import _constants, _parser  # type: ignore[attr-defined]

    repeats = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)

    def nested(parsed: Iterable[Any], inside: bool) -> bool:
        for operation, argument in parsed:
            is_large = operation in repeats and argument[1] > LARGE_REPEAT
            if is_large and inside:
                return True
            if any(nested(part, inside or is_large) for part in _parts(argument, _parser.SubPattern)):
                return True
        return False

    return nested(_parser.parse(pattern), False)


def _parts(argument: Any, kind: type) -> Iterable[Any]:
    """Yield the parsed expressions inside an operation's argument."""
    if isinstance(argument, kind):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for item in argument:
            yield from _parts(item, kind)
