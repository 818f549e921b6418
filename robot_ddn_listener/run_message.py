"""A recorded run on its way to the backend: one JSON object, its outcomes packed into a few bytes a test.

    {"version": 1, "project", "run": {...}, "when": ISO 8601, "counts": {"PASS": 2000}, "outcomes": "<base64 of zlib of JSON rows>"}

A row is [test, status, seconds, fingerprint]; what a newer version adds behind these is ignored. `packed` imports nothing that
a run without failures has not imported by then; `unpacked` is for the backend.
"""

import base64
import binascii
import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .errors import ContractError
from .run import Run

if TYPE_CHECKING:
    from .contract import RunRecord

VERSION = 1
MAX_OUTCOMES_BYTES = 32 * 1024 * 1024  # unpacked; a hundred thousand tests with names of 300 characters
MAX_COMMAS = 800_000  # in these: what is small as JSON, such as [], takes thirty times as much of a process
_FAST = 1  # zlib's level: 3 ms less for 2,000 tests than its default, for a fifth more bytes

Row = tuple[str, str, float, str]


def packed(project: str, run: Run, when: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the message that `unpacked` reads; ContractError when it would refuse it."""
    outcomes = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(outcomes) > MAX_OUTCOMES_BYTES or outcomes.count(b",") > MAX_COMMAS:
        most = f"at most {MAX_OUTCOMES_BYTES} bytes with {MAX_COMMAS} commas"
        raise ContractError("RunRecord.outcomes", f"Expected {most}, got {len(outcomes)} bytes.")
    message = {
        "version": VERSION,
        "project": project,
        "run": asdict(run),
        "when": when,
        "counts": dict(Counter(status for _, status, _, _ in rows)),
        "outcomes": base64.b64encode(zlib.compress(outcomes, _FAST)).decode("ascii"),
    }
    cleaned: dict[str, Any] = json.loads(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace"))
    return cleaned


def unpacked(message: object) -> "RunRecord":
    """Return the record in `message`, as from json.loads; ContractError when there is none, or more than may be unpacked."""
    from .contract import RunRecord, decode

    if not isinstance(message, Mapping):
        raise ContractError("RunRecord", f"Expected dict, got {message!r:.80}.")
    names = ("test", "status", "seconds", "fingerprint")
    outcomes = [dict(zip(names, row, strict=False)) for row in _rows(message.get("outcomes"))]
    return decode(RunRecord, {**message, "outcomes": outcomes})


def summary(message: Mapping[str, Any]) -> str:
    """Return what operators see of the task: few fields, short."""
    shown = {"project": message["project"], "run": message["run"]["name"], "counts": message["counts"]}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _rows(outcomes: object) -> list[list[Any]]:
    path = "RunRecord.outcomes"
    if not isinstance(outcomes, str):
        raise ContractError(path, f"Expected str, got {outcomes!r:.80}.")
    try:
        inflating = zlib.decompressobj()
        text = inflating.decompress(base64.b64decode(outcomes, validate=True), MAX_OUTCOMES_BYTES)
        if not inflating.eof:
            whole = f"at most {MAX_OUTCOMES_BYTES} bytes" if inflating.unconsumed_tail else "all of it"
            raise ContractError(path, f"Expected {whole}, got {'more' if inflating.unconsumed_tail else 'the beginning'}.")
        if text.count(b",") > MAX_COMMAS:
            raise ContractError(path, f"Expected at most {MAX_COMMAS} commas, got more.")
        rows = json.loads(text)
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise ContractError(path, f"Expected base64 of zlib of JSON: {error}.") from error
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ContractError(path, "Expected a list of lists.")
    return rows
