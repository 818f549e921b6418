"""Learning the users' Markdown runbooks, and `ddn learn` and `ddn search` as a user calls them."""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ddn_backend.adapters.fts import FtsKnowledgeBase
from ddn_backend.adapters.learned_file import LearnedFile
from ddn_backend.adapters.pinecone import PineconeShelves
from ddn_backend.cli.learn import learn_command
from ddn_backend.cli.search import search_command
from ddn_backend.errors import BackendError, SettingsError, TransientError
from ddn_backend.knowledge import KnowledgeError, load
from ddn_backend.knowledge.library import ProjectLibrary, RemoteShelves
from ddn_backend.knowledge.past_failures import past_failure
from ddn_backend.knowledge.runbooks import MAX_BYTES, bring_up_to_date, origin, parse, read
from ddn_backend.pipeline import thresholds
from ddn_backend.pipeline.lookup import look_up
from ddn_backend.ports import Document, DocumentKind, Query
from robot_ddn_listener.contract import ErrorType, FailureReport, Run
from servers.pinecone import KEY, PineconeServer

PLAIN = """# Turnstile trouble

The badge list was not deployed to the turnstile. It rejects every badge then.

Deploy it with `make badges`.

```
TurnstileError: badge 0042 rejected (list empty)
```
"""
STRUCTURED = """---
title: Printer queue is stuck
error_type: INFRA_ERROR
tags: [office, "printing"]
author:
  name: ada
symptoms:
  - "PrinterError: queue is stuck"
  - job waits for ever
urls: [https://wiki.example/printer]
---
# Ignored heading

## Problem

- lpstat says: paused

## Why

Someone paused the queue.

## How to fix

Run `cupsenable lobby`.
"""
MANY = """# Lift

Read this first.

## Door sensor

The sensor is dirty.

## Motor

The motor is hot.
"""


def only(name: str, source: str) -> Document:
    (document,) = parse(name, source)
    return document


def test_a_runbook_without_front_matter_is_read_by_its_paragraphs_and_code() -> None:
    document = only("docs/turnstile.md", PLAIN)
    assert document.title == "Turnstile trouble"
    assert document.cause.startswith("The badge list was not deployed")
    assert document.remedy == "Deploy it with make badges."
    assert "TurnstileError: badge 0042 rejected (list empty)" in document.symptoms
    assert (document.error_type, document.kind) == (ErrorType.UNKNOWN, DocumentKind.RUNBOOK)


def test_what_a_runbook_quotes_is_a_symptom_and_a_single_word_or_code_is_not_quoted() -> None:
    document = only("lift.md", '# Lift\n\nWhen it says "lift is overloaded" or “door E77 open”, not "lift", wait. `print("a b")`\n')
    assert document.symptoms == ('print("a b")', "lift is overloaded", "door E77 open", "Lift")


def test_front_matter_and_sections_of_many_names_are_understood_and_other_keys_passed_over() -> None:
    document = only("printer.md", STRUCTURED)
    assert (document.title, document.error_type) == ("Printer queue is stuck", ErrorType.INFRA_ERROR)
    assert (document.cause, document.remedy) == ("Someone paused the queue.", "Run `cupsenable lobby`.")
    assert document.symptoms[:3] == ("PrinterError: queue is stuck", "job waits for ever", "lpstat says: paused")
    assert document.urls == ("https://wiki.example/printer",)


def test_sections_about_different_things_are_documents_of_their_own() -> None:
    documents = parse("lift.md", MANY)
    assert [document.title for document in documents] == ["Lift", "Lift: Door sensor", "Lift: Motor"]
    assert documents[2].cause == "The motor is hot."
    assert len({document.id for document in documents}) == 3


@pytest.mark.parametrize(
    "source", ["Just one line.", "# Title\n\n## Cause\n\nIt is so.\n", "```\nonly code\n```", "\ufeff# Bom\n\nText."]
)
def test_short_runbooks_are_read_too(source: str) -> None:
    document = only("notes/odd-name.md", source)
    assert document.title
    assert document.cause
    assert document.remedy


@pytest.mark.parametrize("source", ["", "\n\n", "# Only a heading\n", "---\ntitle: Nothing\n---\n"])
def test_an_empty_runbook_is_no_document(source: str) -> None:
    assert parse("empty.md", source) == ()


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("---\ntitle: Open", "line 1: Expected '---' to close the front matter, got the end of the file."),
        ("---\ntitle: Fine\nno colon here\n---\n", "line 3: Expected 'key: value' in the front matter, got 'no colon here'."),
        ("---\n- item\n---\n", "line 2: Expected 'key: value' in the front matter, got '- item'."),
        ("---\n\nerror_type: LAMP\n---\n", "line 3: Expected error_type to be one of CODE_ERROR, TEST_ERROR,"),
    ],
)
def test_broken_front_matter_is_told_with_file_and_line(head: str, problem: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        parse("broken.md", f"{head}\nText.\n")
    assert str(caught.value).startswith(f"Learning runbook 'broken.md' failed: {problem}")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"# Fine\n\n\x00\x01\x02", "line 3: Expected Markdown, got a binary file."),
        (b"# Fine\nnaive\xe9\n", "line 2: Expected UTF-8, got the byte 0xe9."),
        (b"word\n" * (MAX_BYTES // 5 + 10), f"line {MAX_BYTES // 5 + 1}: Expected at most {MAX_BYTES} bytes, got more."),
    ],
    ids=["binary", "Latin-1", "huge"],
)
def test_a_file_that_is_no_runbook_is_told_with_its_line_and_the_others_are_read(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / "bad.md").write_bytes(content)
    (tmp_path / "good.md").write_text(PLAIN)
    reading = read([tmp_path])
    assert [document.title for document in reading.documents] == ["Turnstile trouble"]
    assert reading.problems == (f"Learning runbook '{tmp_path / 'bad.md'}' failed: {problem} The other files are learned.",)


def test_markdown_is_found_in_folders_below_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.md", "b/c.markdown", "b/D.MD", "b/notes.txt", ".hidden/x.md", ".y.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PLAIN)
    assert len(read([tmp_path]).documents) == 3


def test_a_file_has_the_same_name_in_every_checkout(tmp_path: Path) -> None:
    for place in ("here", "there/below"):
        (tmp_path / place / "repo" / ".git").mkdir(parents=True)
        (tmp_path / place / "repo" / "docs").mkdir()
        assert origin(tmp_path / place / "repo" / "docs" / "a.md") == "repo/docs/a.md"


def test_names_of_any_length_and_script_make_ids_that_a_service_takes() -> None:
    document = only(f"{'übermäßig/' * 60}a.md", PLAIN)
    assert document.id.isascii()
    assert len(document.id) <= 512


class Shop:
    """A folder of runbooks, a library and the commands over it."""

    def __init__(self, place: Path, library: ProjectLibrary):
        self.docs = place / "docs"
        self.docs.mkdir()
        self.library = library
        self.confirmed: list[Document] = []

    def learn(self, *arguments: str | Path) -> Result:
        command = learn_command(lambda: self.library, lambda: self.confirmed)
        return CliRunner().invoke(command, [str(argument) for argument in arguments])

    def write(self, name: str, text: str = PLAIN) -> Path:
        path = self.docs / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def titles(self, query: str, project: str = "shop") -> list[str]:
        found = self.library.find(Query(query, project)).passages
        return [passage.document.title for passage in found if passage.document.kind is not DocumentKind.KNOWN_CAUSE]


@pytest.fixture(scope="module")
def shipped() -> Iterator[FtsKnowledgeBase]:
    knowledge = FtsKnowledgeBase(load())
    yield knowledge
    knowledge.close()


@pytest.fixture
def server() -> Iterator[PineconeServer]:
    with PineconeServer() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path, shipped: FtsKnowledgeBase) -> Iterator[LearnedFile]:
    kept = LearnedFile(tmp_path / "knowledge.db", shipped)
    yield kept
    kept.close()


@pytest.fixture
def remote(server: PineconeServer) -> Iterator[PineconeShelves]:
    shelves = PineconeShelves(KEY, host=server.host)
    yield shelves
    server.mend()
    shelves.close()


@pytest.fixture
def with_pinecone(tmp_path: Path, shipped: FtsKnowledgeBase, file: LearnedFile, remote: PineconeShelves) -> Shop:
    return Shop(tmp_path, ProjectLibrary(shipped, file, RemoteShelves("pinecone", remote)))


@pytest.fixture(params=["file", "pinecone"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, shipped: FtsKnowledgeBase, file: LearnedFile) -> Shop:
    if request.param == "file":
        return Shop(tmp_path, ProjectLibrary(shipped, file))
    request.getfixturevalue("remote").create()
    made: Shop = request.getfixturevalue("with_pinecone")
    return made


def test_new_runbooks_are_added_changed_ones_updated_gone_ones_removed(shop: Shop) -> None:
    shop.write("turnstile.md")
    shop.write("sub/printer.md", STRUCTURED)
    first = shop.learn(shop.docs)
    assert first.exit_code == 0, first.output
    assert "2 added, 0 updated, 0 removed, 0 unchanged; for all projects." in first.output
    assert shop.titles("TurnstileError: badge 1 rejected (list empty)")[0] == "Turnstile trouble"

    shop.write("turnstile.md", PLAIN.replace("Turnstile trouble", "Turnstile again"))
    (shop.docs / "sub" / "printer.md").unlink()
    second = shop.learn(shop.docs)
    assert "0 added, 1 updated, 1 removed, 0 unchanged" in second.output
    assert "removed: " in second.output
    assert shop.titles("TurnstileError: badge rejected. PrinterError: queue is stuck") == ["Turnstile again"]
    assert "0 added, 0 updated, 0 removed, 1 unchanged" in shop.learn(shop.docs).output


def test_files_are_called_as_they_were_given(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.docs.parent)
    shop.write("sub/ä printer.md", STRUCTURED)
    assert "  added: docs/sub/ä printer.md\n" in shop.learn("docs").output
    assert "0 removed, 1 unchanged" in shop.learn(shop.docs).output
    shop.write("sub/ä printer.md", "---\nbroken\n---\n")
    assert "runbook 'docs/sub/ä printer.md' failed" in shop.learn("docs/sub").output
    (shop.docs / "sub" / "ä printer.md").unlink()
    assert f"  removed: {shop.docs}/sub/ä printer.md\n" in shop.learn(shop.docs).output


def test_where_there_is_nothing_to_read_it_says_so_in_one_line(shop: Shop) -> None:
    shop.write("notes.txt")
    done = shop.learn(shop.docs)
    assert done.exit_code == 1
    assert done.stderr == f"ddn: Learning '{shop.docs}' failed: expected Markdown files (.md, .markdown) in it, got none.\n"


def test_files_that_cannot_be_read_are_a_line_each_and_the_others_are_learned(shop: Shop) -> None:
    shop.write("turnstile.md")
    (shop.docs / "binary.md").write_bytes(b"x\0y")
    (shop.docs / "wide.md").write_text(PLAIN, encoding="utf-16")
    (shop.docs / "huge.md").write_bytes(b"x" * 1_000_001)
    shop.write("open.md", "---\ntitle: x\n")
    done = shop.learn(shop.docs)
    assert done.exit_code == 1
    assert "1 added" in done.stdout
    causes = ("got a binary file", "got more", "got the end of the file", "got UTF-16")
    assert [cause in line for cause, line in zip(causes, done.stderr.splitlines(), strict=True)] == [True] * 4


def test_creating_indexes_that_nobody_named_says_what_to_set(tmp_path: Path, shipped: FtsKnowledgeBase, file: LearnedFile) -> None:
    done = Shop(tmp_path, ProjectLibrary(shipped, file)).learn("--create")
    assert isinstance(done.exception, SettingsError)
    assert "DDN_PINECONE_INDEX" in str(done.exception)
    assert "PINECONE_API_KEY" in str(done.exception)


def test_a_section_that_went_counts_as_an_update_of_its_file(shop: Shop) -> None:
    shop.write("lift.md", MANY)
    shop.learn(shop.docs)
    shop.write("lift.md", MANY.partition("## Motor")[0])
    assert "0 added, 1 updated, 0 removed" in shop.learn(shop.docs).output
    assert "Lift: Motor" not in shop.titles("Lift: the motor is hot")


def test_what_was_not_asked_for_stays(shop: Shop) -> None:
    shop.write("a/turnstile.md")
    printer = shop.write("b/printer.md", STRUCTURED)
    shop.learn(shop.docs)
    printer.unlink()
    assert "0 removed, 1 unchanged" in shop.learn(shop.docs / "a").output
    assert "Printer queue is stuck" in shop.titles("PrinterError: queue is stuck")


def test_a_path_that_is_gone_takes_what_was_learned_from_it_along(shop: Shop) -> None:
    shop.write("a/turnstile.md")
    single = shop.write("printer.md", STRUCTURED)
    shop.learn(shop.docs)
    single.unlink()
    shutil.rmtree(shop.docs / "a")
    done = shop.learn(single, shop.docs / "a")
    assert done.exit_code == 0, done.output
    assert "2 removed" in done.output


def test_a_path_that_never_was_is_an_error_that_names_it(shop: Shop) -> None:
    done = shop.learn(shop.docs / "nowhere")
    assert done.exit_code == 1
    assert f"Learning '{shop.docs / 'nowhere'}' failed: there is no such file or folder" in done.output


def test_a_broken_file_is_named_the_others_are_learned_and_its_last_good_version_stays(shop: Shop) -> None:
    shop.write("turnstile.md")
    shop.learn(shop.docs)
    shop.write("turnstile.md", "---\nbroken\n---\n")
    shop.write("printer.md", STRUCTURED)
    done = shop.learn(shop.docs)
    assert done.exit_code == 1
    assert "turnstile.md' failed: line 2: Expected 'key: value' in the front matter, got 'broken'." in done.output
    assert set(shop.titles("PrinterError: queue is stuck. TurnstileError: badge rejected")) == {
        "Printer queue is stuck",
        "Turnstile trouble",
    }


def test_runbooks_of_one_project_are_not_for_others(shop: Shop) -> None:
    shop.write("turnstile.md")
    assert "for project 'shop'." in shop.learn(shop.docs, "--project", "shop").output
    assert shop.titles("TurnstileError: badge rejected (list empty)") == ["Turnstile trouble"]
    assert shop.titles("TurnstileError: badge rejected (list empty)", "bank") == []


def test_a_file_that_is_named_twice_is_learned_once(shop: Shop) -> None:
    path = shop.write("turnstile.md")
    assert "1 added" in shop.learn(shop.docs, path).output
    assert shop.titles("TurnstileError: badge rejected (list empty)") == ["Turnstile trouble"]


def test_learning_nothing_is_a_usage_error(shop: Shop) -> None:
    done = shop.learn()
    assert done.exit_code == 2
    assert "expected a PATH, --create or --rebuild" in done.output


def test_progress_reaches_its_end_once_for_each_document(shop: Shop) -> None:
    documents = [*parse("a.md", PLAIN), *parse("b.md", MANY)]
    shelf = shop.library.document_shelves[-1]
    shelf.put("", documents[:1])
    steps: list[int] = []
    bring_up_to_date(shelf, "", documents, ["runbook/"], step=steps.append)
    assert sum(steps) == len(documents)


def test_create_makes_the_indexes_and_fills_in_what_ships(with_pinecone: Shop, server: PineconeServer) -> None:
    done = with_pinecone.learn("--create")
    assert (done.exit_code, "Created ddn-knowledge-docs, ddn-error-library." in done.output) == (0, True), done.output
    assert len(server.indexes["ddn-knowledge-docs"].namespaces["__default__"]) == len(load())
    again = with_pinecone.learn("--create")
    assert "All indexes are there." in again.output
    found = with_pinecone.library.find(Query("OSError: [Errno 28] No space left on device: '/srv/out.bin'", "shop")).passages
    (disk,) = [passage for passage in found if "disk-full" in passage.document.id]
    assert (disk.document.id, disk.graded_by) == ("disk-full", "reranker")


def test_without_the_indexes_learning_says_what_is_missing_and_keeps_what_it_learned_here(with_pinecone: Shop) -> None:
    with_pinecone.write("turnstile.md")
    done = with_pinecone.learn(with_pinecone.docs)
    assert isinstance(done.exception, BackendError)
    assert str(done.exception) == "index 'ddn-knowledge-docs' not found"
    assert with_pinecone.titles("TurnstileError: badge rejected (list empty)") == ["Turnstile trouble"]
    with_pinecone.learn("--create")
    assert "1 added" in with_pinecone.learn(with_pinecone.docs).output


def test_a_service_that_fails_halfway_is_completed_by_the_next_try(with_pinecone: Shop, server: PineconeServer) -> None:
    with_pinecone.learn("--create")
    with_pinecone.write("turnstile.md")
    server.fail(500, "/upsert", Retry_After="0")
    assert isinstance(with_pinecone.learn(with_pinecone.docs).exception, TransientError)
    server.mend()
    assert "1 added" in with_pinecone.learn(with_pinecone.docs).output


def test_rebuild_fills_a_lost_error_library_from_the_history(shop: Shop) -> None:
    for number in range(3):
        report = FailureReport(f"r{number}", "shop", "f", Run("run"), "S", f"T{number}", f"Turnstile {number} rejected the badge")
        words = {"error_type": ErrorType.CONFIG_ERROR, "root_cause": f"Cause {number}.", "recommendation": "Deploy."}
        shop.confirmed.append(past_failure(report, **words))  # type: ignore[arg-type]
    done = shop.learn("--rebuild")
    assert "3 past failures with confirmed causes are in the error library." in done.output
    assert len(shop.titles("Turnstile rejected the badge")) == 3
    shop.learn("--rebuild")
    assert [len(shelf.ids("shop")) for shelf in shop.library.failure_shelves] == [3] * len(shop.library.failure_shelves)


@pytest.fixture
def search(shop: Shop) -> Callable[..., Result]:
    def ask(text: str, project: str, redis: str | None) -> Mapping[str, Any]:
        return look_up(text, project, shop.library, thresholds.load())

    return lambda *arguments: CliRunner().invoke(search_command(ask), arguments, env={"DDN_PROJECT": None})


def test_search_shows_what_is_found_with_grades_and_what_is_done_about_it(search: Callable[..., Result], shop: Shop) -> None:
    shop.write("turnstile.md")
    shop.learn(shop.docs)
    done = search("TurnstileError: badge 0042 rejected (list empty)", "--project", "shop")
    assert done.exit_code == 0, done.output
    assert "relevant   UNKNOWN          Turnstile trouble" in done.output
    assert "runbook, graded by " in done.output
    assert "action: correct" in done.output


def test_search_prints_json_for_machines(search: Callable[..., Result]) -> None:
    found = json.loads(search("--json", "OSError: [Errno 28] No space left on device").output)
    assert found["searches"][0]["passages"][0]["id"] == "disk-full"


def test_search_says_so_when_nothing_is_found(search: Callable[..., Result]) -> None:
    done = search("zyxwvut")
    assert "nothing was found" in done.output
    assert "action: incorrect" in done.output


@pytest.mark.parametrize(("text", "best"), [("certificate expired", "tls-certificate-expired"), ("disk full", "disk-full")])
def test_a_few_words_are_graded_as_such_and_each_document_is_told_once(text: str, best: str, search: Callable[..., Result]) -> None:
    out = search(text).output
    assert re.search(rf"relevant .*\n.*: {best}\n", out)
    assert out.count(f": {best}\n") == 1
    assert "asked for" not in out


def test_words_that_no_document_has_find_nothing_sure(search: Callable[..., Result]) -> None:
    out = search("gizmo not amused").output
    assert "0.00" not in out
    assert "Nothing that is surely about this text." in out


def test_a_query_that_is_written_anew_shows_only_what_it_finds_besides(search: Callable[..., Result]) -> None:
    out = search("No keyword with name 'Foo Bar' found.").output
    assert "asked for: No keyword with name found." in out
    assert out.count(": robot-keyword-not-found\n") == 1


def test_search_for_nothing_is_a_usage_error(search: Callable[..., Result]) -> None:
    done = search(" ")
    assert (done.exit_code, "expected a text such as an error message" in done.output) == (2, True)


def test_search_tells_what_was_degraded(with_pinecone: Shop, server: PineconeServer) -> None:
    command = search_command(lambda text, project, redis: look_up(text, project, with_pinecone.library, thresholds.load()))
    done = CliRunner().invoke(command, ["No space left on device"])
    assert "degraded: pinecone: index 'ddn-knowledge-docs' not found, local index used" in done.output
