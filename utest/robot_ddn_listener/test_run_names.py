"""No secret leaves in the name of a test, and names without one cost nothing."""

import sys
from typing import Any

import pytest

from robot_ddn_listener.contract import Ci, FailureReport, Git, Run
from robot_ddn_listener.errors import RedactionError
from robot_ddn_listener.redact import Redactor
from robot_ddn_listener.run_names import redacted, without_credentials

HIDDEN = [
    "Login with password=hunter2horse",
    "Login with password 'hunter2horse'",
    "Uses AKIA" + "IOSFODNN7EXAMPLE today",
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "Opens https://ann:hunter2horse@host/x",
    "Sends Authorization: Bearer abcdefgh12345",
    "xoxb-" + "123456789012-abcdefABCDEF",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "Gets /x?access_token=hunter2horse",
    "sk-" + "ant-api03-abcdefghijklmnop1234567890",
    "Uses 0p3ns3same from the environment",
]
ENVIRON = {"DB_PASSWORD": "0p3ns3same", "HOME": "/root"}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_name_stands_in_the_record_as_in_a_report(name: str) -> None:
    [found] = redacted([name], ENVIRON)
    report = FailureReport("r", "p", "f", Run("r"), "S", "T", "", full_name=name)
    assert found == Redactor(environ=ENVIRON).redact(report).full_name
    assert "<redacted:" in found


def test_only_the_name_with_a_secret_changes() -> None:
    names = ["Shop.Pays", *HIDDEN, "Shop.Pays again"]
    found = redacted(names, ENVIRON)
    assert (found[0], found[-1]) == (names[0], names[-1])
    assert all("<redacted:" in name for name in found[1:-1])


def test_ordinary_names_are_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["Shop.The password field is shown", "TC-1: pays, 2 times", "test_012_the_key_is_pressed", "Opens (twice)"]
    monkeypatch.setitem(sys.modules, "robot_ddn_listener.redact", None)  # importing it fails
    assert redacted(names, ENVIRON) == names


def test_the_users_own_patterns_count() -> None:
    assert redacted(["Customer 4711 pays", "Nobody pays"], {}, [r"Customer (\d+)"]) == [
        "Customer <redacted:custom> pays",
        "Nobody pays",
    ]


@pytest.mark.parametrize("pattern", ["(", "(a+)+"])
def test_a_pattern_that_cannot_be_used_lets_nothing_out(pattern: str) -> None:
    with pytest.raises(RedactionError, match="pattern 1"):
        redacted(["Pays"], {}, [pattern])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://oauth2:t0ken@host/team/shop.git", "https://host/team/shop.git"),
        ("https://host/team@home/shop.git", "https://host/team@home/shop.git"),
        ("git@host:team/shop.git", "git@host:team/shop.git"),
        ("", ""),
    ],
)
def test_urls_lose_who_asks(url: str, shown: str) -> None:
    run: Any = without_credentials(Run("r", ci=Ci("CI", url), git=Git(url)))
    assert (run.git.repo, run.ci.build_url) == (shown, shown)
