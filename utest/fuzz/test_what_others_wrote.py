"""Random input against everything that reads what others wrote. CI tries a few examples, `python bench/fuzz.py` many.

DDN_FUZZ_EXAMPLES says how many of each; what was once found is kept as an `example`.
"""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddn_backend.knowledge import KnowledgeError
from ddn_backend.knowledge.runbooks import parse
from ddn_backend.pipeline import blank_analysis
from ddn_backend.pipeline.case import Case
from ddn_backend.pipeline.condense import Budget, condense, tokens
from ddn_backend.pipeline.verify import verified
from fuzzing import TEXTS, fuzzed
from robot_ddn_listener.annotation import Annotations, Place
from robot_ddn_listener.attach import attach_to_file, cards_in_file
from robot_ddn_listener.capture import fitted
from robot_ddn_listener.contract import (
    MAX_REPORT_BYTES,
    Analysis,
    ExceptionInfo,
    FailureReport,
    Frame,
    KeywordCall,
    LogLine,
    Run,
    decode,
    encode,
)
from robot_ddn_listener.errors import ContractError, OutputError, RedactionError
from robot_ddn_listener.fingerprint import normalise
from robot_ddn_listener.redact import Redactor
from robot_ddn_listener.rules import first_verdict

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
NAMES = st.lists(TEXTS, max_size=3).map(tuple)
FRAMES = st.builds(Frame, file=TEXTS, line=st.integers(0, 10**6), function=TEXTS, code=NAMES, own=st.booleans())
EXCEPTIONS = st.recursive(
    st.builds(ExceptionInfo, type=TEXTS, message=TEXTS, frames=st.lists(FRAMES, max_size=3).map(tuple)),
    lambda inner: st.builds(ExceptionInfo, type=TEXTS, message=TEXTS, causes=st.lists(inner, max_size=2).map(tuple)),
    max_leaves=3,
)
LINES = st.builds(LogLine, text=TEXTS, level=st.sampled_from(["INFO", "FAIL", "KEYWORD", "CAUGHT", "WARN", "DEBUG"]))
REPORTS = st.builds(
    FailureReport,
    id=st.just("r"),
    project=TEXTS,
    fingerprint=st.just("f"),
    run=st.just(Run("run")),
    suite_name=TEXTS,
    test_name=TEXTS,
    error_message=TEXTS,
    keywords=st.lists(st.builds(KeywordCall, name=TEXTS, owner=TEXTS, args=NAMES), max_size=3).map(tuple),
    log=st.lists(LINES, max_size=20).map(tuple),
    exception=st.one_of(st.none(), EXCEPTIONS),
)


@fuzzed
@given(REPORTS)
def test_a_report_travels_and_comes_back_as_it_was(report: FailureReport) -> None:
    there = json.loads(json.dumps(encode(report)))
    assert encode(decode(FailureReport, there)) == there


@fuzzed
@given(JSON, st.sampled_from([FailureReport, Analysis]))
def test_what_is_no_report_is_refused_as_such(message: Any, kind: type) -> None:
    try:
        decode(kind, message)
    except ContractError:
        return
    assert isinstance(message, dict)


@fuzzed
@given(REPORTS, st.dictionaries(st.sampled_from(["PASSWORD", "token", "name"]), TEXTS, max_size=3))
def test_redaction_ends_and_does_not_find_more_the_second_time(report: FailureReport, variables: dict[str, str]) -> None:
    redactor = Redactor(variables, {"SECRET": "hun" + "ter2hunter2"})
    try:
        once = redactor.redact(report)
    except RedactionError:
        return  # fails closed: it is not sent
    assert "hunter2hunter2" not in json.dumps(encode(once))
    assert encode(redactor.redact(once))["error_message"] == encode(once)["error_message"]


@fuzzed
@given(REPORTS)
def test_every_report_has_a_first_verdict_whose_quotes_stand_in_it(report: FailureReport) -> None:
    verdict = first_verdict(report)
    assert verified(verdict, report).evidence == verdict.evidence


@fuzzed
@given(REPORTS, st.integers(0, 5))
@example(FailureReport("r", "", "f", Run("r"), "", "", "", log=(LogLine(""),) * 6), 5)  # thousands of empty lines were never cut
def test_a_report_is_never_larger_than_the_contract_allows(report: FailureReport, doublings: int) -> None:
    from dataclasses import replace

    large = replace(report, log=report.log * 4**doublings)  # all else was cut when it was captured
    assert len(json.dumps(encode(fitted(large)))) <= MAX_REPORT_BYTES


@fuzzed
@given(REPORTS, st.integers(100, 4000))
def test_what_is_condensed_fits_its_budget_and_stands_in_the_report(report: FailureReport, budget: int) -> None:
    digest = condense(Case(report, blank_analysis(report)), Budget.of(budget)).digest
    assert sum(tokens(line.text) for line in digest.lines) <= budget
    log = "\n".join(line.text for line in report.log)
    assert all(line.text in log for line in digest.lines if line.where == "log")


@fuzzed
@given(TEXTS)
def test_failures_that_differ_in_ids_and_times_are_equal_whatever_else_they_say(text: str) -> None:
    one, other = (f"{text} order {uuid4()} at 2026-0{month}-11 08:0{month}:42 done" for month in (1, 2))
    assert normalise(one) == normalise(other)


@fuzzed
@given(st.lists(TEXTS, max_size=6).map("\n".join), st.booleans())
@example("---\ntitle: [\n---\n", True)
@example("```\n```", False)  # an empty code block was an error of its own
def test_a_runbook_is_read_or_refused_with_its_name_and_line(source: str, has_front_matter: bool) -> None:
    text = f"---\n{source}\n---\nbody" if has_front_matter else source
    try:
        read = [document.id for document in parse("runbook.md", text)]
    except KnowledgeError as error:
        read = [str(error)]
    assert all(said.startswith("runbook/") or "runbook.md" in said for said in read)


@fuzzed
@given(st.binary(max_size=400), st.sampled_from(["xml", "json"]), st.integers(0, 2000))
def test_a_broken_output_file_is_refused_and_stays_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, kind: str, at: int
) -> None:
    file = tmp_path_factory.mktemp("fuzz") / f"output.{kind}"
    good = (XML if kind == "xml" else JSON_OUTPUT).encode()
    before = good[: at % len(good)] + junk + good[at % len(good) :]
    file.write_bytes(before)
    try:
        attach_to_file(file, WANTED)
    except OutputError:
        assert file.read_bytes() == before
        return
    assert junk in file.read_bytes() or file.read_bytes() == before
    cards_in_file(file)
    assert not list(Path(file.parent).glob("*.tmp"))


WANTED = Annotations({Place(test_id="s1-t1"): '<div data-ddn="r" data-ddn-stage="final">why</div>'}, {"s1-t1": "ddn:code_error"})
XML = """<?xml version="1.0" encoding="UTF-8"?>
<robot generator="Robot 7.5 (Python 3.11.7 on linux)" generated="2026-01-01T00:00:00.000000" rpa="false" schemaversion="5">
<suite id="s1" name="S"><test id="s1-t1" name="T" line="2"><kw name="Fail" owner="BuiltIn"><msg time="2026-01-01T00:00:00.000000"
level="FAIL">boom</msg><status status="FAIL" start="2026-01-01T00:00:00.000000" elapsed="0.1">boom</status></kw>
<status status="FAIL" start="2026-01-01T00:00:00.000000" elapsed="0.1">boom</status></test>
<status status="FAIL" start="2026-01-01T00:00:00.000000" elapsed="0.1"/></suite>
<statistics><total><stat pass="0" fail="1" skip="0">All Tests</stat></total><tag></tag>
<suite><stat name="S" id="s1" pass="0" fail="1" skip="0">S</stat></suite></statistics><errors></errors></robot>
"""
JSON_OUTPUT = """{"generator":"Robot 7.5 (Python 3.11.7 on linux)","generated":"2026-01-01T00:00:00.000000","rpa":false,
"suite":{"name":"S","id":"s1","tests":[{"name":"T","id":"s1-t1","lineno":2,"status":"FAIL","message":"boom","body":[{"name":"Fail",
"status":"FAIL"}]}],"status":"FAIL"},"statistics":{"total":{"pass":0,"fail":1,"skip":0,"label":"All Tests"},"suites":[],"tags":[]},
"errors":[]}
"""
