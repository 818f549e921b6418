"""Random results of Robot, and exceptions that misbehave, through what runs inside robot: from noting them to the card."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from robot import result

from fuzzing import TEXTS, fuzzed
from robot_ddn_listener.attach import attach_to_result
from robot_ddn_listener.capture import Failed, NotRun, capture, likeness
from robot_ddn_listener.contract import MAX_REPORT_BYTES, FailureReport, Run, decode, encode
from robot_ddn_listener.gather import Gatherer
from robot_ddn_listener.listener import DdnListener
from robot_ddn_listener.live import MAX_CHAIN, MAX_FRAMES, LiveFailures
from robot_ddn_listener.render import View, annotations, console_lines
from robot_ddn_listener.triage import Triage

fewer = settings(fuzzed, max_examples=max(fuzzed.max_examples // 3, 10))  # a suite takes ten times as long to make as a text


class Unprintable:
    """Whatever asks for its text gets an exception, as of a proxy whose connection is closed."""

    def __str__(self) -> str:
        raise ValueError("no text")


@dataclass(frozen=True)
class Part:
    """A keyword, control structure or message of a result, and what ran inside it."""

    kind: str
    status: str = "FAIL"
    texts: tuple[Any, ...] = ()
    message: str = ""
    html: bool = False
    inside: tuple["Part", ...] = ()
    setup: "Part | None" = None
    teardown: "Part | None" = None


@dataclass(frozen=True)
class Raising:
    """An exception to raise: its class' text, `says` of it, how deep it is raised, what it is raised from."""

    name: str
    says: str | None
    depth: int = 0
    file: str = "odd.py"
    causes: tuple[int, ...] = ()  # numbers of others of the same test, which may be itself


STATUS = st.sampled_from(["PASS", "FAIL", "FAIL", "FAIL", "SKIP", "NOT RUN", "NOT SET"])
VALUES = st.one_of(TEXTS, st.integers(), st.none(), st.builds(Unprintable), st.tuples(TEXTS, TEXTS))
KINDS = ["KEYWORD", "KEYWORD", "FOR", "WHILE", "IF", "TRY", "GROUP", "VAR", "RETURN", "ERROR", "CONTINUE", "BREAK"]
MESSAGES = st.builds(
    Part,
    kind=st.sampled_from(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FAIL", "SKIP", "odd"]),
    message=st.one_of(TEXTS, TEXTS.map(lambda text: text * 300)),
    html=st.booleans(),
)
PARTS = st.recursive(
    MESSAGES,
    lambda inner: st.builds(
        Part,
        kind=st.sampled_from(KINDS),
        status=STATUS,
        texts=st.lists(VALUES, max_size=3).map(tuple),
        message=TEXTS,
        inside=st.lists(inner, max_size=4).map(tuple),
        setup=st.one_of(st.none(), inner),
        teardown=st.one_of(st.none(), inner),
    ),
    max_leaves=12,
)
TESTS = st.builds(
    Part,
    kind=st.just("TEST"),
    status=st.sampled_from(["FAIL", "FAIL", "FAIL", "SKIP", "PASS", "NOT SET"]),
    texts=st.tuples(TEXTS, TEXTS),
    message=st.one_of(TEXTS, st.just("Execution terminated by signal"), st.just("Parent suite setup failed:\nx")),
    inside=st.lists(PARTS, max_size=4).map(tuple),
    setup=st.one_of(st.none(), PARTS),
    teardown=st.one_of(st.none(), PARTS),
)
SUITES = st.builds(
    Part,
    kind=st.just("SUITE"),
    texts=st.tuples(TEXTS),
    inside=st.lists(TESTS, min_size=1, max_size=3).map(tuple),
    setup=st.one_of(st.none(), PARTS),
    teardown=st.one_of(st.none(), PARTS),
)
RAISED = st.lists(
    st.builds(
        Raising,
        name=st.sampled_from(["Odd", "Größe", "a" * 200]),
        says=st.one_of(st.none(), TEXTS),
        depth=st.sampled_from([0, 1, MAX_FRAMES + 5, 300]),
        file=st.sampled_from(["odd.py", "", "<string>", __file__, "/", "a\udcff.py", "x" * 5000, "C:\\odd.py", "//odd//.."]),
        causes=st.lists(st.integers(0, 3), max_size=2).map(tuple),
    ),
    max_size=4,
).map(tuple)


def with_one_keyword(*arguments: Any) -> Part:
    return Part("SUITE", texts=("S",), inside=(Part("TEST", texts=("T", ""), inside=(Part("KEYWORD", texts=arguments),)),))


def grown(owner: Any, part: Part) -> None:
    """Add `part` to the body of `owner`."""
    if part.kind not in KINDS:
        owner.body.create_message(part.message, part.kind, part.html, timestamp=datetime(2026, 1, 1) if part.html else None)
        return
    item = MADE[part.kind](owner.body, part)
    item.message = part.message
    for inner in part.inside:
        grown(item, inner)
    _with_fixtures(item, part)


def _keyword(body: Any, part: Part) -> Any:
    texts = [text for text in part.texts if isinstance(text, str)]
    return body.create_keyword(*texts[:2], args=part.texts, status=part.status)


def _for(body: Any, part: Part) -> Any:
    loop = body.create_for([str(len(part.texts))], "IN", part.texts, status=part.status)
    return loop.body.create_iteration({"${x}": str(len(part.texts))}, status=part.status)


def _while(body: Any, part: Part) -> Any:
    return body.create_while(part.message, status=part.status).body.create_iteration(status=part.status)


def _if(body: Any, part: Part) -> Any:
    return body.create_if(status=part.status).body.create_branch("ELSE IF", part.message, status=part.status)


def _try(body: Any, part: Part) -> Any:
    return body.create_try(status=part.status).body.create_branch("EXCEPT", part.texts, status=part.status)


MADE: dict[str, Callable[[Any, Part], Any]] = {
    "KEYWORD": _keyword,
    "FOR": _for,
    "WHILE": _while,
    "IF": _if,
    "TRY": _try,
    "GROUP": lambda body, part: body.create_group(part.message, status=part.status),
    "VAR": lambda body, part: body.create_var(part.message, part.texts, status=part.status),
    "RETURN": lambda body, part: body.create_return(part.texts, status=part.status),
    "ERROR": lambda body, part: body.create_error(part.texts, status=part.status),
    "CONTINUE": lambda body, part: body.create_continue(status=part.status),
    "BREAK": lambda body, part: body.create_break(status=part.status),
}


def _with_fixtures(item: Any, part: Part) -> None:
    for name in ("setup", "teardown"):
        fixture = getattr(part, name)
        if fixture is not None and hasattr(item, f"has_{name}"):
            getattr(item, name).config(name="fixture", status=fixture.status, message=fixture.message)
            grown(getattr(item, name), fixture)


def suite_of(part: Part) -> result.TestSuite:
    suite = result.TestSuite(part.texts[0])
    for one in part.inside:
        name, tag = one.texts
        test: result.TestCase = suite.tests.create(name, tags=[tag], status=one.status, message=one.message)
        for inner in one.inside:
            grown(test, inner)
        _with_fixtures(test, one)
    _with_fixtures(suite, part)
    return suite


def exceptions_of(raised: tuple[Raising, ...]) -> list[Exception]:
    """Return exceptions that were raised, as deep as they say, with causes that may lead back to themselves."""
    made = [_made(one) for one in raised]
    for error, one in zip(made, raised, strict=True):
        for name, number in zip(("__context__", "__cause__"), one.causes, strict=False):
            setattr(error, name, made[number % len(made)])
    return made


def _made(raising: Raising) -> Exception:
    def text(_self: Exception) -> str:
        if raising.says is None:
            raise LookupError("no text")
        return raising.says

    kind: type[Exception] = type(raising.name, (Exception,), {"__str__": text, "__repr__": text, "__module__": __name__})
    names: dict[str, Any] = {"kind": kind}
    exec(compile("def fail(depth):\n    if depth: fail(depth - 1)\n    raise kind", raising.file, "exec"), names)
    try:
        names["fail"](raising.depth)
    except kind as error:
        return error
    raise AssertionError("it was not raised")


class Listening(DdnListener):
    """The listener up to where failures are handed over, without Robot around it; its events raise what they would only tell."""

    def __init__(self) -> None:
        super().__init__()
        self.caught: list[Failed | NotRun] = []
        self._gatherer = Gatherer(self.caught.append, self._messages)

    def _watching(self) -> Any:
        return self._gatherer

    def _run_variables(self) -> dict[str, object]:
        return {"TOKEN": "hun" + "ter2hunter2"}


def heard(suite: result.TestSuite, raised: tuple[Raising, ...]) -> list[Failed | NotRun]:
    """Tell a listener of the suite's tests as Robot does, each failed keyword with one of the exceptions."""
    listener, errors = Listening(), exceptions_of(raised)
    for test in suite.tests:
        listener.start_test.__wrapped__(listener, test, test)
        for number, item in enumerate(item for item in test.body if item.type == "KEYWORD" and item.status == "FAIL"):
            data = SimpleNamespace(args=item.args, source=None, lineno=None)
            implementation = SimpleNamespace(args=SimpleNamespace(positional=("self", "password")))
            if errors:
                try:
                    raise errors[number % len(errors)]
                except Exception:
                    listener._note.__wrapped__(listener, data, implementation, item, raised=True)
            else:
                listener._note.__wrapped__(listener, data, implementation, item, raised=False)
        listener.end_test.__wrapped__(listener, test, test)
    return listener.caught


@fuzzed
@given(RAISED)
@example((Raising("Odd", None, causes=(0,)),))
def test_any_exception_is_noted_as_plain_text_of_bounded_size(raised: tuple[Raising, ...]) -> None:
    live = LiveFailures()
    for error in exceptions_of(raised):
        try:
            raise error
        except Exception:
            live.note(None, None, None, raised=True)
    for call in live.take():
        assert call.raised
        assert len(call.raised.chain) <= MAX_CHAIN
        assert all(len(one.frames) <= MAX_FRAMES for one in (call.raised, *call.raised.chain))
        assert all(type(one.message) is str for one in (call.raised, *call.raised.chain))


@fewer
@given(SUITES, RAISED)
@example(
    Part("SUITE", texts=("S",), inside=(Part("TEST", texts=("T", ""), inside=(Part("KEYWORD", texts=(Unprintable(),)),)),)), ()
)
def test_any_failed_test_becomes_a_report_that_can_be_sent(part: Part, raised: tuple[Raising, ...]) -> None:
    for failed in heard(suite_of(part), raised):
        if isinstance(failed, Failed):
            likeness(failed)
            there = json.dumps(encode(capture(failed, "project", Run("run"), None)))
            assert len(there) <= MAX_REPORT_BYTES
            assert json.dumps(encode(decode(FailureReport, json.loads(there)))) == there


@fewer
@given(SUITES, RAISED)
def test_any_failed_test_is_answered_once_and_shown(part: Part, raised: tuple[Raising, ...]) -> None:
    suite = suite_of(part)
    triage = Triage("project", Run("run"), None)
    caught = heard(suite, raised)
    for failed in caught:
        triage.take(failed)
    assert not [ticket.note for ticket in triage.tickets if ticket.note.startswith("Capturing")]
    tickets = len(triage.tickets)
    for failed in caught:
        assert triage.take(failed) is None
    assert (len(triage.tickets), sum(len(ticket.members) for ticket in triage.tickets)) == (tickets, 2 * len(caught))
    attach_to_result(suite, annotations(triage.tickets, View("output.xml")))
    assert all(isinstance(line, str) for line in console_lines(triage.tickets, View("output.xml")))


@fewer
@given(SUITES)
def test_any_loaded_suite_has_each_failure_at_most_once(part: Part) -> None:
    suite, caught = suite_of(part), list[Failed | NotRun]()
    Gatherer(caught.append).loaded(suite)
    places = [member.place for failed in caught for member in (failed.member, *getattr(failed, "also", ()))]
    assert len(places) == len(set(places))
    triage = Triage("project", Run("run"), None)
    for failed in caught:
        triage.take(failed)
    assert not [ticket.note for ticket in triage.tickets if ticket.note.startswith("Capturing")]
