"""What condensing a large log costs, and whether the one line that tells the cause survives.

A log of 50 MB is generated: 1 % of its lines are errors that repeat, in several kinds, all lines with times, ids and counters.
In each try one error that is new is planted at a random depth. It must survive a log budget of 400 tokens, once when the
whole log is condensed as it is, once by the product's way: the report's size limit first, then the budget.

    python bench/condense.py [--megabytes 50] [--tries 100] [--tokens 400] [--seed 1]
"""

import argparse
import random
import time
import tracemalloc
from collections.abc import Iterator

from timing import told

from ddn_backend.pipeline.case import Case
from ddn_backend.pipeline.condense import Budget, condense, tokens
from robot_ddn_listener.capture import LOG_CHARACTERS
from robot_ddn_listener.contract import Analysis, FailureReport, LogLine, Run
from robot_ddn_listener.excerpt import cut_log

ERROR_SHARE = 0.01
REPEATING = (
    "ERROR {service} worker-{n} request {id} failed: connection to cache-{d} timed out after {ms} ms",
    "ERROR {service} retry {d} of 5: upstream answered 503 for /api/items/{n}",
    "WARN {service} worker-{n} could not refresh token {id}, keeping the old one",
    "ERROR {service} queue item {id} rejected: version {n} is not newer than {n2}",
)
USUAL = (
    "INFO {service} worker-{n} request {id} answered 200 in {ms} ms, {n2} bytes",
    "DEBUG {service} cache hit for key {id} ({n} entries)",
    "INFO {service} job {id} done, {n} rows in {ms} ms",
)
NEW = (
    "ERROR ledger posting {id} failed: column 'settled_at' does not exist",
    "ERROR {service} java.lang.IllegalStateException: iterator was closed before page {n}",
    "FATAL {service} could not open keystore: wrong password",
    "ERROR {service} worker-{n} request {id} failed: certificate of vault.example has expired",
    "CRITICAL {service} disk quota of volume data-{d} exceeded at {n2} blocks",
    "{service} panic: runtime error: index out of range [{d}] with length {d}",
)
SERVICES = ("orders", "billing", "stock", "mail", "search")


def main() -> None:
    options = _options()
    rng = random.Random(options.seed)
    texts = list(log_texts(rng, options.megabytes * 1_000_000))
    print(f"log: {len(texts)} lines, {sum(map(len, texts)) / 1e6:.0f} MB, {ERROR_SHARE:.0%} repeating errors; seed {options.seed}")
    seconds = _print_cost(texts)
    survived = {"condensed as it is": 0, "by the product's way": 0}
    for _ in range(options.tries):
        planted = _filled(rng, rng.choice(NEW))
        texts.insert(depth := rng.randrange(len(texts)), planted)
        lines = [LogLine(text) for text in texts]
        survived["condensed as it is"] += _survives(planted, tuple(lines), options.tokens)
        survived["by the product's way"] += _survives(planted, cut_log(lines, LOG_CHARACTERS)[0], options.tokens)
        del texts[depth]
    for way, count in survived.items():
        print(f"the planted line survives a log budget of {options.tokens} tokens, {way}: {count} of {options.tries}")
    size = {"lines": len(texts), "megabytes": options.megabytes, "tries": options.tries}
    told("condense", {**size, "survived": survived, "seconds": seconds})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Condense a generated log with one planted error line.")
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _print_cost(texts: list[str]) -> dict[str, float]:
    """Print and return the seconds of one look at the whole log, by both ways."""
    found = {}
    lines = [LogLine(text) for text in texts]
    for way, log in (("condense", tuple(lines)), ("cut_log + condense", None)):
        start = time.perf_counter()
        digest = condense(case_of(log or cut_log(lines, LOG_CHARACTERS)[0])).digest
        seconds = time.perf_counter() - start
        tracemalloc.start()
        condense(case_of(log or cut_log(lines, LOG_CHARACTERS)[0]))
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        size = sum(tokens(line.text) for line in digest.lines)
        print(f"{way}: {seconds:.2f} s, {peak:.0f} MB above the log itself, {size} tokens of {Budget().total}")
        found[way] = round(seconds, 3)
    return found


def _survives(planted: str, log: tuple[LogLine, ...], budget: int) -> bool:
    only_log = Budget(error=0, exception=0, execution=0, log=budget, code=0, past=0)
    return any(line.text == planted for line in condense(case_of(log), only_log).digest.lines)


def case_of(log: tuple[LogLine, ...]) -> Case:
    report = FailureReport("r", "bench", "f", Run("bench"), "Suite", "Test", "Keyword 'Wait For Order' failed after 60 s.", log=log)
    return Case(report, Analysis("r"))


def log_texts(rng: random.Random, size: int) -> Iterator[str]:
    clock = 0
    while size > 0:
        clock += rng.randrange(3)
        kind = rng.choice(REPEATING if rng.random() < ERROR_SHARE else USUAL)
        time_of_day = f"2026-11-23 {clock // 3600 % 24:02}:{clock // 60 % 60:02}:{clock % 60:02}.{rng.randrange(1000):03}"
        text = f"{time_of_day} {_filled(rng, kind)}"
        size -= len(text) + 1
        yield text


def _filled(rng: random.Random, kind: str) -> str:
    return kind.format(
        service=rng.choice(SERVICES),
        n=rng.randrange(10_000),
        n2=rng.randrange(100_000),
        d=rng.randrange(10),
        ms=rng.randrange(3_000),
        id=f"{rng.getrandbits(64):016x}",
    )


if __name__ == "__main__":
    main()
