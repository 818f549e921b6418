"""What several commands take: output files, where the backend is, how long to wait."""

import hashlib
import os
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from robot_ddn_listener.errors import OutputError
from robot_ddn_listener.settings import WAIT_SECONDS, Settings, read_settings

EXPECTED_OUTPUT = "expected an output.xml or output.json of Robot Framework"

Command = Callable[..., Any]


def settings_options(command: Command) -> Command:
    """Add the options that stand for the listener's arguments of the same names."""
    for option in (
        click.option("--wait", type=float, help=f"Seconds to wait for answers, finite, 0 or more; default {WAIT_SECONDS:.0f}."),
        click.option("--project", help="Separates history and knowledge; default: the git remote's name, else the top suite's."),
        click.option("--redis", metavar="URL", help="The backend's Redis; default: DDN_REDIS_URL, else this machine alone."),
    ):
        command = option(command)
    return command


def read_options(**options: Any) -> Settings:
    """Return the settings; an unusable option is an error that names it, its value and what was expected."""
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    settings, problems = read_settings(given, os.environ)
    if problems:
        raise click.UsageError(_as_options(problems[0]))
    return settings


def output_files(names: tuple[str, ...]) -> list[Path]:
    """Return the paths; what is no readable file is an error at once, before any work."""
    for name in names:
        path = Path(name)
        if name and path.is_file():
            continue
        problem = (
            "there is no such file" if not name or not path.exists() else "it is a directory" if path.is_dir() else "it is no file"
        )
        raise OutputError(f"Reading output file '{name}' failed: {problem}, {EXPECTED_OUTPUT}. Nothing was written.")
    return [Path(name) for name in names]


def run_of(paths: Sequence[Path]) -> str:
    """Return an id for the run that wrote these files: the same for the same files, so that they count once."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return str(uuid.uuid5(uuid.NAMESPACE_OID, digest.hexdigest()))


def _as_options(problem: str) -> str:
    text = problem.removeprefix("robot_ddn_listener: ").removesuffix(" The default is used.")
    return text.replace("Reading argument '", "Reading option '--") + " Nothing was done."
