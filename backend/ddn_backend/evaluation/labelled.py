"""Labelled failures: a JSONL file, one failure a line, each with its cause.

Only `error_type` and one of `error_message` and `output_xml` are needed; whatever else is missing is empty. A line that cannot
be used is counted and named, never the end of the evaluation.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robot_ddn_listener.contract import ErrorType
from robot_ddn_listener.errors import DdnError

INFERABLE = ("yes", "partly", "no")


UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # how a text in UTF-16 begins


class LabelledError(DdnError):
    """Who called must act: the file of labelled failures cannot be read, or holds none."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One failure with its cause. `output` is a whole output.xml that is cut down to this test, or None.

    `inferable` (yes, partly, no) tells whether the cause can be seen in the text at all; empty when not said. `evidence` stands in
    the message or log word for word.
    """

    id: str
    error_type: ErrorType
    test_name: str = ""
    suite_name: str = ""
    error_message: str = ""
    log_excerpt: str = ""
    output: Path | None = None
    alternative: ErrorType | None = None
    inferable: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """`skipped` says in words which lines, or parts of them, were not used."""

    path: Path
    records: tuple[Labelled, ...]
    skipped: tuple[str, ...] = ()


def read_labelled(path: Path) -> LabelledFile:
    """Return the records of the JSONL file at `path`; paths of output files in it are relative to its folder."""
    records, skipped = [], []
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            try:
                record, notes = _record(line, number, path.parent)
                records.append(record)
                skipped += notes
            except ValueError as error:
                skipped.append(f"line {number}: {error}")
    if not records:
        reason = f"none of its {len(skipped)} lines can be used, first {skipped[0]}" if skipped else "it is empty"
        raise LabelledError(f"Reading labelled failures '{path}' failed: {reason.rstrip('.')}. Nothing was evaluated.")
    return LabelledFile(path, tuple(records), tuple(skipped))


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text(encoding="utf-8-sig").split("\n")  # texts may hold other line separators
    except OSError as error:
        raise LabelledError(f"Reading labelled failures '{path}' failed: {error.strerror}. Nothing was evaluated.") from error
    except UnicodeDecodeError as error:
        got = "UTF-16" if error.object.startswith(UTF_16) else f"the byte 0x{error.object[error.start]:02x}"
        raise LabelledError(
            f"Reading labelled failures '{path}' failed: expected UTF-8, got {got}. Nothing was evaluated."
        ) from error


def _record(line: str, number: int, folder: Path) -> tuple[Labelled, list[str]]:
    fields = _fields(line)
    notes: list[str] = []
    output = _output(fields, folder, notes, number)
    if output is None and not _text(fields, "error_message").strip():
        raise ValueError("Expected an error_message or an output_xml, got neither.")
    record = Labelled(
        id=_text(fields, "id") or f"line {number}",
        error_type=_label(fields, "error_type"),
        test_name=_text(fields, "test_name"),
        suite_name=_text(fields, "suite_name"),
        error_message=_text(fields, "error_message"),
        log_excerpt=_text(fields, "log_excerpt"),
        output=output,
        alternative=_label(fields, "alt_error_type") if fields.get("alt_error_type") else None,
        inferable=_text(fields, "inferable").lower(),
        evidence=_text(fields, "evidence"),
    )
    return record, notes


def _fields(line: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"Expected a JSON object, got {type(fields).__name__}.")
    return fields


def _output(fields: Mapping[str, Any], folder: Path, notes: list[str], number: int) -> Path | None:
    name = _text(fields, "output_xml")
    if not name:
        return None
    if (folder / name).is_file():
        return folder / name
    notes.append(f"line {number}: output_xml '{name}' is not there; its text is used alone")
    return None


def _label(fields: Mapping[str, Any], name: str) -> ErrorType:
    label = ErrorType(_text(fields, name).strip().upper())
    if label is ErrorType.UNKNOWN:
        raise ValueError(f"Expected {name} to be one of {', '.join(list(ErrorType)[:-1])}; got {fields.get(name)!r:.60}.")
    return label


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
