"""Long texts are cut before redaction: a secret on which a cut falls leaves nothing of itself behind, wherever it stands."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from robot import result as results

from planted import Planted, made, planted
from robot_ddn_listener import capture, excerpt, gather, live
from robot_ddn_listener.capture import failed_test
from robot_ddn_listener.contract import FailureReport, LogLine, Run, encode
from robot_ddn_listener.edges import CODE_CHARACTERS, EDGE_CHARACTERS, cut_text, without_edges
from robot_ddn_listener.live import FailedCall, LiveFailures, Raised
from robot_ddn_listener.redact import Redactor
from robot_ddn_listener.triage import Triage

PIECE = 10  # characters of a secret: fewer are no use to anybody
# What tells them apart: a beginning and a fixed or an open length, a name before, a scheme, a place in a URL, a name behind.
KINDS = (
    "aws_access",
    "github_personal",
    "web_token",
    "private_key",
    "url_password",
    "bearer_header",
    "set_cookie",
    "password_json",
    "password_option",
    "password_xml",
    "password_typed",
    "basic_header",
    "slack_hook",
)
LONG = 10_000
FEW = ("aws_access", "web_token", "bearer_header")  # where the same code cuts much longer texts


def report_of(
    *, message: str = "It failed.", log: str = "", html: bool = False, argument: str = "", **live_parts: Any
) -> FailureReport:
    suite = results.TestSuite(name="S")
    test = results.TestCase(name="T", status="FAIL", message=message, parent=suite)
    keyword = results.Keyword(name="Do", owner="Lib", args=(argument,) if argument else (), status="FAIL", message=message)
    test.body.append(keyword)
    if log:
        keyword.body.create_message(message=log, level="INFO", html=html)
    raised = live_parts.get("raised")
    failed = failed_test(test, [FailedCall(keyword, SimpleNamespace(), raised)] if raised else ())
    failed = replace(failed, errors=live_parts.get("errors", ()))
    ticket = Triage("shop", Run("run"), live_parts.get("root")).take(failed)
    assert ticket
    return ticket.report


def noted(error: BaseException) -> Any:
    """Return an exception as the listener notes it while Robot handles it."""
    failures = LiveFailures()
    try:
        raise error
    except type(error):
        failures.note(SimpleNamespace(), None, SimpleNamespace(), raised=True)
    return failures.take()[0].raised


def system_error(text: str) -> FailureReport:
    return report_of(errors=(gather.execution_error(SimpleNamespace(message=text, level="ERROR", timestamp=None)),))


PLACES: dict[str, tuple[int, Callable[[str], FailureReport]]] = {
    "message": (capture.MESSAGE_CHARACTERS, lambda text: report_of(message=text)),
    "log": (excerpt.MAX_TEXT_CHARACTERS, lambda text: report_of(log=text)),
    "HTML": (excerpt.MAX_TEXT_CHARACTERS, lambda text: report_of(log=text, html=True)),
    "argument": (capture.MAX_ARGUMENT_CHARACTERS, lambda text: report_of(argument=text)),
    "exception": (live.MAX_MESSAGE_CHARACTERS, lambda text: report_of(raised=noted(RuntimeError(text)))),
    "system error": (gather.MAX_ERROR_CHARACTERS, system_error),
}


def cuts(limit: int) -> Iterator[tuple[int, bool]]:
    """Yield where texts are, or could be, cut: characters from their beginning, or from their end."""
    for edge in (0, EDGE_CHARACTERS):
        yield limit * 2 // 3 + edge, False
        yield limit // 3 + edge, True


def straddling(one: Planted, limit: int) -> Iterator[str]:
    """Yield long texts with a cut before, in and behind the secret, and between it and what names it."""
    at = one.text.index(one.core)
    for place, is_from_end in cuts(limit):
        for inside in (0, at, at + 6, len(one.text) - 3):
            rest = len(one.text) - inside
            yield (
                "x " * ((place - (rest if is_from_end else inside)) // 2) + one.text + " x" * limit
                if not is_from_end
                else ("x " * limit + one.text + " x" * ((place - rest) // 2))
            )


def pieces(one: Planted) -> set[str]:
    """Return all pieces of what is secret; a token's known beginning, and words such as the user's name, are none."""
    secret = one.text[one.text.index(one.core) :][: max(len(one.core), len(one.secret) - one.secret.index(one.core))]
    return {secret[start : start + PIECE] for start in range(len(secret) - PIECE + 1)}


@pytest.mark.parametrize("place", PLACES)
def test_a_cut_leaves_no_piece_of_a_secret(place: str) -> None:
    limit, told = PLACES[place]
    for one in (one for one in planted() if one.name in (FEW if limit > LONG else KINDS)):
        forbidden = pieces(one)
        for number, text in enumerate(straddling(one, limit)):
            said = str(encode(told(text)))
            assert "characters left out" in said or "<redacted:" in said
            left = [piece for piece in forbidden if piece in said]
            assert not left, (one.name, number, left[:3])


def key_with_an_error_inside() -> tuple[list[str], list[str]]:
    """Return lines of a private key into which something else was logged, and those of its body."""
    dashes = "-" * 5
    body = [made(f"line {number}", 64) for number in range(40)]
    end = f"{dashes}END RSA PRIVATE KEY{dashes}"
    return [f"{dashes}BEGIN RSA PRIVATE KEY{dashes}", *body[:20], "ERROR boom", *body[20:], end], body


@pytest.mark.parametrize("limit", [2_000, 3_000, 6_000])
def test_lines_of_a_private_key_go_where_those_that_tell_of_it_are_left_out(limit: int) -> None:
    key, body = key_with_an_error_inside()
    lines = [f"line {number} of what is told besides" for number in range(200)]
    texts = [*lines, *key, *lines]
    kept, cut = excerpt.cut_log([LogLine(text) for text in texts], limit)
    assert cut
    assert "ERROR boom" in [line.text for line in kept]
    for log in (kept, (LogLine(excerpt._cut_lines("\n".join(texts), limit)),)):
        report = FailureReport("r1", "shop", "f00d", Run("run"), "S", "T", "M", log=log)
        said = str(encode(Redactor().redact(report)))
        assert not [line for line in body if line in said]


@pytest.mark.parametrize("before", range(CODE_CHARACTERS - 60, CODE_CHARACTERS + EDGE_CHARACTERS, 40))
def test_a_long_line_of_program_text_leaves_none_either(before: int, tmp_path: Path) -> None:
    one = next(one for one in planted() if one.name == "github_personal")
    code = tmp_path / "shop.py"
    code.write_text(f"{'x' * before} = '{one.secret}{'y' * 2000}'\n", encoding="utf-8")
    raised = Raised("ShopError", "It failed.", ((str(code), 1, "pay"),))
    said = report_of(raised=raised, root=tmp_path)
    assert said.exception
    [line] = said.exception.frames[0].code
    assert len(line) <= CODE_CHARACTERS
    assert not [piece for piece in pieces(one) if piece in line]


def test_a_token_longer_than_what_is_kept_for_redaction_goes_with_all_its_rest() -> None:
    token = made("a long token", 3 * EDGE_CHARACTERS)
    text = f"{'x ' * 4000}Authorization: Bearer eyJ{token} {'y ' * 900}"
    start, end = text.index(token), text.index(token) + len(token)
    assert start < len(text) - (6000 // 3 + EDGE_CHARACTERS) < end - EDGE_CHARACTERS  # the tail begins far inside it
    report = replace(FailureReport("r1", "shop", "f00d", Run("run"), "S", "T", ""), error_message=cut_text(text, 6000))
    said = without_edges(Redactor().redact(report)).error_message
    assert not [at for at in range(0, len(token) - PIECE, PIECE) if token[at : at + PIECE] in said]
    assert "y y" in said


def test_a_cut_tells_how_much_is_left_out() -> None:
    text = "".join(f"{number:06} " for number in range(10_000))
    report = replace(FailureReport("r1", "shop", "f00d", Run("run"), "S", "T", ""), error_message=cut_text(text, 6000))
    head, tail = re.split(r" \[\.\.\. \d+ characters left out \.\.\.\] ", message := without_edges(report).error_message)
    [number] = re.findall(r"(\d+) characters left out", message)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + int(number) + len(tail) == len(text)
    assert 5_900 < len(head) + len(tail) <= 6_000
