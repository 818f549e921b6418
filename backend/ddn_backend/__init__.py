"""The deployable backend: answers failure reports that arrive on Redis.

app        the Celery app: `celery -A ddn_backend worker`, `celery -A ddn_backend flower`
tasks      report in -> interim verdict -> final verdict, each under its own Redis key
pipeline   condense -> retrieve -> draft -> verify, one verb per file
ports      what the pipeline needs from outside; adapters/ implements them, one technology each
bootstrap  settings -> adapters -> pipeline: the only importer of adapters
embedded   all of it on one machine, with its own Valkey: started, shared and ended by need
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Build the Celery app when the `celery` command asks for it; importing the package builds and connects nothing."""
    if name == "celery":  # the name `app` belongs to the module of that name
        from .app import command_line_app

        return command_line_app()
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
