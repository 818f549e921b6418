"""Log lines by template: which are the same but for numbers and ids, which look like errors, which of these matter most.

The template is a coarse one, cheap enough for half a million lines: a line without its digits and without the letters that
hexadecimal ids are made of. Lines of one kind may stay apart (a name differs); lines of two kinds hardly ever fall together.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .contract import CAUGHT_LEVEL

RARE = 3  # a template seen up to this often is news; what repeats goes on all the time
LINE_CHARACTERS = 600  # of a line that make its template; longer ones are page sources and dumps
CHUNK_LINES = 4_000
MAX_TEMPLATES = 100_000  # further ones are told apart by their beginnings only: memory stays bounded
BEGINNING_BYTES = 12
LAST_LINES = 3
MARK = "\0"

_VARYING = b"0123456789abcdefABCDEF"
_MOST = 2
_WEIGHTY_LEVELS = {"FAIL": _MOST, "ERROR": _MOST, "WARN": 1}
_STRONG = ("error", "exception", "traceback", "fatal", "panic", "critical", "severe", "failed", "failure", "segfault")
_WEAK = (
    *("refused", "denied", "forbidden", "unauthorized", "timed out", "timeout", "time-out", "unreachable", "unable to"),
    *(
        "could not",
        "couldn't",
        "cannot",
        "can't",
        "no such",
        "not found",
        "not installed",
        "missing",
        "invalid",
        "abort",
        "crash",
        "killed",
    ),
    *("expired", "out of memory", "no space left", "rejected", "broken", "corrupt", "unavailable", "mismatch"),
)


@dataclass(slots=True)
class Survey:
    """`numbers` holds the template of each line; of each template there is a count, its first line and its last."""

    numbers: "array[int]"
    counts: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)


def survey(texts: Sequence[str], levels: Sequence[str] = ()) -> Survey:
    """Return the templates of `texts`; lines of different `levels` never share one."""
    found, known = Survey(array("L")), dict[int, int]()
    for start in range(0, len(texts), CHUNK_LINES):
        keys = _keys([text[:LINE_CHARACTERS] for text in texts[start : start + CHUNK_LINES]])
        for index, key in enumerate(keys, start):
            found.numbers.append(_number(hash((key, levels[index]) if levels else key), key, known, found, index))
    return found


def error_strength(text: str, level: str = "") -> int:
    """Return 2 for a line that says it is an error, 1 for one that sounds like one, else 0. A keyword's name is none."""
    if level in ("KEYWORD", CAUGHT_LEVEL):
        return 0
    weight = _WEIGHTY_LEVELS.get(level, 0)
    return weight if weight == _MOST else max(weight, _sound(text[:LINE_CHARACTERS].lower()))


def _sound(low: str) -> int:
    for word in _STRONG:  # of every line: a generator takes twice the time
        if word in low:
            return _MOST
    for word in _WEAK:
        if word in low:
            return 1
    return 0


def most_telling(strengths: Sequence[int], counts: Sequence[int], positions: Sequence[int]) -> list[int]:
    """Return indexes of those with a strength: what is rare first, of these the strong, the rarest and the latest."""
    errors = [index for index, strength in enumerate(strengths) if strength]
    return sorted(errors, key=lambda index: (counts[index] > RARE, -strengths[index], counts[index], -positions[index]))


def telling_lines(texts: Sequence[str], levels: Sequence[str] = ()) -> list[list[int]]:
    """Return the lines that look like errors, by template, the most telling template first.

    Of a template that repeats the last few stand for all, just so many that it still repeats for whoever reads only these.
    """
    found = survey(texts, levels)
    strengths = [error_strength(texts[index], levels[index] if levels else "") for index in found.last]
    order = most_telling(strengths, found.counts, found.last)
    members: dict[int, list[int]] = {number: [] for number in order}
    wanted = sum(min(found.counts[number], RARE + 1) for number in order)
    for index in range(len(texts) - 1, -1, -1):
        if wanted == 0:
            break
        group = members.get(found.numbers[index])
        if group is not None and len(group) <= RARE:
            group.append(index)
            wanted -= 1
    return list(members.values())


def by_interest(errors: Sequence[int], size: int, around: tuple[int, int], ends: tuple[int, int]) -> Iterator[int]:
    """Yield indexes of `size` lines, what matters most first, some more than once.

    The last lines, because there the failure is; the `errors`; what stands `around` them (so many before, so many after); the tail
    and the head (`ends`).
    """
    before, after = around
    head, tail = ends
    yield from range(size - 1, max(-1, size - 1 - min(LAST_LINES, tail)), -1)
    yield from errors
    for index in errors:
        yield from range(index + 1, min(size, index + after + 1))
        yield from range(index - 1, max(-1, index - before - 1), -1)
    yield from range(size - 1, max(-1, size - 1 - tail), -1)
    yield from range(min(head, size))


def _keys(texts: list[str]) -> list[bytes]:
    keys = MARK.join(texts).encode("utf-8", "replace").translate(None, _VARYING).split(MARK.encode())
    if len(keys) == len(texts):
        return keys
    return _keys([text.replace(MARK, "") for text in texts])


def _number(fingerprint: int, key: bytes, known: dict[int, int], found: Survey, index: int) -> int:
    number = known.get(fingerprint)
    if number is None and len(known) >= MAX_TEMPLATES:
        fingerprint = hash(key[:BEGINNING_BYTES])
        number = known.get(fingerprint, 0 if len(known) >= 2 * MAX_TEMPLATES else None)
    if number is None:
        number = known[fingerprint] = len(found.counts)
        found.counts.append(0)
        found.first.append(index)
        found.last.append(index)
    found.counts[number] += 1
    found.last[number] = index
    return number
