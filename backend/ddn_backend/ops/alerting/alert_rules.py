"""The file of alert rules (TOML): which figure is watched, where it is bad, for how long, and who is told.

    [routes]                      a name -> one or several addresses as apprise writes them; "env:NAME" is read from the environment
    [projects]                    a project -> the routes for incidents of that project alone, instead of the rule's own
    [[rules]]
    name         one of KINDS
    route        a route or several
    threshold    where the figure gets bad: percent, messages, workers; a time such as "5m" for the oldest message
    over         how far back runs are looked at, at most 15m
    minimum      runs that must have ended in that time: below it nothing is judged
    for          how long it must be bad before anybody is told
    resolved_for how long it must be fine again before it is over
    project      rates only: that project's runs alone; "*" judges each project by itself
    label        tells rules with the same name and project apart

What is not given is as in KINDS.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from ...errors import SettingsError
from ..durations import duration
from ..monitoring.snapshot import RECENT

EVERY_PROJECT = "*"
ENVIRONMENT = "env:"
RULE_KEYS = ("name", "route", "threshold", "over", "minimum", "for", "resolved_for", "project", "label")


class Unit(StrEnum):
    """What a threshold counts."""

    PERCENT = "percent"
    COUNT = "a whole number"
    SECONDS = "a time"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Kind:
    """A figure that can be watched, with the defaults of its rules; times in seconds."""

    unit: Unit
    threshold: float = 0.0
    hold: float = 60.0
    of_runs: bool = False


KINDS = {
    "success-rate": Kind(Unit.PERCENT, 90, of_runs=True),  # bad below it
    "degraded": Kind(Unit.PERCENT, 10, of_runs=True),  # bad above it, as are those that follow
    "waiting": Kind(Unit.COUNT, 50),
    "oldest-message": Kind(Unit.SECONDS, 300),
    "workers": Kind(Unit.COUNT, 1),  # bad below it
    "budget": Kind(Unit.NONE, hold=0),
    "redis": Kind(Unit.NONE),  # bad while it does not answer
}
MINIMUM_RUNS = 10  # one failure of one is no rate
RESOLVED_SECONDS = 120.0  # a figure that swings about its threshold is one incident


@dataclass(frozen=True, slots=True)
class Rule:
    """`hold` and `clear` are the seconds that it must be bad, or fine again; `over` is in seconds. See the module."""

    name: str
    routes: tuple[str, ...]
    threshold: float
    hold: float
    clear: float = RESOLVED_SECONDS
    over: float = RECENT.total_seconds()
    minimum: int = MINIMUM_RUNS
    project: str = ""
    label: str = ""

    @property
    def id(self) -> str:
        """What its incidents are kept under: the same after thresholds were changed."""
        return ":".join((self.name, self.project, self.label)).rstrip(":")


@dataclass(frozen=True, slots=True)
class AlertFile:
    """What a file of alert rules says. `routes` names the targets of each route: `<route>` where it has one address, else
    `<route>/1`, `<route>/2`. `addresses` are those of the targets, and secret."""

    path: Path
    routes: Mapping[str, tuple[str, ...]]
    addresses: Mapping[str, str] = field(repr=False)
    rules: tuple[Rule, ...]
    projects: Mapping[str, tuple[str, ...]]

    def targets(self, rule: Rule, project: str) -> tuple[str, ...]:
        """Return who is told of an incident of `project`, which is empty where it is about all of them."""
        routes = self.projects.get(project, rule.routes) if project else rule.routes
        return tuple(target for route in routes for target in self.routes[route])


def read(path: Path, environment: Mapping[str, str]) -> AlertFile:
    """Return what the file says; SettingsError, one line, where it cannot be used."""
    return _Reader(path, environment).read()


class _Reader:
    def __init__(self, path: Path, environment: Mapping[str, str]):
        self._path = path
        self._environment = environment
        self._at = ""

    def read(self) -> AlertFile:
        content = self._content()
        self._only(content, ("routes", "projects", "rules"))
        routes = {name: self._addresses(name, value) for name, value in self._table(content, "routes").items()}
        projects = {
            name: self._routes(f"project '{name}'", value, routes) for name, value in self._table(content, "projects").items()
        }
        rules = tuple(self._rules(content.get("rules", []), routes))
        return AlertFile(self._path, _target_names(routes), _by_target(routes), rules, projects)

    def _content(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            self._fail(error.strerror or str(error))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self._fail(f"expected TOML in UTF-8: {error}")

    def _table(self, content: dict[str, Any], key: str) -> dict[str, Any]:
        table = content.get(key, {})
        if not isinstance(table, dict):
            self._expected(key, "a table", table)
        return table

    def _addresses(self, name: str, value: Any) -> tuple[str, ...]:
        self._at = f"route '{name}': "
        if not name or "/" in name:
            self._fail("expected a name without a slash")
        return tuple(self._address(text) for text in self._texts("address", value, secret=True))

    def _address(self, text: str) -> str:
        if not text.startswith(ENVIRONMENT):
            return text
        variable = text.removeprefix(ENVIRONMENT)
        if not (address := self._environment.get(variable, "").strip()):
            self._fail(f"expected the address in the environment variable '{variable}', got nothing")
        return address

    def _rules(self, tables: Any, routes: Mapping[str, Any]) -> Iterator[Rule]:
        self._at = ""
        if not isinstance(tables, list):
            self._expected("rules", "[[rules]]", tables)
        known: set[str] = set()
        for number, table in enumerate(tables, 1):
            rule = self._rule(number, table, routes)
            if rule.id in known:
                self._fail("there are two of it for the same project: a label tells them apart")
            known.add(rule.id)
            yield rule

    def _rule(self, number: int, table: Any, routes: Mapping[str, Any]) -> Rule:
        self._at = f"rule {number}: "
        if not isinstance(table, dict):
            self._fail(f"expected a table, got '{table}'")
        name = table.get("name", "")
        if not isinstance(name, str) or name not in KINDS:
            self._expected("name", f"one of {', '.join(KINDS)}", name)
        self._at, kind = f"rule '{name}': ", KINDS[name]
        self._only(table, _keys(kind))
        hold = self._seconds(table, "for", kind.hold)
        return Rule(
            name,
            self._routes("route", table.get("route", ""), routes),
            self._threshold(table, kind),
            hold,
            self._seconds(table, "resolved_for", RESOLVED_SECONDS),
            self._seconds(table, "over", RECENT.total_seconds(), longest=RECENT.total_seconds()),
            int(self._number(table, "minimum", MINIMUM_RUNS, lowest=1, whole=True)),
            self._text(table, "project"),
            self._text(table, "label"),
        )

    def _threshold(self, table: dict[str, Any], kind: Kind) -> float:
        readers: dict[Unit, Callable[[], float]] = {
            Unit.PERCENT: lambda: self._number(table, "threshold", kind.threshold, highest=100),
            Unit.COUNT: lambda: self._number(table, "threshold", kind.threshold, whole=True),
            Unit.SECONDS: lambda: self._seconds(table, "threshold", kind.threshold),
            Unit.NONE: lambda: 0.0,
        }
        return readers[kind.unit]()

    def _number(
        self, table: dict[str, Any], key: str, default: float, lowest: float = 0, highest: float | None = None, whole: bool = False
    ) -> float:
        value = table.get(key, default)
        bounds = f"{lowest:g} or more" if highest is None else f"{lowest:g} to {highest:g}"
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and (not whole or value % 1 == 0)
        if not is_number or not lowest <= value <= (float("inf") if highest is None else highest):
            self._expected(key, f"{'a whole' if whole else 'a'} number, {bounds}", value)
        return float(value)

    def _seconds(self, table: dict[str, Any], key: str, default: float, longest: float | None = None) -> float:
        if key not in table:
            return default
        value = table[key]
        try:
            seconds = duration(value).total_seconds() if isinstance(value, str) else None
        except ValueError:
            seconds = None
        if seconds is None or (longest is not None and not 0 < seconds <= longest):
            atmost = f" of at most {longest / 60:g}m" if longest is not None else ""
            self._expected(key, f"a time{atmost} such as 90s or 5m, in quotes", value)
        return seconds

    def _text(self, table: dict[str, Any], key: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self._expected(key, "a text", value)
        return value

    def _routes(self, key: str, value: Any, routes: Mapping[str, Any]) -> tuple[str, ...]:
        names = self._texts(key, value)
        for name in names:
            if name not in routes:
                self._expected(key, f"one of the routes {', '.join(routes) or '(there are none)'}", name)
        return tuple(dict.fromkeys(names))

    def _texts(self, key: str, value: Any, *, secret: bool = False) -> list[str]:
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            self._expected(key, "a text or a list of texts", "something else" if secret else value)
        return texts

    def _only(self, table: dict[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self._fail(f"unknown key '{key}', expected {', '.join(known)}")

    def _expected(self, key: str, what: str, value: Any) -> NoReturn:
        self._fail(f"{key}: expected {what}, got '{value}'" if value != "" else f"{key}: expected {what}, got nothing")

    def _fail(self, problem: str) -> NoReturn:
        raise SettingsError(
            f"Reading alert rules '{self._path}' failed: {self._at}{' '.join(problem.split())}. No alerts are sent."
        )


def _keys(kind: Kind) -> tuple[str, ...]:
    useless = {*(() if kind.of_runs else ("over", "minimum", "project")), *(("threshold",) if kind.unit is Unit.NONE else ())}
    return tuple(key for key in RULE_KEYS if key not in useless)


def _target_names(routes: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        route: (route,) if len(addresses) == 1 else tuple(f"{route}/{number}" for number in range(1, len(addresses) + 1))
        for route, addresses in routes.items()
    }


def _by_target(routes: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    names = _target_names(routes)
    return {target: address for route in routes for target, address in zip(names[route], routes[route], strict=True)}
