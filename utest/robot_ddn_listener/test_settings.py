import pytest

from robot_ddn_listener.settings import Settings, read_settings


def test_nothing_given_means_the_defaults_and_no_problem():
    assert read_settings((), {}, {}) == (Settings(), ())


def test_an_argument_wins_over_a_variable_and_a_variable_over_the_default():
    environ = {"DDN_PROJECT": "from-environment", "DDN_WAIT": "7"}
    settings, problems = read_settings((), {"project": "from-argument"}, environ)
    assert (settings.project, settings.wait, problems) == ("from-argument", 7.0, ())


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
    settings, problems = read_settings((), {"wait": value}, {})
    assert settings.wait == 30.0
    assert len(problems) == (0 if value == "" else 1)


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
        ({"redis": "sentinel://host:26379"}, ["'redis'", "Sentinel, which is not supported"]),
        ({"wat": "1"}, ["'wat=1'", "unknown", "wait"]),
    ],
)
def test_a_wrong_argument_is_one_problem_with_name_value_and_expectation(options, named):
    settings, problems = read_settings((), options, {})
    assert settings == Settings()
    assert len(problems) == 1
    assert all(text in problems[0] for text in named)


def test_a_wrong_argument_falls_back_to_the_variable():
    settings, problems = read_settings((), {"wait": "soon"}, {"DDN_WAIT": "9"})
    assert (settings.wait, len(problems)) == (9.0, 1)


def test_a_url_split_at_its_colons_says_how_to_write_it():
    settings, problems = read_settings(("//host", "6379/0"), {"redis": "redis"}, {})
    assert settings == Settings()
    assert any("robot_ddn_listener;redis=redis://host:6379/0;wait=30" in problem for problem in problems)


def test_a_password_in_a_wrong_url_is_not_shown():
    secret = "hunter" + "2hunter"
    _, problems = read_settings((), {"redis": f"http://user:{secret}@host:1/0"}, {})
    assert len(problems) == 1
    assert secret not in problems[0]
