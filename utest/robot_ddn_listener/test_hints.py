"""Whether a text holds a hint: a long text, which is looked at by its words, answers as a short one does."""

import random

import pytest

from robot_ddn_listener.rules import ALL_RULES
from robot_ddn_listener.rules.hints import LONG_CHARACTERS, Lowered, hints_of

FILLER = tuple(f"filler{number} unlike any other" for number in range(LONG_CHARACTERS // 20))


@pytest.mark.parametrize(
    ("hint", "text", "is_there"),
    [
        ("refused", "Connection refused by peer", True),
        ("refused", "It was refusedly so", True),
        ("connection ref", "A Connection Refused.", True),
        ("connection ref", "disconnection referee", True),
        ("connection ref", "connections refused", False),
        (" refused", "unrefused", False),
        ("error: ", "valueerror: no", True),
        ("error: ", "errors: no", False),
        ("'lib", "no module 'libfoo'", True),
        ("===", "a === b", True),
        ("nothing|refused", "refused", True),
        ("nothing|at all", "refused", False),
    ],
)
@pytest.mark.parametrize("others", [(), FILLER], ids=["short", "long"])
def test_a_hint_is_found_where_it_stands(hint: str, text: str, is_there: bool, others: tuple[str, ...]) -> None:
    lowered = Lowered((*others, text))
    assert lowered.has(hints_of(hint)) is is_there
    if is_there:
        assert len(others) in lowered.numbers(hints_of(hint))


def test_all_hints_of_all_rules_are_found_in_long_texts_as_by_looking_at_the_text_itself() -> None:
    chance = random.Random(7)
    hints = sorted({clue.hint for rule in ALL_RULES for clue in (*rule.clues, *rule.unless, *rule.support)})
    words = [part for hint in hints for part in hint.split("|")]
    for _ in range(20):
        texts = [" ".join(chance.choice(words)[chance.randrange(3) :] for _ in range(8)) for _ in range(40)]
        whole, lowered = "\n".join(texts).lower(), Lowered(texts)
        assert len(whole) > LONG_CHARACTERS
        for hint in hints:
            assert lowered.has(hints_of(hint)) == any(part in whole for part in hint.split("|")), hint


def test_nothing_is_found_in_nothing() -> None:
    assert not Lowered(()).has(hints_of("refused"))
