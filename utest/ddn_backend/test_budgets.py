"""What a model may be asked, counted on a real Redis by several clients, as several workers do."""

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ddn_backend.adapters.budgets import Allowance, LaterError, MemoryBudget, RedisBudget
from ddn_backend.errors import TransientError
from ddn_backend.ports import Usage

USED = Usage(calls=2, tokens_in=900, tokens_out=100, cost_usd=0.01)


@pytest.fixture
def workers(redis_server: Any) -> Iterator[Any]:
    """`workers(...)` returns a budget with those limits, each over its own connection."""
    clients: list[Redis] = []

    def worker(**limits: Any) -> RedisBudget:
        clients.append(Redis(host="127.0.0.1", port=redis_server.port))
        return RedisBudget(clients[-1], **limits)

    yield worker
    for client in clients:
        client.close()


def test_without_limits_everything_is_let_through(workers: Any) -> None:
    budget = workers(groups_per_run=0)
    assert {budget.admit("shop", "run", f"r{n}") for n in range(60)} == {""}
    assert budget.before_call("shop", "run", 1) == ""


def test_fifty_groups_of_a_run_reach_the_model_over_all_workers_and_the_rest_are_told_so(workers: Any) -> None:
    budgets = [workers(), workers()]
    answers = [budgets[n % 2].admit("shop", "run", f"r{n}") for n in range(60)]
    assert answers[:50] == [""] * 50
    assert set(answers[50:]) == {"50 groups of this run were given to the model already, that is the most"}


def test_a_report_that_was_let_through_stays_so_and_one_that_was_not_takes_no_place(workers: Any) -> None:
    budget = workers(groups_per_run=1)
    assert [bool(budget.admit("shop", "run", name)) for name in ("a", "b", "b", "a")] == [False, True, True, False]


def test_runs_and_projects_have_groups_of_their_own(workers: Any) -> None:
    budget = workers(groups_per_run=1)
    assert [budget.admit(*place, "r") for place in (("shop", "one"), ("shop", "two"), ("bank", "one"))] == ["", "", ""]


@pytest.mark.parametrize(
    ("allowance", "words"),
    [
        (Allowance(calls=2), "2 calls, is used up"),
        (Allowance(tokens=1000), "1000 tokens, is used up"),
        (Allowance(cost_usd=0.01), "0.01 dollars, is used up"),
    ],
    ids=["calls", "tokens", "money"],
)
@pytest.mark.parametrize("whose", ["run", "day"])
def test_a_budget_that_is_used_up_stops_the_next_call_of_any_worker(
    whose: str, allowance: Allowance, words: str, workers: Any
) -> None:
    here, there = workers(**{whose: allowance}), workers(**{whose: allowance})
    assert here.before_call("shop", "run", 1) == ""
    here.after_call("shop", "run", USED)
    assert words in there.before_call("shop", "run", 1)
    assert words in there.admit("shop", "run", "next")
    assert there.before_call("bank", "run", 1) == ""
    assert bool(there.before_call("shop", "another run", 1)) == (whose == "day")


def test_what_was_spent_today_can_be_told(workers: Any) -> None:
    budget = workers()
    for _ in range(3):
        budget.after_call("shop", "run", USED)
    spent = budget.spent_today("shop")
    assert (spent.calls, spent.tokens, round(spent.cost_usd, 6)) == (6, 3000, 0.03)


def test_no_counter_stays_for_ever(workers: Any, redis_server: Any) -> None:
    budget = workers(calls_per_minute=5)
    budget.admit("shop", "run", "r")
    budget.before_call("shop", "run", 1)
    budget.after_call("shop", "run", USED)
    with redis_server.client() as client:
        assert len(keys := client.keys()) >= 4
        assert all(client.ttl(key) > 0 for key in keys)


def test_all_workers_share_the_calls_of_a_minute_and_the_one_too_many_is_told_when(workers: Any) -> None:
    budgets = [workers(calls_per_minute=3) for _ in range(3)]
    assert [budget.before_call("shop", "run", 0) for budget in budgets] == ["", "", ""]
    with pytest.raises(LaterError, match="3 calls a minute over all workers") as caught:
        workers(calls_per_minute=3).before_call("bank", "run", 0)
    assert 0 < caught.value.delay <= 60


def test_threads_of_one_worker_never_get_more_than_there_is(workers: Any) -> None:
    budget, let_through = workers(calls_per_minute=10), list[str]()

    def ask() -> None:
        with suppress(LaterError):
            let_through.append(budget.before_call("shop", "run", 0))

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert let_through == [""] * 10


def test_different_models_have_limits_of_their_own(workers: Any) -> None:
    for model in ("one", "two"):
        assert workers(calls_per_minute=1, model=model).before_call("shop", "run", 0) == ""


@pytest.mark.parametrize("ask", ["admit", "before_call"])
def test_a_redis_that_is_gone_lets_nothing_through_uncounted(ask: str) -> None:
    with Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as client:
        budget = RedisBudget(client, day=Allowance(calls=1), calls_per_minute=1)
        last: Any = {"admit": "r", "before_call": 1.0}[ask]
        with pytest.raises(TransientError, match="Counting calls to the model failed"):
            getattr(budget, ask)("shop", "run", last)


def test_a_redis_that_is_gone_does_not_cost_an_answer_that_is_paid_for(caplog: pytest.LogCaptureFixture) -> None:
    told = caplog.at_level(logging.WARNING, logger="ddn_backend.adapters.budgets")  # whatever another test has left
    with told, Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as client:
        RedisBudget(client, restart_seconds=0).after_call("shop", "run", USED)
    assert "Charging a call to the model failed" in caplog.text


def test_a_process_without_redis_counts_groups_by_itself() -> None:
    budget = MemoryBudget(groups_per_run=1)
    budget.after_call("shop", "run", USED)
    assert budget.before_call("shop", "run", 1) == ""
    assert [bool(budget.admit("shop", "run", name)) for name in ("a", "b", "a")] == [False, True, False]
