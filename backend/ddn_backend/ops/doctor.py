"""Is everything that is configured there, and does it take us? Each part is asked as the product asks it; nothing is changed.

Parts are asked at the same time, so that one that hangs costs the others nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Thread
from time import monotonic

from robot_ddn_listener.errors import DdnError

ANSWER_SECONDS = 20.0  # that a part may take to answer


class Health(StrEnum):
    """How a part is. Only what is configured can fail."""

    OK = "ok"
    OFF = "not configured"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Probe:
    """One part. `ask` returns in a few words what it found and raises where something is wrong; None is a part that is not
    configured. `remedy` says what to do when it fails, or how to configure it."""

    part: str
    ask: Callable[[], str] | None
    remedy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found. `remedy` is empty where all is well."""

    part: str
    health: Health
    said: str = ""
    remedy: str = ""


def examine(probes: Sequence[Probe], seconds: float = ANSWER_SECONDS) -> list[Finding]:
    """Ask all parts and return what they said, in the order of `probes`."""
    answers: list[Finding | None] = [None] * len(probes)
    threads = []
    for place, probe in enumerate(probes):
        if probe.ask is None:
            answers[place] = Finding(probe.part, Health.OFF, "", probe.remedy)
            continue
        # Daemons: a part that hangs must not keep the process.
        threads.append(Thread(target=_ask, args=(probe, answers, place), name=f"doctor-{place}", daemon=True))
        threads[-1].start()
    deadline = monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
    late = f"no answer within {seconds:g} s"
    return [
        found or Finding(probe.part, Health.FAILING, late, probe.remedy) for probe, found in zip(probes, list(answers), strict=True)
    ]


def _ask(probe: Probe, answers: list[Finding | None], place: int) -> None:
    assert probe.ask
    try:
        answers[place] = Finding(probe.part, Health.OK, probe.ask())
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a part is what the doctor is to tell
        kind = "" if isinstance(error, (DdnError, OSError)) else f"{type(error).__name__}: "
        answers[place] = Finding(probe.part, Health.FAILING, f"{kind}{' '.join(str(error).split())}", probe.remedy)
