"""`ddn learn`: the users' runbooks into the knowledge base, its indexes made, a lost error library filled again."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from .. import knowledge
from ..errors import SettingsError
from ..knowledge.library import SHIPPED, ProjectLibrary, shipped_id
from ..knowledge.past_failures import rebuild
from ..knowledge.runbooks import SUFFIXES, Changes, Reading, bring_up_to_date, digest, is_barren, read
from ..ports import Document, Shelf

Step = Callable[[int], None]


def learn_command(open_library: Callable[[], ProjectLibrary], confirmed: Callable[[], Iterable[Document]]) -> click.Command:
    """Return the command; `confirmed` returns all past failures of the history whose cause a person confirmed."""

    @click.command()
    @click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path))
    @click.option("--project", default="", help="Whose failures these runbooks are about; default: all projects'.")
    @click.option("--create", "creating", is_flag=True, help="Make the indexes on Pinecone that are missing.")
    @click.option("--rebuild", "rebuilding", is_flag=True, help="Fill the error library from the history.")
    @click.pass_context
    def learn(context: click.Context, paths: tuple[Path, ...], project: str, creating: bool, rebuilding: bool) -> None:
        """Learn Markdown runbooks from files and folders: new ones are added, changed ones updated, gone ones removed."""
        if not (paths or creating or rebuilding):
            raise click.UsageError("Learning failed: expected a PATH, --create or --rebuild. Nothing was learned.")
        library = open_library()
        if creating:
            _create(library)
        problems = _learn(library, paths, project) if paths else ()
        if rebuilding:
            _rebuild(library, confirmed)
        for problem in problems:
            click.echo(f"ddn: {problem}", err=True)
        context.exit(1 if problems else 0)

    return learn


def _create(library: ProjectLibrary) -> None:
    if len(library.document_shelves) < 2:
        raise SettingsError(
            "Creating indexes failed: none is named. Set DDN_PINECONE_INDEX to a prefix for their names, and PINECONE_API_KEY. "
            "The index on this machine needs no making. Nothing was learned."
        )
    names = library.create()
    click.echo(f"Created {', '.join(names)}." if names else "All indexes are there.")
    shipped = [replace(document, id=shipped_id(document.id, digest(document))) for document in knowledge.load()]
    remote = library.document_shelves[1:]
    with _progress("Learning what ships", len(shipped) * len(remote)) as step:
        for shelf in remote:
            bring_up_to_date(shelf, "", shipped, [SHIPPED], step=step)


def _learn(library: ProjectLibrary, paths: Sequence[Path], project: str) -> Sequence[str]:
    reading = read(paths, project)
    with _progress("Learning", len(reading.documents) * len(library.document_shelves)) as step:
        changes = [_learned(shelf, project, reading, step) for shelf in library.document_shelves]
    _tell(changes[-1], reading, project)
    empty = [path for path in paths if (is_barren(path) or not path.exists()) and not _is_among(path, changes)]
    return (*reading.problems, *map(_nothing_in, empty))


def _nothing_in(path: Path) -> str:
    if path.exists():
        return f"Learning '{path}' failed: expected Markdown files ({', '.join(SUFFIXES)}) in it, got none."
    return f"Learning '{path}' failed: there is no such file or folder, nor was there."


def _learned(shelf: Shelf, project: str, reading: Reading, step: Step) -> Changes:
    return bring_up_to_date(shelf, project, reading.documents, reading.scopes, reading.kept, step)


def _is_among(path: Path, changes: Iterable[Changes]) -> bool:
    scopes = read([path]).scopes
    return any(f"{name}#".startswith(scopes) for change in changes for name in change.removed)


def _tell(changes: Changes, reading: Reading, project: str) -> None:
    counts = {
        "added": changes.added,
        "updated": changes.updated,
        "removed": changes.removed,
        "unchanged": changes.unchanged,
    }
    for word, names in counts.items():
        for name in names if word != "unchanged" else ():
            click.echo(f"  {word}: {reading.name_of(name)}")
    whose = f"project '{project}'" if project else "all projects"
    click.echo(f"{', '.join(f'{len(names)} {word}' for word, names in counts.items())}; for {whose}.")


def _rebuild(library: ProjectLibrary, confirmed: Callable[[], Iterable[Document]]) -> None:
    failures = list(confirmed())
    for shelf in library.failure_shelves:
        rebuild(shelf, failures)
    click.echo(f"{len(failures)} past failures with confirmed causes are in the error library.")


@contextmanager
def _progress(title: str, total: int) -> Iterator[Step]:
    """Show a bar on a terminal, else nothing; where rich is not installed, click's."""
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        with click.progressbar(length=total, label=title, file=sys.stderr) as plain:
            yield lambda documents: plain.update(documents)
        return
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda documents: bar.advance(task, documents)
