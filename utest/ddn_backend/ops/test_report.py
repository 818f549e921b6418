"""Reports: the figures of task runs, what comes back weekly and what does not, and the page as a browser shows it."""

import json
import os
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from conftest import missing

from ddn_backend.adapters.sqlite import SqliteHistory
from ddn_backend.cli.main import main
from ddn_backend.ops.reporting.figures import percentile
from ddn_backend.ops.reporting.recurrence import weekly
from ddn_backend.ops.reporting.report import report
from ddn_backend.ops.reporting.report_html import page
from ddn_backend.ports import TaskRun, TaskState

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE = """<img src=x onerror="document.title='pwned'">'"</style></title><script>document.title='pwned'</script>&amp;[b]x[/b]"""


def ran(queued=MONDAY, seconds=3.0, state=TaskState.SUCCESS, key=None, **values):
    """An analysis that was queued at `queued`, waited for two seconds, and took `seconds`."""
    started = queued + timedelta(seconds=2)
    finished = (started + timedelta(seconds=seconds)).isoformat() if state in (TaskState.SUCCESS, TaskState.FAILURE) else ""
    key = key or f"{queued.isoformat()}{seconds}{sorted(values.items())}"
    given = {
        "test_name": "Pay",
        "error_message": "boom",
        "error_type": "CODE_ERROR",
        "worker": "a@host",
        "project": "shop",
        **values,
    }
    return TaskRun(
        key,
        "0123456789ab",
        state,
        queued=queued.isoformat(),
        started=started.isoformat(),
        finished=finished,
        seconds=seconds,
        **given,
    )


def week(*runs, days=7, **values):
    return report(runs, MONDAY, MONDAY + timedelta(days=days), **{"zone": UTC, **values})


def test_percentiles_lie_between_the_values_on_a_straight_line():
    assert [percentile([4, 1, 3, 2], percent) for percent in (0, 50, 95, 100)] == [1, 2.5, pytest.approx(3.85), 4]
    assert percentile([], 50) == 0


def test_the_figures_are_those_of_the_runs():
    figures = week(
        ran(seconds=1, step_seconds={"retrieve": 0.25, "draft": 0.75}),
        ran(seconds=3, step_seconds={"retrieve": 2.75}, degraded=("pinecone: timed out", "pinecone: x"), reused=True),
        ran(
            seconds=5, state=TaskState.FAILURE, error="TransientError('down')", error_type="INFRA_ERROR", retries=3, worker="b@host"
        ),
        ran(MONDAY + timedelta(days=1, hours=9), seconds=0, state=TaskState.REVOKED),
        ran(MONDAY + timedelta(days=2), seconds=0, state=TaskState.STARTED),
    )
    states = (figures.total, figures.succeeded, figures.failed, figures.revoked, figures.open)
    assert states == (5, 2, 1, 1, 1)
    assert (figures.rate, figures.degraded, figures.reused, figures.retried) == (pytest.approx(2 / 3), 1, 1, 1)
    assert (figures.timing.mean, figures.timing.p50, figures.timing.p95, figures.timing.most) == (3, 3, pytest.approx(4.8), 5)
    assert (figures.waiting.count, figures.waiting.mean) == (2, 2)  # one that was tried again started more than once
    assert {item.name: (item.count, item.mean) for item in figures.by_type} == {"CODE_ERROR": (2, 2), "INFRA_ERROR": (1, 5)}
    assert {item.name: (item.count, item.mean) for item in figures.by_step} == {"retrieve": (2, 1.5), "draft": (1, 0.75)}
    assert [(item.run.seconds, item.step) for item in figures.slowest] == [(5, ""), (3, "retrieve"), (1, "draft")]
    assert [(one.name, one.count, one.failed, one.degraded) for one in figures.workers] == [
        ("a@host", 2, 0, 1),
        ("b@host", 1, 1, 0),
    ]
    assert [(cause.kind, cause.count) for cause in figures.parts] == [("pinecone", 1)]
    assert [(cause.kind, cause.count) for cause in figures.errors] == [("TransientError", 1)]


def test_bins_are_days_hours_or_weeks_and_begin_where_the_readers_clock_does():
    berlin = ZoneInfo("Europe/Berlin")
    since = datetime(2026, 3, 28, 12, tzinfo=berlin)  # clocks go forward on the 29th
    late = ran(datetime(2026, 3, 29, 22, 30, tzinfo=UTC))  # half past midnight on the 30th in Berlin
    days = report([late], since, datetime(2026, 3, 31, 12, tzinfo=berlin), zone=berlin)
    starts = [f"{item.start:%d %H:%M %z}" for item in days.bins]
    assert starts == ["28 00:00 +0100", "29 00:00 +0100", "30 00:00 +0200", "31 00:00 +0200"]
    assert [item.succeeded for item in days.bins] == [0, 0, 1, 0]
    assert days.heat[0][0] == 1
    hours = report([late], since, since + timedelta(hours=47), zone=berlin)
    assert (hours.step, len(hours.bins)) == ("hour", 47)  # one hour was left out
    assert [f"{item.start:%d %H}" for item in hours.bins if item.succeeded] == ["30 00"]
    weeks = week(ran(), days=200)
    assert (weeks.step, weeks.bins[1].start) == ("week", MONDAY + timedelta(days=7))


def test_causes_are_one_where_only_what_varies_differs():
    figures = week(
        ran(error_message="10.0.0.7:41234 refused at 2026-03-02 10:00:00"),
        ran(error_message="10.0.0.7:55555 refused at 2026-03-03 11:11:11"),
        ran(error_message="500 != 200"),
        ran(error_message="401 != 200"),
        ran(error_message=""),
    )
    assert [cause.count for cause in figures.causes] == [2, 1, 1, 1]
    assert {"500 != 200", "401 != 200", "(no message)"} < {cause.text for cause in figures.causes}


@pytest.mark.parametrize(
    ("seen", "active", "words"),
    [
        ([3, 10, 17, 24], range(1, 29), "every Tuesday: on 4 of 4 Tuesdays, 4 of the 4 days it was seen on"),
        ([3, 10, 17, 24, 26], range(1, 29), "every Tuesday: on 4 of 4 Tuesdays, 4 of the 5 days it was seen on"),
        ([3, 17, 24], range(1, 29), "most Tuesdays: on 3 of 4 Tuesdays, 3 of the 3 days it was seen on"),
        ([3, 10], range(1, 15), ""),  # twice is no habit
        ([3, 10, 17, 24], [3, 10, 17, 24], ""),  # nothing runs on other days
        ([3, 10, 17, 24], [3, 4, 10, 17, 24], ""),  # nor much
        (range(1, 29), range(1, 29), ""),  # every day
        ([3, 10, 17, 5, 12, 19], range(1, 29), ""),  # as often on Thursdays
        ([], range(1, 29), ""),
    ],
)
def test_what_comes_back_weekly_is_told_with_numbers_and_nothing_else_is(seen, active, words):
    found = weekly({date(2026, 3, day) for day in seen}, {date(2026, 3, day) for day in active})
    assert (found.text if found else "") == words


def test_the_more_things_are_looked_at_the_more_must_speak_for_a_weekday():
    seen, active = (
        {date(2026, 3, day) for day in (3, 10, 17)},
        {date(2026, 3, day) for day in range(2, 23) if date(2026, 3, day).weekday() < 5},
    )
    assert weekly(seen, active)
    assert not weekly(seen, active, looked_at=50)


def test_mongodb_timeouts_every_tuesday_are_found_among_other_failures_and_many_on_one_day_count_once():
    runs = [
        ran(MONDAY + timedelta(days=day, hours=3), error_message="AssertionError: 500 != 200", key=f"o{day}") for day in range(28)
    ]
    tuesdays = [MONDAY + timedelta(days=day, minutes=minute) for day in (1, 8, 15, 22) for minute in range(5)]
    runs += [ran(time, error_message="ServerSelectionTimeoutError: mongodb", degraded=("mongodb: timed out",)) for time in tuesdays]
    runs += [ran(MONDAY + timedelta(days=3, minutes=minute), error_message="only once", key=f"x{minute}") for minute in range(99)]
    figures = week(*runs, days=28)
    said = {cause.text: cause.weekly for cause in (*figures.causes, *figures.parts)}
    expected = "every Tuesday: on 4 of 4 Tuesdays, 4 of the 4 days it was seen on"
    assert said.pop("ServerSelectionTimeoutError: mongodb") == expected
    assert said.pop("mongodb: timed out") == expected
    assert set(said.values()) == {""}


class _Page(HTMLParser):
    """What a browser made of a page."""

    def __init__(self, dom):
        super().__init__()
        self.tags, self.texts, self.attributes = [], [], []
        self.feed(dom)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.texts.append(data)


def rendered(path, tmp_path):
    names = (os.environ.get("DDN_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    browser = next((found for name in names if name and (found := shutil.which(name))), None)
    if not browser:
        missing("Chromium")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom"]
    done = subprocess.run([*command, path.as_uri()], capture_output=True, text=True, timeout=60)
    return _Page(done.stdout)


def test_a_page_shows_hostile_names_as_they_are_and_loads_and_runs_nothing(tmp_path):
    names = ("project", "suite_name", "test_name", "error_message", "error_type", "worker", "error", "model")
    hostile = dict.fromkeys(names, HOSTILE)
    failed = ran(state=TaskState.FAILURE, degraded=(HOSTILE,), step_seconds={HOSTILE: 1.0}, calls=1, cost_usd=0.1, **hostile)
    figures = week(failed, project=HOSTILE)
    text = page(figures, "now")
    (tmp_path / "hostile.html").write_text(text, encoding="utf-8")
    shown = rendered(tmp_path / "hostile.html", tmp_path)
    assert f"Failure analysis of {HOSTILE}" in shown.texts
    assert not {"img", "script", "iframe", "link"} & set(shown.tags)
    assert not [name for name in shown.attributes if name.startswith("on") or name in ("src", "href")]
    assert sum(HOSTILE in part for part in shown.texts) >= 8
    assert "svg" in shown.tags
    assert "http" not in text.replace("http-equiv", "")


def test_a_page_survives_what_no_page_may_hold():
    text = page(week(ran(error_message="nul \0 escape \x1b[31m half \ud800 turned \u202e")), "now")
    text.encode("utf-8")
    assert "nul � escape �[31m half � turned �" in text


@pytest.fixture
def ddn(capsys, monkeypatch, tmp_path):
    """Return a function that runs `ddn report` over the history in `tmp_path`, and returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"DDN_HOME": str(tmp_path), "DDN_MONGO_URL": "", "TZ": "Asia/Tokyo"}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["report", *map(str, arguments)])
        captured = capsys.readouterr()
        return end.value.code, captured.out, captured.err

    return run


@pytest.fixture
def kept(tmp_path):
    """A history with two runs of an hour ago, one of them of another project, and an old one."""
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    history = SqliteHistory(tmp_path / "history" / "history.sqlite")
    history.record_task_runs(
        (
            ran(
                hour_ago,
                9,
                test_name="[b]Pay[/b]",
                error_message="\x1b[31mred",
                calls=2,
                tokens_in=1000,
                cost_usd=0.5,
                model="google:x",
            ),
            ran(hour_ago, project="bank", state=TaskState.FAILURE, error="TransientError('x')"),
            ran(hour_ago - timedelta(days=30), test_name="Old"),
        )
    )
    history.close()


def test_ddn_report_shows_the_figures_on_a_terminal_of_78_columns(ddn, kept):
    code, out, err = ddn()
    assert (code, err) == (0, "")
    assert "2 analyses, 50.0 % succeeded: 1 failed, 0 revoked, 0 open" in out
    assert "[b]Pay[/b]" in out
    assert "\x1b" not in out
    assert "$0.50" in out
    assert "What comes back on a weekday can be told of three weeks or more" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 78
    assert "1 analyses, 100.0 % succeeded" in ddn("--project", "shop")[1]
    assert "3 analyses" in ddn("--since", "60d")[1]


def test_ddn_report_writes_a_page_and_json(ddn, kept, tmp_path):
    code, out, _ = ddn("--html", "report.html")
    assert (code, out) == (0, "Report of 2 analyses: report.html\n")
    assert "<h2>Success rate</h2>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.glob(".report*")] == []
    told = json.loads(ddn("--json", "--since", "60d")[1])
    assert (told["total"], told["price"]["cost_usd"], told["slowest"][0]["run"]["test_name"]) == (3, 0.5, "[b]Pay[/b]")


def test_ddn_report_of_a_time_without_analyses_says_so(ddn, tmp_path):
    assert "No analysis in this time." in ddn()[1]
    assert ddn("--html", "report.html")[0] == 0
    assert "No analysis in this time." in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "soon"), "Reading option '--since' failed: expected such as 90s"),
        (("--since", "1d", "--until", "2d"), "Reading option '--since' failed: expected a time before"),
        (("--html", "nowhere/report.html"), "Writing report 'nowhere/report.html' failed: No such file or directory"),
    ],
)
def test_what_ddn_report_cannot_use_is_one_line_and_exit_code_2(ddn, kept, arguments, words):
    code, _, err = ddn(*arguments)
    assert code == 2
    assert words in err
