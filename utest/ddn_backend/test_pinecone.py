"""Learned documents, in a file and on Pinecone (the real SDK against a stand-in): one contract, and Pinecone's bad days."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ddn_backend.adapters.fts import FtsKnowledgeBase
from ddn_backend.adapters.learned_file import LearnedFile
from ddn_backend.adapters.pinecone import BATCH, PineconeShelves
from ddn_backend.adapters.pinecone_records import namespace
from ddn_backend.errors import PermanentError, SettingsError, TransientError
from ddn_backend.knowledge import load
from ddn_backend.knowledge.library import OtherProjects, ProjectLibrary, RemoteShelves
from ddn_backend.pipeline import thresholds
from ddn_backend.ports import Document, DocumentKind, Query, Shelves
from robot_ddn_listener.contract import ErrorType, Similar
from servers.pinecone import KEY, PineconeServer

SHORT = 0.2
PATIENCE_SECONDS = 30.0

LAMP = Document(
    "runbook/lamp.md#0@1", "The lamp", ErrorType.INFRA_ERROR, "The bulb is out.", "Change it.", ("lamp gives no light",)
)
DOOR = replace(LAMP, id="runbook/door.md#0@1", title="The door", cause="Stuck.", symptoms=("door does not open",))
PAST = replace(
    LAMP,
    id="past/r7",
    title="Past failure of Lamps.On",
    cause="The fuse of hall B had blown.",
    kind=DocumentKind.PAST_FAILURE,
    project="shop",
    past=Similar("r7", "2026-01-02", "The fuse of hall B had blown.", "ada", "ABC-1"),
)


@pytest.fixture
def server() -> Iterator[PineconeServer]:
    with PineconeServer() as running:
        yield running


@pytest.fixture
def pinecone(server: PineconeServer) -> Iterator[Callable[..., PineconeShelves]]:
    made: list[PineconeShelves] = []

    def connect(key: str = KEY, **options: Any) -> PineconeShelves:
        made.append(PineconeShelves(key, host=server.host, **options))
        return made[-1]

    before = set(threading.enumerate())
    yield connect
    server.mend()
    for thread in set(threading.enumerate()) - before:
        if thread.name == "pinecone":  # of a call that nobody waited for
            thread.join(PATIENCE_SECONDS)
    for shelves in made:
        shelves.close()


@pytest.fixture(scope="module")
def shipped() -> Iterator[FtsKnowledgeBase]:
    knowledge = FtsKnowledgeBase(load())
    yield knowledge
    knowledge.close()


@pytest.fixture
def local(tmp_path: Path, shipped: FtsKnowledgeBase) -> Iterator[LearnedFile]:
    file = LearnedFile(tmp_path / "home" / "knowledge.db", shipped)
    yield file
    file.close()


@pytest.fixture(params=["file", "pinecone"])
def shelves(request: pytest.FixtureRequest) -> Shelves:
    """Both, ready to be used."""
    if request.param == "file":
        file: Shelves = request.getfixturevalue("local")
        return file
    remote: Shelves = request.getfixturevalue("pinecone")()
    remote.create()
    return remote


def found(shelves: Shelves, query: str, project: str = "shop") -> list[str]:
    return [passage.document.title for passage in shelves.search(query, project)]


def test_what_was_put_is_found_whole_and_best_first(shelves: Shelves) -> None:
    shelves.documents.put("shop", [LAMP, DOOR])
    shelves.failures.put("shop", [PAST])
    best = shelves.search("AssertionError: The door does not open", "shop")[0]
    assert best.document == replace(DOOR, project=best.document.project)
    assert 0 < best.score <= 1
    assert {passage.document.past for passage in shelves.search("the lamp gives no light", "shop")} >= {PAST.past}


def test_runbooks_of_a_project_and_past_failures_are_its_own_and_what_is_for_all_is_found_by_all(shelves: Shelves) -> None:
    shelves.documents.put("shop", [LAMP])
    shelves.documents.put("", [DOOR])
    shelves.failures.put("shop", [PAST])
    assert sorted(found(shelves, "lamp gives no light, door does not open")) == sorted([LAMP.title, DOOR.title, PAST.title])
    assert found(shelves, "lamp gives no light, door does not open", "bank") == [DOOR.title]


def test_past_failures_of_others_are_found_only_when_asked_for_and_never_their_runbooks(shelves: Shelves) -> None:
    shelves.documents.put("shop", [LAMP])
    shelves.failures.put("shop", [PAST])
    shelves.failures.put("bank", [replace(PAST, id="past/r8", title="Past failure of the bank", project="bank")])
    others = shelves.search_others("the lamp gives no light", "bank")
    assert [(passage.document.title, passage.document.project) for passage in others] == [(PAST.title, "shop")]


def test_nothing_is_found_where_nothing_was_put(shelves: Shelves) -> None:
    assert shelves.search("the lamp gives no light", "shop") == ()
    assert shelves.search_others("the lamp gives no light", "shop") == ()
    assert shelves.documents.ids("shop") == frozenset()


def test_the_same_id_again_replaces(shelves: Shelves) -> None:
    shelves.documents.put("shop", [LAMP])
    shelves.documents.put("shop", [replace(LAMP, cause="The bulb was never in.")])
    assert [passage.document.cause for passage in shelves.search("lamp gives no light", "shop")] == ["The bulb was never in."]


def test_what_is_dropped_is_gone_and_what_is_not_there_is_dropped_in_peace(shelves: Shelves) -> None:
    shelves.documents.drop("shop", ["runbook/nowhere"])
    shelves.documents.put("shop", [LAMP, DOOR])
    shelves.documents.drop("shop", [LAMP.id, "runbook/nowhere"])
    assert shelves.documents.ids("shop") == {DOOR.id}
    assert found(shelves, "lamp gives no light, door does not open") == [DOOR.title]


def test_ids_are_listed_by_their_beginning_however_many_there_are(shelves: Shelves) -> None:
    many = [replace(LAMP, id=f"runbook/many/{number}") for number in range(2 * BATCH + 30)]
    shelves.documents.put("shop", [*many, DOOR])
    assert shelves.documents.ids("shop", "runbook/many/") == {document.id for document in many}
    assert shelves.documents.ids("shop", "runbook/d") == {DOOR.id}


@pytest.mark.parametrize("project", ["shop", "Größe 7/b", "__default__", "a b"])
def test_projects_of_any_name_are_apart(shelves: Shelves, project: str) -> None:
    shelves.failures.put(project, [replace(PAST, project=project)])
    assert [passage.document.project for passage in shelves.search("lamp gives no light", project)] == [project]
    assert found(shelves, "lamp gives no light", "other") == []


def test_a_document_that_is_larger_than_a_record_may_be_is_still_found(shelves: Shelves) -> None:
    shelves.documents.put("shop", [replace(LAMP, text='"ü"' * 30_000)])
    assert found(shelves, "lamp gives no light") == [LAMP.title]


def test_many_threads_use_one_instance(shelves: Shelves) -> None:
    shelves.documents.put("shop", [LAMP, DOOR])
    with ThreadPoolExecutor(6) as pool:
        best = set(pool.map(lambda _: found(shelves, "lamp gives no light")[0], range(24)))
    assert best == {LAMP.title}


def test_what_one_process_learns_another_finds(local: LearnedFile, tmp_path: Path, shipped: FtsKnowledgeBase) -> None:
    local.documents.put("shop", [LAMP])
    assert found(local, "lamp gives no light") == [LAMP.title]
    LearnedFile(tmp_path / "home" / "knowledge.db", shipped).documents.put("shop", [DOOR])
    assert found(local, "door does not open") == [DOOR.title]


def test_a_single_learned_document_scores_as_high_as_one_of_many(local: LearnedFile) -> None:
    local.documents.put("shop", [LAMP])
    (passage,) = local.search("Lamp gives no light", "shop")
    assert passage.score >= thresholds.load()["lexical"].upper


def test_hundreds_of_past_failures_of_one_kind_do_not_make_its_words_count_less(local: LearnedFile) -> None:
    refused = replace(PAST, symptoms=("ConnectionError: connection refused by the payment gateway",))
    local.failures.put("shop", [refused])
    (one,) = local.search("ConnectionError: connection refused", "shop", 1)
    local.failures.put("shop", [replace(refused, id=f"past/{number}") for number in range(300)])
    (many, *_) = local.search("ConnectionError: connection refused", "shop", 1)
    assert many.score == pytest.approx(one.score, abs=0.1)


def test_the_file_is_for_its_owner_only(local: LearnedFile, tmp_path: Path) -> None:
    local.documents.put("shop", [LAMP])
    assert (tmp_path / "home" / "knowledge.db").stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_database_is_named(tmp_path: Path, shipped: FtsKnowledgeBase) -> None:
    (tmp_path / "k.db").write_text("Not a database, however one looks at it. " * 50)
    with pytest.raises(PermanentError, match=r"Searching learned documents in '.*k\.db' failed: file is not a database"):
        LearnedFile(tmp_path / "k.db", shipped).search("lamp", "shop")


def test_indexes_are_made_with_integrated_embedding_and_only_once(
    server: PineconeServer, pinecone: Callable[..., PineconeShelves]
) -> None:
    assert pinecone().create() == ("ddn-knowledge-docs", "ddn-error-library")
    assert {made["embed"]["field_map"]["text"] for made in server.created} == {"text"}
    assert pinecone().create() == ()
    assert pinecone(prefix="team").create() == ("team-knowledge-docs", "team-error-library")


def test_passages_bring_the_rerankers_grade(server: PineconeServer, pinecone: Callable[..., PineconeShelves]) -> None:
    shelves = pinecone()
    shelves.create()
    shelves.documents.put("", [LAMP, DOOR])
    (best, other) = shelves.search("lamp gives no light", "shop")
    assert (best.graded_by, best.grade, other.grade) == ("reranker", best.score, other.score)
    assert best.score > other.score
    (sent,) = [sent for _, path, sent in server.asked if path.endswith("/__default__/search")]
    assert sent["rerank"]["model"] == "bge-reranker-v2-m3"


def test_a_missing_index_is_told_in_these_words(server: PineconeServer, pinecone: Callable[..., PineconeShelves]) -> None:
    with pytest.raises(PermanentError) as caught:
        pinecone().search("lamp", "shop")
    assert str(caught.value) == "index 'ddn-knowledge-docs' not found"


def test_an_index_that_was_deleted_and_restored_is_found_again(
    server: PineconeServer, pinecone: Callable[..., PineconeShelves]
) -> None:
    shelves = pinecone()
    shelves.create()
    assert shelves.search("lamp", "shop") == ()
    lost = server.indexes.pop("ddn-knowledge-docs")
    with pytest.raises(PermanentError, match=r"^index 'ddn-knowledge-docs' not found$"):
        shelves.search("lamp", "shop")
    server.make("ddn-knowledge-docs").namespaces = lost.namespaces
    assert shelves.search("lamp", "shop") == ()


def test_an_index_that_was_made_again_at_once_is_found_at_its_new_address(
    server: PineconeServer, pinecone: Callable[..., PineconeShelves]
) -> None:
    shelves = pinecone()
    shelves.create()
    shelves.documents.put("", [LAMP])
    server.make("ddn-knowledge-docs")
    assert shelves.search("lamp", "shop") == ()


@pytest.mark.parametrize("part", ["/search", "/indexes/"])
def test_an_answer_that_does_not_come_ends_at_the_deadline(
    server: PineconeServer, pinecone: Callable[..., PineconeShelves], part: str
) -> None:
    shelves = pinecone(seconds=SHORT)
    pinecone().create()
    server.stall(part)
    with pytest.raises(TransientError) as caught:
        shelves.search("lamp", "shop")
    assert str(caught.value) == "Searching index 'ddn-knowledge-docs' failed: timed out after 0.2 s. It is tried again."


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_has_no_time_may_be_asked_again(
    server: PineconeServer, pinecone: Callable[..., PineconeShelves], status: int
) -> None:
    shelves = pinecone()
    shelves.create()
    server.fail(status, "/search", Retry_After="0")
    with pytest.raises(TransientError, match=f"^Searching index 'ddn-knowledge-docs' failed: {status} "):
        shelves.search("lamp", "shop")
    server.mend()
    assert shelves.search("lamp", "shop") == ()


def test_a_service_that_asks_for_patience_does_not_get_more_than_the_deadline(
    server: PineconeServer, pinecone: Callable[..., PineconeShelves]
) -> None:
    pinecone().create()
    server.fail(429, "/search", Retry_After="2")
    with pytest.raises(TransientError, match=r"timed out after 0\.2 s"):
        pinecone(seconds=SHORT).search("lamp", "shop")


def test_nobody_at_the_address_may_be_asked_again() -> None:
    shelves = PineconeShelves(KEY, host="http://127.0.0.1:9")
    with pytest.raises(TransientError, match="no connection"):
        shelves.search("lamp", "shop")
    shelves.close()


def test_an_index_of_another_dimension_is_no_use_to_ask_again(
    server: PineconeServer, pinecone: Callable[..., PineconeShelves]
) -> None:
    server.make("ddn-knowledge-docs", model="", dimension=1536)
    server.make("ddn-error-library")
    with pytest.raises(PermanentError, match="400 Vector dimension 1024 does not match the dimension of the index 1536"):
        pinecone().search("lamp", "shop")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_the_operators_and_not_in_the_message(
    server: PineconeServer, pinecone: Callable[..., PineconeShelves], status: int
) -> None:
    wrong = "pcsk-" + "w" * 20
    server.fail(status, message=f"the key {wrong} is not accepted")
    with pytest.raises(SettingsError, match="PINECONE_API_KEY was refused") as caught:
        pinecone(wrong).search("lamp", "shop")
    assert wrong not in str(caught.value)


def test_an_answer_that_cannot_be_read_is_an_error_of_ours(
    server: PineconeServer, pinecone: Callable[..., PineconeShelves]
) -> None:
    shelves = pinecone()
    shelves.create()
    server.fail(200, "/search", message="neither hits nor usage")
    with pytest.raises(PermanentError, match=r"^Searching index 'ddn-knowledge-docs' failed: "):
        shelves.search("lamp", "shop")


def test_records_of_others_in_the_index_are_passed_over(server: PineconeServer, pinecone: Callable[..., PineconeShelves]) -> None:
    shelves = pinecone()
    shelves.create()
    shelves.documents.put("shop", [LAMP])
    kept = server.indexes["ddn-knowledge-docs"].namespaces[namespace("shop")]
    kept.update({"alien": {"text": "lamp gives no light", "document": "{}"}, "bare": {"text": "lamp gives no light"}})
    assert found(shelves, "lamp gives no light") == [LAMP.title]


def test_all_namespaces_are_searched_at_the_same_time(server: PineconeServer, pinecone: Callable[..., PineconeShelves]) -> None:
    shelves = pinecone()
    shelves.create()
    server.stall("/search")
    search = threading.Thread(target=lambda: shelves.search("lamp", "shop"))
    search.start()
    while len(server.paths("/search")) < 3:
        assert search.is_alive()
        search.join(0.005)
    server.mend()
    search.join()


class Libraries:
    """A library over Pinecone and a file."""

    def __init__(self, shipped: FtsKnowledgeBase, local: LearnedFile, remote: PineconeShelves, messages_only: bool = False):
        self.library = ProjectLibrary(shipped, local, RemoteShelves("pinecone", remote, messages_only))


@pytest.fixture
def library(shipped: FtsKnowledgeBase, local: LearnedFile, pinecone: Callable[..., PineconeShelves]) -> ProjectLibrary:
    remote = pinecone()
    remote.create()
    return Libraries(shipped, local, remote).library


@pytest.fixture
def impatient(
    library: ProjectLibrary, shipped: FtsKnowledgeBase, local: LearnedFile, pinecone: Callable[..., Any]
) -> ProjectLibrary:
    """The same library with another connection, for a Pinecone that does not answer."""
    return Libraries(shipped, local, pinecone(seconds=SHORT)).library


def titles(library: ProjectLibrary, text: str, project: str = "shop") -> list[str]:
    return [passage.document.title for passage in library.find(Query(text, project)).passages]


def test_a_past_failure_is_remembered_in_both_places_and_forgotten_in_both(
    library: ProjectLibrary, local: LearnedFile, server: PineconeServer
) -> None:
    library.remember(PAST)
    assert PAST.title in titles(library, "the lamp gives no light")
    assert found(local, "the lamp gives no light") == [PAST.title]
    library.forget("shop", "r7")
    library.forget("shop", "r7")
    assert PAST.title not in titles(library, "the lamp gives no light")
    assert found(local, "the lamp gives no light") == []


def test_when_pinecone_fails_the_local_index_answers_and_both_are_told(
    library: ProjectLibrary, impatient: ProjectLibrary, server: PineconeServer
) -> None:
    library.remember(PAST)
    server.stall()
    answer = impatient.find(Query("the lamp gives no light", "shop"))
    assert PAST.past in [passage.document.past for passage in answer.passages]
    (problem,) = answer.problems
    assert problem.note == "pinecone: timed out after 0.2 s, local index used"
    assert isinstance(problem.error, TransientError)


def test_the_next_search_of_the_same_analysis_does_not_wait_again(impatient: ProjectLibrary, server: PineconeServer) -> None:
    server.stall()
    first = impatient.find(Query("the lamp gives no light", "shop"))
    assert first.problems
    server.mend()  # whoever asked again would get an answer
    second = impatient.find(Query("the lamp gives no light", "shop"))
    assert first.problems == second.problems
    assert second.sent_to == ()


def test_learned_documents_that_cannot_be_read_are_a_problem_and_the_shipped_ones_are_found(
    shipped: FtsKnowledgeBase, tmp_path: Path
) -> None:
    (tmp_path / "k.db").write_text("Not a database, however one looks at it. " * 50)
    found = ProjectLibrary(shipped, LearnedFile(tmp_path / "k.db", shipped)).find(Query("No space left on device", "shop"))
    assert found.passages[0].document.id == "disk-full"
    (problem,) = found.problems
    assert problem.note.startswith("learned documents: Searching learned documents in ")


def test_a_deleted_index_is_a_problem_in_its_own_words(library: ProjectLibrary, server: PineconeServer) -> None:
    server.indexes.clear()
    (problem,) = library.find(Query("the lamp gives no light", "shop")).problems
    assert problem.note == "pinecone: index 'ddn-knowledge-docs' not found, local index used"
    assert str(problem.error) == "index 'ddn-knowledge-docs' not found"


def test_shipped_causes_are_found_whatever_pinecone_has(library: ProjectLibrary) -> None:
    assert "disk-full" in [p.document.id for p in library.find(Query("[Errno 28] No space left on device", "shop")).passages]


def test_other_projects_are_a_source_of_their_own(library: ProjectLibrary) -> None:
    library.remember(PAST)
    assert PAST.title not in titles(library, "the lamp gives no light", "bank")
    elsewhere = OtherProjects(library).find(Query("the lamp gives no light", "bank"))
    assert [passage.document.title for passage in elsewhere.passages] == [PAST.title]


@pytest.mark.parametrize(("messages_only", "reaches"), [(True, False), (False, True)])
def test_no_log_line_reaches_pinecone_where_only_messages_may(
    shipped: FtsKnowledgeBase,
    local: LearnedFile,
    pinecone: Callable[..., PineconeShelves],
    server: PineconeServer,
    messages_only: bool,
    reaches: bool,
) -> None:
    remote = pinecone()
    remote.create()
    library = Libraries(shipped, local, remote, messages_only).library
    answer = library.find(Query("dark\nlogged: fuse 12 blown", "shop", message="dark"))
    library.find_elsewhere(Query("dark\nlogged: fuse 12 blown", "shop", message="dark"))
    assert ("fuse" in str(server.asked)) is reaches
    assert answer.sent_to == (
        ("pinecone: the error message",) if messages_only else ("pinecone: the error message and error lines of the log",)
    )
