"""What operators' commands begin with: the settings of this place, and the backend and the history that they name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ..bootstrap import history
from ..ops.steering.reach import Backend, reach
from ..ports import History
from ..settings import Settings, load, read_dotenv


def settings_here() -> Settings:
    """Return the settings of the environment, and of a file `.env` in the working folder."""
    read_dotenv(Path.cwd())
    return load()


@contextmanager
def backend_here() -> Iterator[Backend]:
    """Give the backend; a DdnError that is shown as one line where it cannot be reached."""
    with reach(settings_here()) as backend:
        yield backend


@contextmanager
def history_here() -> Iterator[History]:
    """Give the history."""
    kept = history(settings_here())
    try:
        yield kept
    finally:
        kept.close()


def fail(text: str) -> click.UsageError:
    """Return the error for input that cannot be used."""
    return click.UsageError(f"{text} Nothing was done.")
