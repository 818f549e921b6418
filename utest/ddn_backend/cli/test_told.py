"""What `ddn explain` and `ddn show` print of what the backend keeps."""

from dataclasses import replace

from ddn_backend.cli.told import explained, shown
from robot_ddn_listener.contract import (
    Analysis,
    Ci,
    Engine,
    ErrorType,
    Evidence,
    ExceptionInfo,
    ExecutionError,
    FailureReport,
    Frame,
    Git,
    KeywordCall,
    LogLine,
    Novelty,
    Run,
    Similar,
    Stage,
    Step,
    Suspect,
    Truncation,
    Verdict,
    encode,
)

HOSTILE = "\x1b[2Jred\u202e"
REPORT = FailureReport(
    id="11112222-3333",
    project="shop",
    fingerprint="f",
    run=Run(
        "run-7", "Nightly", "7.5", "3.12.1", "Linux", Ci("github", "https://ci.test/7"), Git("a/b", "c0ffee" * 3, "main", True)
    ),
    suite_name="Shop",
    test_name="Pays",
    full_name="Shop.Pays",
    source="shop.robot",
    lineno=4,
    tags=("smoke", "slow"),
    error_message=f"It {HOSTILE} broke.\nTwice.",
    keywords=(KeywordCall("Pay", "Shop", args=("${x}",), source="shop.robot", lineno=9),),
    log=(LogLine("one\ntwo", "INFO", "2026-11-24T08:00:00.123"), LogLine("no time")),
    exception=ExceptionInfo("KeyError", "'net'", (Frame("shop/pay.py", 33, "gross"),)),
    execution_errors=(ExecutionError("Importing failed."),),
    attachments=("shot.png",),
    redactions={"jwt": 2},
    truncated=(Truncation("log", 9000, 300),),
)
ANALYSIS = Analysis(
    "11112222-3333",
    "shop",
    "f",
    Stage.FINAL,
    Verdict.DIAGNOSED,
    ErrorType.CODE_ERROR,
    "The price was lost. " * 8,
    "Find it.",
    0.7,
    evidence=(Evidence("It broke.", "error message"),),
    missing=("The order.",),
    similar=(Similar("99998888-1", "2026-11-01T10:00", "It was the cable.", "Ann", "ABC-1"),),
    novelty=Novelty.REGRESSED,
    first_seen="2026-10-01T00:00:00",
    times_seen=3,
    reused_from="5555-1",
    suspects=(Suspect("deadbeef" * 5, "shop/pay.py", "touches line 33"),),
    engine=Engine("rule-x", "gemini-7", "2", "ambiguous", {"retrieve": 0.0123, "investigate": 2.5}, 3, 12345, 678, 0.0123),
    degraded=("pinecone: timed out, local index used",),
    sent_to=("gemini: message, log",),
    trace=(
        Step("", "search knowledge base: it broke", "0.41 unsure (lexical): A thing [thing]"),
        Step("Perhaps the cable.", "read_log({})", f"12: {HOSTILE}"),
    ),
)
ANSWER = {
    "report": encode(REPORT),
    "analysis": encode(ANALYSIS),
    "state": "degraded",
    "seen": "2026-11-24T08:46:17+00:00",
    "model": "google:x",
    "problem_of_task": "Pinecone is down.",
    "said": None,
}


def test_explain_says_all_that_led_to_the_verdict() -> None:
    told = "\n".join(explained(ANSWER))
    for wanted in (
        "CODE_ERROR, diagnosed, likely, please confirm (0.70), final",
        '"It broke." (error message)',
        "regressed, seen 3 times, first on 2026-10-01",
        "Reused from  5555-1",
        "deadbeefdead shop/pay.py touches line 33",
        "2026-11-01 99998888: It was the cable. (confirmed by Ann, ABC-1)",
        "Rule         rule-x",
        "Model        gemini-7",
        "3 calls, 12,345 tokens in, 678 out, $0.0123",
        "CRAG action  ambiguous",
        "Degraded     pinecone: timed out, local index used",
        "Task ended   Pinecone is down.",
        "Sent to      gemini: message, log",
        "Seconds      retrieve 0.0123, investigate 2.5000",
        "search knowledge base: it broke\n  0.41 unsure (lexical): A thing [thing]",
        "Perhaps the cable.\nread_log({})\n  12: red",
        "Still needed The order.",
    ):
        assert wanted in told


def test_show_adds_the_whole_report() -> None:
    told = "\n".join(shown(ANSWER))
    for wanted in (
        "Source       shop.robot:4",
        "Tags         smoke, slow",
        "Run          run-7 Nightly",
        "Robot Framework 7.5, Python 3.12.1, Linux",
        "github https://ci.test/7",
        "a/b main c0ffeec0ffee changed",
        "Shop.Pay    ${x} (shop.robot:9)",
        "Message      It red broke.\n             Twice.",
        "KeyError: 'net'\n",
        "shop/pay.py:33 gross",
        "ERROR: Importing failed.",
        "Attachments  shot.png",
        "Taken out    2 jwt",
        "log from 9,000 to 300",
        "08:00:00.123 INFO    one\ntwo",
        "INFO    no time",
    ):
        assert wanted in told


def test_nothing_acts_on_the_terminal_and_lines_fit_it() -> None:
    lines = list(shown(ANSWER))
    assert [line for line in lines if len(line) > 78 or "\x1b" in line or "\u202e" in line] == []


def test_a_failure_without_an_answer_says_why() -> None:
    waiting = {**ANSWER, "analysis": None, "problem_of_task": ""}
    assert "No answer    The report waits for a worker, or is being analysed." in list(explained(waiting))
    assert "No answer    Pinecone is down." in list(explained({**waiting, "problem_of_task": "Pinecone is down."}))


def test_a_persons_word_and_what_is_not_there_are_told_too() -> None:
    said = {"who": "Kim", "when": "2026-11-24T09:00", "ticket": "ABC-7", "error_type": "TEST_ERROR", "root_cause": "A typo."}
    plain = replace(ANALYSIS, engine=Engine(), sent_to=(), trace=())
    told = "\n".join(explained({**ANSWER, "analysis": encode(plain), "model": "", "said": said}))
    assert "A person     Kim, 2026-11-24, ABC-7: TEST_ERROR. A typo." in told
    assert "Rule         none matched" in told
    assert "Model        none is configured" in told
    assert "Sent to      nobody" in told
