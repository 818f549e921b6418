"""The listener's settings, in one typed place: listener argument, else environment variable, else default.

    argument    variable          values                          default
    redis       DDN_REDIS_URL     a Redis URL                     the embedded runtime, where the backend is installed
    project     DDN_PROJECT       a name                          the git remote's name, else the top suite's
    wait        DDN_WAIT          seconds a run, finite, >= 0     30
    attach      DDN_ATTACH        on, report, off                 on
    tags        DDN_TAGS          on, off                         on
    metadata    DDN_METADATA      on, off                         on
    run         DDN_RUN           an id                           made for each run; one for all processes of a pabot run
    -           DDN_OFF           1 switches the listener off     not set
    -           DDN_FLOWER_URL    an http(s) URL for links        no links
    -           DDN_REDACT        regular expressions, one a line none

Arguments are parsed here, not by Robot's conversion: a listener that raises on a wrong one fails the run under ``--exitonerror``.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """`wait` in seconds a run. An empty `redis` means the embedded runtime; an empty `project` or `run` means the default."""

    redis: str = ""
    project: str = ""
    wait: float = WAIT_SECONDS
    attach: str = "on"
    tags: bool = True
    metadata: bool = True
    run: str = ""
    off: bool = False
    flower_url: str = ""
    redact: tuple[str, ...] = ()


def read_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings and one problem for each wrong or unknown argument (``name=value``) or variable.

    For a wrong one the next source's value or the default goes on.
    """
    options, problems = _options(arguments)
    values: dict[str, Any] = {}
    for name, (variable, read) in _SETTINGS.items():
        for source, mapping, key in (("argument", options, name), ("variable", environ, variable)):
            if key in mapping and (source == "argument" or mapping[key]):
                try:
                    values[name] = read(mapping[key])
                    break
                except ValueError as error:
                    got = _shown(name, mapping[key])
                    problems.append(f"Reading {source} '{key}' failed: expected {error}, got '{got}'. The default is used.")
    problems += _pattern_problems(values.get("redact", ()))
    return Settings(**values), tuple(f"robot_ddn_listener: {problem}" for problem in problems)


def _options(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    problems = []
    for argument in arguments:
        name, equals, value = str(argument).partition("=")
        if name in _ARGUMENTS and equals:
            options[name] = value.strip()
        else:
            problems.append(_unknown_option(argument) if equals and name.isidentifier() else _unknown_positional(argument))
    return options, problems


def _pattern_problems(patterns: Sequence[str]) -> list[str]:
    if not patterns:
        return []
    from .redaction.patterns import UnusablePatternError, compiled  # only where there are any

    try:
        compiled(patterns)
    except UnusablePatternError as error:
        return [f"Reading variable 'DDN_REDACT' failed: {error} No report is sent, because secrets may be left in it."]
    return []


def _unknown_positional(argument: str) -> str:
    return (
        f"Reading argument '{argument}' failed: expected name=value; where a value has a ':', separate arguments with ';' "
        f'as in --listener "robot_ddn_listener;redis=redis://host:6379/0;wait=30".'
    )


def _unknown_option(argument: str) -> str:
    return f"Reading argument '{argument}' failed: unknown argument, expected one of {', '.join(_ARGUMENTS)}."


def _shown(name: str, value: str) -> str:
    if name != "redis":
        return value
    from .redis_url import shown_url

    return shown_url(value)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("a finite number of seconds, 0 or more")
    return seconds


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("a name")
    return text.strip()


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.strip().lower() not in choices:
            raise ValueError(" or ".join(choices))
        return text.strip().lower()

    return read


def _switch(text: str) -> bool:
    return _one_of("on", "off")(text) == "on"


def _flag(text: str) -> bool:
    return _one_of("1", "true", "on", "yes", "0", "false", "off", "no")(text) in ("1", "true", "on", "yes")


def _redis_url(text: str) -> str:
    from .redis_url import EXPECTED, UnusableUrlError, parse_redis_url  # only where one is given

    try:
        parse_redis_url(text)
    except UnusableUrlError as error:
        raise ValueError(f"{EXPECTED} ({error})") from None
    return text


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("an http or https URL")
    return text.rstrip("/")


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.strip())


_ARGUMENTS = ("redis", "project", "wait", "attach", "tags", "metadata", "run")
_SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "redis": ("DDN_REDIS_URL", _redis_url),
    "project": ("DDN_PROJECT", _name),
    "wait": ("DDN_WAIT", _seconds),
    "attach": ("DDN_ATTACH", _one_of("on", "report", "off")),
    "tags": ("DDN_TAGS", _switch),
    "metadata": ("DDN_METADATA", _switch),
    "run": ("DDN_RUN", _name),
    "off": ("DDN_OFF", _flag),
    "flower_url": ("DDN_FLOWER_URL", _http_url),
    "redact": ("DDN_REDACT", _lines),
}
