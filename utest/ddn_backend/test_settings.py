"""The backend's settings come from the environment, and a wrong one is named without showing a password."""

import pytest

from ddn_backend.errors import SettingsError
from ddn_backend.settings import load


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "REDIS_URL", "DDN_REDIS_URL", "DDN_IDLE", "DDN_CONCURRENCY", "DDN_TASK_SECONDS", "DDN_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


def test_everything_has_a_default() -> None:
    settings = load()
    assert (settings.redis_url, settings.idle_seconds, settings.concurrency, settings.log_level) == ("", 60.0, 8, "INFO")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDN_CONCURRENCY", "")
    assert load().concurrency == 8


def test_ddn_redis_url_comes_before_redis_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://general/0")
    assert load().redis_url == "redis://general/0"
    monkeypatch.setenv("DDN_REDIS_URL", "redis://own/0")
    assert load().redis_url == "redis://own/0"


@pytest.mark.parametrize(("ci", "idle", "seconds"), [("true", None, 0), ("1", "5", 5), ("false", None, 60), (None, "0.5", 0.5)])
def test_where_ci_is_set_nothing_idles_unless_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, ci: str | None, idle: str | None, seconds: float
) -> None:
    for name, value in (("CI", ci), ("DDN_IDLE", idle)):
        if value:
            monkeypatch.setenv(name, value)
    assert load().idle_seconds == seconds


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DDN_IDLE", "-1"),
        ("DDN_IDLE", "nan"),
        ("DDN_IDLE", "soon"),
        ("DDN_CONCURRENCY", "0"),
        ("DDN_TASK_SECONDS", "inf"),
        ("DDN_LOG_LEVEL", "LOUD"),
        ("DDN_GITHUB_REPO", "shop"),
        ("DDN_MODEL", "gemini-flash-latest"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"Reading setting '{name}' failed: expected .*got '{value}'.*does not start"):
        load()


def test_a_url_of_mongo_without_its_scheme_is_refused_without_the_password_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDN_MONGO_URL", "user:" + "open" + "sesame@host/ddn")
    with pytest.raises(SettingsError, match=r"'DDN_MONGO_URL' failed: expected a URL such as mongodb://.*does not start") as caught:
        load()
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("name", ["DDN_REDIS_URL", "REDIS_URL"])
def test_a_wrong_url_is_named_without_the_password_in_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://user:" + "open" + "sesame@host")
    with pytest.raises(SettingsError, match=r"'(DDN_)?REDIS_URL' failed: expected redis://HOST:PORT/DB") as caught:
        load()
    assert "sesame" not in str(caught.value)


def test_patterns_of_secrets_are_read_one_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDN_REDACT", "CUST-\\d+\n\n  INV-\\d+  ")
    assert load().redact_patterns == [r"CUST-\d+", r"INV-\d+"]


@pytest.mark.parametrize("pattern", ["open" + "sesame(", "(open" + "sesame+)+"])
def test_a_pattern_that_cannot_be_used_is_told_at_the_start_without_its_text(monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setenv("DDN_REDACT", f"CUST\n{pattern}")
    with pytest.raises(SettingsError, match=r"'DDN_REDACT' failed: expected .*pattern 2 cannot be used.*does not start") as caught:
        load()
    assert "sesame" not in str(caught.value)
