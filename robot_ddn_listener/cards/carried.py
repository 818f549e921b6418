"""What a card shows of its report, as text in the card itself: a card made anew when the answer comes is the same otherwise."""

import json
from dataclasses import replace

from ..contract import ExceptionInfo, FailureReport, Frame, KeywordCall, decode, encode
from ..errors import ContractError

TEXT_CHARACTERS = 3_200  # of each text: what is read of it when it is shown on one line
CARRIED = ("keywords", "exception", "redactions", "truncated")


def carried(report: FailureReport) -> str:
    """Return the parts of `report` that a card shows, as JSON in ASCII; empty where there are none."""
    call, frame = calling_line(report), raising_frame(report)
    parts = replace(
        report,
        keywords=(_short_call(call),) if call else (),
        exception=ExceptionInfo("", frames=(_short_frame(frame),)) if frame else None,
    )
    told = {name: encode(getattr(parts, name)) for name in CARRIED if getattr(parts, name)}
    return json.dumps(told, separators=(",", ":")) if told else ""


def restored(report: FailureReport, text: str) -> FailureReport:
    """Return `report` with what `carried` made `text` of; as it is where nobody of ours wrote that text."""
    try:
        told = json.loads(text) if text else {}
        return decode(FailureReport, {**encode(report), **{name: told[name] for name in CARRIED if name in told}})
    except (ValueError, TypeError, ContractError):
        return report


def calling_line(report: FailureReport) -> KeywordCall | None:
    """Return the innermost keyword call whose line is known."""
    return next((call for call in reversed(report.keywords) if call.lineno), None)


def raising_frame(report: FailureReport) -> Frame | None:
    """Return where the exception was raised: the innermost frame of the project's own code, else of any."""
    frames = report.exception.frames if report.exception else ()
    return next((frame for frame in reversed(frames) if frame.own), frames[-1] if frames else None)


def _short_call(call: KeywordCall) -> KeywordCall:
    name, owner, source = (text[:TEXT_CHARACTERS] for text in (call.name, call.owner, call.source))
    return KeywordCall(name, owner, source=source, lineno=call.lineno)


def _short_frame(frame: Frame) -> Frame:
    failing = tuple(line[:TEXT_CHARACTERS] for line in frame.code if line.startswith(">"))[:1]
    return Frame(frame.file[:TEXT_CHARACTERS], frame.line, frame.function[:TEXT_CHARACTERS], failing, frame.own)
