"""How Flower is set up, and how it shows an analysis: with what tells operators most, instead of the report's encoding.

Flower reads its configuration from a Python file, flowerconfig.py in this package; that takes `configuration()` from here. What is
shown was redacted before it was sent. Flower escapes all of it in its pages; every value is text, for it does not escape others.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from robot_ddn_listener.contract import TASK_NAME
from robot_ddn_listener.runtime import check_private

from ...errors import DdnError, SettingsError
from ...settings import Settings, load
from .addresses import is_loopback

FOLDER = "flower"  # below DDN_HOME
MAX_TASKS = 10_000
SAVE_MILLISECONDS = 30_000  # what a killed Flower forgets at most
OFFLINE_SECONDS = 3600  # that a worker which is gone is still listed
NOTHING = "—"

COLUMNS = {
    "test": "Test",
    "error_type": "Error type",
    "confidence": "Confidence",
    "degraded": "Degraded or failed",
    "project": "Project",
}
"""Our columns of the tasks page. Flower's own stand between them, see `_columns`."""

_FIELDS = ("error_type", "confidence", "degraded", "project", "suite", "test")
_SAY_NOTHING = {"root", "root_id", "parent", "parent_id", "children", "clock"}  # an analysis is always on its own
_SHORT = 60  # characters of what stands in a row of the table; the page of a task has all of it

_TEXT = r"'(?:[^']|(?<=\\)')*'"
_PAIR = re.compile(rf"(?:\{{|, )'(\w+)': ({_TEXT}|\[(?:{_TEXT}(?:, )?)*\]|[^,'}}\[]+)(?=, |\}}|$)")
_ITEM = re.compile(_TEXT)


def configuration() -> dict[str, Any]:
    """Return Flower's options by name; ends the process with a line that says why where Flower must not start."""
    from tornado.options import options

    try:
        settings = load()
        address = getattr(options, "address", "") or settings.flower_address
        has_login = bool(settings.flower_user or getattr(options, "basic_auth", None) or getattr(options, "auth", ""))
        if not getattr(options, "unix_socket", ""):
            check_access(address, has_login=has_login)
        # Viewers often run beside the operators' Flower; two that write the same files would spoil them.
        return _options(settings, "viewer" if getattr(options, "read_only", False) else "flower")
    except (DdnError, OSError) as error:
        print(f"flower: {error}", file=sys.stderr)
        raise SystemExit(2) from error


def check_access(address: str, *, has_login: bool) -> None:
    """SettingsError where others could reach Flower and nothing asks them who they are."""
    if not has_login and not is_loopback(address):
        raise SettingsError(
            f"Opening address '{address}' for Flower failed: whoever reaches it could read and steer everything. "
            "Set FLOWER_USER and FLOWER_PASSWORD, or leave it at 127.0.0.1."
        )


def format_task(task: Any) -> Any:
    """Return the task with what its analysis says as fields of its own; other tasks have their name in place of a test's."""
    arguments, result = read_arguments(task.args), read_result(task.result)
    said = (
        _analysis(task, arguments, result) if task.name == TASK_NAME else {"test": task.name, "project": arguments.get("project")}
    )
    for name in _FIELDS:
        setattr(task, name, said.get(name) or NOTHING)  # the tasks page wants every column of every task
    _shape(task, arguments, result)
    return task


def _analysis(task: Any, arguments: Mapping[str, str], result: Mapping[str, str]) -> dict[str, str | None]:
    failure = str(task.exception) if task.exception and task.state in ("FAILURE", "RETRY") else ""
    return {
        "project": arguments.get("project"),
        "suite": arguments.get("suite_name"),
        "test": arguments.get("test_name"),
        "error_type": result.get("error_type") or arguments.get("error_type"),
        "confidence": result.get("confidence"),
        "degraded": _cut(result.get("degraded") or failure),
    }


def read_arguments(text: object) -> dict[str, str]:
    """Return the fields of a report that a task's arguments show; empty where it was sent by somebody else."""
    try:
        fields = json.loads(str(text))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in fields.items()} if isinstance(fields, dict) else {}


def read_result(text: object) -> dict[str, str]:
    """Return the fields of a task's result, as Celery writes it: like Python, but with nothing escaped save quotes, and cut."""
    fields = {}
    for name, value in _PAIR.findall(str(text or "")):
        fields[name] = "; ".join(map(_unquoted, _ITEM.findall(value))) if value.startswith("[") else _unquoted(value)
    return fields


def _unquoted(text: str) -> str:
    return text.removeprefix("'").removesuffix("'").replace("\\'", "'")


def _options(settings: Settings, name: str) -> dict[str, Any]:
    place = settings.home_folder / FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32":
        check_private(place)  # what stands there is unpickled
    os.umask(0o077)
    options = {
        "address": settings.flower_address,
        "port": settings.flower_port,
        "persistent": True,
        "db": str(place / name),
        "state_save_interval": SAVE_MILLISECONDS,
        "max_tasks": MAX_TASKS,
        "purge_offline_workers": OFFLINE_SECONDS,
        "tasks_columns": _columns(),
        "format_task": format_task,
    }
    return options | _login(settings)


def _login(settings: Settings) -> dict[str, Any]:
    password = settings.flower_password.get_secret_value()
    if bool(settings.flower_user) != bool(password):
        missing = "FLOWER_PASSWORD" if settings.flower_user else "FLOWER_USER"
        raise SettingsError(f"Reading setting '{missing}' failed: expected a value beside the other one, got nothing.")
    return {"basic_auth": [f"{settings.flower_user}:{password}"]} if password else {}


def _columns() -> str:
    """Return the columns of the tasks page, ours made known to Flower; only its own where its pages have fixed ones."""
    from flower.views import tasks

    known = getattr(tasks, "TASK_COLUMNS", None)  # since 2.2
    if not isinstance(known, dict):
        return "name,uuid,state,args,result,received,runtime,worker"
    known.update(COLUMNS)
    return "test,error_type,confidence,degraded,state,runtime,uuid,project,received"


def _shape(task: Any, arguments: Mapping[str, str], result: Mapping[str, str]) -> None:
    """Make the task's page readable, what tells most first, and give a failed task its seconds, which Celery leaves out."""
    task.args, task.result = _lines(arguments) or task.args, _lines(result) or task.exception or task.result
    task._fields = (*_FIELDS, *(name for name in task._fields if name not in (*_FIELDS, *_SAY_NOTHING)))
    if task.runtime is None and task.failed and task.started:
        task.runtime = task.failed - task.started


def _lines(fields: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in fields.items())


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
