"""Whether there are enough workers: the golden cases, the estimate against a simulation of the same queue, and what is measured."""

import heapq
import json
import math
import random
from datetime import UTC, datetime, timedelta

import pytest

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.cli.main import main
from ddn_backend.ops.reporting.capacity import choices, estimate, measured, needed
from ddn_backend.ports import TaskRun, TaskState

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def ran(queued, waited=0.0, seconds=3.0, key="", **values):
    """An analysis that was queued at `queued`, waited, and took `seconds`."""
    started = queued + timedelta(seconds=waited)
    times = {"queued": queued.isoformat(), "started": started.isoformat()}
    finished = (started + timedelta(seconds=seconds)).isoformat()
    return TaskRun(key or str(queued), key or "t", TaskState.SUCCESS, **times, finished=finished, seconds=seconds, **values)


@pytest.mark.parametrize(
    ("workers", "rate", "per_minute", "busy"),
    [(4, 72, 80, 0.90), (6, 95, 120, 0.79), (4, 95, 80, 1.19), (5, 95, 100, 0.95)],
)
def test_the_golden_cases_of_workers_that_take_three_seconds(workers, rate, per_minute, busy):
    found = estimate(workers, rate, 3)
    assert (found.per_minute, round(found.utilisation, 2)) == (per_minute, busy)
    assert math.isinf(found.wait_seconds) == (busy > 1)


def test_95_a_minute_of_three_seconds_each_need_6_workers():
    assert needed(95, 3) == 6
    assert [item.workers for item in choices(4, 0, 95, 3)] == [2, 4, 6, 8]
    assert needed(0.1, 3) == 1
    assert needed(64, 3) == 4  # busy for exactly as long as is good


@pytest.mark.parametrize(("workers", "rate", "seconds"), [(1, 10, 3), (2, 30, 2), (4, 72, 3), (6, 95, 3), (500, 9000, 3)])
def test_waiting_is_what_erlangs_formula_gives(workers, rate, seconds):
    offered = rate * seconds / 60
    terms = [math.exp(number * math.log(offered) - math.lgamma(number + 1)) for number in range(workers + 1)]
    all_busy = terms[-1] * workers / (workers - offered)
    waits = all_busy / (math.fsum(terms[:-1]) + all_busy)
    assert estimate(workers, rate, seconds).wait_seconds == pytest.approx(waits * seconds / (workers - offered))


def test_waiting_is_what_a_simulation_of_the_queue_gives():
    chance, free, clock, waits = random.Random(11), [0.0] * 4, 0.0, []
    for _ in range(60_000):
        clock += chance.expovariate(72 / 60)
        begins = max(clock, heapq.heappop(free))
        heapq.heappush(free, begins + chance.expovariate(1 / 3))
        waits.append(begins - clock)
    found = estimate(4, 72, 3)
    assert found.wait_seconds == pytest.approx(sum(waits) / len(waits), rel=0.15)
    assert found.wait_p95_seconds == pytest.approx(sorted(waits)[int(0.95 * len(waits))], rel=0.15)


def test_nothing_that_arrives_waits_for_nothing():
    assert estimate(4, 0, 3).wait_seconds == 0
    assert estimate(4, 10, 0).utilisation == 0


def test_what_is_measured_is_the_mean_the_busiest_hour_and_how_many_ran_at_once():
    quiet = [ran(NOW - timedelta(hours=23 - hour), seconds=1) for hour in range(20)]
    half_past = NOW - timedelta(minutes=30)
    busy = [ran(half_past + timedelta(seconds=4 * number), number, 12, f"b{number}") for number in range(30)]
    again = [ran(NOW - timedelta(minutes=5), waited=500, seconds=12, key="again", retries=2)]
    load = measured([*quiet, *busy, *again], NOW - timedelta(days=1), NOW)
    assert (load.arrived, round(load.rate, 4)) == (51, round(51 / 1440, 4))
    assert load.busiest_rate == pytest.approx(31 / 60)
    assert load.busiest == half_past.isoformat()
    assert load.service_seconds == pytest.approx((20 * 1 + 31 * 12) / 51)
    assert (load.waited, load.wait_seconds) == (50, pytest.approx(sum(range(30)) / 50))  # not the one that was tried again
    assert load.most_at_once == 3  # one begins every 5 s and takes 12 s


@pytest.fixture
def ddn(capsys, monkeypatch, tmp_path):
    """Return a function that runs `ddn capacity` with four workers of one thread, and returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"DDN_HOME": str(tmp_path), "DDN_WORKERS": "4", "DDN_CONCURRENCY": "1", "DDN_MONGO_URL": ""}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["capacity", *arguments])
        captured = capsys.readouterr()
        return end.value.code, captured.out, captured.err

    return run


def test_ddn_capacity_tells_what_is_there_what_is_enough_and_what_was_asked(ddn, tmp_path):
    code, out, _ = ddn("--rate", "95", "--seconds", "3", "--workers", "5")
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in out.splitlines() if line.strip()[:1].isdigit()}
    assert code == 0
    assert rows["4"] == "4 80 119 % grows grows now"
    assert rows["5"].startswith("5 100 95 % ")
    assert rows["5"].endswith(" asked")
    assert rows["6"] == "6 120 79 % 1.2 s 5.5 s enough"
    assert "M/M/c" in out
    assert max(map(len, out.splitlines())) <= 78


def test_ddn_capacity_plans_for_the_busiest_hour_of_the_history(ddn, tmp_path):
    start = datetime.now(UTC) - timedelta(minutes=59)
    history = SqliteHistory(tmp_path / "history" / "history.sqlite")
    history.record_task_runs(tuple(ran(start + timedelta(seconds=10 * number), key=f"k{number}") for number in range(300)))
    history.close()
    code, out, _ = ddn("--json", "--since", "2h")
    told = json.loads(out)
    assert code == 0
    assert told["measured"]["arrived"] == 300
    assert told["planned"] == {"rate": 5.0, "service_seconds": 3.0, "needed": 1, "present": 4}
    assert [item["workers"] for item in told["estimates"]] == [1, 2, 4, 8]
    assert "300, 2.5 a minute; 5 in the hour from" in ddn("--since", "2h")[1]


def test_ddn_capacity_says_when_there_is_nothing_to_go_by(ddn):
    code, out, _ = ddn()
    assert code == 0
    assert "no analysis arrived" in out
    assert "give --rate and --seconds" in out
    assert ddn("--since", "wat")[0] == 2
