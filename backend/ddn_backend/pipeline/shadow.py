"""Shadow: a model on trial. It analyses, what it says is recorded, and the reader gets the answer that was found without it."""

from collections.abc import Callable
from dataclasses import replace

from .case import Case
from .cite import cite
from .verify import verify


def shadowed(case: Case, investigate: Callable[[Case], Case]) -> Case:
    """Return `case` with its answer as it is and the model's beside it, as `shadow`; a model that fails says so there only.

    What was sent to whom, and what it cost, is true whoever is believed, so the answer itself tells it.
    """
    theirs = verify(cite(investigate(case))).analysis
    own = case.analysis
    spent = theirs.engine
    engine = replace(own.engine, calls=spent.calls, tokens_in=spent.tokens_in, tokens_out=spent.tokens_out, cost_usd=spent.cost_usd)
    return replace(case, analysis=replace(own, shadow=replace(theirs, shadow=None), sent_to=theirs.sent_to, engine=engine))
