"""`ddn eval`: labelled failures are read, replayed through the product's own capture, answered and measured."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import robot
from click.testing import CliRunner

from ddn_backend import fitted
from ddn_backend.adapters.fts import FtsKnowledgeBase
from ddn_backend.bootstrap import evaluated_pipeline, offline_pipeline, reranked_library
from ddn_backend.cli.evaluate import evaluate_command
from ddn_backend.cli.main import main
from ddn_backend.evaluation.answers import Answer, answers_to
from ddn_backend.evaluation.fit import fitted_calibration, fitted_thresholds, graded
from ddn_backend.evaluation.labelled import Labelled, LabelledError, read_labelled
from ddn_backend.evaluation.measures import measure, overlap, percentile, wilson
from ddn_backend.evaluation.replay import report_of
from ddn_backend.knowledge import load
from ddn_backend.pipeline import Parts, thresholds
from ddn_backend.pipeline.calibrate import MIN_ANSWERS
from ddn_backend.pipeline.retrieve import Shipped
from ddn_backend.ports import Found, Query, Source
from robot_ddn_listener.contract import Analysis, ErrorType, Evidence, FailureReport, Run, Verdict
from servers import gemini
from servers.gemini import MODEL, GeminiServer

OWN = Path(__file__).parents[2] / "backend" / "eval" / "labelled.jsonl"
CODE, TEST, INFRA, CONFIG = ErrorType.CODE_ERROR, ErrorType.TEST_ERROR, ErrorType.INFRA_ERROR, ErrorType.CONFIG_ERROR
REFUSED = "ConnectionError: [Errno 111] Connection refused"


def write(path: Path, *records: object) -> Path:
    path.write_text("".join(f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records), "utf-8")
    return path


def answer(
    label: ErrorType,
    shown: ErrorType | None,
    confidence: float = 0.5,
    *,
    also: ErrorType | None = None,
    evidence: str = "",
    quotes: tuple[str, ...] = (),
    message: str = "",
    seconds: float = 0.0,
) -> Answer:
    record = Labelled("x", label, alternative=also, evidence=evidence, error_message=message)
    report = FailureReport("x", "p", "f", Run("r"), "S", "T", message)
    verdict = Verdict.DIAGNOSED if shown else Verdict.UNKNOWN
    shown_quotes = tuple(Evidence(quote) for quote in quotes)
    analysis = Analysis("x", verdict=verdict, error_type=shown or ErrorType.UNKNOWN, confidence=confidence, evidence=shown_quotes)
    return Answer(record, report, analysis, seconds)


# Reading.


def test_a_record_is_read_with_the_path_of_its_output_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "o.xml").write_text("<robot/>")
    fields = {"id": "a", "error_type": "INFRA_ERROR", "alt_error_type": "CONFIG_ERROR", "inferable": "yes", "evidence": "refused"}
    (record,) = read_labelled(write(tmp_path / "f.jsonl", {**fields, "output_xml": "o.xml", "error_message": "m"})).records
    assert (record.id, record.error_type, record.alternative, record.inferable) == ("a", INFRA, CONFIG, "yes")
    assert (record.output, record.evidence) == (tmp_path / "o.xml", "refused")


def test_what_is_missing_is_empty(tmp_path: Path) -> None:
    (record,) = read_labelled(
        write(tmp_path / "f.jsonl", {"error_type": "TEST_ERROR", "error_message": "m", "log_excerpt": None})
    ).records
    assert record == Labelled("line 1", TEST, error_message="m")


def test_lines_that_cannot_be_used_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    good = {"error_type": "TEST_ERROR", "error_message": "m\u2028n"}
    bad: list[object] = [
        "{broken",
        "[]",
        "",
        {"error_message": "m"},
        {"error_type": "ODD", "error_message": "m"},
        {"error_type": "TEST_ERROR"},
    ]
    path = write(tmp_path / "f.jsonl", *bad, json.dumps({**good, "output_xml": "gone.xml"}, ensure_ascii=False))
    found = read_labelled(path)
    assert [record.error_message for record in found.records] == ["m\u2028n"]
    assert [note.partition(":")[0] for note in found.skipped] == ["line 1", "line 2", "line 4", "line 5", "line 6", "line 7"]
    assert "output_xml 'gone.xml' is not there" in found.skipped[-1]


@pytest.mark.parametrize("content", ["", "{broken\n", None], ids=["empty", "without a usable line", "not there"])
def test_a_file_without_any_record_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "f.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(LabelledError, match=r"^Reading labelled failures '.*f.jsonl' failed: .* Nothing was evaluated\.$"):
        read_labelled(path)


# From a record to a report.


@pytest.fixture
def output(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that runs a suite's text and returns its output.xml."""

    def run(text: str) -> Path:
        (tmp_path / "s.robot").write_text(text)
        path = tmp_path / "output.xml"
        robot.run(str(tmp_path / "s.robot"), output=str(path), log=None, report=None, console="none")
        return path

    return run


def test_a_record_with_an_output_takes_the_way_of_the_product(output: Callable[[str], Path]) -> None:
    suite = "*** Settings ***\nLibrary    gone.py\n*** Test Cases ***\nOther\n    Fail    other\nMine\n    My Words"
    record = Labelled("a", TEST, test_name="Mine", error_message="ignored", output=output(suite))
    report, note = report_of(record)
    assert not note
    assert report.error_message == "No keyword with name 'My Words' found."
    assert [call.name for call in report.keywords] == ["My Words"]
    assert "gone.py" in report.execution_errors[0].text
    assert report.fingerprint
    assert report.error_type is not ErrorType.UNKNOWN


def test_a_test_that_failed_with_its_suite_is_the_suites_failure(output: Callable[[str], Path]) -> None:
    suite = "*** Settings ***\nSuite Setup    Fail    no database\n*** Test Cases ***\nMine\n    Log    x"
    report, _ = report_of(Labelled("a", INFRA, test_name="Mine", output=output(suite)))
    assert (report.error_message, report.test_name) == ("no database", "suite setup")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("<robot", "cannot be read"), ("*** Test Cases ***\nT\n    Log    x", "no test failed")],
    ids=["broken", "passed"],
)
def test_an_output_that_cannot_be_used_leaves_the_text_and_says_so(
    text: str, problem: str, tmp_path: Path, output: Callable[[str], Path]
) -> None:
    path = output(text) if text.startswith("***") else write(tmp_path / "o.xml", text)
    report, note = report_of(Labelled("a", TEST, error_message="m", output=path))
    assert report.error_message == "m"
    assert problem in note


def test_a_flattened_log_becomes_log_lines_execution_errors_and_the_failing_path() -> None:
    excerpt = """EXECUTION ERRORS
[ ERROR ] Importing library 'x' failed:
No module named 'x'
[ WARN ] careful

TEST LOG
[PASS] Shop.Open    https://shop.example
  20230709 07:14:03.691 INFO: opened
and ready
[FAIL] Buy Tea    two
  [FAIL] Shop.Pay    7.00
    2023-07-09 07:14:04.000 FAIL: refused
"""
    report, _ = report_of(Labelled("a", TEST, error_message="refused", log_excerpt=excerpt))
    assert [(line.level, line.text.strip()) for line in report.log] == [
        ("KEYWORD", "Shop.Open    https://shop.example"),
        ("INFO", "opened\nand ready"),
        ("KEYWORD", "Buy Tea    two"),
        ("KEYWORD", "Shop.Pay    7.00"),
        ("FAIL", "refused"),
    ]
    assert [error.text for error in report.execution_errors] == ["Importing library 'x' failed:\nNo module named 'x'", "careful"]
    assert [(call.full_name, call.args) for call in report.keywords] == [("Buy Tea", ("two",)), ("Shop.Pay", ("7.00",))]


# Measuring.


def test_the_label_and_the_alternative_are_right_and_an_abstention_is_not() -> None:
    found = measure([answer(TEST, TEST), answer(INFRA, CONFIG, also=CONFIG), answer(CODE, TEST), answer(CODE, None)])
    assert (found.accuracy.hits, found.coverage.hits, found.shown_and_wrong.hits, found.n) == (2, 3, 1, 4)


def test_the_type_of_a_verdict_that_is_no_diagnosis_is_not_shown() -> None:
    one = answer(TEST, TEST)
    unknown = replace(one, analysis=replace(one.analysis, verdict=Verdict.UNKNOWN))
    assert measure([unknown]).coverage.hits == 0


def test_f1_is_the_mean_over_the_labels_and_counts_the_alternative_as_the_label() -> None:
    found = measure([answer(TEST, TEST), answer(TEST, CODE), answer(CODE, CODE), answer(INFRA, CONFIG, also=CONFIG)])
    assert found.per_type[TEST].f1 == pytest.approx(2 / 3)
    assert (found.per_type[CODE].precision.hits, found.per_type[CODE].precision.n) == (1, 2)
    assert (found.per_type[CONFIG].n, found.per_type[CONFIG].f1) == (0, 1.0)
    assert found.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 0.0 + 1.0) / 4)  # of INFRA_ERROR nothing was found


def test_the_brier_score_is_that_of_the_answers_shown() -> None:
    found = measure([answer(TEST, TEST, 0.9), answer(TEST, CODE, 0.6), answer(TEST, None, 0.0)])
    assert found.brier == pytest.approx((0.01 + 0.36) / 2)


def test_answers_are_counted_in_bands_of_their_confidence() -> None:
    found = measure([answer(TEST, TEST, value) for value in (1.0, 0.85, 0.84, 0.65, 0.4, 0.39)])
    assert [(band.low, band.right.n) for band in found.bands] == [(0.85, 2), (0.65, 2), (0.4, 1), (0.0, 1)]


def test_a_quote_hits_with_most_of_the_evidence_in_one_piece() -> None:
    assert overlap("0123456789", "xx 012345 yy") == 0.6
    assert overlap("0123456789", "01234 56789") == 0.5
    assert overlap("two  words", "these two\nwords") == 1.0
    assert overlap("", "anything") == 0.0


def test_only_what_is_shown_of_quotes_counts_and_only_where_evidence_is_labelled() -> None:
    late = "x" * 200 + "the cause"
    found = measure(
        [
            answer(TEST, TEST, evidence="the cause", quotes=("a", "b", "the cause")),
            answer(TEST, TEST, evidence="the cause", quotes=("a", "b", "c", "the cause")),
            answer(TEST, TEST, evidence="the cause", quotes=(late,), message="the cause"),
            answer(TEST, TEST, quotes=("anything",)),
        ]
    )
    assert (found.evidence_hit.hits, found.evidence_hit.n) == (1, 3)
    assert (found.evidence_echo.hits, found.evidence_echo.n) == (1, 3)


def test_intervals_are_those_of_wilson() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile([1, 2, 3, 4], share) for share in (0.5, 0.95)] == [2, 4]
    assert percentile([], 0.5) == 0.0


# The command, and the project's own failures.


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own, in which no service is named."""
    for name in [name for name in os.environ if name.startswith("DDN_") and name != "DDN_CORPUS"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DDN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def command() -> Any:
    return evaluate_command(evaluated_pipeline, reranked_library)


def run(*arguments: object) -> Any:
    done = CliRunner().invoke(command(), [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def test_json_has_every_measure_for_all_and_for_those_that_can_be_told(tmp_path: Path) -> None:
    yes = {"id": "a", "error_type": "INFRA_ERROR", "error_message": REFUSED, "evidence": "refused", "inferable": "yes"}
    no = {"id": "b", "error_type": "CODE_ERROR", "error_message": "1 != 2", "inferable": "no"}
    found = json.loads(run(write(tmp_path / "f.jsonl", yes, no, "{broken"), "--json").stdout)
    shares = {"accuracy", "coverage", "shown_and_wrong", "evidence_hit", "evidence_echo"}
    others = {"n", "macro_f1", "brier", "bands", "seconds_p50", "seconds_p95", "per_type"}
    assert shares | others <= set(found) & set(found["inferable"])
    assert set(found["intervals"]) == shares
    assert (found["n"], found["accuracy"], found["coverage"], found["model"]) == (2, 0.5, 0.5, "none")
    assert (found["inferable"]["n"], found["inferable"]["accuracy"]) == (1, 1.0)
    assert found["intervals"]["accuracy"] == [0.0945, 0.9055]
    assert set(found["per_type"]["INFRA_ERROR"]) >= {"precision", "recall", "n"}
    assert [(one["id"], one["shown"], one["right"]) for one in found["answers"]] == [
        ("a", "INFRA_ERROR", True),
        ("b", "UNKNOWN", False),
    ]
    assert len(found["skipped"]) == 1


def test_people_get_a_table_of_78_columns_with_what_was_wrong(tmp_path: Path) -> None:
    record = {"id": "a", "error_type": "CODE_ERROR", "error_message": REFUSED}
    text = run(write(tmp_path / "f.jsonl", record, "{broken")).stdout
    assert "a: INFRA_ERROR (connection-refused, 0.88), is CODE_ERROR" in text
    assert "Not used: line 2" in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("Not used")) <= 78


class Script:
    """A model that grades everything alike and concludes with the message as its evidence."""

    def __init__(self, confidence: float = 0.9, error_type: str = "INFRA_ERROR") -> None:
        self.confidence, self.error_type = confidence, error_type

    def __call__(self, request: dict[str, Any]) -> gemini.Answer:
        if gemini.is_grading(request):
            return gemini.grades(*[0.8] * gemini.prompt(request).count("## passage "))
        quote = {"quote": "refused", "where": "error message"}
        return gemini.conclude(evidence=[quote], confidence=self.confidence, error_type=self.error_type)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    with GeminiServer(Script()) as server:
        monkeypatch.setenv("GEMINI_API_KEY", "stand-in")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        yield server


def refusals(path: Path, count: int) -> Path:
    message = f"{REFUSED} by the till"
    return write(path, *({"id": f"r{n}", "error_type": "INFRA_ERROR", "error_message": f"{message} {n}"} for n in range(count)))


def test_the_model_that_is_named_answers_through_the_whole_pipeline_and_what_it_took_is_told(
    tmp_path: Path, model: GeminiServer
) -> None:
    path = refusals(tmp_path / "f.jsonl", 2)
    found = json.loads(run(path, "--json", "--model", f"google:{MODEL}").stdout)
    assert (found["accuracy"], found["model"]) == (1.0, f"google:{MODEL}")
    assert found["taken"] == {"calls": 2, "tokens_in": 2000, "tokens_out": 100, "cost_usd": 0.0, "degraded": 0}
    assert {(one["model"], one["calls"], one["tokens_in"], one["confidence"]) for one in found["answers"]} == {
        (gemini.ANSWERED_BY, 1, 1000, 0.9)
    }
    assert len(model.requests) == 2
    assert "Model: 2 calls, 2,000 + 100 tokens, $0.0000; 0 answers degraded" in run(path, "--model", f"google:{MODEL}").stdout


def test_no_limit_of_groups_ends_an_evaluation(tmp_path: Path, model: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDN_MODEL_GROUPS", "1")
    found = json.loads(run(refusals(tmp_path / "f.jsonl", 3), "--json", "--model", f"google:{MODEL}").stdout)
    assert found["taken"]["calls"] == 3


def test_a_model_that_fails_leaves_the_drafts_and_is_counted(tmp_path: Path, model: GeminiServer) -> None:
    model.script = [gemini.error(500)]
    found = json.loads(run(refusals(tmp_path / "f.jsonl", 2), "--json", "--model", f"google:{MODEL}").stdout)
    assert (found["accuracy"], found["taken"]["degraded"]) == (1.0, 2)
    assert "Asking model" in found["answers"][0]["degraded"][0]


@pytest.mark.parametrize("arguments", [["--model", "google"], ["--model", "acme:x"], ["--grades"], ["--fit-calibration"]])
def test_a_model_that_cannot_be_asked_is_one_clear_line(arguments: list[str], tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as end:
        main(["eval", str(refusals(tmp_path / "f.jsonl", 1)), *arguments])
    said = capsys.readouterr().err.strip().splitlines()
    assert (end.value.code, "failed: " in said[-1]) == (2, True)


def test_what_confidence_is_worth_is_fitted_for_the_model_that_answered_and_then_used(
    tmp_path: Path, home: Path, model: GeminiServer
) -> None:
    path, named = refusals(tmp_path / "f.jsonl", MIN_ANSWERS), ("--model", f"google:{MODEL}")
    model.script = Script(0.7)
    done = run(path, "--fit-calibration", *named, "--json")
    assert f"Confidence of {gemini.ANSWERED_BY} fitted on {MIN_ANSWERS} answers: " in done.stderr
    kept = fitted.calibration_in(home)[gemini.ANSWERED_BY]
    assert (kept.n, len(kept.fitted)) == (MIN_ANSWERS, 10)
    assert "f.jsonl" in kept.basis
    assert {one["confidence"] for one in json.loads(done.stdout)["answers"]} == {0.7}
    again = json.loads(run(refusals(tmp_path / "g.jsonl", 1), *named, "--json").stdout)
    assert again["answers"][0]["confidence"] == round(kept.probability(0.7), 2) > 0.9


def test_too_few_answers_are_kept_and_not_used(tmp_path: Path, home: Path, model: GeminiServer) -> None:
    path = refusals(tmp_path / "f.jsonl", 2)
    assert "it is used from 50 on" in run(path, "--fit-calibration", "--model", f"google:{MODEL}").stderr
    assert fitted.calibration_in(home)[gemini.ANSWERED_BY].n == 2
    found = json.loads(run(path, "--json", "--model", f"google:{MODEL}").stdout)
    assert {one["confidence"] for one in found["answers"]} == {0.9}


def test_a_calibration_is_not_fitted_where_no_model_concluded() -> None:
    with pytest.raises(LabelledError, match="It stays as it is"):
        fitted_calibration([answer(TEST, TEST)], "f.jsonl", date(2026, 1, 1))


def test_fitted_thresholds_are_written_where_the_pipeline_reads_them(home: Path) -> None:
    run(OWN, "--fit", "--json")
    kept = thresholds.load((home / fitted.THRESHOLDS).read_text())
    assert set(kept) == {"lexical", "lexical-short"}
    assert kept["lexical"].n == len(read_labelled(OWN).records)
    assert "labelled.jsonl" in kept["lexical"].basis
    assert 0 < kept["lexical"].lower <= kept["lexical"].upper < 1
    assert fitted.thresholds_in(home)["lexical"] == kept["lexical"]
    assert evaluated_pipeline("none", False, True, home).parts.thresholds["lexical"] == kept["lexical"]


def test_fitted_thresholds_can_be_written_elsewhere(tmp_path: Path, home: Path) -> None:
    run(OWN, "--fit", "--to", tmp_path / "t.json", "--json")
    assert "lexical" in thresholds.load((tmp_path / "t.json").read_text())
    assert not home.exists()


def test_a_model_that_grades_is_fitted_under_its_name(tmp_path: Path, home: Path, model: GeminiServer) -> None:
    run(refusals(tmp_path / "f.jsonl", 3), "--fit", "--grades", "--model", f"google:{MODEL}")
    kept = fitted.thresholds_in(home)[f"model google:{MODEL}"]
    assert (kept.n, kept.upper) == (3, 0.8)


class Reranked:
    """A source whose passages bring grades of a reranker."""

    name = "pinecone"

    def __init__(self, source: Source) -> None:
        self.source = source

    def find(self, query: Query, limit: int = 5) -> Found:
        found = self.source.find(query, limit).passages
        return Found(tuple(replace(passage, grade=0.42, graded_by="reranker") for passage in found))


def parts() -> Parts:
    return Parts(Shipped(FtsKnowledgeBase(load())), thresholds.load())


def test_the_reranker_is_fitted_on_its_own_grades() -> None:
    own = parts()
    found = fitted_thresholds(read_labelled(OWN), own, Reranked(own.library), date(2026, 1, 1))
    assert set(found) == {"lexical", "lexical-short", "reranker"}
    assert (found["reranker"].upper, found["reranker"].n) == (0.42, len(read_labelled(OWN).records))


def test_thresholds_are_not_fitted_where_nothing_right_is_found(tmp_path: Path) -> None:
    labelled = read_labelled(write(tmp_path / "f.jsonl", {"error_type": "CODE_ERROR", "error_message": "zzz"}))
    with pytest.raises(LabelledError, match="They stay as they are"):
        fitted_thresholds(labelled, parts(), None, date(2026, 1, 1))


def test_a_passage_is_right_when_it_names_the_failures_type() -> None:
    record = Labelled("a", INFRA, error_message=REFUSED)
    (found,) = graded([record], parts().library)
    (other,) = graded([replace(record, error_type=CODE)], parts().library)
    assert (found.right[0], other.right[0]) == (True, False)
    assert found.grades == other.grades


def test_the_projects_own_failures_are_whole() -> None:
    found = read_labelled(OWN)
    assert found.skipped == ()
    assert len(found.records) >= 40
    assert {record.error_type for record in found.records} == set(ErrorType) - {ErrorType.UNKNOWN}
    for record in found.records:
        report, note = report_of(record)
        assert not note
        assert report.error_message == record.error_message
        texts = [report.error_message, *(error.text for error in report.execution_errors), *(line.text for line in report.log)]
        assert any(record.evidence in text for text in texts), record.id


def test_the_projects_own_failures_are_hardly_ever_answered_wrongly() -> None:
    found = measure(list(answers_to(read_labelled(OWN).records, offline_pipeline().analyze)))
    assert found.shown_and_wrong.value <= 0.05
    assert found.coverage.value >= 0.90


@pytest.mark.skipif("DDN_CORPUS" not in os.environ, reason="DDN_CORPUS does not name a file of labelled failures")
def test_real_failures_are_answered_as_well_as_is_claimed() -> None:
    answers = list(answers_to(read_labelled(Path(os.environ["DDN_CORPUS"])).records, offline_pipeline().analyze))
    found = measure([one for one in answers if one.record.inferable == "yes"])
    assert found.shown_and_wrong.value <= 0.10
    assert found.brier <= 0.12
    assert found.coverage.value >= 0.90
    assert found.macro_f1 >= 0.85
    assert found.evidence_hit.value >= found.evidence_echo.value + 0.10
