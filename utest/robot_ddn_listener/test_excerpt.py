"""The choice of log lines in the robot process: templates, what is news, and texts that are cut by lines."""

from types import SimpleNamespace

import pytest

from robot_ddn_listener.contract import LogLine, Truncation
from robot_ddn_listener.edges import EDGE_CHARACTERS
from robot_ddn_listener.excerpt import MAX_TEXT_CHARACTERS, cut_log, plain_text
from robot_ddn_listener.templates import error_strength, survey, telling_lines

NEWS = "ERROR ledger posting failed: column 'settled_at' does not exist"


def noise(count: int) -> list[str]:
    return [
        f"ERROR worker-{n} lost its lease {n:08x} in {n} ms" if n % 50 == 0 else f"INFO request {n:08x} took {n} ms"
        for n in range(count)
    ]


def html(text: str) -> SimpleNamespace:
    return SimpleNamespace(message=text, html=True)


def plain(text: str) -> SimpleNamespace:
    return SimpleNamespace(message=text, html=False)


def test_lines_that_differ_in_numbers_and_ids_have_one_template() -> None:
    found = survey(["took 12 ms, id 9f3e", "stopped", "took 7 ms, id 77ab01"])
    assert list(found.numbers) == [0, 1, 0]
    assert (found.counts, found.first, found.last) == ([2, 1], [0, 1], [2, 1])


def test_lines_of_different_levels_have_different_templates() -> None:
    assert survey(["on 1", "on 2"], ["INFO", "FAIL"]).counts == [1, 1]


def test_a_line_that_holds_a_nul_is_a_line_like_others() -> None:
    assert list(survey(["a\0b", "xyz", "xyz"]).numbers) == [0, 1, 1]


@pytest.mark.parametrize(
    ("text", "level", "strength"),
    [
        ("ValueError: no", "INFO", 2),
        ("all is well", "FAIL", 2),
        ("host not found", "DEBUG", 1),
        ("all is well", "WARN", 1),
        ("all is well", "INFO", 0),
        ("Run Keyword And Expect Error    failed", "KEYWORD", 0),
    ],
)
def test_how_much_a_line_looks_like_an_error(text: str, level: str, strength: int) -> None:
    assert error_strength(text, level) == strength


def test_what_is_rare_comes_first_and_of_what_repeats_the_last_ones_stand_for_all() -> None:
    texts = noise(500)
    texts.insert(123, NEWS)
    first, second = telling_lines(texts)
    assert [texts[index] for index in first] == [NEWS]
    assert [texts[index] for index in second] == [texts[index] for index in (451, 401, 351, 301)]


@pytest.mark.parametrize("depth", [0, 2_000, 39_990])
def test_a_cut_log_keeps_the_error_that_is_new(depth: int) -> None:
    lines = [LogLine(text) for text in noise(40_000)]
    lines.insert(depth, LogLine(NEWS))
    kept, cut = cut_log(lines, 20_000)
    assert LogLine(NEWS) in kept
    (truncation,) = cut
    assert truncation == Truncation("log", sum(len(line.text) for line in lines), truncation.to)
    assert truncation.to <= 20_000
    assert lines[-1] in kept


def test_a_cut_log_says_where_lines_are_missing_and_keeps_their_order() -> None:
    lines = [LogLine(f"line {'ghijklmnop'[n % 10] * (n % 7 + 1)} {n}") for n in range(3000)]
    kept, _ = cut_log(lines, 2_000)
    numbers = [int(line.text.split()[-1]) for line in kept if not line.text.startswith("[...")]
    assert numbers == sorted(numbers)
    gaps = [int(line.text.split()[1]) for line in kept if line.text.startswith("[...")]
    assert len(numbers) + sum(gaps) == len(lines)


def test_a_log_that_fits_is_left_alone() -> None:
    lines = [LogLine("one"), LogLine("two")]
    assert cut_log(lines, 100) == (tuple(lines), ())


def test_the_last_failure_stays_among_many_that_are_all_different() -> None:
    lines = [LogLine(f"error of kind {'ghijklmnop'[n % 10] * (n // 10 + 1)}", "FAIL") for n in range(900)]
    kept, _ = cut_log(lines, 3_000)
    assert lines[-1] in kept


def test_one_message_of_many_lines_is_cut_by_lines_and_keeps_the_error_that_is_new() -> None:
    texts = noise(30_000)
    texts.insert(9_000, NEWS)
    text = plain_text(plain("\n".join(texts)))
    assert len(text) <= MAX_TEXT_CHARACTERS
    assert NEWS in text.splitlines()
    assert texts[-1] in text.splitlines()
    assert "lines left out ...]" in text


def test_a_message_of_one_long_line_keeps_its_head_and_tail() -> None:
    text = plain_text(plain("head" + "x" * 50_000 + "tail"))
    assert text.startswith("head")
    assert text.endswith("tail")
    assert len(text) < MAX_TEXT_CHARACTERS + 2 * EDGE_CHARACTERS + 100


def test_a_message_that_fits_is_left_alone_and_markup_goes() -> None:
    assert plain_text(plain("a <b> c")) == "a <b> c"
    assert plain_text(html("a <b>bold</b> c")) == "a  bold  c"
