"""The one record that travels through the pipeline: a report, and what the steps found out about it."""

from dataclasses import dataclass

from robot_ddn_listener.contract import Analysis, FailureReport

from ..ports import Passage, Problem, SourceLines


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report. `text` stands there word for word; `count` similar lines were folded into it.

    `where` is one of the places an Evidence can name: error message, exception, execution errors, log.
    """

    where: str
    text: str
    is_error: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class Digest:
    """The report cut down to what fits a budget; `cut` says in words what was left out."""

    lines: tuple[Line, ...] = ()
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """One search: where and for what, and all that was found, graded, what was then discarded too."""

    source: str
    query: str
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """`analysis` is the best answer so far; each step returns a new Case.

    `action` is what Corrective RAG did, `rounds` what each of its searches found with grades, `passages` what it left;
    `problems` are the parts that failed on the way and `sent_to` the services that saw something of the report. `code` is what
    stands around the failing line and the call of the failing keyword, as of the run's commit.
    """

    report: FailureReport
    analysis: Analysis
    digest: Digest = Digest()
    query: str = ""
    passages: tuple[Passage, ...] = ()
    action: str = ""
    rounds: tuple[Round, ...] = ()
    problems: tuple[Problem, ...] = ()
    sent_to: tuple[str, ...] = ()
    code: tuple[SourceLines, ...] = ()
