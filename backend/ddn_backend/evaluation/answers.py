"""What was shown for each labelled failure, and how long it took."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter

from robot_ddn_listener.contract import MAX_EVIDENCE, MAX_QUOTE_CHARACTERS, Analysis, ErrorType, FailureReport, Verdict

from .labelled import Labelled
from .replay import report_of

Analyze = Callable[[FailureReport], Analysis]


@dataclass(frozen=True, slots=True)
class Answer:
    """One labelled failure with what a reader would see. `seconds` is from the report to the final answer.

    `note` says what of the record could not be used.
    """

    record: Labelled
    report: FailureReport
    analysis: Analysis
    seconds: float
    note: str = ""

    @property
    def shown(self) -> ErrorType:
        """The error type that was shown; UNKNOWN for an abstention."""
        return self.analysis.error_type if self.analysis.verdict is Verdict.DIAGNOSED else ErrorType.UNKNOWN

    @property
    def is_shown(self) -> bool:
        return self.shown is not ErrorType.UNKNOWN

    @property
    def is_right(self) -> bool:
        return self.is_shown and self.shown in (self.record.error_type, self.record.alternative)

    @property
    def quotes(self) -> tuple[str, ...]:
        return tuple(item.quote[:MAX_QUOTE_CHARACTERS] for item in self.analysis.evidence[:MAX_EVIDENCE])


def answers_to(records: Iterable[Labelled], analyze: Analyze) -> Iterator[Answer]:
    """Yield the answer that `analyze` gives to each record."""
    for record in records:
        report, note = report_of(record)
        start = perf_counter()
        analysis = analyze(report)
        yield Answer(record, report, analysis, perf_counter() - start, note)
