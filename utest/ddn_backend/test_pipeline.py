"""The offline pipeline: what it reads, what it answers, and that it never shows a quote that is not there."""

import json
from dataclasses import replace

import pytest

from ddn_backend.bootstrap import offline_pipeline
from ddn_backend.pipeline import PIPELINE_VERSION, Pipeline
from ddn_backend.pipeline.draft import HIGHEST_CONFIDENCE
from ddn_backend.pipeline.verify import NO_QUOTE, verified
from ddn_backend.ports import Document, Passage
from robot_ddn_listener.contract import (
    Analysis,
    ErrorType,
    Evidence,
    ExceptionInfo,
    ExecutionError,
    FailureReport,
    LogLine,
    Run,
    Stage,
    Verdict,
    decode,
    encode,
)

GIZMO = Document(
    id="gizmo",
    title="The gizmo is not amused",
    error_type=ErrorType.INFRA_ERROR,
    cause="The gizmo ran out of\nglimmer.\n\nIt does so on Mondays.",
    remedy="Refill the glimmer.\n\nThen wait.",
    symptoms=("gizmo was not amused", "glimmer level below minimum"),
    urls=("https://gizmo.example/glimmer",),
)
DNS_FAILURE = "ConnectionError: HTTPConnectionPool(host='shop.test', port=80): [Errno -2] Name or service not known"


class Shelf:
    """A knowledge base that always finds the same passages."""

    def __init__(self, *passages: Passage):
        self.passages = passages
        self.queries: list[str] = []

    def search(self, query: str, limit: int = 5) -> tuple[Passage, ...]:
        self.queries.append(query)
        return self.passages[:limit]


def report(message: str = "The gizmo was not amused.", **fields: object) -> FailureReport:
    plain = FailureReport(
        id="r1", project="shop", fingerprint="f00d", run=Run("run"), suite_name="S", test_name="T", error_message=message
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def log(*texts: str, level: str = "INFO") -> tuple[LogLine, ...]:
    return tuple(LogLine(text, level) for text in texts)


def test_an_interim_and_then_a_final_answer_are_published_and_the_final_one_returned() -> None:
    published: list[Analysis] = []
    final = Pipeline.over(Shelf()).analyze(report(), published.append)
    assert [analysis.stage for analysis in published] == [Stage.INTERIM, Stage.FINAL]
    assert {(analysis.report_id, analysis.project, analysis.fingerprint) for analysis in published} == {("r1", "shop", "f00d")}
    assert replace(final, engine=published[1].engine) == published[1]


def test_the_engine_says_which_pipeline_answered_and_how_long_each_step_took() -> None:
    engine = Pipeline.over(Shelf()).analyze(report()).engine
    assert engine.pipeline_version == PIPELINE_VERSION
    assert set(engine.step_seconds) == {"condense", "retrieve", "correct", "draft", "cite", "verify", "publish"}
    assert all(seconds >= 0 for seconds in engine.step_seconds.values())


def test_an_answer_survives_its_way_over_the_wire() -> None:
    final = Pipeline.over(Shelf(Passage(GIZMO, 0.9))).analyze(report())
    assert decode(Analysis, json.loads(json.dumps(encode(final)))) == final


def test_a_known_cause_is_the_answer_when_no_rule_has_one() -> None:
    final = Pipeline.over(Shelf(Passage(GIZMO, 0.9))).analyze(report())
    assert (final.verdict, final.error_type) == (Verdict.DIAGNOSED, ErrorType.INFRA_ERROR)
    assert final.root_cause == "The gizmo ran out of glimmer."
    assert final.recommendation == "Refill the glimmer."
    assert final.evidence == (Evidence("The gizmo was not amused.", "error message"),)
    assert [reference.url for reference in final.references] == ["https://gizmo.example/glimmer"]
    assert 0 < final.confidence <= HIGHEST_CONFIDENCE
    assert not final.missing


@pytest.mark.parametrize(
    ("score", "message"),
    [(0.3, "The gizmo was not amused."), (0.9, "Nothing of the kind.")],
    ids=["it only looks a little alike", "none of its symptoms stands in the report"],
)
def test_a_cause_that_does_not_fit_is_no_answer(score: float, message: str) -> None:
    final = Pipeline.over(Shelf(Passage(GIZMO, score))).analyze(report(message))
    assert (final.verdict, final.root_cause, final.references) == (Verdict.UNKNOWN, "", ())
    assert final.missing


def test_a_better_passage_without_a_symptom_in_the_report_does_not_hide_the_next_one() -> None:
    other = replace(GIZMO, id="other", symptoms=("entirely different words",))
    final = Pipeline.over(Shelf(Passage(other, 0.95), Passage(GIZMO, 0.7))).analyze(report())
    assert final.root_cause == "The gizmo ran out of glimmer."


def test_a_cause_whose_only_symptom_is_an_error_of_the_whole_run_is_no_answer() -> None:
    elsewhere = replace(report("Nothing of the kind."), execution_errors=(ExecutionError("The gizmo was not amused."),))
    final = Pipeline.over(Shelf(Passage(GIZMO, 0.9))).analyze(elsewhere)
    assert (final.verdict, final.root_cause) == (Verdict.UNKNOWN, "")


def test_a_known_kind_of_failure_without_a_kind_of_cause_is_described_and_not_diagnosed() -> None:
    final = Pipeline.over(Shelf(Passage(replace(GIZMO, error_type=ErrorType.UNKNOWN), 0.9))).analyze(report())
    assert (final.verdict, final.error_type, final.confidence) == (Verdict.UNKNOWN, ErrorType.UNKNOWN, 0.0)
    assert (final.root_cause, final.recommendation) == ("The gizmo ran out of glimmer.", "Refill the glimmer.")
    assert final.evidence
    assert final.missing


def test_a_document_without_an_address_is_named_all_the_same() -> None:
    final = Pipeline.over(Shelf(Passage(replace(GIZMO, urls=()), 0.9))).analyze(report())
    assert [(reference.title, reference.url) for reference in final.references] == [("The gizmo is not amused", "")]


def test_a_rule_is_believed_before_a_known_cause_which_only_lends_its_references() -> None:
    same = replace(GIZMO, id="dns", urls=("https://dns.example/",))
    final = Pipeline.over(Shelf(Passage(same, 0.9))).analyze(report(DNS_FAILURE))
    assert (final.verdict, final.error_type) == (Verdict.DIAGNOSED, ErrorType.INFRA_ERROR)
    assert final.engine.rule_id
    assert "gizmo" not in final.root_cause
    assert [reference.url for reference in final.references] == ["https://dns.example/"]


def test_a_known_cause_of_another_kind_lends_a_rule_nothing() -> None:
    final = Pipeline.over(Shelf(Passage(replace(GIZMO, error_type=ErrorType.TEST_ERROR), 0.9))).analyze(report(DNS_FAILURE))
    assert final.engine.rule_id
    assert final.references == ()


def test_what_is_searched_for_is_the_message_the_exceptions_the_execution_errors_and_error_lines() -> None:
    shelf = Shelf()
    wanted = report(
        exception=ExceptionInfo("GizmoError", "level 7", causes=(ExceptionInfo("OSError", "disk full"),)),
        execution_errors=(ExecutionError("Importing library 'Gizmo' failed"),),
        log=log("all is well", "connection refused by gizmo"),
    )
    Pipeline.over(shelf).analyze(wanted)
    query = shelf.queries[0]
    for part in ("not amused", "GizmoError: level 7", "OSError: disk full", "Importing library", "connection refused"):
        assert part in query
    assert "all is well" not in query


def test_a_report_without_any_text_is_answered_too() -> None:
    shelf = Shelf(Passage(GIZMO, 0.9))
    assert Pipeline.over(shelf).analyze(report("")).verdict is Verdict.UNKNOWN
    assert shelf.queries == []


def test_quotes_from_a_long_line_are_short_and_stand_in_it() -> None:
    line = "x" * 150 + " glimmer level below minimum and failed " + "y" * 300
    final = Pipeline.over(Shelf(Passage(GIZMO, 0.9))).analyze(report("It stopped.", log=log(line)))
    (evidence,) = final.evidence
    assert evidence.where == "log"
    assert len(evidence.quote) <= 200
    assert "glimmer level below minimum" in evidence.quote
    assert evidence.quote in line


def test_a_quote_that_does_not_stand_in_the_report_is_dropped() -> None:
    analysis = Analysis("r1", verdict=Verdict.DIAGNOSED, evidence=(Evidence("not  amused", "log"), Evidence("very amused", "log")))
    assert verified(analysis, report()).evidence == (Evidence("not amused", "error message"),)


def test_white_space_does_not_matter_for_a_quote() -> None:
    analysis = Analysis("r1", verdict=Verdict.DIAGNOSED, evidence=(Evidence("first second", "log"),))
    assert verified(analysis, report(log=log("the first", "\tsecond one"))).evidence == (Evidence("first second", "log"),)


def test_at_most_three_quotes_of_at_most_200_characters_are_shown() -> None:
    texts = ["a" * 300, "bb", "cc", "dd", "bb"]
    analysis = Analysis("r1", verdict=Verdict.DIAGNOSED, evidence=tuple(Evidence(text, "log") for text in texts))
    quotes = [evidence.quote for evidence in verified(analysis, report(log=log(*texts))).evidence]
    assert quotes == ["a" * 200, "bb", "cc"]


def test_a_diagnosis_without_a_quote_left_is_taken_back() -> None:
    analysis = Analysis(
        "r1", verdict=Verdict.DIAGNOSED, root_cause="Magic.", recommendation="Pray.", confidence=0.9, evidence=(Evidence("magic"),)
    )
    taken_back = verified(analysis, report())
    assert (taken_back.verdict, taken_back.root_cause, taken_back.recommendation, taken_back.confidence) == (
        Verdict.UNKNOWN,
        "",
        "",
        0.0,
    )
    assert taken_back.missing == (NO_QUOTE,)


def test_the_pipeline_that_ships_knows_a_common_failure() -> None:
    final = offline_pipeline().analyze(report(DNS_FAILURE))
    assert (final.verdict, final.error_type) == (Verdict.DIAGNOSED, ErrorType.INFRA_ERROR)
    assert all(evidence.quote in DNS_FAILURE for evidence in final.evidence)
