"""How the backend is at one moment, as the monitor sees it every few seconds: what metrics show and alerts judge."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ...ports import TaskRun

RECENT = timedelta(minutes=15)  # how far back `Snapshot.runs` goes: alerts look at rates over that time


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker that beats. `cpu` is the share of one core since its last beat (1.0 is one core), `memory_bytes` what is resident;
    both are 0 where the worker did not tell. `busy` of `threads` are in an analysis."""

    hostname: str
    beat_seconds: float = 0.0
    busy: int = 0
    threads: int = 0
    cpu: float = 0.0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where `broker_problem` is set Redis did not answer: then `waiting`, `oldest_seconds`, `unacked`, `workers`, `redis_bytes`,
    `used_up` and `paused` are those of nothing, and only `when` and `runs` may be judged.

    `runs` are all task runs whose latest known time is at most RECENT ago, of all projects, in any state. `used_up` names the
    projects whose budget of today is used up. `paused` is the operator's reason; None while not paused.
    """

    when: datetime
    waiting: int = 0
    oldest_seconds: float = 0.0
    unacked: int = 0
    workers: tuple[WorkerState, ...] = ()
    runs: tuple[TaskRun, ...] = ()
    used_up: tuple[str, ...] = ()
    paused: str | None = None
    redis_bytes: int = 0
    broker_problem: str = ""

    @property
    def workers_online(self) -> int:
        return len(self.workers)
