"""Corrective RAG: how passages are graded, what is done about them, what reaches the answer, and how thresholds are fitted."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ddn_backend.adapters.fts import FtsKnowledgeBase
from ddn_backend.adapters.learned_file import LearnedFile
from ddn_backend.knowledge import load
from ddn_backend.knowledge.library import OtherProjects, ProjectLibrary
from ddn_backend.knowledge.past_failures import past_failure
from ddn_backend.pipeline import thresholds
from ddn_backend.pipeline.case import Case
from ddn_backend.pipeline.cite import cite
from ddn_backend.pipeline.condense import condense
from ddn_backend.pipeline.correct import correct, decide, refined
from ddn_backend.pipeline.draft import draft
from ddn_backend.pipeline.grade import grade
from ddn_backend.pipeline.lookup import look_up
from ddn_backend.pipeline.retrieve import retrieve
from ddn_backend.pipeline.thresholds import Labelled, Thresholds, fit
from ddn_backend.ports import Document, Found, Grades, Passage, Problem, Query, Source, Standing
from robot_ddn_listener.contract import (
    Analysis,
    ErrorType,
    Evidence,
    ExceptionInfo,
    FailureReport,
    KeywordCall,
    LogLine,
    Run,
    Similar,
    Stage,
    Verdict,
)

BY_EVALUATOR = {"lexical": Thresholds(0.6, 0.3), "reranker": Thresholds(0.5, 0.1), "judge": Thresholds(0.7, 0.3)}

GIZMO = Document(
    id="gizmo",
    title="The gizmo is not amused",
    error_type=ErrorType.INFRA_ERROR,
    cause="The gizmo ran out of glimmer.\n\nIt does so on Mondays.",
    remedy="Refill the glimmer.\n\n- Glimmer tank below minimum: open the valve.\n- Paint the garden fence in a bright colour.",
    text="## How to tell\n\nThe glimmer gauge says below minimum.",
    symptoms=("gizmo was not amused",),
)
OTHER = replace(GIZMO, id="other", title="Something else", cause="Else.", remedy="Do else.", text="")


class Shelf:
    """A source that has a list of answers, used up in order; the last one stays."""

    def __init__(self, *answers: Sequence[Passage], name: str = "shelf", problem: Problem | None = None):
        self.name = name
        self.answers = list(answers) or [()]
        self.queries: list[Query] = []
        self.problems = (problem,) if problem else ()

    def find(self, query: Query, limit: int = 5) -> Found:
        self.queries.append(query)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Found(tuple(answer)[:limit], self.problems, (f"{self.name}: the message",) if self.problems else ())


class Judge:
    """An evaluator that always gives the same grades."""

    name = "judge"

    def __init__(self, *values: float, problem: Problem | None = None):
        self.answer = Grades(values, (problem,) if problem else (), ("judge: the message",))

    def grade(self, query: Query, passages: Sequence[Passage]) -> Grades:
        return self.answer


def report(message: str = "The gizmo was not amused: glimmer below minimum.", **fields: object) -> FailureReport:
    plain = FailureReport(
        id="r1", project="shop", fingerprint="f00d", run=Run("run"), suite_name="S", test_name="T", error_message=message
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def run(library: Source, wanted: FailureReport | None = None, sources: Sequence[Source] = (), grader: Judge | None = None) -> Case:
    wanted = wanted or report()
    case = retrieve(condense(Case(wanted, Analysis(wanted.id))), library)
    return correct(case, library, BY_EVALUATOR, sources, grader)


def ids(passages: Sequence[Passage]) -> list[str]:
    return [passage.document.id for passage in passages]


def test_correct_keeps_what_may_be_relevant_and_asks_nobody_else() -> None:
    shelf = Shelf([Passage(GIZMO, 0.8), Passage(OTHER, 0.4), Passage(replace(OTHER, id="third"), 0.1)])
    elsewhere = Shelf(name="elsewhere")
    case = run(shelf, sources=[elsewhere])
    assert case.action == "correct"
    assert [(p.document.id, p.standing) for p in case.passages] == [("gizmo", Standing.RELEVANT), ("other", Standing.UNSURE)]
    assert (len(shelf.queries), elsewhere.queries) == (1, [])


def test_correct_puts_the_document_together_again_from_the_strips_that_are_about_this_failure() -> None:
    (passage,) = run(Shelf([Passage(GIZMO, 0.8)])).passages
    lines = passage.text.splitlines()
    assert lines[:2] == ["The gizmo ran out of glimmer.", "Refill the glimmer."]
    assert "- Glimmer tank below minimum: open the valve." in lines
    assert "The glimmer gauge says below minimum." in lines
    assert "Paint" not in passage.text
    assert "Mondays" not in passage.text


def test_incorrect_discards_rewrites_and_widens_until_a_source_has_something_relevant() -> None:
    shelf = Shelf([Passage(OTHER, 0.2)], [Passage(OTHER, 0.1)])
    first = Shelf([Passage(replace(OTHER, id="bad"), 0.2)], name="first")
    second, third = Shelf([Passage(GIZMO, 0.7)], name="second"), Shelf(name="third")
    case = run(shelf, report("It went 'wrong 7'.", log=(LogLine("first error", "ERROR"),)), [first, second, third])
    assert case.action == "incorrect"
    assert ids(case.passages) == ["gizmo"]
    assert [a_round.source for a_round in case.rounds] == ["shelf", "shelf", "first", "second"]
    assert third.queries == []
    assert first.queries == second.queries == shelf.queries[1:]


def test_incorrect_leaves_nothing_when_no_source_has_anything() -> None:
    case = run(Shelf([Passage(OTHER, 0.2)]), sources=[Shelf()])
    assert (case.action, case.passages) == ("incorrect", ())
    assert [ids(a_round.passages) for a_round in case.rounds] == [["other"], ["other"], []]


def test_finding_nothing_is_incorrect_too() -> None:
    assert run(Shelf([], [Passage(GIZMO, 0.9)])).action == "incorrect"


def test_ambiguous_does_both() -> None:
    case = run(Shelf([Passage(OTHER, 0.5)], [Passage(GIZMO, 0.7)]))
    assert case.action == "ambiguous"
    assert ids(case.passages) == ["gizmo", "other"]
    assert all(passage.text for passage in case.passages)


def test_a_document_that_two_searches_found_is_there_once_with_its_best_grade() -> None:
    case = run(Shelf([Passage(GIZMO, 0.4)], [Passage(GIZMO, 0.9)]))
    assert [(p.document.id, p.grade) for p in case.passages] == [("gizmo", 0.9)]


def test_the_query_is_written_anew_from_another_side_of_the_failure() -> None:
    shelf = Shelf()
    wanted = report(
        "Setup of 'shop 7' failed",
        exception=ExceptionInfo("SetupError", "level 7", causes=(ExceptionInfo("DiskFullError", "no room"),)),
        log=tuple(LogLine(f"{word} error", "ERROR") for word in ["one", "two", *"abcdefgh"]),
        keywords=(KeywordCall("Prepare", "Stage"), KeywordCall("Set Up Shop", "ShopLibrary")),
    )
    run(shelf, wanted)
    before, after = shelf.queries
    assert "one error" not in before.text
    lines = after.text.splitlines()
    assert lines[0].startswith("DiskFullError")
    assert {"one error", "ShopLibrary.Set Up Shop"} <= set(lines)
    assert "shop 7" not in after.text
    assert (before.project, after.project, before.message) == ("shop", "shop", "Setup of 'shop 7' failed")


def test_a_report_without_any_text_has_no_action() -> None:
    case = run(Shelf([Passage(GIZMO, 0.9)]), report(""))
    assert (case.action, case.rounds) == ("", ())


@pytest.mark.parametrize(
    ("standings", "action"),
    [
        ([Standing.UNSURE, Standing.RELEVANT, Standing.IRRELEVANT], "correct"),
        ([Standing.IRRELEVANT, Standing.UNSURE], "ambiguous"),
        ([Standing.IRRELEVANT], "incorrect"),
        ([], "incorrect"),
    ],
)
def test_one_relevant_passage_is_enough_and_one_unsure_makes_it_ambiguous(standings: list[Standing], action: str) -> None:
    assert decide([Passage(GIZMO, 0.5, standing=standing) for standing in standings]) == action


def test_grades_of_two_evaluators_are_compared_by_what_they_mean() -> None:
    lexical, reranked = Passage(GIZMO, 0.55), Passage(OTHER, 0.52, grade=0.52, graded_by="reranker")
    graded = grade(Query("q"), [lexical, reranked], BY_EVALUATOR).passages
    assert [(p.document.id, p.graded_by, p.standing) for p in graded] == [
        ("other", "reranker", Standing.RELEVANT),
        ("gizmo", "lexical", Standing.UNSURE),
    ]


def test_an_evaluator_that_reads_both_decides_where_there_is_one() -> None:
    case = run(Shelf([Passage(GIZMO, 0.1), Passage(OTHER, 0.9)]), grader=Judge(0.95, 0.05))
    assert [(p.document.id, p.grade, p.graded_by) for p in case.passages] == [("gizmo", 0.95, "judge")]
    assert case.sent_to == ("judge: the message",)


@pytest.mark.parametrize("values", [(), (0.9,)], ids=["no grades", "too few grades"])
def test_where_that_evaluator_fails_the_grades_of_the_search_stand_and_it_is_told(values: tuple[float, ...]) -> None:
    problem = Problem("judge: timed out", TimeoutError())
    case = run(Shelf([Passage(GIZMO, 0.8), Passage(OTHER, 0.1)]), grader=Judge(*values, problem=problem))
    assert [(p.document.id, p.graded_by) for p in case.passages] == [("gizmo", "lexical")]
    assert case.problems == (problem,)


def test_an_evaluator_without_thresholds_is_never_sure() -> None:
    (passage,) = grade(Query("q"), [Passage(GIZMO, 1.0, grade=1.0, graded_by="nobody")], BY_EVALUATOR).passages
    assert passage.standing is Standing.UNSURE


def test_action_grades_past_failures_and_problems_reach_the_answer_whoever_gives_it() -> None:
    past = Similar("r0", "2026-01-01", "The gizmo ran out of glimmer.", "ada", "ABC-1")
    problem = Problem("pinecone: timed out after 3 s, local index used", TimeoutError())
    case = run(Shelf([Passage(replace(GIZMO, past=past), 0.8), Passage(OTHER, 0.1)], problem=problem))
    analysis = cite(cite(draft(case))).analysis
    assert analysis.engine.crag_action == "correct"
    assert analysis.similar == (past,)
    assert analysis.degraded == ("pinecone: timed out after 3 s, local index used",)
    assert analysis.sent_to == ("shelf: the message",)
    (step,) = analysis.trace
    assert step.action.startswith("search shelf: The gizmo was not amused")
    assert step.observation.splitlines() == [
        "0.80 relevant (lexical): The gizmo is not amused [gizmo]",
        "0.10 irrelevant (lexical): Something else [other]",
    ]


def test_refining_leaves_cause_and_remedy_of_a_document_that_has_nothing_else() -> None:
    assert refined(Passage(OTHER, 0.5), frozenset()).text == "Else.\nDo else."


@pytest.fixture(scope="module")
def shipped() -> Iterator[FtsKnowledgeBase]:
    knowledge = FtsKnowledgeBase(load())
    yield knowledge
    knowledge.close()


@pytest.fixture
def library(shipped: FtsKnowledgeBase, tmp_path: Path) -> Iterator[ProjectLibrary]:
    file = LearnedFile(tmp_path / "knowledge.db", shipped)
    yield ProjectLibrary(shipped, file)
    file.close()


def confirmed(project: str = "shop") -> Document:
    return past_failure(
        report("Turnstile seven rejected badge", id="r0", project=project),
        error_type=ErrorType.CONFIG_ERROR,
        root_cause="The badge list was not deployed.",
        recommendation="Deploy it.",
        analysis=Analysis("r0", evidence=(Evidence("badge list is empty", "log"),), stage=Stage.FINAL),
        confirmed_by="ada",
        when="2026-01-02",
        ticket="ABC-1",
    )


def answered(library: ProjectLibrary, sources: Sequence[Source] = ()) -> Analysis:
    wanted = report("Turnstile 8 rejected the badge", id="r9")
    case = retrieve(condense(Case(wanted, Analysis("r9"))), library)
    return cite(draft(correct(case, library, thresholds.load(), sources))).analysis


def test_a_confirmed_cause_is_the_answer_to_a_similar_failure_of_its_project(library: ProjectLibrary) -> None:
    assert answered(library).verdict is Verdict.UNKNOWN
    library.remember(confirmed())
    analysis = answered(library)
    assert (analysis.error_type, analysis.root_cause) == (ErrorType.CONFIG_ERROR, "The badge list was not deployed.")
    assert analysis.similar == (Similar("r0", "2026-01-02", "The badge list was not deployed.", "ada", "ABC-1"),)
    library.forget("shop", "r0")
    assert answered(library).verdict is Verdict.UNKNOWN


def test_a_confirmed_cause_of_another_project_is_found_only_where_that_is_allowed(library: ProjectLibrary) -> None:
    library.remember(confirmed("bank"))
    assert answered(library).similar == ()
    shared = answered(library, [OtherProjects(library)])
    assert [similar.report_id for similar in shared.similar] == ["r0"]
    assert shared.engine.crag_action == "incorrect"


def test_a_text_is_looked_up_as_a_failure_is(library: ProjectLibrary) -> None:
    found = json.loads(json.dumps(look_up("OSError: [Errno 28] No space left on device", "shop", library, thresholds.load())))
    (search,) = found["searches"]
    best = search["passages"][0]
    assert (found["action"], best["id"], best["standing"], best["graded_by"]) == ("correct", "disk-full", "relevant", "lexical")
    assert best["grade"] >= thresholds.load()["lexical"].upper


def test_the_shipped_thresholds_say_on_what_they_were_fitted_and_when() -> None:
    shipped = thresholds.load()
    assert set(shipped) == {"lexical", "lexical-short", "reranker", "model"}
    for values in shipped.values():
        assert 0 < values.lower < values.upper < 1
        assert bool(values.n) is bool(values.fitted)
        assert values.basis
    assert shipped["lexical"].n > 200


def test_thresholds_survive_the_way_through_their_file() -> None:
    written = {"lexical": Thresholds(0.7, 0.2, 12, "2026-01-02", "twelve failures")}
    assert thresholds.load(thresholds.dump(written)) == written


def test_the_upper_threshold_is_the_lowest_above_which_the_best_passages_are_right_nine_times_in_ten() -> None:
    right = [Labelled((0.50 + index / 100, 0.1), (True, False)) for index in range(20)]
    wrong = [Labelled((grade, 0.05), (False, False)) for grade in (0.595, 0.45, 0.44, 0.43)]
    fitted = fit([*right, *wrong], "2026-01-02", "made up")
    assert (fitted.upper, fitted.n, fitted.fitted, fitted.basis) == (0.5, 24, "2026-01-02", "made up")


def test_the_lower_threshold_loses_one_in_twenty_of_the_right_passages_at_most() -> None:
    labelled = [Labelled((0.9, 0.01 * index), (False, True)) for index in range(1, 41)] + [Labelled((0.95,), (True,))] * 400
    fitted = fit(labelled, "2026-01-02", "made up")
    lost = sum(0.01 * index < fitted.lower for index in range(1, 41))
    assert 20 <= lost <= 22


@pytest.mark.parametrize("labelled", [[], [Labelled((0.5,), (False,))], [Labelled((), ())]])
def test_fitting_on_nothing_is_refused(labelled: list[Labelled]) -> None:
    with pytest.raises(ValueError, match="Fitting thresholds failed"):
        fit(labelled, "2026-01-02", "nothing")
