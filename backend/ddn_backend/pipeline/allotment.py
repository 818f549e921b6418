"""What one analysis may take of a model, and what it took so far: grading, web search and conclusion share the same limits."""

from time import monotonic

from robot_ddn_listener.contract import FailureReport

from ..ports import Budget, Inquiry, Limits, Usage

NOTHING = Usage()


class Allotment:
    """One analysis' `limits`, which begin to run now. For one thread.

    `notes` tell a reader what was left undone because of them.
    """

    def __init__(self, report: FailureReport, limits: Limits, budget: Budget) -> None:
        self._report = report
        self._limits = limits
        self._budget = budget
        self._began = monotonic()
        self.usage = NOTHING
        self.notes: tuple[str, ...] = ()

    @property
    def left(self) -> Limits:
        """What may still be taken; no call where any of it is used up."""
        limits, spent = self._limits, self.usage
        seconds = limits.seconds - (monotonic() - self._began)
        cost = limits.cost_usd - spent.cost_usd
        is_over = spent.tokens >= limits.tokens or seconds <= 0 or (limits.cost_usd > 0 and cost <= 0)
        calls = 0 if is_over else max(0, limits.calls - spent.calls)
        return Limits(calls, limits.tokens - spent.tokens, max(seconds, 0.0), cost if limits.cost_usd else 0.0)

    def inquiry(self, instructions: str, material: str, calls: int) -> Inquiry:
        """Return a question of at most `calls` calls, each of which is counted here and in the budget, whatever comes of it."""
        left = self.left
        return Inquiry(
            instructions,
            material,
            limits=Limits(min(calls, left.calls), left.tokens, left.seconds, left.cost_usd),
            before_call=lambda seconds: self._budget.before_call(self._report.project, self._report.run.id, seconds),
            after_call=self._count,
        )

    def note(self, note: str) -> None:
        self.notes = (*self.notes, note)

    def _count(self, usage: Usage) -> None:
        self.usage += usage
        self._budget.after_call(self._report.project, self._report.run.id, usage)
