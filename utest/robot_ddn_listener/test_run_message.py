"""A run's record on its way: small, complete, and refused where it is not what it should be."""

import base64
import json
import zlib
from typing import Any

import pytest

from robot_ddn_listener.contract import Git, Outcome, Run, RunRecord
from robot_ddn_listener.errors import ContractError
from robot_ddn_listener.run_message import MAX_OUTCOMES_BYTES, packed, summary, unpacked

RUN = Run("r1", "Shop", git=Git("https://host/shop.git", "c0ffee", "main", False))
ROWS = [("Shop.Pays", "PASS", 1.25, ""), ("Shop.Ä\ud800 'quoted'", "FAIL", 0.5, "f00d")]
WHEN = "2026-11-24T12:00:00.000+00:00"


def body(plain: bytes) -> str:
    return base64.b64encode(zlib.compress(plain)).decode()


def test_what_was_packed_is_what_comes_out_without_what_no_text_can_hold() -> None:
    message = json.loads(json.dumps(packed("shop", RUN, WHEN, ROWS)))
    outcomes = (Outcome("Shop.Pays", "PASS", 1.25), Outcome("Shop.Ä? 'quoted'", "FAIL", 0.5, "f00d"))
    assert unpacked(message) == RunRecord("shop", RUN, WHEN, outcomes)
    assert json.loads(summary(message)) == {"project": "shop", "run": "Shop", "counts": {"PASS": 1, "FAIL": 1}}


def test_two_thousand_tests_are_a_few_bytes_each() -> None:
    rows = [(f"Shop.Checkout {n % 40}.Customer {n} pays", "PASS", n / 997, "") for n in range(2000)]
    message = packed("shop", RUN, WHEN, rows)
    assert len(json.dumps(message)) < 20 * len(rows)
    assert len(summary(message)) < 100


def test_what_a_newer_version_adds_is_left_out() -> None:
    message = packed("shop", RUN, WHEN, ROWS) | {"colour": "red", "outcomes": body(b'[["T","PASS",1,"","green"],["U","PASS"]]')}
    assert unpacked(message).outcomes == (Outcome("T", "PASS", 1.0), Outcome("U", "PASS"))


def test_a_bomb_is_refused_before_it_has_gone_off() -> None:
    with pytest.raises(ContractError, match=r"RunRecord\.outcomes.*at most"):
        unpacked(packed("shop", RUN, WHEN, ROWS) | {"outcomes": body(b" " * (MAX_OUTCOMES_BYTES + 1))})


@pytest.mark.parametrize(
    "changed",
    [
        {"outcomes": 7},
        {"outcomes": "ünread"},
        {"outcomes": "AAAA"},
        {"outcomes": body(b'[["T","PASS"]]')[:-8]},
        {"outcomes": body(b'{"T":"PASS"}')},
        {"outcomes": body(b'["TP"]')},
        {"outcomes": body(b"[" * 100_000)},
        {"outcomes": body(b'[["T"]]')},
        {"outcomes": body(b'[["T","PASS","long"]]')},
        {"project": None},
        {"run": {}},
    ],
    ids=str,
)
def test_what_is_no_record_is_refused_with_the_place(changed: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="RunRecord"):
        unpacked(packed("shop", RUN, WHEN, ROWS) | changed)


@pytest.mark.parametrize("message", [None, [], "text"])
def test_what_is_no_object_is_refused(message: object) -> None:
    with pytest.raises(ContractError, match="RunRecord"):
        unpacked(message)


def test_a_record_that_would_be_refused_is_not_packed() -> None:
    with pytest.raises(ContractError, match="at most"):
        packed("shop", RUN, WHEN, [("x" * MAX_OUTCOMES_BYTES, "PASS", 0.0, "")])
