"""Every setting as a table: for `ddn settings`, for docs/settings.md and for backend/.env.example, which are made from it."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from robot_ddn_listener import settings as listener
from robot_ddn_listener.redis_url import shown_url

from ..settings import Settings

HIDDEN = "********"
ANY_TEXT = "text"

_BOUNDS = (("ge", "at least {}"), ("gt", "more than {}"), ("le", "at most {}"))

MARKDOWN_HEAD = """# Settings

Made from the code by `ddn settings --markdown`; a test compares them.

## In the robot process

An argument of the listener wins over the variable: `--listener "robot_ddn_listener;wait=30;tags=off"`.

| argument | variable | value | default |
| --- | --- | --- | --- |
"""
MARKDOWN_BACKEND = """
## On the backend

`ddn up`, `ddn worker`, `ddn monitor`, `ddn flower` and the other commands for operators read them from the environment and from a
file `.env` in the working folder; a variable that is set wins. External services are used only when they are named here; a key
alone sends nothing. Models and services read some variables of their own: GEMINI_API_KEY, or OPENAI_API_KEY and the like, by the
model that is named; HTTPS_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE.

| variable | value | default | meaning |
| --- | --- | --- | --- |
"""
DOTENV_HEAD = """# Every setting of the backend, with its default. Copy this file to .env and take the # off what you change.
# Keep .env to yourself (chmod 600): it may hold passwords and keys.
"""
DOTENV_COMPOSE = """
# For compose.yaml only: passwords of letters and digits, each another; all must be set. Listeners come to Redis as `listener`.
#BACKEND_PASSWORD=
#LISTENER_PASSWORD=
#TESTER_PASSWORD=
#MONGO_PASSWORD=
#METRICS_PASSWORD=

# the address that Redis is reached at from other machines; 0.0.0.0 is all of this machine's
#REDIS_ADDRESS=127.0.0.1
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """`value` says in words what is expected; `default` is empty where there is none."""

    field: str
    variable: str
    value: str
    default: str
    meaning: str
    is_secret: bool


def settings() -> list[Setting]:
    """Return the backend's settings in the order of their definition."""
    return [_setting(name, field) for name, field in Settings.model_fields.items()]


def shown(setting: Setting, present: Settings) -> str:
    """Return the present value as it may be shown: no secret, no password in a URL."""
    value = getattr(present, setting.field)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    text = _text(value)
    if text and setting.is_secret:
        return HIDDEN
    return shown_url(text) if text and setting.field == "redis_url" else text


def markdown() -> str:
    """Return the text of docs/settings.md."""
    rows = (f"| {argument} | {variable} | {value} | {default} |\n" for argument, variable, value, default in _listener_rows())
    backend = (f"| {item.variable} | {item.value} | {item.default} | {item.meaning} |\n" for item in settings())
    return MARKDOWN_HEAD + "".join(rows) + MARKDOWN_BACKEND + "".join(backend)


def dotenv() -> str:
    """Return the text of backend/.env.example."""
    lines = (
        f"\n# {item.meaning}{'' if item.value == ANY_TEXT else f' ({item.value})'}\n#{item.variable}={item.default}\n"
        for item in settings()
        if item.variable != "CI"  # CI services set it themselves
    )
    return DOTENV_HEAD + "".join(lines) + DOTENV_COMPOSE


def _setting(name: str, field: FieldInfo) -> Setting:
    is_secret = field.annotation is SecretStr or bool(isinstance(extra := field.json_schema_extra, dict) and extra.get("secret"))
    return Setting(name, _variable(name, field), _value(field), _text(field.get_default()), field.description or "", is_secret)


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return str(alias or f"DDN_{name.upper()}")


def _value(field: FieldInfo) -> str:
    kind = field.annotation
    if get_origin(kind) is Literal:
        return ", ".join(map(str, get_args(kind)))
    kinds = {bool: "true, false", int: "a whole number", float: "a number", float | None: "a number"}
    words = kinds.get(kind, ANY_TEXT)  # type: ignore[arg-type]
    limits = ((text, getattr(mark, name, None)) for name, text in _BOUNDS for mark in field.metadata)
    bounds = [text.format(limit) for text, limit in limits if limit is not None]
    return ", ".join([words, *bounds])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _listener_rows() -> Iterator[tuple[str, str, str, str]]:
    for line in (inspect.getdoc(listener) or "").splitlines():
        cells = re.split(r" {2,}", line.strip())
        if len(cells) > 1 and cells[1].startswith("DDN_"):
            yield cells[0], cells[1], cells[2], cells[3] if len(cells) > 3 else ""
