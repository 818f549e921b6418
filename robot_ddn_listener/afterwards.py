"""The whole job on a result that was loaded from output files: no listener saw the run."""

import os
import threading
import uuid
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .annotation import Place
from .capture import Failed, NotRun
from .gather import Gatherer, SystemMessage
from .outbox import SEND_SECONDS, Outbox, Progress, Transport
from .settings import Settings
from .ticket import Ticket
from .watch import make_triage


def analyze_suite(
    suite: Any,
    settings: Settings,
    connect: Callable[[], Transport | str],
    stop: threading.Event,
    *,
    messages: Sequence[SystemMessage] = (),
    answered: Collection[Place] = (),
    send_seconds: float = SEND_SECONDS,
    progress: Progress | None = None,
    run: str = "",
) -> tuple[list[Ticket], Outbox]:
    """Return the tickets of all failures of `suite` but those in `answered` places, and the outbox, to be spooled and closed.

    `run` is the id of the run where none is set; without both one is made up.
    """
    run_id = settings.run or run or str(uuid.uuid4())
    outbox = Outbox(partial(make_triage, settings, run_id, suite, dict(os.environ), Path.cwd()), connect, send_seconds)

    def put(failed: Failed | NotRun) -> None:
        if failed.member.place not in answered:
            outbox.put(failed)

    Gatherer(put, messages).loaded(suite)
    return outbox.collect(settings.wait, stop, progress), outbox
