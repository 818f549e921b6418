"""`ddn` called as a user calls it, in this process: exit codes, messages, and the files it leaves."""

import json
import socket
from io import StringIO

import pytest
import robot
from robot.api import ExecutionResult

from ddn_backend.cli.main import main
from robot_ddn_listener.attach import cards_in_file
from robot_ddn_listener.contract import Analysis, ErrorType, Stage, Verdict, encode, verdict_key

SUITE = """*** Test Cases ***
Passes
    Log    fine
Unset Variable
    Log    ${NOT THERE}
Unset Variable Again
    Log    ${NOT THERE}
Unknown Keyword
    No Such Keyword
"""


@pytest.fixture
def ddn(capsys, monkeypatch, tmp_path):
    """Return a function that runs `ddn` in an empty folder and returns exit code, stdout and stderr."""
    for name in ("DDN_REDIS_URL", "REDIS_URL", "DDN_WAIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DDN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return end.value.code, captured.out, captured.err

    return run


@pytest.fixture
def output(tmp_path):
    """Return a function that makes an output file of a run without the listener."""

    def make(name="output.xml", suite=SUITE):
        (tmp_path / "suite.robot").write_text(suite)
        robot.run(
            str(tmp_path / "suite.robot"), output=str(tmp_path / name), log=None, report=None, stdout=StringIO(), stderr=StringIO()
        )
        return tmp_path / name

    return make


def statuses(path):
    return [(test.full_name, test.status, test.message) for test in ExecutionResult(path).suite.all_tests]


@pytest.mark.parametrize("name", ["output.xml", "output.json"])
def test_analyze_writes_annotated_output_log_and_report(ddn, output, tmp_path, name):
    path = output(name)
    before = path.read_bytes()
    code, out, _ = ddn("analyze", path, "--outputdir", tmp_path / "new")
    assert (code, path.read_bytes()) == (0, before)
    assert statuses(tmp_path / "new" / "output.xml") == statuses(path)
    cards = cards_in_file(tmp_path / "new" / "output.xml")
    assert [(facts.name, facts.role, facts.stage) for _, facts in cards] == [
        ("Suite.Unset Variable", "full", Stage.FINAL),
        ("Suite.Unset Variable Again", "member", Stage.FINAL),
        ("Suite.Unknown Keyword", "full", Stage.FINAL),
    ]
    assert "3 failed tests, 2 causes" in out
    assert all((tmp_path / "new" / file).stat().st_size for file in ("log.html", "report.html"))


def test_analyze_combines_several_outputs(ddn, output, tmp_path):
    one, other = output("one.xml"), output("other.json")
    assert ddn("analyze", one, other, "-d", tmp_path / "new")[0] == 0
    assert len(cards_in_file(tmp_path / "new" / "output.xml")) == 6


def test_analyze_does_not_overwrite_its_input(ddn, output):
    path = output()
    code, _, err = ddn("analyze", path, "--outputdir", path.parent)
    assert code == 2
    assert "would be overwritten" in err


def test_analyze_of_a_run_without_failures_says_so(ddn, output, tmp_path):
    code, _, err = ddn("analyze", output(suite="*** Test Cases ***\nT\n    Log    x"), "-d", tmp_path / "new")
    assert (code, (tmp_path / "new").exists()) == (2, False)
    assert "no test failed" in err


def test_a_truncated_output_is_one_clear_line(ddn, output):
    path = output()
    path.write_bytes(path.read_bytes()[:700])
    for command in ("analyze", "attach"):
        code, out, err = ddn(command, path)
        assert (code, out) == (2, "")
        assert str(path) in err
        assert "Traceback" not in err
        assert "expected an output.xml" in err or "not well-formed" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("analyze", "nowhere.xml"), ["'nowhere.xml'", "no such file", "expected an output.xml"]),
        (("analyze", "."), ["'.'", "directory", "expected an output.xml"]),
        (("attach", "nowhere.xml"), ["'nowhere.xml'", "no such file"]),
        (("analyze", "--wait", "-1", "x.xml"), ["--wait", "'-1.0'", "finite number of seconds"]),
        (("analyze", "--wait", "nan", "x.xml"), ["--wait", "'nan'", "finite number of seconds"]),
        (("analyze", "--wait", "soon", "x.xml"), ["--wait", "'soon'", "float"]),
        (("analyze", "--redis", "localhost:1", "x.xml"), ["--redis", "'localhost:1'", "redis://HOST:PORT/DB"]),
        (("attach", "--redis", "http://h", "x.xml"), ["--redis", "'http://h'", "redis://HOST:PORT/DB"]),
        (("replay", "nowhere"), ["'nowhere'", "expected the output folder"]),
        (("analyze",), ["OUTPUT", "Missing"]),
        (("analyze", ""), ["''", "no such file"]),
        (("eval", "--model", "x", "nowhere.jsonl"), ["nowhere.jsonl"]),
        (("explode",), ["explode", "No such command"]),
    ],
)
def test_bad_input_is_one_clear_message_and_exit_code_2(ddn, arguments, said):
    code, out, err = ddn(*arguments)
    assert (code, out) == (2, "")
    assert [text for text in said if text not in err] == []
    assert "Traceback" not in err


def test_debug_shows_the_traceback(ddn):
    _, _, err = ddn("--debug", "analyze", "nowhere.xml")
    assert "Traceback" in err


def test_replay_of_a_folder_without_reports_has_nothing_to_do(ddn, tmp_path):
    code, out, _ = ddn("replay", tmp_path)
    assert code == 0
    assert "No undelivered reports" in out


def run_with_listener(tmp_path, url, suite=SUITE):
    (tmp_path / "suite.robot").write_text(suite)
    robot.run(
        str(tmp_path / "suite.robot"),
        outputdir=str(tmp_path / "run"),
        listener=f"robot_ddn_listener;redis={url};wait=0;project=shop",
        stdout=StringIO(),
        stderr=StringIO(),
    )
    return tmp_path / "run" / "output.xml"


def test_what_redis_refused_is_replayed_and_its_late_answers_attached(ddn, tmp_path, redis_server):
    path = run_with_listener(tmp_path, "redis://127.0.0.1:1/0")
    before = cards_in_file(path)
    assert {facts.stage for _, facts in before} == {Stage.INTERIM}
    code, out, _ = ddn("replay", path.parent, "--redis", redis_server.url)
    assert code == 0
    assert out.startswith("2 sent to")
    assert not list(path.parent.glob("ddn-spool"))

    first = before[0][1].report_id
    answer = Analysis(
        first, stage=Stage.FINAL, verdict=Verdict.DIAGNOSED, error_type=ErrorType.INFRA_ERROR, root_cause="found late"
    )
    redis_server.client().set(verdict_key("shop", first), json.dumps(encode(answer)))
    log = (path.parent / "log.html").read_bytes()
    code, _, err = ddn("attach", path, "--redis", redis_server.url, "--wait", "0")
    assert code == 1
    assert "1 of 2 answers are still open" in err
    after = [(facts.stage, facts.cause) for _, facts in cards_in_file(path)]
    assert after[:2] == [(Stage.FINAL, "found late")] * 2
    assert after[2][0] is Stage.INTERIM
    assert (path.parent / "log.html").read_bytes() != log

    content = path.read_bytes()
    assert ddn("attach", path, "--redis", redis_server.url, "--wait", "0")[0] == 1
    assert path.read_bytes() == content


def test_attach_to_an_output_without_cards_says_what_is_expected(ddn, output):
    code, _, err = ddn("attach", output())
    assert code == 2
    assert "no analysis stands in it" in err


@pytest.mark.parametrize("folder", ["/proc/nowhere", "output.xml/below"])
def test_an_output_folder_that_cannot_be_made_is_told_before_any_work(ddn, output, folder):
    path = output()
    code, out, err = ddn("analyze", path, "--outputdir", folder)
    assert (code, out) == (2, "")
    assert "--outputdir" in err
    assert f"'{folder}'" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("content", ["{}", "[1]", '{"suite": 1}', "<suite/>", '{"suite": {"name": "S", "suites": []}}'])
def test_what_is_no_output_file_is_told_as_such(ddn, tmp_path, content):
    path = tmp_path / ("odd.xml" if content.startswith("<") else "odd.json")
    path.write_text(content)
    for command in ("analyze", "attach"):
        code, out, err = ddn(command, path)
        assert (code, out) == (2, "")
        assert str(path) in err
        assert "Traceback" not in err
        assert "no test failed" not in err


def test_a_log_that_cannot_be_written_is_told_and_the_answers_stand(ddn, tmp_path, redis_server):
    path = run_with_listener(tmp_path, "redis://127.0.0.1:1/0")
    code, _, err = ddn("attach", path, "--redis", redis_server.url, "--log", "/proc/nowhere/log.html")
    assert code == 2
    assert "/proc/nowhere" in err
    assert "Traceback" not in err


def test_a_bad_file_among_several_is_told_before_any_is_written(ddn, tmp_path, output):
    good, bad = run_with_listener(tmp_path, "redis://127.0.0.1:1/0"), output("bad.xml")
    before = good.stat().st_mtime_ns, (good.parent / "log.html").stat().st_mtime_ns
    assert ddn("attach", good, bad)[0] == 2
    assert (good.stat().st_mtime_ns, (good.parent / "log.html").stat().st_mtime_ns) == before


def test_analyze_with_a_redis_that_is_down_spools_and_says_with_its_code_that_it_is_not_all_done(ddn, output, tmp_path):
    code, out, _ = ddn("analyze", output(), "-d", tmp_path / "new", "--redis", "redis://127.0.0.1:1/0")
    assert code == 1
    assert "Not delivered" in out
    assert len(list((tmp_path / "new" / "ddn-spool").iterdir())) == 2


def test_analyze_obeys_the_switches_for_tags_and_metadata(ddn, output, tmp_path, monkeypatch):
    monkeypatch.setenv("DDN_TAGS", "off")
    monkeypatch.setenv("DDN_METADATA", "off")
    ddn("analyze", output(), "-d", tmp_path / "new")
    text = (tmp_path / "new" / "output.xml").read_text(encoding="utf-8")
    assert "ddn:test_error" not in text
    assert "Root cause" not in text


def test_tasks_are_called_tasks(ddn, tmp_path, redis_server):
    path = run_with_listener(tmp_path, "redis://127.0.0.1:1/0", SUITE.replace("Test Cases", "Tasks"))
    _, out, _ = ddn("attach", path, "--redis", redis_server.url)
    assert "3 failed tasks" in out


def test_eval_measures_a_file_of_labelled_failures(ddn, tmp_path):
    record = {"id": "a", "error_message": "Variable '${X}' not found.", "error_type": "TEST_ERROR", "inferable": "yes"}
    (tmp_path / "labelled.jsonl").write_text(json.dumps(record) + "\n")
    code, out, _ = ddn("eval", "labelled.jsonl", "--json")
    assert code == 0
    assert json.loads(out)["accuracy"] == 1.0


def test_preview_asks_no_service_that_is_configured(ddn, output, monkeypatch):
    path = output()
    with socket.create_server(("127.0.0.1", 0)) as service:
        address = f"http://127.0.0.1:{service.getsockname()[1]}"
        for name, value in {
            "DDN_PINECONE_INDEX": "ddn",
            "PINECONE_API_KEY": "stand-in",
            "PINECONE_CONTROLLER_HOST": address,
            "DDN_GITHUB_REPO": "a/b",
            "DDN_GITHUB_URL": address,
        }.items():
            monkeypatch.setenv(name, value)
        assert ddn("preview", path)[0] == 0
        service.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has connected
            service.accept()


def test_what_a_person_said_of_an_answer_of_analyze_holds_when_it_analyses_again(ddn, output, runtimes, monkeypatch):
    monkeypatch.setenv("DDN_IDLE", "0")
    path = output()
    assert ddn("analyze", path, "--outputdir", "first")[0] == 0
    shown = {facts.name: facts for _, facts in cards_in_file(path.parent / "first" / "output.xml")}
    variable, keyword = shown["Suite.Unset Variable"].report_id, shown["Suite.Unknown Keyword"].report_id
    runtimes.acquire()
    assert ddn("confirm", variable[:8], "--who", "Dana")[0] == 0
    code, out, _ = ddn("show", variable, "--json")
    assert (code, json.loads(out)["said"]["who"]) == (0, "Dana")

    assert ddn("analyze", path, "--outputdir", "again")[0] == 0
    again = {facts.name: facts for _, facts in cards_in_file(path.parent / "again" / "output.xml")}
    assert again["Suite.Unset Variable"].by == "confirmed by a person, Dana"
    assert again["Suite.Unknown Keyword"].report_id == keyword
    seen = json.loads(ddn("show", keyword, "--json")[1])["analysis"]
    assert (seen["novelty"], seen["times_seen"], seen["reused_from"]) == ("new", 1, "")

    later = output("later.xml", SUITE.replace("Unknown Keyword", "Unknown Later"))
    assert ddn("analyze", later, "--outputdir", "later")[0] == 0
    (known,) = (facts for _, facts in cards_in_file(path.parent / "later" / "output.xml") if facts.name == "Suite.Unknown Later")
    seen = json.loads(ddn("show", known.report_id, "--json")[1])["analysis"]
    assert (seen["novelty"], seen["times_seen"], seen["reused_from"]) == ("known", 2, keyword)


def test_analyze_goes_on_without_a_history_that_is_not_its_own(ddn, output, tmp_path):
    (tmp_path / "home" / "history").mkdir(parents=True)
    (tmp_path / "home" / "history").chmod(0o755)
    code, out, err = ddn("analyze", output())
    assert (code, list((tmp_path / "home" / "history").iterdir())) == (0, [])
    assert "3 failed tests" in out
    assert "mode 0700" in err
    assert "goes on without history" in err
    assert "ddn confirm" not in (tmp_path / "ddn-results" / "output.xml").read_text(encoding="utf-8")


def test_a_wrong_variable_of_the_backend_is_told_before_analyze_writes(ddn, output, tmp_path, monkeypatch):
    monkeypatch.setenv("DDN_CONCURRENCY", "abc")
    code, out, err = ddn("analyze", output())
    assert (code, out, (tmp_path / "ddn-results").exists()) == (2, "", False)
    assert "'DDN_CONCURRENCY'" in err
    assert "'abc'" in err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"id": "a"}\n', "first line 1: Expected an error_message or an output_xml, got neither. Nothing was evaluated."),
        ("\ufeff{}".encode("utf-16"), "expected UTF-8, got UTF-16. Nothing was evaluated."),
        (b"\xe4\n", "expected UTF-8, got the byte 0xe4. Nothing was evaluated."),
    ],
)
def test_a_file_that_eval_cannot_use_is_one_clear_line(ddn, tmp_path, content, said):
    (tmp_path / "labelled.jsonl").write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = ddn("eval", "labelled.jsonl")
    assert (code, out) == (2, "")
    assert err.endswith(f"{said}\n")
    assert len(err.splitlines()) == 1


def test_an_output_in_utf_16_that_says_so_is_analysed_and_one_that_does_not_is_told(ddn, output, tmp_path):
    text = output().read_text(encoding="utf-8")
    (tmp_path / "wide.xml").write_text(text.replace("UTF-8", "UTF-16", 1), encoding="utf-16")
    assert ddn("analyze", "wide.xml")[0] == 0
    (tmp_path / "wrong.xml").write_text(text, encoding="utf-16")
    code, out, err = ddn("analyze", "wrong.xml")
    assert (code, out) == (2, "")
    assert "encoding specified in XML declaration is incorrect" in err
    assert ". It is not readable, expected an output.xml" in err
