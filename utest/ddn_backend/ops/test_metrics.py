"""What is served to Prometheus, to whom, and that the alert rules ask for nothing else."""

import base64
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ddn_backend.ops.alerting import alert_rules
from ddn_backend.ops.durations import duration
from ddn_backend.ops.monitoring import metrics as limits
from ddn_backend.ops.monitoring.metrics import BUCKETS, Metrics
from ddn_backend.ops.monitoring.metrics_server import MetricsServer
from ddn_backend.ops.monitoring.snapshot import Snapshot, WorkerState
from ddn_backend.ports import TaskRun, TaskState

ALERTS = Path(__file__).parents[3] / "backend" / "alerts.toml"
RULES = Path(__file__).parents[3] / "backend" / "prometheus-alerts.yaml"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RUN = TaskRun(
    "k",
    "r1",
    TaskState.FAILURE,
    project="shop",
    error_type="CODE_ERROR",
    finished=NOW.isoformat(),
    retries=3,
    seconds=2.0,
    step_seconds={"draft": 0.02},
    degraded=("pinecone: timed out", "pinecone: again", "history: gone"),
    calls=2,
    tokens_in=70,
    tokens_out=7,
    cost_usd=0.5,
)
SNAPSHOT = Snapshot(
    NOW,
    waiting=4,
    oldest_seconds=9.5,
    unacked=2,
    workers=(WorkerState("celery@one", 1.0, 3, 8, 0.5, 70_000_000), WorkerState("celery@two", 1.0, 1, 8)),
    used_up=("shop",),
    paused="Pinecone is down",
    redis_bytes=1_000_000,
)


@contextmanager
def serving(metrics: Metrics, health: dict[str, bool] | None = None, **auth: str) -> Iterator[str]:
    server = MetricsServer("127.0.0.1", 0, metrics, lambda: health or {"events": True}, **auth)
    try:
        yield server.url
    finally:
        server.close()


def get(url: str, auth: str = "") -> tuple[int, str]:
    headers = {"Authorization": "Basic " + base64.b64encode(auth.encode()).decode()} if auth else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    with serving(metrics) as url:
        families = text_string_to_metric_families(get(f"{url}/metrics")[1])
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def filled() -> Metrics:
    metrics = Metrics()
    metrics.count([RUN])
    metrics.show(SNAPSHOT, [TaskRun("o", "o", TaskState.QUEUED)], 5, has_history=True, has_events=False)
    return metrics


def test_totals_gauges_and_histograms_are_served() -> None:
    found = samples(filled())
    expected = {
        ("ddn_runs_total", "CODE_ERROR", "shop", "FAILURE"): 1,
        ("ddn_runs_total", "CODE_ERROR", "shop", "SUCCESS"): 0,
        ("ddn_retries_total", "shop"): 3,
        ("ddn_degraded_runs_total", "shop"): 1,
        ("ddn_degraded_total", "pinecone", "shop"): 1,
        ("ddn_degraded_total", "history", "shop"): 1,
        ("ddn_model_tokens_total", "in", "shop"): 70,
        ("ddn_model_tokens_total", "out", "shop"): 7,
        ("ddn_model_calls_total", "shop"): 2,
        ("ddn_model_cost_usd_total", "shop"): 0.5,
        ("ddn_analysis_seconds_bucket", "CODE_ERROR", "1.0"): 0,
        ("ddn_analysis_seconds_bucket", "CODE_ERROR", "2.5"): 1,
        ("ddn_analysis_seconds_bucket", "CODE_ERROR", "+Inf"): 1,
        ("ddn_analysis_seconds_sum", "CODE_ERROR"): 2.0,
        ("ddn_step_seconds_bucket", "0.01", "draft"): 0,
        ("ddn_step_seconds_bucket", "0.025", "draft"): 1,
        ("ddn_queue_depth",): 4,
        ("ddn_oldest_waiting_seconds",): 9.5,
        ("ddn_in_hand",): 2,
        ("ddn_workers_online",): 2,
        ("ddn_busy_share",): 0.25,
        ("ddn_paused",): 1,
        ("ddn_redis_memory_bytes",): 1_000_000,
        ("ddn_budget_used_up", "shop"): 1,
        ("ddn_worker_cpu", "celery@one"): 0.5,
        ("ddn_worker_memory_bytes", "celery@one"): 70_000_000,
        ("ddn_worker_busy_threads", "celery@two"): 1,
        ("ddn_open_runs", "QUEUED"): 1,
        ("ddn_open_runs", "STARTED"): 0,
        ("ddn_unwritten_runs",): 5,
        ("ddn_redis_up",): 1,
        ("ddn_history_up",): 1,
        ("ddn_events_up",): 0,
    }
    assert {key: found.get(key) for key in expected} == expected


def test_a_run_counts_once_and_only_when_it_has_ended() -> None:
    metrics = Metrics()
    metrics.count([replace(RUN, state=TaskState.STARTED)])
    for _ in range(2):
        metrics.count([RUN])
    assert samples(metrics)["ddn_runs_total", "CODE_ERROR", "shop", "FAILURE"] == 1


def test_a_value_beyond_the_last_bucket_counts_as_well() -> None:
    metrics = Metrics()
    metrics.count([replace(RUN, seconds=BUCKETS[-1] * 2)])
    found = samples(metrics)
    assert found["ddn_analysis_seconds_bucket", "CODE_ERROR", "300.0"] == 0
    assert found["ddn_analysis_seconds_count", "CODE_ERROR"] == 1


def test_labels_are_bounded() -> None:
    metrics = Metrics()
    for number in range(300):
        name = str(number)
        metrics.count([replace(RUN, key=name, project=name, error_type=name, step_seconds={name: 1.0}, degraded=(f"{name}: x",))])
    found = samples(metrics)
    assert found["ddn_runs_total", "UNKNOWN", limits.OTHER, "FAILURE"] == 300 - limits.MAX_PROJECTS
    assert found["ddn_step_seconds_count", limits.OTHER] == 300 - limits.MAX_STEPS
    assert len(found) < 10_000


def test_metrics_want_the_password_and_health_does_not() -> None:
    with serving(Metrics(), {"events": True, "redis": False}, user="ada", password="s3cret") as url:
        assert get(f"{url}/metrics")[0] == 401
        assert get(f"{url}/metrics", "ada:wrong")[0] == 401
        assert get(f"{url}/metrics", "ada:s3cret")[0] == 200
        assert get(f"{url}/health") == (503, '{"events": true, "redis": false}')
        assert get(f"{url}/")[0] == 404
    with serving(Metrics()) as url:
        assert get(f"{url}/health")[0] == 200


def rules() -> list[dict[str, Any]]:
    import yaml  # type: ignore[import-untyped]  # apprise brings it

    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def test_the_alert_rules_ask_for_metrics_that_are_served() -> None:
    served = {key[0] for key in samples(filled())}
    for rule in rules():
        asked = set(re.findall(r"\bddn_\w+", rule["expr"]))
        assert asked, rule["alert"]
        assert asked <= served, rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "mail", "chat")
    assert len({rule["alert"] for rule in rules()}) == len(rules()) >= 10


def test_prometheus_and_our_own_alerts_have_the_same_thresholds() -> None:
    routes = dict.fromkeys(re.findall(r"env:(\w+)", ALERTS.read_text(encoding="utf-8")), "json://127.0.0.1:1")
    own = {rule.name: rule for rule in alert_rules.read(ALERTS, routes).rules}
    asked = {rule["alert"]: rule for rule in rules()}
    pairs = {
        "DdnSuccessRate": ("success-rate", r"< (0\.\d+)", 100),
        "DdnDegraded": ("degraded", r"> (0\.\d+)", 100),
        "DdnManyWaiting": ("waiting", r"> (\d+)", 1),
        "DdnOldWaiting": ("oldest-message", r"> (\d+)", 1),
    }
    for alert, (name, threshold, scale) in pairs.items():
        found = re.search(threshold, asked[alert]["expr"])
        assert found, alert
        assert float(found[1]) * scale == own[name].threshold, alert
    for alert, name in [
        *((alert, pair[0]) for alert, pair in pairs.items()),
        ("DdnNoWorker", "workers"),
        ("DdnRedisDown", "redis"),
    ]:
        assert duration(asked[alert].get("for", "0s")).total_seconds() == own[name].hold, alert
    for alert, name in (("DdnSuccessRate", "success-rate"), ("DdnDegraded", "degraded")):
        assert re.findall(r">= (\d+)", asked[alert]["expr"]) == [str(own[name].minimum)], alert
        assert {duration(text).total_seconds() for text in re.findall(r"\[(\w+)\]", asked[alert]["expr"])} == {own[name].over}
