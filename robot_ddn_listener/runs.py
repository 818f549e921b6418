"""What a run tells the backend when it ends, failing or not: how each of its tests ended. So a failure is known to be new.

    outcomes of the result model -> one small message -> one LPUSH to Redis, or a file for later

A run that nobody will ever take in records nothing. What goes wrong here is not told: the run has been told all that matters to it.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robot.model import TagPatterns

from . import kept_runs, redis_push, run_message, run_names
from .errors import BrokerError, DdnError, SpoolError
from .model import OPT_OUT_TAG, did_not_end, seconds
from .origin import Origin, origin_of, working_folder
from .run import RUN_TASK_NAME
from .runtime import backend_installed, process_start
from .settings import Settings
from .waiting import StopOnSignal

if TYPE_CHECKING:
    from .redis_url import RedisAddress
    from .ticket import Ticket

GIT_SECONDS = 0.5  # that `git status` may take in a run without failures; a checkout that takes longer counts as changed
REPLAYED = 20  # kept runs that one run sends
POLL_SECONDS = 0.05
NOT_RUN = "NOT RUN"

Ended = tuple[str, str, float]  # a test's (or suite part's) full name, status and seconds


def is_wanted(settings: Settings) -> bool:
    """Tell whether there is, or may be, a backend that takes the record of this run."""
    return bool(settings.redis) or backend_installed()


def run_id(settings: Settings, variables: Mapping[str, object]) -> str:
    """Return the id of this run; all processes of one pabot run have the same."""
    if settings.run or "PABOTQUEUEINDEX" not in variables:
        return settings.run or kept_runs.shaped(os.urandom(16).hex())
    import uuid  # 2 ms that one process of its own does not pay

    # They have the same parent and the same address of its library server.
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{os.getppid()} {process_start(os.getppid())} {variables.get('PABOTLIBURI')}"))


def record_passing(root: Any, parts: Sequence[Ended], settings: Settings, variables: Mapping[str, object]) -> None:
    """Tell of a run in which nothing failed."""
    if is_wanted(settings):
        environ = dict(os.environ)
        folder = working_folder(Path(str(variables.get("OUTPUT_DIR") or os.curdir)))
        origin = origin_of(root, run_id(settings, variables), settings.project, environ, folder, GIT_SECONDS, slow_is_dirty=True)
        record(root, parts, origin, settings, environ)


def record(
    root: Any,
    parts: Sequence[Ended],
    origin: Origin,
    settings: Settings,
    environ: Mapping[str, str],
    tickets: "Sequence[Ticket]" = (),
    *,
    embedded_url: str = "",
    is_reachable: bool = True,
) -> None:
    """Tell of the run of the top suite `root`: Redis, the embedded runtime where one runs, else a file.

    A Redis that was just found not to be `is_reachable` is not tried again.
    """
    with suppress(DdnError):  # such as a pattern of the user's that cannot be used: then nothing leaves the process
        rows = _rows([*_tests(root), *parts], tickets, environ, settings.redact)
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        message = run_message.packed(origin.project, run_names.without_credentials(origin.run), when, rows)
        with suppress(SpoolError):
            _deliver(message, settings, environ, embedded_url, is_reachable=is_reachable)


def envelope(message: Mapping[str, Any]) -> bytes:
    """Return the task that makes a worker record the run in `message`."""
    return redis_push.envelope(RUN_TASK_NAME, kept_runs.task_id(message), message, run_message.summary(message))


def _rows(
    ended: "Sequence[Ended]", tickets: "Sequence[Ticket]", environ: Mapping[str, str], patterns: Sequence[str]
) -> list[run_message.Row]:
    names = run_names.redacted([name for name, _, _ in ended], environ, patterns)
    fingerprints = _fingerprints(tickets)
    told = {ticket.members[0].full_name: ticket.report.full_name for ticket in tickets if ticket.members}
    return [
        (told.get(raw, name), status, spent, fingerprints.get(raw, "") if status == "FAIL" else "")
        for name, (raw, status, spent) in zip(names, ended, strict=True)
    ]


def _fingerprints(tickets: "Sequence[Ticket]") -> dict[str, str]:
    """Return the fingerprints of failures by the full names of tests. One with a failure of its own keeps that of it."""
    found: dict[str, str] = {}
    for ticket in tickets:
        # Without a message there was none: it was not run, or its report may not be seen; other runs have other fingerprints then.
        for member in ticket.members if ticket.report.error_message else ():
            found.setdefault(member.full_name, ticket.report.fingerprint)
    return found


def _tests(suite: Any) -> Iterator[Ended]:
    opted_out = TagPatterns(OPT_OUT_TAG)
    for test in suite.all_tests:
        if not (test.tags and opted_out.match(test.tags)):
            failed = test.status == "FAIL"
            yield test.full_name, NOT_RUN if failed and did_not_end(test) else test.status, seconds(test)


def _deliver(
    message: Mapping[str, Any], settings: Settings, environ: Mapping[str, str], embedded_url: str, *, is_reachable: bool
) -> None:
    from .redis_url import parse_redis_url  # with a URL the settings have read it; without, most runs need none

    if settings.redis:
        address = parse_redis_url(settings.redis)
        name = kept_runs.of_redis(address.where)
        sent = is_reachable and _is_sent(message, address, kept_runs.folder_of(environ, name))
    else:
        name = kept_runs.of_embedded(environ.get("DDN_MONGO_URL", ""))
        sent = bool(embedded_url) and _is_sent(message, parse_redis_url(embedded_url), None)
    if not sent:
        kept_runs.keep(environ, name, message)


def _is_sent(message: Mapping[str, Any], address: "RedisAddress", folder: Path | None) -> bool:
    """Return whether Redis has the message; then it is also sent what waits for it in `folder`, as far as time allows."""
    taken = threading.Event()

    def send() -> None:
        with suppress(BrokerError), redis_push.connected(address) as line:
            line.push(envelope(message))
            taken.set()
            for path in kept_runs.waiting(folder)[:REPLAYED] if folder else ():
                _replay(path, line)

    # In a thread, because nothing else bounds the look-up of a host's name.
    thread = threading.Thread(target=send, name="ddn-run", daemon=True)
    with StopOnSignal() as stop:  # Robot still has to write log and report
        thread.start()
        deadline = time.monotonic() + redis_push.SECONDS
        while thread.is_alive() and not stop.is_set() and time.monotonic() < deadline:
            thread.join(POLL_SECONDS)
    return taken.is_set()


def _replay(path: Path, line: redis_push.Producer) -> None:
    try:
        message = kept_runs.read(path)
        task = envelope(message)
    except (SpoolError, KeyError, TypeError):  # another version's, or damaged
        kept_runs.set_aside(path)
        return
    line.push(task)
    with suppress(OSError):
        path.unlink()
