"""Alerts from the figures to the mail: rules, incidents, restarts, and routes that fail, over real SMTP and HTTP servers."""

import logging
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from ddn_backend.adapters.apprise_notifier import AppriseNotifier
from ddn_backend.cli.main import main
from ddn_backend.errors import SettingsError
from ddn_backend.ops.alerting import alert_rules
from ddn_backend.ops.alerting.alert_figures import Standing, findings
from ddn_backend.ops.alerting.alert_rules import KINDS, Rule
from ddn_backend.ops.alerting.alerts import Alerts
from ddn_backend.ops.alerting.incident_store import ALERTS_KEY, IncidentStore
from ddn_backend.ops.monitoring.snapshot import Snapshot, WorkerState
from ddn_backend.ports import Notice, NoticeKind, NotifyError, TaskRun, TaskState
from servers.smtp import SmtpServer
from servers.webhooks import WebhookServer, vendors_certificate

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHIPPED = Path(__file__).parents[3] / "backend" / "alerts.toml"
ONE_WORKER = (WorkerState("a@host"),)


def ran(ended=TaskState.SUCCESS, minutes_ago=1.0, **values):
    finished = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    return TaskRun(f"{id(object())}", "t", ended, finished=finished, **values)


def runs(succeeded, failed, **values):
    return (*(ran(**values) for _ in range(succeeded)), *(ran(TaskState.FAILURE, error="boom", **values) for _ in range(failed)))


def rule(name, **values):
    return Rule(name, ("hook",), **{"threshold": KINDS[name].threshold, "hold": KINDS[name].hold, **values})


def seen(seconds=0.0, **values):
    """A snapshot some seconds after NOW, of a backend that is well unless told otherwise."""
    return Snapshot(NOW + timedelta(seconds=seconds), **{"workers": ONE_WORKER, **values})


@pytest.mark.parametrize(
    ("name", "snapshot", "standing", "words"),
    [
        ("success-rate", seen(runs=runs(9, 1)), Standing.FINE, "90 %"),
        ("success-rate", seen(runs=runs(17, 2)), Standing.BAD, "89.5 % of the analyses succeeded (17 of 19 in 15 minutes)"),
        ("success-rate", seen(runs=runs(0, 1)), Standing.FINE, "fewer than the 10 that are judged"),
        ("success-rate", seen(runs=runs(10, 0) + runs(0, 10, minutes_ago=16)), Standing.FINE, "10 of 10"),
        ("success-rate", seen(runs=(*runs(10, 0), ran(TaskState.REVOKED), ran(TaskState.RETRY))), Standing.FINE, "10 of 10"),
        ("degraded", seen(runs=(*runs(9, 0), ran(degraded=("pinecone: timed out",)))), Standing.FINE, "10 %"),
        ("degraded", seen(runs=runs(8, 0) + (ran(degraded=("pinecone: timed out",)),) * 2), Standing.BAD, "2 of 10"),
        ("waiting", seen(waiting=50), Standing.FINE, "50 reports wait"),
        ("waiting", seen(waiting=51, paused="upgrade"), Standing.BAD, "The queue is paused: upgrade."),
        ("oldest-message", seen(oldest_seconds=300), Standing.FINE, "5 minutes"),
        ("oldest-message", seen(oldest_seconds=301), Standing.BAD, "expected at most 5 minutes"),
        ("workers", seen(), Standing.FINE, "1 worker online"),
        ("workers", seen(workers=()), Standing.BAD, "No worker is online"),
        ("budget", seen(used_up=("shop",)), Standing.BAD, "project 'shop'"),
        ("redis", seen(), Standing.FINE, "answers"),
        ("redis", seen(broker_problem="refused"), Standing.BAD, "refused"),
    ],
)
def test_each_rule_judges_its_figure_and_says_it(name, snapshot, standing, words):
    [finding] = findings(rule(name), snapshot)
    assert (finding.standing, words in finding.text) == (standing, True), finding


@pytest.mark.parametrize("name", ["waiting", "oldest-message", "workers", "budget"])
def test_nothing_of_redis_is_judged_while_it_does_not_answer(name):
    assert [found.standing for found in findings(rule(name), Snapshot(NOW, broker_problem="refused"))] == [Standing.UNKNOWN]


def test_rates_name_the_most_common_errors_and_can_be_judged_by_project():
    both = runs(10, 5, project="shop") + runs(20, 0, project="bank")
    assert {found.project: found.standing for found in findings(rule("success-rate", project="*"), seen(runs=both))} == {
        "shop": Standing.BAD,
        "bank": Standing.FINE,
    }
    [shop] = findings(rule("success-rate", project="shop"), seen(runs=both))
    assert shop.causes == ("5 x boom",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[rules", "expected TOML in UTF-8"),
        ("[[rules]]\nname = 'wait'\nroute = 'hook'", "rule 1: name: expected one of success-rate, degraded, waiting"),
        ("[[rules]]\nroute = 'hook'", "rule 1: name: expected one of"),
        ("[[rules]]\nname = 'waiting'\nroute = 'mail'", "rule 'waiting': route: expected one of the routes hook, got 'mail'"),
        ("[[rules]]\nname = 'waiting'", "rule 'waiting': route: expected a text or a list of texts, got nothing"),
        (
            "[[rules]]\nname = 'waiting'\nroute = 'hook'\nlimit = 3",
            "rule 'waiting': unknown key 'limit', expected name, route, threshold",
        ),
        (
            "[[rules]]\nname = 'waiting'\nroute = 'hook'\nthreshold = 'many'",
            "threshold: expected a whole number, 0 or more, got 'many'",
        ),
        (
            "[[rules]]\nname = 'waiting'\nroute = 'hook'\nthreshold = true",
            "threshold: expected a whole number, 0 or more, got 'True'",
        ),
        ("[[rules]]\nname = 'degraded'\nroute = 'hook'\nthreshold = nan", "threshold: expected a number, 0 to 100, got 'nan'"),
        (
            "[[rules]]\nname = 'waiting'\nroute = 'hook'\nthreshold = inf",
            "threshold: expected a whole number, 0 or more, got 'inf'",
        ),
        ("[[rules]]\nname = 'degraded'\nroute = 'hook'\nover = '1h'", "over: expected a time of at most 15m such as 90s or 5m"),
        ("[[rules]]\nname = 'workers'\nroute = 'hook'\nfor = 60", "for: expected a time such as 90s or 5m, in quotes, got '60'"),
        ("[[rules]]\nname = 'budget'\nroute = 'hook'\nthreshold = 3", "rule 'budget': unknown key 'threshold'"),
        ("[[rules]]\nname = 'waiting'\nroute = 'hook'\nproject = 'shop'", "rule 'waiting': unknown key 'project'"),
        ("[[rules]]\nname = 'waiting'\nroute = 'hook'\n" * 2, "there are two of it for the same project"),
        ("rules = 3", "rules: expected [[rules]], got '3'"),
        ("rules = [3]", "rule 1: expected a table, got '3'"),
        ("[projects]\nshop = 'mail'", "project 'shop': expected one of the routes hook, got 'mail'"),
        ("[route]\nmail = 'x'", "unknown key 'route', expected routes, projects, rules"),
        ("[routes]\nhook = 'env:DDN_NOWHERE'", "route 'hook': expected the address in the environment variable 'DDN_NOWHERE'"),
        ("[routes]\nhook = 3", "route 'hook': address: expected a text or a list of texts"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_file_rule_value_and_what_is_expected(tmp_path, text, problem):
    file = tmp_path / "alerts.toml"
    file.write_text(text if "[routes]" in text else f"{text}\n[routes]\nhook = 'json://127.0.0.1'\n")
    with pytest.raises(SettingsError) as error:
        alert_rules.read(file, {})
    assert str(error.value).startswith(f"Reading alert rules '{file}' failed: ")
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_the_shipped_file_has_the_defaults_of_every_rule():
    addresses = {"DDN_MAIL_URL": "json://a", "DDN_SLACK_URL": "json://b", "DDN_PAGERDUTY_URL": "json://c"}
    file = alert_rules.read(SHIPPED, addresses)
    assert {rule.name: (rule.threshold, rule.hold) for rule in file.rules} == {
        name: (kind.threshold, kind.hold) for name, kind in KINDS.items()
    }
    assert {rule.name: rule.routes[0] for rule in file.rules} == {
        "success-rate": "mail",
        "waiting": "slack",
        "workers": "pagerduty",
        "oldest-message": "slack",
        "degraded": "mail",
        "budget": "mail",
        "redis": "pagerduty",
    }
    assert {(rule.over, rule.minimum) for rule in file.rules} == {(900, 10)}


@pytest.fixture
def smtp():
    with SmtpServer() as server:
        yield server


@pytest.fixture
def hooks():
    with WebhookServer() as server:
        yield server


@pytest.fixture
def alerts(tmp_path, redis_server):
    """Return a function that gives Alerts over the rules and routes, on a real Redis; each call is a monitor that starts anew."""
    started = []

    def start(rules, client=None, **routes):
        lines = ["[routes]", *(f"{name} = '{address}'" for name, address in routes.items()), rules]
        (tmp_path / "alerts.toml").write_text("\n".join(lines))
        file = alert_rules.read(tmp_path / "alerts.toml", {})
        client = client or redis_server.client()
        started.append(Alerts(file, IncidentStore(client), AppriseNotifier(file.addresses, file.path), first_pause_seconds=0.05))
        return started[-1]

    yield start
    for one in started:
        one.close()


WAITING = """
[[rules]]
name = 'waiting'
for = '60s'
resolved_for = '120s'
route = '{}'
"""


def titles(hooks):
    return [posted.json["title"] for posted in hooks.posted]


def test_one_incident_is_one_mail_and_one_more_when_it_is_over(alerts, smtp, redis_server, wait_until):
    url = f"mailto://ddn:p4ssw0rd@127.0.0.1:{smtp.port}?from=ddn@example.com&to=team@example.com"
    watch = alerts(WAITING.format("mail"), mail=url)
    for seconds in range(0, 300, 30):
        watch.look(seen(seconds, waiting=80))
    wait_until(lambda: smtp.mails and not watch.open()[0].untold, "the mail")
    for seconds in range(300, 600, 30):
        watch.look(seen(seconds))
    wait_until(lambda: len(smtp.mails) > 1 and not redis_server.client().hlen(ALERTS_KEY), "the second mail")
    problem, resolved = smtp.mails
    assert (problem.sender, problem.recipients, problem.login) == ("ddn@example.com", ("team@example.com",), "ddn:p4ssw0rd")
    assert problem.message["Subject"] == "[problem] ddn: waiting"
    assert "80 reports wait for a worker, expected 50 or fewer." in problem.text
    assert "Since 2026-03-02 12:00 UTC" in problem.text
    assert resolved.message["Subject"] == "[resolved] ddn: waiting"
    assert "0 reports wait" in resolved.text
    assert "lasted 7 min: 80 reports wait" in resolved.text
    assert watch.open() == ()


def test_what_is_bad_for_a_moment_is_none_and_what_swings_is_one(alerts, hooks, wait_until):
    watch = alerts(WAITING.format("hook"), hook=f"json://127.0.0.1:{hooks.port}")
    for seconds in range(0, 600, 50):
        watch.look(seen(seconds, waiting=80 if seconds % 100 else 0))  # never bad for 60 s
    assert watch.open() == ()
    for seconds in (1000, 1060, 1120, 1180, 1240, 1300, 1360, 1420):
        watch.look(seen(seconds, waiting=0 if seconds in (1120, 1240, 1300) else 80))  # never fine for 120 s
    wait_until(lambda: hooks.posted and not watch.open()[0].untold, "the message")
    assert titles(hooks) == ["[problem] ddn: waiting"]


def test_a_monitor_that_starts_again_tells_nobody_again_but_sends_what_is_owed(alerts, hooks, wait_until):
    rules, hook = WAITING.format("hook"), f"json://127.0.0.1:{hooks.port}"
    first = alerts(rules, hook=hook)
    first.look(seen(0, waiting=80))
    first.look(seen(60, waiting=80))
    wait_until(lambda: hooks.posted and not first.open()[0].untold, "the message")
    first.close()
    second = alerts(rules, hook=hook)
    second.look(seen(70, waiting=80))
    second.look(seen(140, waiting=80))
    assert [incident.untold for incident in second.open()] == [()]
    hooks.statuses = [500] * 1000
    second.look(seen(150))
    second.look(seen(280))
    second.close()
    hooks.statuses = []
    alerts(rules, hook=hook).look(seen(290))
    wait_until(lambda: len(hooks.posted) > 1, "the second message")
    assert titles(hooks) == ["[problem] ddn: waiting", "[resolved] ddn: waiting"]


def test_an_incident_whose_rule_was_taken_out_of_the_file_is_resolved(alerts, hooks, wait_until):
    hook = f"json://127.0.0.1:{hooks.port}"
    first = alerts(WAITING.format("hook").replace("60s", "0s"), hook=hook)
    first.look(seen(0, waiting=80))
    wait_until(lambda: hooks.posted and not first.open()[0].untold, "the message")
    alerts("", hook=hook).look(seen(10, waiting=80))
    wait_until(lambda: len(hooks.posted) > 1, "the second message")
    assert "Its rule is not in the file any more." in hooks.posted[1].json["message"]


def test_a_route_that_fails_is_tried_again_and_one_that_hangs_holds_up_nobody(alerts, smtp, hooks, caplog, wait_until):
    smtp.is_hung = True
    hooks.statuses = [500, 503]
    rules = WAITING.format("both").replace("60s", "0s").replace("'both'", "['mail', 'hook']")
    watch = alerts(
        rules,
        mail=f"mailto://127.0.0.1:{smtp.port}?from=ddn@example.com&to=ops@example.com",
        hook=f"json://127.0.0.1:{hooks.port}/t0psecret",
    )
    watch.look(seen(0, waiting=80))
    wait_until(lambda: hooks.posted, "the third try")
    wait_until(lambda: watch.open()[0].untold == ("mail",), "the note that it was told")
    told = [record.getMessage() for record in caplog.records if record.name.startswith("ddn_backend")]
    assert told[0].startswith("Telling 'hook' (JSON) failed: Failed to send JSON POST notification: ")
    assert "error=500" in told[0]
    assert "error=503" in told[1]
    assert not [
        record for record in caplog.records if logging.getLogger(record.name).propagate and "t0psecret" in record.getMessage()
    ]


def test_incidents_of_a_project_go_to_its_own_routes(alerts, hooks, wait_until):
    with WebhookServer() as shop:
        rules = "[projects]\nshop = 'shop'\n[[rules]]\nname = 'budget'\nroute = 'all'\nresolved_for = '0s'"
        watch = alerts(rules, all=f"json://127.0.0.1:{hooks.port}", shop=f"json://127.0.0.1:{shop.port}")
        watch.look(seen(used_up=("shop", "bank")))
        wait_until(lambda: hooks.posted and shop.posted, "the first messages")  # a later one replaces what was not sent yet
        watch.look(seen(10, used_up=("shop",)))
        wait_until(lambda: len(hooks.posted) == 2, "the message that it is over")
        assert titles(hooks) == ["[problem] ddn: budget (bank)", "[resolved] ddn: budget (bank)"]
        assert titles(shop) == ["[problem] ddn: budget (shop)"]


def test_while_redis_is_away_that_alone_is_told_until_it_answers_again(alerts, hooks, redis_server, wait_until, tmp_path):
    away = redis.Redis(unix_socket_path=str(tmp_path / "s"))
    rules = WAITING.format("hook").replace("60s", "0s") + "[[rules]]\nname = 'redis'\nfor = '60s'\nroute = 'hook'\n"
    watch = alerts(rules, client=away, hook=f"json://127.0.0.1:{hooks.port}")
    for seconds in (0, 60, 120):
        watch.look(seen(seconds, broker_problem="refused", workers=()))
    wait_until(lambda: hooks.posted, "the message")
    assert titles(hooks) == ["[problem] ddn: redis"]
    (tmp_path / "s").symlink_to(redis_server.socket)
    watch.look(seen(130, waiting=80))
    assert {incident.rule for incident in watch.open()} == {"redis", "waiting"}
    wait_until(lambda: redis_server.client().hlen(ALERTS_KEY) == 2, "both incidents on Redis")


def test_slack_and_pagerduty_get_what_they_understand_and_pagerduty_closes_its_own_incident(tmp_path, monkeypatch):
    if not shutil.which("openssl"):
        from conftest import missing

        missing("openssl")
    certificate = vendors_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
    with WebhookServer(certificate) as vendors:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{vendors.port}")
        monkeypatch.setenv("NO_PROXY", "")
        addresses = {
            "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops",
            "pager": "pagerduty://1ntegrat10nkey@ap1key",
        }
        notifier = AppriseNotifier(addresses, Path("alerts.toml"))
        text = "12 reports wait: <!channel> & <http://evil|x>"
        notifier.send("slack", Notice("waiting@", NoticeKind.OPENED, "[problem] ddn: waiting", text))
        for kind in (NoticeKind.OPENED, NoticeKind.RESOLVED):
            notifier.send("pager", Notice("waiting@", kind, f"ddn: {kind}", text))
        vendors.statuses = [403]
        with pytest.raises(NotifyError) as error:
            notifier.send("pager", Notice("waiting@", NoticeKind.OPENED, "x", "x"))
    slack, opened, resolved = vendors.posted
    assert (slack.host, slack.path) == ("hooks.slack.com", "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    assert slack.json["channel"] == "#ops"
    assert "12 reports wait" in slack.body.decode()
    assert "<!channel>" not in slack.body.decode()
    assert (opened.host, opened.path) == ("events.pagerduty.com", "/v2/enqueue")
    assert (opened.json["event_action"], opened.json["payload"]["severity"]) == ("trigger", "critical")
    assert resolved.json == {"event_action": "resolve", "dedup_key": opened.json["dedup_key"], "routing_key": "1ntegrat10nkey"}
    assert "error=403" in str(error.value)
    assert not any(secret in str(error.value) for secret in ("1ntegrat10nkey", "ap1key"))


def test_what_went_wrong_is_told_without_the_secrets_of_the_address(smtp, tmp_path):
    smtp.refusals = ["550 no mail from hunter2hunter2 here"]
    notifier = AppriseNotifier(
        {
            "mail": f"mailto://user:hunter2hunter2@127.0.0.1:{smtp.port}?from=ddn@example.com&to=team@example.com",
            "gone": "json://127.0.0.1:9/s3cr3tpath?token=t0k3nt0k3n",
        },
        tmp_path,
    )
    causes = {}
    for target in notifier.targets:
        with pytest.raises(NotifyError) as error:
            notifier.send(target, Notice("x", NoticeKind.OPENED, "x", "x"))
        causes[target] = str(error.value)
    assert causes["mail"].startswith("Telling 'mail' (E-Mail) failed: ")
    assert "Connection refused" in causes["gone"]
    assert not any(secret in text for text in causes.values() for secret in ("hunter2", "s3cr3tpath", "t0k3nt0k3n"))


def test_an_address_that_apprise_does_not_understand_is_refused_without_being_shown(tmp_path):
    with pytest.raises(SettingsError, match=r"route 'mail': expected a URL of apprise .* got a mailtoo:// URL") as error:
        AppriseNotifier({"mail": "mailtoo://user:hunter2@host"}, tmp_path / "alerts.toml")
    assert "hunter2" not in str(error.value)


@pytest.fixture
def ddn(capsys, monkeypatch, tmp_path, redis_server):
    """Return a function that runs `ddn alert` with a file of rules, and returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DDN_REDIS_URL", redis_server.url)
    monkeypatch.setenv("DDN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DDN_ALERTS", "rules.toml")

    def run(rules, *arguments):
        Path("rules.toml").write_text(rules)
        with pytest.raises(SystemExit) as end:
            main(["alert", *arguments])
        captured = capsys.readouterr()
        return end.value.code, captured.out, captured.err

    return run


def test_ddn_alert_tests_each_route_and_says_which_one_failed(ddn, smtp, hooks, monkeypatch):
    monkeypatch.setenv("DDN_MAIL_URL", f"mailto://127.0.0.1:{smtp.port}?from=ddn@example.com&to=team@example.com")
    routes = f"[routes]\nmail = 'env:DDN_MAIL_URL'\nhooks = ['json://127.0.0.1:{hooks.port}', 'json://127.0.0.1:9/s3cr3t']\n"
    code, out, err = ddn(routes, "--test")
    assert (code, err) == (1, "")
    assert "mail (E-Mail): sent" in out
    assert "hooks/1 (JSON): sent" in out
    assert "hooks/2 (JSON): failed: " in out
    assert "s3cr3t" not in out
    assert [mail.message["Subject"] for mail in smtp.mails] == ["[test] ddn: alerts"]
    assert titles(hooks) == ["[test] ddn: alerts"]
    assert ddn(routes, "--test", "mail")[0] == 0
    assert len(hooks.posted) == 1
    code, _, err = ddn(routes, "--test", "pager")
    assert code == 2
    assert "expected one of mail, hooks, got 'pager'" in err


def test_ddn_alert_lists_rules_and_open_incidents(ddn, alerts, hooks):
    routes = f"[routes]\nhook = 'json://127.0.0.1:{hooks.port}/s3cr3t'\n"
    rules = routes + WAITING.format("hook").replace("60s", "0s") + "[[rules]]\nname='success-rate'\nroute='hook'"
    assert "No incident is open." in ddn(rules)[1]
    watch = alerts(WAITING.format("hook").replace("60s", "0s"), hook=f"json://127.0.0.1:{hooks.port}")
    watch.look(replace(seen(waiting=80), paused="[b]upgrade[/b]"))
    code, out, _ = ddn(rules)
    assert code == 0
    assert "below 90 % in 15 min, 10 runs or more" in " ".join(out.split())
    assert "Open incidents: 1" in out
    assert "80 reports wait for a worker, expected 50 or fewer. The queue is paused: [b]upgrade[/b]." in " ".join(out.split())
    assert "s3cr3t" not in out
    assert max(map(len, out.splitlines())) <= 78


def test_ddn_alert_without_a_file_or_with_a_wrong_one_is_one_line_and_exit_code_2(ddn, monkeypatch):
    code, _, err = ddn("[[rules]]\nname = 'wat'\n")
    assert (code, err.count("\n")) == (2, 1)
    assert "Reading alert rules 'rules.toml' failed: rule 1: name: expected one of success-rate" in err
    monkeypatch.setenv("DDN_ALERTS", "nowhere.toml")
    assert "Reading alert rules 'nowhere.toml' failed: No such file or directory" in ddn("")[2]
    monkeypatch.setenv("DDN_ALERTS", "")
    code, _, err = ddn("")
    assert code == 2
    assert "Reading setting 'DDN_ALERTS' failed" in err
