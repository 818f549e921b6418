import pytest

from robot_ddn_listener import settings
from robot_ddn_listener.settings import Settings


def read_settings(arguments, options, environ):
    return settings.read_settings([*arguments, *(f"{name}={value}" for name, value in options.items())], environ)


def test_nothing_given_means_the_defaults_and_no_problem():
    assert read_settings((), {}, {}) == (Settings(), ())


def test_an_argument_wins_over_a_variable_and_a_variable_over_the_default():
    environ = {"DDN_PROJECT": "from-environment", "DDN_WAIT": "7"}
    found, problems = read_settings((), {"project": "from-argument"}, environ)
    assert (found.project, found.wait, problems) == ("from-argument", 7.0, ())


def test_every_argument_and_variable_is_understood():
    options = {
        "redis": "rediss://host:6379/1",
        "project": "shop",
        "wait": "0",
        "attach": "Report",
        "tags": "off",
        "metadata": "off",
        "run": "build-7",
    }
    environ = {"DDN_OFF": "1", "DDN_FLOWER_URL": "https://flower.example/", "DDN_REDACT": "a+\n\nb+"}
    assert read_settings((), options, environ) == (
        Settings(
            "rediss://host:6379/1", "shop", 0.0, "report", False, False, "build-7", True, "https://flower.example", ("a+", "b+")
        ),
        (),
    )


@pytest.mark.parametrize("value", ["abc", "-1", "nan", "inf", "-inf", "", " "])
def test_a_wait_that_is_no_finite_number_keeps_the_default(value):
    found, problems = read_settings((), {"wait": value}, {})
    assert found.wait == 30.0
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"wait": "abc"}, ["'wait'", "'abc'", "seconds"]),
        ({"attach": "maybe"}, ["'attach'", "'maybe'", "on or report or off"]),
        ({"tags": "2"}, ["'tags'", "'2'", "on or off"]),
        ({"redis": "localhost"}, ["'redis'", "'localhost'", "expected redis://HOST:PORT/DB"]),
        ({"redis": "redis://host:port/0"}, ["'redis'", "'redis://***'", "cannot be split"]),
        ({"redis": "redis://host/zero"}, ["'redis'", "'redis://host/zero'", "database that is not a number"]),
        ({"redis": "redis://host/0?colour=red"}, ["'redis'", "'redis://host/0'", "option 'colour'"]),
        ({"redis": "sentinel://host:26379"}, ["'redis'", "got no 'master_name'"]),
        ({"wat": "1"}, ["'wat=1'", "unknown", "wait"]),
    ],
)
def test_a_wrong_argument_is_one_problem_with_name_value_and_expectation(options, named):
    found, problems = read_settings((), options, {})
    assert found == Settings()
    assert len(problems) == 1
    assert all(text in problems[0] for text in named)


def test_a_wrong_argument_falls_back_to_the_variable():
    found, problems = read_settings((), {"wait": "soon"}, {"DDN_WAIT": "9"})
    assert (found.wait, len(problems)) == (9.0, 1)


def test_a_url_split_at_its_colons_says_how_to_write_it():
    found, problems = read_settings(("//host", "6379/0"), {"redis": "redis"}, {})
    assert found == Settings()
    assert any("robot_ddn_listener;redis=redis://host:6379/0;wait=30" in problem for problem in problems)


def test_a_password_in_a_wrong_url_is_not_shown():
    secret = "hunter" + "2hunter"
    _, problems = read_settings((), {"redis": f"http://user:{secret}@host:1/0"}, {})
    assert len(problems) == 1
    assert secret not in problems[0]


def test_an_empty_argument_is_a_problem_and_an_empty_variable_is_none_at_all():
    assert len(read_settings((), {"project": "", "wait": "", "run": " "}, {})[1]) == 3
    assert read_settings((), {}, {"DDN_PROJECT": "", "DDN_WAIT": ""}) == (Settings(), ())


@pytest.mark.parametrize("pattern", ["([", "(\\w+\\s?)+=", "(?:a*)*b"])
def test_a_pattern_that_cannot_be_used_is_told_at_the_start_and_stays_so_that_nothing_is_sent(pattern):
    found, problems = read_settings((), {}, {"DDN_REDACT": pattern})
    assert found.redact == (pattern,)
    assert len(problems) == 1
    assert "DDN_REDACT" in problems[0]
    assert "No report is sent" in problems[0]


@pytest.mark.parametrize("pattern", ["a+b+", "(?:abc){2,5}", "([A-Z]{4}-){3}[A-Z]{4}", "(?:x|y)+"])
def test_an_ordinary_pattern_is_no_problem(pattern):
    assert read_settings((), {}, {"DDN_REDACT": pattern})[1] == ()
