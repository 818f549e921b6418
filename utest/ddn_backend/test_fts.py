"""Searching documents by the text of a failure: what is found, how scores compare, and that no text can break it."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddn_backend.adapters.fts import MAX_QUERY_CHARACTERS, FtsKnowledgeBase, create_tables
from ddn_backend.knowledge import KnowledgeError, load
from ddn_backend.knowledge.terms import terms
from ddn_backend.ports import Document
from robot_ddn_listener.contract import ErrorType

NOISE = "12:00:01.114 INFO Opening drawer 7 of cabinet 0x7f3a in /srv/robot/results/run-4711/drawer.png"


@pytest.fixture(scope="module")
def knowledge() -> Iterator[FtsKnowledgeBase]:
    knowledge = FtsKnowledgeBase(load())
    yield knowledge
    knowledge.close()


def _document(name: str, *symptoms: str, title: str = "", cause: str = "", remedy: str = "") -> Document:
    return Document(name, title or name, ErrorType.TEST_ERROR, cause or "It is so.", remedy or "Change it.", symptoms)


def _small() -> FtsKnowledgeBase:
    return FtsKnowledgeBase(
        [
            _document("lamp", "LampBrokenError: the lamp gives no light"),
            _document("door", "The door does not open", "DOOR_STUCK"),
            _document("slow", "the answer timed out"),
            _document("server-500", "500 Server Error"),
            _document("server-404", "404 Client Error"),
            _document("killed", "exit code 137"),
            _document("absent", "exit code 127"),
        ]
    )


def _top(knowledge: FtsKnowledgeBase, query: str) -> str:
    hits = knowledge.search(query, 1)
    return hits[0].document.id if hits else ""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("the lamps gave no lights", "lamp"),
        ("lamp_broken_error", "lamp"),
        ("raised: lampBrokenError", "lamp"),
        ("DoorStuck in room 12", "door"),
        ("TimeoutError", "slow"),
        ("Url: https://shop.example/404 Expected status: 500 != 200", "server-500"),
        ("404 != 200", "server-404"),
        ("tool ended with exit status 137", "killed"),
        ("-9 != 0", "killed"),
        ("returned non-zero exit status 127", "absent"),
        ("sh: lampctl: command not found", "absent"),
    ],
)
def test_words_are_found_in_other_forms(query: str, found: str) -> None:
    assert _top(_small(), query) == found


@pytest.mark.parametrize("query", ["", "   \n\n", "zebra crossing", "0x7f3a 4711 2024-05-01T12:00:00", "\x00"])
def test_nothing_is_found_for_words_that_no_document_has(query: str) -> None:
    assert _small().search(query) == ()


def test_no_documents_find_nothing() -> None:
    assert FtsKnowledgeBase([]).search("lamp") == ()


def test_at_most_limit_documents_come_best_first(knowledge: FtsKnowledgeBase) -> None:
    hits = knowledge.search("ConnectionError: connection refused, certificate verify failed, element not found", 4)
    assert len(hits) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert knowledge.search("connection refused", 0) == ()


def test_a_whole_symptom_scores_above_half_of_it(knowledge: FtsKnowledgeBase) -> None:
    (whole,) = knowledge.search(
        "ElementClickInterceptedException: element click intercepted: Other element would receive the click", 1
    )
    (half,) = knowledge.search("element click", 1)
    assert whole.document.id == "selenium-click-intercepted"
    assert whole.score > 2 * half.score


def test_a_failure_that_no_document_knows_scores_below_a_known_one(knowledge: FtsKnowledgeBase) -> None:
    (known,) = knowledge.search("OSError: [Errno 28] No space left on device: '/srv/out.bin'", 1)
    unknown = knowledge.search("The parcel was not delivered to the customer of order 7 on the day that was agreed", 1)
    assert known.document.id == "disk-full"
    assert all(hit.score < known.score / 2 for hit in unknown)


def test_noise_in_the_log_changes_the_score_little(knowledge: FtsKnowledgeBase) -> None:
    message = "gaierror: [Errno -3] Temporary failure in name resolution"
    (plain,) = knowledge.search(message, 1)
    (noisy,) = knowledge.search("\n".join([message, *[NOISE] * 40]), 1)
    assert noisy.document.id == plain.document.id == "dns-temporary-failure"
    assert noisy.score == pytest.approx(plain.score, abs=0.15)


def test_the_error_message_counts_more_than_the_log(knowledge: FtsKnowledgeBase) -> None:
    message, filling = "NoSuchFrameException: Message: no such frame", "\n".join([NOISE] * 20)
    (above,), (below,) = knowledge.search(f"{message}\n{filling}", 1), knowledge.search(f"{filling}\n{message}", 1)
    assert above.document == below.document
    assert above.score > below.score


def test_of_an_endless_query_beginning_and_end_are_used(knowledge: FtsKnowledgeBase) -> None:
    filling = f"{NOISE}\n" * (3 * MAX_QUERY_CHARACTERS // len(NOISE))
    assert _top(knowledge, f"MissingSchema: Invalid URL: No scheme supplied\n{filling}") == "invalid-url"
    assert _top(knowledge, f"{filling}\nMissingSchema: Invalid URL: No scheme supplied") == "invalid-url"


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "lamp AND",
        "NEAR(lamp, door)",
        "title:lamp",
        "-lamp* ^door",
        "lamp\x00door",
        "'; DROP TABLE documents; --",
        "{lamp} : +",
    ],
)
def test_the_query_language_of_fts5_has_no_meaning(query: str) -> None:
    _small().search(query)


@given(st.text(max_size=400))
def test_no_text_breaks_a_search(knowledge: FtsKnowledgeBase, query: str) -> None:
    hits = knowledge.search(query)
    assert all(0.0 <= hit.score <= 1.0 for hit in hits)


@pytest.mark.parametrize("piece", ["a", "a.", "/a", "a\\", "${", "x_", "B1", "1 ", "http://", "exit with ", "é", "==", "(a"])
def test_long_runs_of_one_piece_are_searched_in_time(knowledge: FtsKnowledgeBase, piece: str) -> None:
    knowledge.search(piece * (MAX_QUERY_CHARACTERS // len(piece)))


def test_many_threads_find_the_same() -> None:
    knowledge = FtsKnowledgeBase(load())
    queries = [f"{symptom} seen{index}first" for index, symptom in enumerate(load()[0].symptoms * 20)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(knowledge.search, queries))
    assert found == [knowledge.search(query) for query in queries]


def test_a_symptom_at_the_end_of_a_long_line_is_found(knowledge: FtsKnowledgeBase) -> None:
    line = " ".join(f"drawer{index}" for index in range(300))
    assert _top(knowledge, f"{line} MissingSchema: Invalid URL: No scheme supplied") == "invalid-url"


def test_a_python_without_fts5_is_told_so() -> None:
    connection = sqlite3.connect(":memory:")
    connection.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_CREATE_VTABLE else sqlite3.SQLITE_OK
    )
    with pytest.raises(KnowledgeError, match="Expected a Python whose SQLite has FTS5"):
        create_tables(connection)
    connection.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NoSuchElementException", ("no", "such", "absent", "element", "exception", "nosuchelementexception")),
        ("HTTPServer", ("http", "server", "httpserver")),
        (
            "net::ERR_CERT_DATE_INVALID",
            ("net", "err", "cert", "certificate", "certificate", "date", "invalid", "errcertdateinvalid"),
        ),
        ("see https://example.org/a?b=1 for /usr/lib/python3/lamp.py", ("see", "lamp", "py")),
        ("Variable '${BASE URL}' and %{HOME}", ("variable", "robotvariable", "environmentvariable")),
        ("id 550e8400-e29b-41d4-a716-446655440000, at 0x7f00, 42 times", ("id", "times")),
        ("[Errno 13]", ("errno13", "denied")),
        ("HTTP/1.1 204 No Content", ("http204", "no", "content")),
        ("status code: 503", ("http503", "badgateway")),
        ("ORA-01017", ("ora01017", "badcredentials")),
        ("waited 10 seconds", ("waited", "duration")),
        ("\x1b[31mred\x1b[0m", ("red",)),
        ("A" * 41, ()),
    ],
)
def test_the_words_of_a_text(text: str, words: tuple[str, ...]) -> None:
    assert terms(text) == words
