"""Condensing: what fits the budget, what is kept of a log, and that the evidence survives."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ddn_backend.pipeline.case import Case, Digest
from ddn_backend.pipeline.condense import Budget, condense, tokens
from robot_ddn_listener.contract import (
    Analysis,
    ExceptionInfo,
    ExecutionError,
    FailureReport,
    Frame,
    LogLine,
    Run,
    Truncation,
)
from robot_ddn_listener.excerpt import cut_log

MESSAGE = "The gizmo was not amused."
USUAL = Budget()
ONLY_LOG = Budget(error=0, exception=0, execution=0, log=400, code=0, past=0)


def report(message: str = MESSAGE, **fields: object) -> FailureReport:
    plain = FailureReport(
        id="r1", project="shop", fingerprint="f00d", run=Run("run"), suite_name="S", test_name="T", error_message=message
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def digest(wanted: FailureReport, budget: Budget = USUAL) -> Digest:
    return condense(Case(wanted, Analysis(wanted.id)), budget).digest


def log(*texts: str, level: str = "INFO") -> tuple[LogLine, ...]:
    return tuple(LogLine(text, level) for text in texts)


def logged(found: Digest) -> list[str]:
    return [line.text for line in found.lines if line.where == "log"]


def words(number: int) -> str:
    """Return a word for a number that no template takes for one; none of its letters is a hexadecimal digit."""
    return "".join("ghijklmnop"[int(digit)] for digit in str(number))


def size(found: Digest) -> int:
    return sum(tokens(line.text) for line in found.lines)


def test_a_short_report_is_condensed_to_itself() -> None:
    found = digest(report(log=log("one", "two\nthree")))
    assert [line.text for line in found.lines] == [MESSAGE, "one", "two", "three"]
    assert found.cut == ()


def test_lines_that_repeat_are_folded_into_the_first_and_the_last_is_kept() -> None:
    polls = [f"attempt {n} of 500: waiting for the gizmo at 12:00:{n % 60:02}" for n in range(1, 501)]
    found = digest(report(log=log("start", *polls, "end")))
    assert [(line.text, line.count) for line in found.lines if line.where == "log"] == [
        ("start", 1),
        (polls[0], 499),
        (polls[-1], 1),
        ("end", 1),
    ]
    assert found.cut == ("log: 498 of 502 lines repeat others and were folded",)


def test_lines_that_differ_in_a_status_are_not_folded() -> None:
    texts = ["GET / status 200", "GET / status 500", "GET / status 200"]
    assert logged(digest(report(log=log(*texts)))) == texts


def test_of_a_long_log_the_errors_with_their_surroundings_the_head_and_the_tail_are_kept() -> None:
    texts = [f"line {words(n)} goes on and on" for n in range(1000)]
    texts[500] = "Connection refused"
    found = digest(report(log=log(*texts)))
    assert [texts.index(text) for text in logged(found)] == [*range(10), *range(496, 507), *range(970, 1000)]
    assert found.cut == ("log: 949 of 1000 different lines were left out",)


@pytest.mark.parametrize("error", [lambda n: f"error {words(n)} " + "x" * 300, lambda n: f"<p>{words(n)}</p>" * 400])
def test_a_digest_stays_within_its_budget_and_keeps_what_came_last(error: Callable[[int], str]) -> None:
    budget = Budget.of(1500)
    found = digest(report(log=log(*map(error, range(700)))), budget)
    assert size(found) <= budget.total - budget.past
    assert found.lines[-1].text == error(699)[:600]


def everything() -> FailureReport:
    frame = Frame("shop/basket.py", 7, "total", tuple(f"  {n}: price = sum(items[{n}:])" for n in range(400)), own=True)
    many = [f"{words(n)} failed in a way of its own, more or less" for n in range(2000)]
    return report(
        "\n".join(f"{words(n)} is wrong" for n in range(900)),
        exception=ExceptionInfo("GizmoError", "\n".join(f"{words(n)} is broken" for n in range(900)), (frame,)),
        execution_errors=tuple(ExecutionError(f"Importing library '{words(n)}' failed") for n in range(900)),
        log=log(*many),
    )


def test_each_kind_of_text_has_its_share_and_all_together_fit() -> None:
    found = digest(everything())
    for where, share in (("error message", 800), ("exception", 600), ("execution errors", 400), ("code", 400)):
        assert share / 2 < sum(tokens(line.text) for line in found.lines if line.where == where) <= share
    assert 3000 < size(found) <= 3600
    assert {note.partition(":")[0] for note in found.cut} == {"error message", "exception", "execution errors", "code", "log"}


def test_of_a_long_message_beginning_and_end_are_kept() -> None:
    lines = [line.text for line in digest(everything()).lines if line.where == "error message"]
    assert (lines[0], lines[-1]) == ("g is wrong", f"{words(899)} is wrong")


def test_what_other_texts_do_not_need_goes_to_the_log() -> None:
    texts = [f"{words(n)} failed for a reason of its own" for n in range(2000)]
    assert size(digest(report(log=log(*texts)))) > 2 * Budget().log


def test_the_projects_own_code_comes_before_that_of_packages() -> None:
    own = Frame("shop/basket.py", 7, "total", ("> 7: own code",), own=True)
    packaged = Frame("requests/api.py", 3, "get", ("> 3: packaged code",))
    found = digest(report(exception=ExceptionInfo("E", "", (own, packaged))))
    assert [line.text for line in found.lines if line.where == "code"][:2] == ["shop/basket.py:7 total", "> 7: own code"]
    assert not any(line.is_error for line in found.lines if line.where == "code")


def noisy(planted: str, depth: int) -> list[str]:
    kinds = ("ERROR worker-{n} retries {n} of 9", "WARN upstream {n} answered 503", "ERROR item {n} failed: cache-{n} timed out")
    texts = [kinds[n % 3].format(n=n) if n % 100 < 3 else f"INFO request {n:08x} answered in {n % 77} ms" for n in range(20_000)]
    texts.insert(depth, planted)
    return texts


@pytest.mark.parametrize("depth", [0, 137, 9_999, 19_995])
@pytest.mark.parametrize("is_cut_before", [False, True])
def test_the_one_error_that_is_new_survives_among_those_that_repeat(depth: int, is_cut_before: bool) -> None:
    planted = "ERROR ledger posting 77 failed: column 'settled_at' does not exist"
    lines = log(*noisy(planted, depth))
    if is_cut_before:
        lines, _ = cut_log(list(lines), 120_000)
    assert planted in logged(digest(report(log=lines), ONLY_LOG))


def test_a_folded_line_of_a_long_log_tells_how_often_it_came() -> None:
    lines = digest(report(log=log(*noisy("done", 9_000)))).lines
    assert max(line.count for line in lines if "answered 503" in line.text) > 150


def test_a_line_is_shown_only_in_part_when_it_is_a_dump_and_that_is_said() -> None:
    found = digest(report("word " * 1000))
    assert len(found.lines[0].text) == 600
    assert found.cut == ("error message: of each line at most 600 characters are shown",)


def test_what_was_cut_before_it_was_sent_is_said() -> None:
    found = digest(report(truncated=(Truncation("log", 9000, 4000),)))
    assert found.cut == ("log: cut from 9000 to 4000 before it was sent",)
