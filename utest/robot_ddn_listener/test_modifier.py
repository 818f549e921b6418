import json
from io import StringIO

import pytest
import robot

from robot_ddn_listener.attach import cards_in_file
from robot_ddn_listener.contract import HEARTBEAT_KEY, Analysis, ErrorType, Stage, Verdict, encode, verdict_key

SUITE = "*** Test Cases ***\nOne\n    Log    ${NOT THERE}\nOther\n    Log    ${NOT THERE}\nPasses\n    Log    x\n"
DEAD = "redis=redis://127.0.0.1:1/0;wait=0;project=shop"


@pytest.fixture
def outputs(tmp_path):
    """Return a function that runs the suite into one of several output files, as pabot's processes do."""

    def run(name, listener=None):
        (tmp_path / f"{name}.robot").write_text(SUITE)
        options = {"listener": listener} if listener else {}
        silent = {"log": None, "report": None, "stdout": StringIO(), "stderr": StringIO()}
        robot.run(str(tmp_path / f"{name}.robot"), output=str(tmp_path / f"{name}.xml"), **silent, **options)
        return tmp_path / f"{name}.xml"

    return run


def rebot(folder, *sources, modifier):
    merged = folder / "merged.xml"
    robot.rebot(
        *map(str, sources),
        output=str(merged),
        log=None,
        report=None,
        prerebotmodifier=f"robot_ddn_listener.Attach;{modifier}",
        stdout=StringIO(),
        stderr=StringIO(),
    )
    return merged


def shown(path):
    return [(facts.name.rpartition(".")[2], facts.role, facts.cause) for _, facts in cards_in_file(path)]


def test_groups_are_made_over_all_processes(outputs, tmp_path):
    a = outputs("a", f"robot_ddn_listener;{DEAD};run=7")
    b = outputs("b", f"robot_ddn_listener;{DEAD};run=7")
    assert [role for _, role, _ in shown(a) + shown(b)] == ["full", "member"] * 2
    merged = rebot(tmp_path, a, b, modifier=DEAD)
    assert [role for _, role, _ in shown(merged)] == ["full", "member", "member", "member"]
    text = merged.read_text(encoding="utf-8")
    assert "4 failed tests, 1 cause" in text
    assert text.count('name="Failure analysis"') == 3  # that of the whole, and those that the single runs had


def test_answers_that_came_since_replace_the_cards(outputs, tmp_path, redis_server):
    path = outputs("a", f"robot_ddn_listener;{DEAD}")
    report_id = cards_in_file(path)[0][1].report_id
    answer = Analysis(report_id, stage=Stage.FINAL, verdict=Verdict.DIAGNOSED, error_type=ErrorType.CODE_ERROR, root_cause="late")
    redis_server.client().set(verdict_key("shop", report_id), json.dumps(encode(answer)))
    merged = rebot(tmp_path, path, modifier=f"redis={redis_server.url}")
    assert shown(merged) == [("One", "full", "late"), ("Other", "member", "late")]


def test_failures_without_a_card_are_analysed(outputs, tmp_path):
    merged = rebot(tmp_path, outputs("a"), modifier=DEAD)
    assert [role for _, role, _ in shown(merged)] == ["full", "member"]


def test_nobody_is_waited_for_when_no_worker_is_there_and_the_card_stays(outputs, tmp_path, redis_server):
    path = outputs("a", f"robot_ddn_listener;{DEAD}")
    assert redis_server.client().get(HEARTBEAT_KEY) is None
    merged = rebot(tmp_path, path, modifier=f"redis={redis_server.url};wait=100000")
    assert shown(merged) == shown(path)


def test_switched_off_it_does_nothing(outputs, tmp_path, monkeypatch):
    monkeypatch.setenv("DDN_OFF", "1")
    assert shown(rebot(tmp_path, outputs("a"), modifier=DEAD)) == []


def test_a_wrong_argument_is_said_and_the_default_goes_on(outputs, tmp_path, capfd):
    assert len(shown(rebot(tmp_path, outputs("a"), modifier=f"{DEAD};wat=1"))) == 2
    assert "'wat=1'" in capfd.readouterr().err
