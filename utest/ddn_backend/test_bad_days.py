"""A real worker on bad days of the services behind it: the reader keeps a draft that says what was missing, the operator sees
the real error in the task's state, and no report is lost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.result import AsyncResult

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.ports import State, Wanted
from robot_ddn_listener.contract import (
    HEARTBEAT_KEY,
    QUEUE,
    TASK_NAME,
    Analysis,
    FailureReport,
    Git,
    KeywordCall,
    Run,
    Stage,
    Verdict,
    decode,
    encode,
    verdict_key,
)
from servers import gemini
from servers.gemini import MODEL, GeminiServer
from servers.github import REPOSITORY, TOKEN, Fault, GitHubServer, Project
from servers.mongo import MongoStandIn, mongo_stand_in
from servers.pinecone import KEY as PINECONE_KEY
from servers.pinecone import PineconeServer
from utest.conftest import RedisServer, _wait_until

KEY = "stand-in" + "-key"
ENDED = ("SUCCESS", "FAILURE")


def report_of(name: str, **fields: Any) -> FailureReport:
    """Return a report that a rule diagnoses; its message holds `name`."""
    plain = FailureReport(
        id=f"report-{name}",
        project="shop",
        fingerprint=name,
        run=Run("run"),
        suite_name="S",
        test_name=name,
        error_message=f"Variable '${{{name}}}' not found.",
    )
    return replace(plain, **fields)


@dataclass
class Backend:
    """A worker, and what a listener and an operator see of it."""

    redis: RedisServer
    place: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, **variables: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DDN_", "GEMINI", "GOOGLE", "GITHUB"))}
        environ = {**kept, "DDN_REDIS_URL": self.redis.url, "DDN_HOME": str(self.place / "home"), **variables}
        (self.place / "home").mkdir(mode=0o700, exist_ok=True)
        with self.redis.client() as client, (self.place / "worker.log").open("ab") as log:
            client.delete(HEARTBEAT_KEY)
            command = [sys.executable, "-P", "-m", "celery", "-A", "ddn_backend", "worker"]
            self.process = process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=self.place)
            _wait_until(lambda: client.get(HEARTBEAT_KEY) or process.poll() is not None, "the heartbeat")
        assert process.poll() is None, self.said

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    @property
    def said(self) -> str:
        return (self.place / "worker.log").read_text()

    @contextmanager
    def client(self) -> Iterator[Celery]:
        with Celery(broker=self.redis.url, backend=self.redis.url, set_as_current=False) as plain:
            yield plain

    def send(self, report: FailureReport) -> None:
        with self.client() as plain:
            AsyncResult(report.id, app=plain).forget()
            plain.send_task(TASK_NAME, [encode(report)], task_id=report.id, queue=QUEUE)

    def state(self, report: FailureReport) -> tuple[str, str]:
        """Return the task's state as Flower shows it, with the error."""
        with self.client() as plain:
            found = AsyncResult(report.id, app=plain)
            return found.state, str(found.result)

    def reaches(self, report: FailureReport, *states: str) -> tuple[str, str]:
        def reached() -> tuple[str, str] | None:
            seen = self.state(report)
            return seen if seen[0] in states else None

        found: tuple[str, str] = _wait_until(reached, f"'{report.id}' to reach {states}, is {self.state(report)}")
        return found

    def verdict(self, report: FailureReport) -> Analysis | None:
        with self.redis.client() as client:
            value = client.get(verdict_key(report.project, report.id))
        return decode(Analysis, json.loads(value)) if value else None

    def failed(self) -> dict[str, str]:
        """Return the dead letters in the history, with why."""
        with closing(SqliteHistory(self.place / "home" / "history" / "history.sqlite")) as history:
            return {past.report.id: past.problem for past in history.listed(Wanted(state=State.FAILED))}


@pytest.fixture(scope="module")
def backend(redis_session: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Backend]]:
    started: list[Backend] = []

    def make() -> Backend:
        for earlier in started:
            earlier.kill()
        with redis_session.client() as client:
            client.flushall()
        started.append(Backend(redis_session, tmp_path_factory.mktemp("backend")))
        return started[-1]

    yield make
    for each in started:
        each.kill()


# --- Gemini --------------------------------------------------------------------------------------------------------------

MODELS_DAYS = {
    "Error500": (gemini.error(500), "RETRY", "500: It went wrong."),
    "Limited429": (gemini.too_many_requests(0.4), "RETRY", "It is tried again in 0.4 s."),
    "Malformed": (gemini.malformed(), "RETRY", "It is tried again."),
    "Empty": (gemini.empty(), "RETRY", "it answered nothing"),
    "Refused": (gemini.refusal(), "FAILURE", "it refused to answer"),
    "NotServed": (gemini.error(404, "models/x is not found.", "NOT_FOUND"), "FAILURE", "not served under this id"),
}


@dataclass
class Day:
    """What was seen of a report on the bad day, and when it was over."""

    state: str
    error: str
    draft: Analysis | None
    dead: str
    later: str
    answer: Analysis | None


@pytest.fixture(scope="module")
def days(backend: Callable[[], Backend]) -> dict[str, Day]:
    """All bad days of the model at once, each for a report of its own; then they are over, and what had failed is sent again."""
    running, over = backend(), list[bool]()

    def script(request: dict[str, Any]) -> gemini.Answer:
        text = json.dumps(request)
        name = next(name for name in MODELS_DAYS if name in text)
        good = gemini.conclude(evidence=[{"quote": f"Variable '${{{name}}}' not found.", "where": "error message"}])
        return good if over else MODELS_DAYS[name][0]

    reports = {name: report_of(name) for name in MODELS_DAYS}
    with GeminiServer(script, key=KEY) as server:
        running.start(DDN_MODEL=f"google:{MODEL}", GEMINI_API_KEY=KEY, GOOGLE_GEMINI_BASE_URL=server.url)
        for report in reports.values():
            running.send(report)
        seen = {name: running.reaches(report, "RETRY", *ENDED) for name, report in reports.items()}
        drafts = {name: running.verdict(report) for name, report in reports.items()}
        dead = running.failed()
        over.append(True)
        for name, report in reports.items():
            if seen[name][0] in ENDED:
                running.send(report)
        later = {name: running.reaches(report, *ENDED)[0] for name, report in reports.items()}
        answers = {name: running.verdict(report) for name, report in reports.items()}
        assert running.failed() == {}
    return {name: Day(*seen[name], drafts[name], dead.get(f"report-{name}", ""), later[name], answers[name]) for name in reports}


@pytest.mark.parametrize("name", MODELS_DAYS)
def test_a_bad_day_of_the_model_leaves_the_draft_shows_the_error_and_loses_nothing(days: dict[str, Day], name: str) -> None:
    _, state, words = MODELS_DAYS[name]
    day = days[name]
    assert day.state == state
    assert words in day.error
    assert day.draft
    assert (day.draft.verdict, day.draft.engine.rule_id) == (Verdict.DIAGNOSED, "variable-not-found")
    assert day.draft.stage is (Stage.INTERIM if state == "RETRY" else Stage.FINAL)
    assert any(note.startswith("gemini: ") for note in day.draft.degraded)
    assert (words in day.dead) is (state == "FAILURE")
    assert day.later == "SUCCESS"
    assert day.answer
    assert (day.answer.root_cause, day.answer.degraded) == ("The shop's database was down.", ())


# --- Pinecone, GitHub and MongoDB ----------------------------------------------------------------------------------------


@dataclass
class Services:
    pinecone: PineconeServer
    github: GitHubServer
    mongo: MongoStandIn
    backend: Backend
    commit: str

    def report(self, name: str) -> FailureReport:
        """Return a report with a commit and a place in the code, so that GitHub is asked."""
        call = KeywordCall("Buy", "Shop", source="lib/shop.py", lineno=2)
        return report_of(name, run=Run("run", git=Git("", self.commit, "main")), keywords=(call,))


@pytest.fixture(scope="module")
def services(backend: Callable[[], Backend], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    project = Project(tmp_path_factory.mktemp("project"))
    project.commit(lib__shop_py="a\nb\n")
    with PineconeServer() as pinecone, GitHubServer(project) as github, mongo_stand_in() as mongo:
        running = Services(pinecone, github, mongo, backend(), project.git("rev-parse", "HEAD").strip())
        for name in ("ddn-knowledge-docs", "ddn-error-library"):
            pinecone.make(name)
        running.backend.start(
            DDN_PINECONE_INDEX="ddn",
            PINECONE_API_KEY=PINECONE_KEY,
            PINECONE_CONTROLLER_HOST=pinecone.host,
            DDN_GITHUB_REPO=REPOSITORY,
            GITHUB_TOKEN=TOKEN,
            DDN_GITHUB_URL=github.url,
            DDN_MONGO_URL=f"mongodb://{mongo.address}/ddn",
        )
        yield running


def _delete_index(services: Services) -> None:
    del services.pinecone.indexes["ddn-knowledge-docs"]


def _index_of_another_dimension(services: Services) -> None:
    services.pinecone.fail(400, "/records/", message="Vector dimension 384 does not match the dimension of the index 1024")


def _github_answers(status: int, **headers: str) -> Callable[[Services], None]:
    fault = Fault(status, {name.replace("_", "-"): value for name, value in headers.items()})
    return lambda services: services.github.faults.extend([fault] * 20)


def _mongo_refuses(services: Services) -> None:
    services.mongo.refused["insert"] = (11600, "interrupted at shutdown")


SERVICES_DAYS: dict[str, tuple[Callable[[Services], None], str, str, str]] = {
    "IndexDeleted": (_delete_index, "FAILURE", "index 'ddn-knowledge-docs' not found", "pinecone: "),
    "Dimension": (_index_of_another_dimension, "FAILURE", "does not match the dimension of the index", "pinecone: "),
    "PineconeHangs": (lambda services: services.pinecone.stall(), "RETRY", "timed out after 3 s", "pinecone: "),
    "GitHub401": (_github_answers(401), "FAILURE", "it does not accept GITHUB_TOKEN (401)", "github: "),
    "GitHub403": (_github_answers(403, Retry_After="1"), "RETRY", "rate limited until", "github: "),
    "GitHub404": (_github_answers(404), "FAILURE", "there is no such repository", "github: "),
    "GitHub503": (_github_answers(503), "RETRY", "it answered 503", "github: "),
    "MongoDown": (_mongo_refuses, "RETRY", "interrupted at shutdown", "history: "),
}  # fmt: skip


@pytest.fixture
def mended(services: Services) -> Iterator[Callable[[], None]]:
    def mend() -> None:
        services.pinecone.mend()
        for name in ("ddn-knowledge-docs", "ddn-error-library"):
            services.pinecone.indexes.get(name) or services.pinecone.make(name)
        services.github.faults.clear()
        services.mongo.refused.clear()
        services.mongo.hanging.clear()
        with services.backend.redis.client() as client:
            for key in client.keys("ddn:github:*"):
                client.delete(key)

    yield mend
    mend()


@pytest.mark.parametrize("name", SERVICES_DAYS)
def test_a_bad_day_of_a_service_leaves_the_draft_shows_the_error_and_loses_nothing(
    services: Services, mended: Callable[[], None], name: str
) -> None:
    begin, state, words, note = SERVICES_DAYS[name]
    report, backend = services.report(name), services.backend
    begin(services)
    backend.send(report)
    seen, error = backend.reaches(report, "RETRY", *ENDED)
    assert seen == state
    assert words in error
    draft = backend.verdict(report)
    assert draft
    assert (draft.verdict, draft.engine.rule_id) == (Verdict.DIAGNOSED, "variable-not-found")
    assert [each for each in draft.degraded if each.startswith(note)]
    mended()
    if state == "FAILURE":
        backend.send(report)
    assert backend.reaches(report, *ENDED)[0] == "SUCCESS", backend.state(report)
    answer = backend.verdict(report)
    assert answer
    assert (answer.stage, answer.degraded) == (Stage.FINAL, ())


def test_a_draft_does_not_wait_for_services_that_hang(services: Services, mended: Callable[[], None], wait_until: Any) -> None:
    services.pinecone.stall()
    services.mongo.hanging |= {"insert", "find"}
    services.github.faults.extend([Fault(200, before_seconds=20)] * 20)
    report = services.report("AllHang")
    services.backend.send(report)
    draft = wait_until(lambda: services.backend.verdict(report), "the draft")
    assert (draft.stage, draft.engine.rule_id) == (Stage.INTERIM, "variable-not-found")
    assert draft.degraded == ("services: no answer within 0.5 s, still waited for",)
    assert services.backend.state(report)[0] == "STARTED"


# --- Everything at once, and what kills a worker -------------------------------------------------------------------------


def test_with_all_services_down_from_the_start_the_reader_has_the_draft_and_the_operator_every_reason(
    backend: Callable[[], Backend],
) -> None:
    running = backend()
    with PineconeServer() as pinecone, GeminiServer(key=KEY) as model:
        nowhere, nobody = pinecone.host, model.url
    running.start(
        DDN_PINECONE_INDEX="ddn",
        PINECONE_API_KEY=PINECONE_KEY,
        PINECONE_CONTROLLER_HOST=nowhere,
        DDN_MONGO_URL=f"mongodb://{nowhere.removeprefix('http://')}/ddn?serverSelectionTimeoutMS=200",
        DDN_MODEL=f"google:{MODEL}",
        GEMINI_API_KEY=KEY,
        GOOGLE_GEMINI_BASE_URL=nobody,
    )
    report = report_of("AllDown")
    running.send(report)
    state, error = running.reaches(report, "RETRY", *ENDED)
    assert state == "RETRY"
    assert "failed: " in error
    draft = running.verdict(report)
    assert draft
    assert (draft.stage, draft.engine.rule_id) == (Stage.INTERIM, "variable-not-found")
    assert {note.partition(":")[0] for note in draft.degraded} == {"history", "pinecone", "gemini"}


def test_a_report_whose_worker_was_killed_three_times_is_set_aside(backend: Callable[[], Backend], wait_until: Any) -> None:
    running, report = backend(), report_of("Poison")
    with (
        GeminiServer([gemini.slow(30, gemini.conclude())], key=KEY) as hanging,
        running.redis.client() as client,
    ):
        with_model = {"DDN_MODEL": f"google:{MODEL}", "GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": hanging.url}
        running.send(report)
        for killed in range(1, 4):
            running.start(**with_model)
            wait_until(lambda: client.get(f"ddn:deliveries:{report.id}") == str(killed).encode(), f"beginning {killed}")  # noqa: B023 - used at once
            running.kill()
            for tag in client.zrange("unacked_index", 0, -1):
                client.zadd("unacked_index", {tag: 0})  # the time is over after which Redis hands it out again
        running.start(**with_model)
        state, error = running.reaches(report, *ENDED)
    assert state == "FAILURE"
    assert "the worker was killed 3 times while at work on it" in error
    answer = running.verdict(report)
    assert answer
    assert (answer.stage, answer.verdict) == (Stage.FINAL, Verdict.NOT_ANALYSED)
    assert "killed 3 times" in answer.missing[0]
    assert "killed 3 times" in running.failed()[report.id]
    with running.redis.client() as client:
        assert not client.exists(f"ddn:deliveries:{report.id}")  # sent again, it has three more tries
