"""Measures as plain JSON types for machines, and as lines for people."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .answers import Answer
from .measures import Measures, Share, has_evidence

_SHARES = ("accuracy", "coverage", "shown_and_wrong", "evidence_hit", "evidence_echo")
_MEANINGS = {
    "shown_and_wrong": "answered with a wrong type",
    "coverage": "answered at all",
    "accuracy": "answered rightly",
    "evidence_hit": "a quote has the evidence",
    "evidence_echo": "the message's start would",
}


def as_json(measures: Measures) -> dict[str, Any]:
    """Return `measures` with each share as a number, and the shares' 95 % intervals beside them under ``intervals``."""
    return {
        "n": measures.n,
        **{name: _rounded(getattr(measures, name).value) for name in _SHARES},
        "macro_f1": _rounded(measures.macro_f1),
        "brier": _rounded(measures.brier),
        "bands": [
            {
                "low": band.low,
                "high": band.high,
                "n": band.right.n,
                "right": _rounded(band.right.value),
                "interval": _interval(band.right),
                "mean_confidence": _rounded(band.mean_confidence),
            }
            for band in measures.bands
        ],
        "seconds_p50": round(measures.seconds_p50, 6),
        "seconds_p95": round(measures.seconds_p95, 6),
        "per_type": {
            kind.value: {
                "n": one.n,
                "precision": _rounded(one.precision.value),
                "recall": _rounded(one.recall.value),
                "f1": _rounded(one.f1),
                "intervals": {"precision": _interval(one.precision), "recall": _interval(one.recall)},
            }
            for kind, one in measures.per_type.items()
        },
        "intervals": {name: _interval(getattr(measures, name)) for name in _SHARES},
    }


def answers_as_json(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return what was answered to each record, for a closer look; no text of the failures."""
    return [
        {
            "id": answer.record.id,
            "error_type": answer.record.error_type.value,
            "shown": answer.shown.value,
            "right": answer.is_right,
            "confidence": answer.analysis.confidence,
            "rule_id": answer.analysis.engine.rule_id,
            "evidence_hit": has_evidence(answer, answer.quotes),
            "seconds": round(answer.seconds, 6),
            "model": answer.analysis.engine.model,
            **_taken([answer]),
            "degraded": list(answer.analysis.degraded),
        }
        for answer in answers
    ]


def taken_as_json(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return what a model took for all `answers`, and how many of them lack something that failed."""
    return {**_taken(answers), "degraded": sum(bool(answer.analysis.degraded) for answer in answers)}


def taken_lines(answers: Sequence[Answer]) -> Iterator[str]:
    """Yield what a model took, nothing where none was asked."""
    taken = taken_as_json(answers)
    if taken["calls"] or taken["degraded"]:
        tokens = f"{taken['tokens_in']:,} + {taken['tokens_out']:,} tokens"
        yield f"Model: {taken['calls']:,} calls, {tokens}, ${taken['cost_usd']:.4f}; {taken['degraded']} answers degraded"


def _taken(answers: Iterable[Answer]) -> dict[str, Any]:
    engines = [answer.analysis.engine for answer in answers]
    return {
        "calls": sum(engine.calls for engine in engines),
        "tokens_in": sum(engine.tokens_in for engine in engines),
        "tokens_out": sum(engine.tokens_out for engine in engines),
        "cost_usd": round(sum(engine.cost_usd for engine in engines), 6),
    }


def as_lines(title: str, measures: Measures) -> Iterator[str]:
    """Yield a table, 78 columns at most."""
    yield f"{title}: {measures.n} failures"
    for name, meaning in _MEANINGS.items():
        yield f"  {name:<16}{_percent(getattr(measures, name))} {_count(getattr(measures, name))}  {meaning}"
    yield f"  {'macro_f1':<16}{measures.macro_f1:>6.3f}"
    yield f"  {'brier':<16}{measures.brier:>6.3f}                           of the answers shown"
    yield f"  {'seconds':<16}{measures.seconds_p50:>6.3f} half of them, {measures.seconds_p95:.3f} for 95 %"
    yield "  confidence      right                      shown on average"
    for band in measures.bands:
        shown = f"  {band.mean_confidence:.2f}" if band.right.n else ""
        yield f"  {band.low:.2f} to {band.high:.2f}    {_percent(band.right)} {_count(band.right)}{shown}"
    yield "  error type         n   precision                recall"
    for kind, one in measures.per_type.items():
        yield f"  {kind.value:<17}{one.n:>3}   {_percent(one.precision)}   {_percent(one.recall)}"


def wrong_lines(answers: Sequence[Answer]) -> Iterator[str]:
    """Yield a line for each answer that was shown and is wrong."""
    wrong = [answer for answer in answers if answer.is_shown and not answer.is_right]
    if wrong:
        yield "Shown and wrong:"
    for answer in wrong:
        by = answer.analysis.engine.rule_id or "known cause"
        said = f"{answer.shown.value} ({by}, {answer.analysis.confidence:.2f})"
        yield f"  {answer.record.id}: {said}, is {answer.record.error_type.value}"


def _percent(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:>6.1%} [{low:>5.1%}, {high:>6.1%}]" if share.n else f"{'-':>6}{'':16}"


def _count(share: Share) -> str:
    return f"{share.hits:>3}/{share.n:<3}" if share.n else " " * 7


def _interval(share: Share) -> list[float]:
    return [_rounded(bound) for bound in share.interval]


def _rounded(value: float) -> float:
    return round(value, 4)
