"""Cutting long texts, so that no cut leaves half a secret.

Texts are cut before redaction, which would take long over megabytes. A cut can fall into a token, whose rest no pattern knows
any more, or between a name and the secret that it names. So `cut_text` keeps more than is wanted on both sides of a cut, and
`without_edges` takes that away again when redaction is done.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # live.py is there in passing runs, which pay for nothing else
    from .contract import ExceptionInfo, FailureReport, Frame

EDGE_CHARACTERS = 500  # on each side of a cut: room for a name and the longest token that has a fixed length
LONGEST_REST = 4_000  # characters of a token that a text can begin with after a cut, such as a signed web token
CODE_CHARACTERS = 300  # of a line of program text

_LEFT_OUT = re.compile(r" \[\.\.\. (\d{1,12}) characters left out \.\.\.\] ")
_REST_OF_TOKEN = re.compile(rf"[^\s\"',;&]{{0,{LONGEST_REST}}}")
_MARK = "<redacted:"


def cut_text(text: str, limit: int) -> str:
    """Return `text`, or its head and tail with the number of characters left out between them, until `without_edges` with edges."""
    if len(text) <= limit + 2 * EDGE_CHARACTERS:
        return text
    head, tail = limit * 2 // 3 + EDGE_CHARACTERS, limit // 3 + EDGE_CHARACTERS
    return f"{text[:head]} [... {len(text) - head - tail} characters left out ...] {text[-tail:]}"


def cut_code(line: str) -> str:
    """Return the beginning of a line of program text, until `without_edges` with an edge."""
    return line[: CODE_CHARACTERS + EDGE_CHARACTERS]


def without_edges(report: "FailureReport") -> "FailureReport":
    """Return a redacted report without what was kept for redaction only."""
    return replace(
        report,
        error_message=_trimmed(report.error_message),
        keywords=tuple(
            replace(call, name=_trimmed(call.name), args=tuple(map(_trimmed, call.args)))
            if _is_cut(call.name, *call.args)
            else call
            for call in report.keywords
        ),
        log=tuple(replace(line, text=_trimmed(line.text)) if _is_cut(line.text) else line for line in report.log),
        exception=report.exception and _of_exception(report.exception),
        execution_errors=tuple(replace(error, text=_trimmed(error.text)) for error in report.execution_errors),
    )


def _of_exception(exception: "ExceptionInfo") -> "ExceptionInfo":
    return replace(
        exception,
        message=_trimmed(exception.message),
        frames=tuple(map(_of_frame, exception.frames)),
        causes=tuple(map(_of_exception, exception.causes)),
    )


def _of_frame(frame: "Frame") -> "Frame":
    return replace(frame, code=tuple(_begun(line, CODE_CHARACTERS) for line in frame.code))


def _is_cut(*texts: str) -> bool:
    return any(" characters left out " in text for text in texts)


def _trimmed(text: str) -> str:
    if not _is_cut(text):
        return text
    pieces = _LEFT_OUT.split(text)
    return "".join(_joined(pieces[::2], [int(number) for number in pieces[1::2]]))


def _joined(texts: list[str], missing: list[int]) -> Iterator[str]:
    """Yield the texts without their edges, and between them how many characters are missing now."""
    last = len(texts) - 1
    for number, text in enumerate(texts):
        begun = _later(text) if number else text
        kept = _begun(begun, max(len(begun) - EDGE_CHARACTERS, 0)) if number < last else begun
        yield kept
        if number < last:
            lost = len(begun) - len(kept) + len(texts[number + 1]) - len(_later(texts[number + 1]))
            yield f" [... {missing[number] + lost} characters left out ...] "


def _later(text: str) -> str:
    """Return a text that begins after a cut without its edge, and without the rest of a token that is longer than that."""
    rest = _REST_OF_TOKEN.match(text, EDGE_CHARACTERS)
    return text[rest.end() :] if rest else ""


def _begun(text: str, limit: int) -> str:
    """Return the beginning of `text`; what was redacted is left whole or out."""
    head = text[:limit]
    mark = head.rfind(_MARK)
    return head[:mark] if mark >= 0 and ">" not in head[mark:] else head
