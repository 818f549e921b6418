"""`ddn analyze`: the whole job on existing output files."""

import os
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from robot.api import ExecutionResult, ResultVisitor, ResultWriter
from robot.errors import DataError
from robot.version import get_version

from robot_ddn_listener.afterwards import analyze_suite
from robot_ddn_listener.attach import attach_to_result
from robot_ddn_listener.connection import connect
from robot_ddn_listener.errors import OutputError
from robot_ddn_listener.gather import system_messages
from robot_ddn_listener.outbox import SEND_SECONDS, Outbox
from robot_ddn_listener.render import View, annotations, console_lines
from robot_ddn_listener.settings import Settings
from robot_ddn_listener.ticket import Delivery, Ticket
from robot_ddn_listener.waiting import ProgressLine, StopOnSignal

from .options import EXPECTED_OUTPUT, output_files, read_options, run_of, settings_options

if TYPE_CHECKING:
    from ..in_process import InProcess

OUTPUT_FOLDER = "ddn-results"


@click.command()
@click.argument("outputs", metavar="OUTPUT...", nargs=-1, required=True)
@click.option("--outputdir", "-d", default=OUTPUT_FOLDER, show_default=True, help="Where output.xml, log.html and report.html go.")
@settings_options
@click.pass_context
def analyze(
    context: click.Context,
    outputs: tuple[str, ...],
    outputdir: str,
    redis: str | None,
    project: str | None,
    wait: float | None,
) -> None:
    """Analyse the failures in output.xml or output.json files; several are combined as rebot does."""
    settings = read_options(redis=redis, project=project, wait=wait)
    paths = output_files(outputs)
    result = load_result(paths)
    with closing(_this_process()) if not settings.redis else nullcontext() as here:
        folder = _output_folder(outputdir, outputs)
        tickets, outbox = _analyzed(result, settings, here, paths)
        outbox.spool(tickets, folder)
        outbox.close()
    if not tickets:
        with suppress(OSError):  # it holds something of the user's
            folder.rmdir()
        raise OutputError(
            f"Analysing '{', '.join(outputs)}' failed: no test failed there, nothing to explain. Nothing was written."
        )
    view = _view(folder, settings, is_rpa=bool(result.rpa), corrections=here is None or here.keeps)
    attach_to_result(result.suite, annotations(tickets, view))
    _write(result, folder)
    click.echo("\n".join(console_lines(tickets, view)))
    context.exit(1 if any(ticket.delivery in (Delivery.SPOOLED, Delivery.LOST) for ticket in tickets) else 0)


def _analyzed(result: Any, settings: Settings, here: "InProcess | None", paths: Sequence[Path]) -> tuple[list[Ticket], Outbox]:
    with StopOnSignal() as stop, ProgressLine() as progress:
        return analyze_suite(
            result.suite,
            settings,
            (lambda: here) if here else partial(connect, settings.redis, dict(os.environ)),
            stop,
            messages=system_messages(result.errors),
            send_seconds=SEND_SECONDS if settings.redis else settings.wait,  # this process answers while it "sends"
            progress=progress,
            run=run_of(paths) if here else "",  # a backend would give the answer of an hour ago again, whatever was changed since
        )


def _view(folder: Path, settings: Settings, *, is_rpa: bool, corrections: bool) -> View:
    return View(
        output=str(folder / "output.xml"),
        flower_url=settings.flower_url,
        tags=settings.tags,
        metadata=settings.metadata,
        noun="task" if is_rpa else "test",
        corrections=corrections,
    )


def _output_folder(outputdir: str, outputs: tuple[str, ...]) -> Path:
    folder = Path(outputdir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        expected = "expected a folder that is there or can be made"
        raise click.UsageError(f"Reading option '--outputdir' failed: {expected}, got '{outputdir}' ({error.strerror}).") from error
    if (folder / "output.xml").resolve() in {Path(name).resolve() for name in outputs}:
        raise click.UsageError(
            f"Reading option '--outputdir' failed: '{outputdir}' holds the input 'output.xml', which would be overwritten; "
            f"expected another folder. `ddn attach` writes into the file itself."
        )
    return folder


def load_result(paths: list[Path]) -> Any:
    """Return Robot's result of the files; OutputError where they are no output of Robot Framework with tests in it."""
    try:
        result = ExecutionResult(*(str(path) for path in paths))
        result.visit(_OldStatuses())
    except DataError as error:
        raise OutputError(f"{str(error).rstrip('.')}. It is not readable, {EXPECTED_OUTPUT}. Nothing was written.") from error
    except (TypeError, ValueError, AttributeError, LookupError) as error:  # Robot trusts the structure of a JSON file
        names = "', '".join(str(path) for path in paths)
        raise OutputError(f"Reading '{names}' failed: {type(error).__name__}, {EXPECTED_OUTPUT}. Nothing was written.") from error
    if not result.suite.test_count:
        names = "', '".join(str(path) for path in paths)
        raise OutputError(f"Reading '{names}' failed: there is no test in it, {EXPECTED_OUTPUT}. Nothing was written.")
    return result


class _OldStatuses(ResultVisitor):  # type: ignore[misc]  # Robot has no type hints
    """Robot loads the NOT_RUN of files of version 3 and then fails on it when it makes a log."""

    def start_body_item(self, item: Any) -> None:
        if getattr(item, "status", "") == "NOT_RUN":
            item.status = "NOT RUN"


def _this_process() -> "InProcess":
    from ..in_process import InProcess  # after the options are known to be good: it loads the knowledge base

    return InProcess(lambda problem: click.echo(f"ddn: {problem}", err=True))


def _write(result: Any, folder: Path) -> None:
    try:
        ResultWriter(result).write_results(
            outputdir=str(folder), output="output.xml", log="log.html", report="report.html", stdout=sys.stderr, rpa=result.rpa
        )
    except DataError as error:
        raise OutputError(f"Writing results into '{folder}' failed: {error}") from error
    for name in ("output.xml", "log.html", "report.html"):
        if not (folder / name).exists():
            raise OutputError(f"Writing '{folder / name}' failed: Robot Framework {get_version()} did not make it; see above.")
