"""Suites that benchmarks run, and the run itself."""

from pathlib import Path

from timing import Cost, cost, environment, python

KEYWORDS = 20
CAUSES = (
    "Evaluate    [][3]",
    "Evaluate    {}['token']",
    "Evaluate    int('eleven')",
    "Should Be Equal    paid    open",
    "Fail    ConnectionRefusedError: [Errno 111] Connection refused",
    "Fail    The basket of the customer is empty.",
    "No Such Keyword",
)
EMPTY = "EmptyListener.EmptyListener"


def robot(place: Path, suite: Path, listener: str, redis: str = "") -> Cost:
    environ = environment(DDN_HOME=str(place / "home"), **({"DDN_REDIS_URL": redis} if redis else {}))
    listening = ["--listener", listener] if listener else []
    arguments = ["--nostatusrc", "--console", "none", "--outputdir", str(place / "out"), *listening, str(suite)]
    taken = cost(python("-m", "robot", *arguments), environ, place)
    if taken.code:
        raise SystemExit(f"robot ended with {taken.code} for {listener}")
    return taken


def written(folder: Path, tests: int, failing: int) -> Path:
    """Write suites of 100 tests of KEYWORDS keywords each, every tenth failing by one of CAUSES as long as `failing` lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    left = failing
    every = tests // failing if failing else 0
    for start in range(0, tests, 100):
        lines = ["*** Test Cases ***"]
        for number in range(start, min(start + 100, tests)):
            fails = left > 0 and every and number % every == 0
            lines.append(f"Test {number}")
            lines += [f"    Log    step {step} of test {number}" for step in range(KEYWORDS - bool(fails))]
            if fails:
                lines.append(f"    {CAUSES[left % len(CAUSES)]}")
                left -= 1
        (folder / f"suite_{start:05}.robot").write_text("\n".join(lines) + "\n")
    return folder


def talkative(first: int, count: int, fails: bool) -> str:
    text = "    of the shop, as long as the messages of a keyword tend to be when somebody wants to know what it did"
    lines = ["*** Test Cases ***"]
    for number in range(first, first + count):
        lines.append(f"Test {number}")
        lines += [f"    Log Many    message {step} of {number}{(text * 3)}" for step in range(10)]
        lines += [f"    {CAUSES[number // 5 % len(CAUSES)]}"] if fails and number % 5 == 0 else []
    return "\n".join(lines) + "\n"
