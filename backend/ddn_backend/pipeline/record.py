"""Record: the report when it comes in, so that it can be analysed again whatever happens, and the answer when it is final.

A history that fails is a problem of the case, and the analysis goes on without it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from ..ports import History, HistoryError, Problem
from .case import Case


def utc_now() -> datetime:
    return datetime.now(UTC)


def keep(case: Case, history: History, now: Callable[[], datetime] = utc_now) -> Case:
    """Put the report into the history. It comes before `recall`, which counts what was seen before this report."""
    try:
        history.keep(case.report, now())
    except HistoryError as error:
        return with_problem(case, error)
    return case


def record(case: Case, history: History, model: str = "", now: Callable[[], datetime] = utc_now) -> Case:
    """Put the report and the answer into the history; `model` is the one that was asked for, as configured."""
    if has_failed(case):
        return case
    try:
        history.settle(case.report, case.analysis, now(), model)
    except HistoryError as error:
        return with_problem(case, error)
    return case


def with_problem(case: Case, error: HistoryError) -> Case:
    """Return `case` with the failed history as one of its problems, the first one only: one part is told of once."""
    if has_failed(case):
        return case
    return replace(case, problems=(*case.problems, Problem(f"history: {error.cause or error}", error)))


def has_failed(case: Case) -> bool:
    """Return whether the history has failed this case before; asking again would cost another timeout."""
    return any(isinstance(problem.error, HistoryError) for problem in case.problems)
