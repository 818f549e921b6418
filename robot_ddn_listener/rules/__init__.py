"""The rule engine and its rules: a failure report in, a first verdict or an honest abstention out.

    views.py     what of a report a rule may look at, cut to a size that keeps every search short
    hints.py     which texts are worth a clue's pattern
    engine.py    clues, rules, and which of several matching rules tells the cause
    clues.py     clues that rules of several areas share
    modules.py imports.py packages.py framework.py values.py machine.py network.py web.py services.py drivers.py browsers.py
    pages.py page_states.py python_code.py assertions.py
                 the rules by area; of two equally weighty matches the earlier wins

Everything here runs in the robot process: standard library only, patterns compiled when their hint is first met.
"""

from ..contract import Analysis, FailureReport
from . import (
    assertions,
    browsers,
    drivers,
    framework,
    imports,
    machine,
    modules,
    network,
    packages,
    page_states,
    pages,
    python_code,
    services,
    values,
    web,
)
from .engine import Rule, judge

__all__ = ["ALL_RULES", "Rule", "first_verdict"]

ALL_RULES: tuple[Rule, ...] = (
    *modules.RULES,
    *imports.RULES,
    *packages.RULES,
    *framework.RULES,
    *values.RULES,
    *machine.RULES,
    *network.RULES,
    *web.RULES,
    *services.RULES,
    *drivers.RULES,
    *browsers.RULES,
    *pages.RULES,
    *page_states.RULES,
    *python_code.RULES,
    *assertions.RULES,
)


def first_verdict(report: FailureReport) -> Analysis:
    """Return an interim Analysis of `report`: a cause with its evidence, or verdict unknown with what would be needed to know.

    Deterministic, never raises, a few milliseconds whatever the size of the report.
    """
    return judge(report, ALL_RULES)
