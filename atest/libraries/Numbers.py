"""How many analyses ended how, as each of an operator's windows tells: Flower, /metrics, `ddn tasks`, `ddn report`, its page."""

import json
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from typing import Any

from conditions import PATIENCE_SECONDS, wait_until
from Pages import Pages
from Programs import Programs
from prometheus_client.parser import text_string_to_metric_families
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn
from Stack import Stack

SAVE_SECONDS = 45.0  # it saves each 30 s

NAMES = ("SUCCESS", "FAILURE", "degraded")


@library(scope="SUITE")
class Numbers:
    """Reads them back from a running stack, see Stack. What `ddn tasks` told last is kept for the keywords that come after."""

    def __init__(self) -> None:
        self._runs: list[dict[str, Any]] = []

    @keyword
    def numbers_should_agree(self, **projects: str) -> None:
        """Wait until /metrics tells how many analyses of each project succeeded, failed and were degraded, such as ``first=2 1 2``,
        and fail unless `ddn tasks` and `ddn report` tell the same, and the same of calls and tokens. There are no other projects.
        """
        expected = {project: dict(zip(NAMES, map(int, words.split()), strict=True)) for project, words in projects.items()}
        told: dict[str, dict[str, float]] = {}

        def agree() -> bool:
            told.update({project: self._of_metrics(project) for project in expected})
            return all(told[project].items() >= numbers.items() for project, numbers in expected.items())

        try:
            wait_until(agree, f"/metrics tells of {expected}", PATIENCE_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error} It tells of {told}.") from None
        self._runs = [json.loads(line) for line in self._ddn("tasks", "--json", "--limit", "10000").splitlines()]
        in_tasks = {project: self._of_tasks(project) for project in expected}
        assert in_tasks == told, f"`ddn tasks`: {in_tasks}, /metrics: {told}"
        totals = {name: sum(numbers[name] for numbers in told.values()) for name in (*NAMES, "calls", "tokens")}
        self._histograms_should_agree()
        in_report = self._of_report()
        assert in_report == totals, f"`ddn report`: {in_report}, /metrics: {totals}"

    @keyword
    def waiting_should_be_everywhere(self, number: int) -> None:
        """Wait until /metrics, Flower and `ddn status` tell that so many messages wait, and /metrics of an age of the oldest."""

        def told() -> tuple[object, ...]:
            metrics = self._metrics()
            queues = json.loads(self._stack.flower_answers("/api/queues/length")[1])["active_queues"]
            in_flower = sum(queue["messages"] for queue in queues)
            return (metrics["ddn_queue_depth",], metrics["ddn_oldest_waiting_seconds",] > 0, metrics["ddn_paused",], in_flower)

        expected = (number, True, 1, number)
        wait_until(lambda: told() == expected, f"all tell that {number} messages wait")
        waiting = json.loads(self._ddn("status", "--json"))["waiting"]
        assert waiting == number, waiting

    @keyword
    def report_page_should_agree(self, project: str, success: int, failure: int) -> None:
        """Check what the page of `ddn report` shows of the project."""
        file = self._programs.folder / "report.html"
        self._ddn("report", "--since", "1h", "--html", str(file), "--project", project)
        text = Pages().shown_text(Pages().open_address(file.as_uri()))
        for words in (f"{success + failure}analyses", f"{failure} of {success + failure} failed"):
            assert words in text, f"Expected '{words}' in: {text[:600]}"

    @keyword
    def flower_should_agree(self, project: str, number: int) -> None:
        """Wait until Flower knows that many analyses of the project, and fail unless each is in the state that the history has."""

        def known() -> dict[str, str]:
            return {task["uuid"]: task["state"] for task in self._flower(project)}

        wait_until(lambda: len(known()) >= number, f"Flower knows {number} analyses of {project}")
        kept = {run["task_id"]: run["state"] for run in reversed(self._of(project))}  # of one task the latest counts
        assert known() == {task: kept.get(task) for task in known()}, (known(), kept)
        assert len(known()) == number, known()

    @keyword
    def flowers_page_should_show(self, project: str) -> None:
        """Check that every analysis of the project in the history is a row of Flower's page of tasks, with its state."""
        page = Pages().shown_text(self._stack.open_flower("/tasks"))
        for run in self._of(project):
            assert re.search(rf"{run['state']}[^\n]{{0,40}}{run['task_id']}", page), (run["task_id"], run["state"], page)

    @keyword
    def ids_of_analyses(self, project: str) -> list[str]:
        """Return those that the history has, sorted; what was sent and lost is not among them."""
        return sorted(run["task_id"] for run in self._of(project))

    @keyword
    def wait_until_flower_has_saved(self) -> None:
        """Wait until Flower has written what it knows by now; a killed one forgets the rest."""
        begun = time.time()
        folder = self._programs.home / "flower"
        wait_until(lambda: max(file.stat().st_mtime for file in folder.iterdir()) > begun, "Flower has saved", SAVE_SECONDS)

    @keyword
    def all_workers_should_be_online(self, number: int) -> None:
        """Wait until /metrics, `ddn status` and Flower tell of so many workers, an empty queue and none at work."""

        def told() -> tuple[object, ...]:
            metrics, status = self._metrics(), json.loads(self._ddn("status", "--json"))
            up = sum(part["is_up"] for part in status["parts"] if part["name"].startswith("worker"))
            online = len(json.loads(self._stack.flower_answers("/api/workers?status=true")[1]))
            figures = [metrics[name,] for name in ("ddn_workers_online", "ddn_queue_depth", "ddn_in_hand")]
            return (*figures, up, online, status["waiting"], status["taken"])

        expected = (number, 0, 0, number, number, 0, 0)
        try:
            wait_until(lambda: told() == expected, "all workers are online")
        except AssertionError as error:
            raise AssertionError(f"{error} Told: {told()}, expected {expected}.") from None

    def _histograms_should_agree(self) -> None:
        metrics = self._metrics()
        ended = [run for run in self._runs if run["state"] in ("SUCCESS", "FAILURE")]
        parts = Counter(part for run in ended for part in {note.partition(":")[0] for note in run["degraded"]})
        expected = {
            "ddn_analysis_seconds_count": Counter(run["error_type"] for run in ended if run["seconds"]),
            "ddn_step_seconds_count": Counter(step for run in ended for step in run["step_seconds"]),
            "ddn_degraded_total": parts,
        }
        for name, numbers in expected.items():
            told = Counter[str]()
            for (sample, *labels), value in metrics.items():
                if sample == name:
                    told[labels[0]] += int(value)
            assert +told == numbers, f"{name}: {told}, `ddn tasks`: {numbers}"

    def _of_metrics(self, project: str) -> dict[str, float]:
        totals = Counter[str]()
        for (name, *labels), value in self._metrics().items():
            if project in labels:
                totals[next((label for label in labels if label in ("SUCCESS", "FAILURE", "in", "out")), name)] += value
        return {
            "SUCCESS": totals["SUCCESS"],
            "FAILURE": totals["FAILURE"],
            "degraded": totals["ddn_degraded_runs_total"],
            "calls": totals["ddn_model_calls_total"],
            "tokens": totals["in"] + totals["out"],
        }

    def _of_tasks(self, project: str) -> dict[str, float]:
        runs = self._of(project)
        states = Counter(run["state"] for run in runs)
        return {
            **{state: states[state] for state in ("SUCCESS", "FAILURE")},
            "degraded": sum(bool(run["degraded"]) for run in runs),
            "calls": sum(run["calls"] for run in runs),
            "tokens": sum(run["tokens_in"] + run["tokens_out"] for run in runs),
        }

    def _of_report(self) -> dict[str, float]:
        report = json.loads(self._ddn("report", "--since", "1h", "--json"))
        price = report["price"]
        return {
            "SUCCESS": report["succeeded"],
            "FAILURE": report["failed"],
            "degraded": report["degraded"],
            "calls": price["calls"],
            "tokens": price["tokens_in"] + price["tokens_out"],
        }

    def _flower(self, project: str) -> list[dict[str, Any]]:
        status, body = self._stack.flower_answers("/api/tasks?taskname=tasks.analyze_test_failure&limit=1000")
        assert status == 200, (status, body)
        return [task for task in json.loads(body).values() if f'"{project}"' in str(task["args"])]

    def _metrics(self) -> Mapping[tuple[str, ...], float]:
        address = re.findall(r"Metrics +(http://\S+)", self._stack.said())[-1]
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
                families = list(text_string_to_metric_families(answer.read().decode()))
        except OSError:  # the monitor is about to start again
            return Counter[tuple[str, ...]]()
        return Counter(
            {
                (sample.name, *(label for _, label in sorted(sample.labels.items()))): sample.value
                for family in families
                for sample in family.samples
            }
        )

    def _of(self, project: str) -> list[dict[str, Any]]:
        return [run for run in self._runs if run["project"] == project]

    def _ddn(self, *arguments: str) -> str:
        done = self._programs.run_ddn(*arguments)
        assert done.code in (0, 1), done.said
        return done.stdout

    @property
    def _stack(self) -> Stack:
        found: Stack = BuiltIn().get_library_instance("Stack")
        return found

    @property
    def _programs(self) -> Programs:
        found: Programs = BuiltIn().get_library_instance("Programs")
        return found
