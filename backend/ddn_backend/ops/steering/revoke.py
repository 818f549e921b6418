"""Revoke and purge: analyses that never run, or that stop at their next step.

What waits is taken out of the queue, what a worker has in hand is marked (see revocation). Either way the report is in the
history, from where `ddn requeue` sends it again, and the reader is told on the card: a revoked analysis ends with the best
answer so far; one that was purged stays open, as it may be sent again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain

from robot_ddn_listener.contract import Stage

from ...errors import PermanentError
from ...ports import History
from ...revocation import Revocations
from ...verdicts import Verdicts
from .queued import Message, in_hand, take, take_out, waiting
from .reach import Backend, now

SHORTEST_ID_CHARACTERS = 6  # of an id's beginning: less is a guess
TOLD_AT_A_TIME = 50


@dataclass(frozen=True, slots=True)
class Revoked:
    """`queued` never ran; `running` ones stop at their next step. All are ids."""

    queued: tuple[str, ...] = ()
    running: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Purged:
    """How many were taken out and are `kept` in the history; `unreadable` ones were no reports. `running` were left alone."""

    kept: int = 0
    unreadable: int = 0
    running: int = 0


def revoke(backend: Backend, history: History, beginning: str, why: str) -> Revoked:
    """Revoke the analysis whose id begins so; PermanentError where there is none, or several, or nothing left to revoke.

    `why` says who did it, for readers and operators.
    """
    if len(beginning) < SHORTEST_ID_CHARACTERS:
        raise PermanentError(f"Revoking '{beginning}' failed: expected at least {SHORTEST_ID_CHARACTERS} characters of its id.")
    here = [each for each in chain(waiting(backend.client), in_hand(backend.client)) if each.task_id.startswith(beginning)]
    found = _only_one({message.task_id for message in here}, history, beginning)
    Revocations(backend.client).revoke(found, why)  # first, so that no worker begins with it meanwhile
    taken = []
    for message in here:
        if message.task_id == found and message.raw:
            _keep(history, message)
            if take(backend.client, message):
                taken.append(message)
    _tell(backend, taken, why, Stage.FINAL)
    return Revoked(queued=(found,)) if taken else Revoked(running=(found,))


def revoke_pending(backend: Backend, history: History, why: str) -> Revoked:
    """Revoke all analyses that wait."""
    mark = Revocations(backend.client)

    def before(message: Message) -> None:
        mark.revoke(message.task_id, why)
        _keep(history, message)

    return Revoked(queued=tuple(report_id for report_id, _ in _taken_out(backend, before, why, Stage.FINAL)))


def purge(backend: Backend, history: History, why: str) -> Purged:
    """Take all analyses that wait out of the queue; the same ones sent again will run. So cards stay open until then."""
    taken = _taken_out(backend, partial(_keep, history), why, Stage.INTERIM)
    kept = sum(is_kept for _, is_kept in taken)
    return Purged(kept, len(taken) - kept, len(in_hand(backend.client)))


def _only_one(here: set[str], history: History, beginning: str) -> str:
    if len(here) == 1 or beginning in here:
        return beginning if beginning in here else here.pop()
    if here:
        raise PermanentError(f"Revoking '{beginning}' failed: {len(here)} ids begin like that. Give more of it.")
    past = history.find(beginning)
    if past:
        raise PermanentError(f"Revoking '{past.report.id}' failed: it is not under way, its state is '{past.state}'.")
    raise PermanentError(f"Revoking '{beginning:.80}' failed: no analysis has an id that begins so. Nothing was revoked.")


def _keep(history: History, message: Message) -> None:
    if report := message.report:
        history.keep(report, now())


def _taken_out(backend: Backend, before: Callable[[Message], None], why: str, stage: Stage) -> list[tuple[str, bool]]:
    """Take all out of the queue and tell of it, readers by a verdict of `stage`; return ids, each with whether it was a report."""
    taken = list[tuple[str, bool]]()
    untold = list[Message]()
    try:
        for message in take_out(backend.client, before):
            taken.append((message.task_id, message.report is not None))
            untold.append(message)
            if len(untold) == TOLD_AT_A_TIME:
                _tell(backend, untold, why, stage)
                untold = []
    finally:  # the history may have failed on the next one
        _tell(backend, untold, why, stage)
    return taken


def _tell(backend: Backend, taken: list[Message], why: str, stage: Stage) -> None:
    """Tell readers, by the card, and operators, by Celery's state and event."""
    verdicts = Verdicts(backend.client)
    for message in taken:
        if report := message.report:
            verdicts.conclude(report, f"analysis: {why}", stage)
    backend.show_revoked([message.task_id for message in taken], why)
