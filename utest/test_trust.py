"""docs/trust.md names a test for each thing that can go wrong: there must be such a test."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8").splitlines()
SUITES = {path.stem: path for path in (ROOT / "atest").glob("*.robot")}
NAMED = re.compile(r"\b([a-z]+): (\*[^*]+\*(?:,\s+\*[^*]+\*)*)")  # suite: *A Test*, *... With Another End*


def cases_of(suite: str) -> list[str]:
    cases = SUITES[suite].read_text(encoding="utf-8").partition("*** Test Cases ***")[2].partition("\n***")[0]
    return re.findall(r"^\S.*$", cases, re.MULTILINE)


def test_every_test_that_is_named_exists() -> None:
    found = [(suite, name) for suite, names in NAMED.findall(" ".join(LINES)) for name in re.findall(r"\*([^*]+)\*", names)]
    named = [(suite, name) for suite, name in found if suite in SUITES]
    missing = [(suite, name) for suite, name in named if not any(case.endswith(name.lstrip(".")) for case in cases_of(suite))]
    assert named
    assert missing == []


def last_cells() -> Iterator[str]:
    """Yield the last cell of each row, in tables whose last column is "test"."""
    in_table = False
    for line in LINES:
        in_table = line.startswith("|") and (in_table or line.endswith("| test |"))
        if in_table and not line.endswith(("| test |", "| --- |")):
            yield line.removesuffix(" |").rpartition(" | ")[2]


def test_every_row_names_a_suite_or_a_unit_test() -> None:
    modules = {path.stem for path in (ROOT / "utest").rglob("test_*.py")}
    rows, unknown = list(last_cells()), []
    for part in (part for row in rows for part in row.split("; ")):
        kind, _, names = part.partition(": ")
        known = set(names.split(", ")) <= modules if kind == "utest" else kind in SUITES
        unknown += [] if known else [part]
    assert rows
    assert unknown == []
