"""The shipped documents and their reader; each document is the top hit of a test that fails on purpose."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from robot.api import ExecutionResult

from ddn_backend.adapters.fts import FtsKnowledgeBase
from ddn_backend.knowledge import KnowledgeError, load, parse
from robot_ddn_listener.contract import ErrorType

EXAMPLES = Path(__file__).parents[2] / "atest" / "testdata" / "knowledge"
LAST_LINES = 8

DOCUMENT = """---
id: lamp-broken
title: The lamp is broken
error_type: INFRA_ERROR
symptoms:
  - LampError: no light: 3 of 5
  - the lamp # stays "dark"
urls:
  - https://example.org/lamp
---

## Cause

The bulb is burnt out.

More of it.

## Remedy

Put in another bulb.

## How to tell

It is dark.
"""


@pytest.fixture(scope="module", params=["INFO", "DEBUG"])
def failures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """All tests of the failing examples, run once with Robot's usual log level and once with tracebacks in the log."""
    output = tmp_path_factory.mktemp("examples") / "output.xml"
    options = ["--output", str(output), "--log", "NONE", "--report", "NONE", "--console", "none", "--loglevel", request.param]
    run = subprocess.run([sys.executable, "-m", "robot", *options, str(EXAMPLES)], capture_output=True, text=True, timeout=60)
    assert output.exists(), run.stderr
    return list(ExecutionResult(str(output)).suite.all_tests)


@pytest.fixture(scope="module")
def knowledge() -> FtsKnowledgeBase:
    return FtsKnowledgeBase(load())


def _expected(test: Any) -> str:
    (tag,) = [tag for tag in test.tags if tag.startswith("knowledge:")]
    return str(tag.removeprefix("knowledge:"))


def _messages(body: Any) -> Iterator[str]:
    for item in body:
        if item.type == item.MESSAGE:
            yield item.message
        else:
            yield from _messages(item.body)


def _query(test: Any) -> str:
    return "\n".join([test.message, *list(_messages(test.body))[-LAST_LINES:]])


def test_every_example_fails(failures: list[Any]) -> None:
    assert [test.name for test in failures if not test.failed] == []


def test_every_example_finds_its_document_first(failures: list[Any], knowledge: FtsKnowledgeBase) -> None:
    hits = {test.name: (_expected(test), [hit.document.id for hit in knowledge.search(_query(test), 3)]) for test in failures}
    assert {name: hit for name, hit in hits.items() if hit[1][:1] != [hit[0]]} == {}


def test_every_document_is_the_top_hit_of_an_example(failures: list[Any], knowledge: FtsKnowledgeBase) -> None:
    found = {hit.document.id for test in failures for hit in knowledge.search(_query(test), 1)}
    assert {document.id for document in load()} - found == set()


def test_the_examples_do_not_repeat_the_symptoms(failures: list[Any]) -> None:
    symptoms = {symptom for document in load() for symptom in document.symptoms if len(symptom) > 60}
    assert {test.name: test.message for test in failures if test.message in symptoms} == {}


def test_documents_fit_on_a_card() -> None:
    for document in load():
        for section in (document.cause, document.remedy):
            sentence = section.split("\n\n")[0]
            assert len(sentence) <= 200, document.id
            assert "\n" not in sentence, document.id
            assert sentence.endswith("."), document.id
            assert not re.search(r"(?<!e\.g)\. [A-Z]", sentence), document.id


def test_documents_have_several_symptoms_and_different_titles() -> None:
    documents = load()
    assert min(len(document.symptoms) for document in documents) >= 2
    assert len({document.title for document in documents}) == len(documents)


def test_a_document_is_read_whole() -> None:
    document = parse("lamp-broken.md", DOCUMENT)
    assert document.id == "lamp-broken"
    assert document.title == "The lamp is broken"
    assert document.error_type is ErrorType.INFRA_ERROR
    assert document.symptoms == ("LampError: no light: 3 of 5", 'the lamp # stays "dark"')
    assert document.urls == ("https://example.org/lamp",)
    assert document.cause == "The bulb is burnt out.\n\nMore of it."
    assert document.remedy == "Put in another bulb."
    assert document.text.startswith("## Cause")
    assert document.text.endswith("It is dark.")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("---\nid", "id", "line 1: Expected '---' to open the front matter."),
        ("lamp\n---", "lamp\n", "line 1: Expected '---' to close the front matter, got the end of the file."),
        ("id: lamp-broken", "id: lamp", "line 1: Expected the id to be the file's name, got 'lamp'."),
        (
            "title:",
            "titel:",
            "line 3: Expected one of id, title, error_type, symptoms, urls, each once; got 'titel: The lamp is broken'.",
        ),
        ("title: The lamp is broken\n", "", "line 1: Expected a value for 'title', got none."),
        ("title: The lamp is broken", "title:", "line 3: Expected a value, got none."),
        ("title: The lamp is broken", "  - The lamp", "line 3: Expected a key above the list item."),
        (
            "title:",
            "id: again\ntitle:",
            "line 3: Expected one of id, title, error_type, symptoms, urls, each once; got 'id: again'.",
        ),
        ("INFRA_ERROR", "LAMP_ERROR", "line 1: Expected error_type to be one of CODE_ERROR, TEST_ERROR,"),
        ("symptoms:\n", "symptoms: dark\n", "line 5: Expected the items of 'symptoms' below it, each as '  - item'; got ' dark'."),
        ("  - LampError: no light: 3 of 5", "  - ", "line 6: Expected a value, got none."),
        ("https:", "http:", "line 1: Expected an https address, got 'http://example.org/lamp'."),
        ("## Cause\n", "Dark.\n", "line 12: Expected a section such as '## Cause' before the first text."),
        ("## Remedy\n", "## Cure\n", "line 18: Expected one of Cause, Remedy, How to tell, each once; got 'Cure'."),
        ("## How to tell", "## Cause", "line 22: Expected one of Cause, Remedy, How to tell, each once; got 'Cause'."),
        ("Put in another bulb.\n", "", "line 1: Expected text in the section '## Remedy', got none."),
    ],
)
def test_a_wrong_document_is_refused_with_its_file_and_line(old: str, new: str, problem: str) -> None:
    assert old in DOCUMENT
    with pytest.raises(KnowledgeError) as caught:
        parse("lamp-broken.md", DOCUMENT.replace(old, new, 1))
    assert str(caught.value).startswith(f"Reading knowledge document 'lamp-broken.md' failed: {problem}")


def test_a_folder_of_ones_own_is_loaded_in_the_order_of_the_ids(tmp_path: Path) -> None:
    (tmp_path / "lamp-broken.md").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "bulb-missing.md").write_text(DOCUMENT.replace("lamp-broken", "bulb-missing"), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("Not a document.", encoding="utf-8")
    assert [document.id for document in load(tmp_path)] == ["bulb-missing", "lamp-broken"]


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"failed: Expected Markdown files, got none\.$"):
        load(tmp_path)


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="nowhere"):
        load(tmp_path / "nowhere")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lamp-broken.md").write_bytes(DOCUMENT.encode("utf-16"))
    with pytest.raises(KnowledgeError, match="utf-8"):
        load(tmp_path)
