"""The real pydantic-ai and google-genai against a stand-in server: what is asked, what comes back, and what goes wrong."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ddn_backend.adapters.budgets import LaterError
from ddn_backend.adapters.gemini import AgentModel
from ddn_backend.errors import PermanentError, SettingsError, TransientError
from ddn_backend.ports import Conclusion, Inquiry, Limits, Reply, Tool, Usage
from robot_ddn_listener.contract import ErrorType, Evidence
from servers import gemini
from servers.gemini import MODEL, GeminiServer

KEY = "stand-in" + "-key"


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer([gemini.conclude()], key=KEY) as running:
        yield running


@pytest.fixture
def asked(server: GeminiServer) -> Iterator[Callable[..., AgentModel]]:
    """`asked(...)` returns a model that is served by `server`; it is closed at the end."""
    made: list[AgentModel] = []

    def make(name: str = f"google:{MODEL}", key: str = KEY, **options: Any) -> AgentModel:
        made.append(AgentModel(name, api_key=key, base_url=server.url, **options))
        return made[-1]

    yield make
    for model in made:
        model.close()


def lookup(word: str) -> str:
    """Look a word up."""
    return f"{word} means something"


def inquiry(**fields: Any) -> Inquiry:
    return Inquiry(**{"instructions": "Be right.", "material": "report: r1\nIt failed.", "tools": (Tool(lookup),), **fields})


def test_a_typed_conclusion_comes_back_with_the_id_that_answered_and_what_it_took(server: GeminiServer, asked: Any) -> None:
    reply = asked().conclude(inquiry())
    assert reply.conclusion == Conclusion(
        ErrorType.INFRA_ERROR,
        "The shop's database was down.",
        "Start it.",
        0.9,
        (Evidence("The gizmo was not amused.", "error message"),),
    )
    assert (reply.model, reply.stopped) == (gemini.ANSWERED_BY, "")
    assert (reply.usage.calls, reply.usage.tokens_in, reply.usage.tokens_out) == (1, 1000, 50)
    assert server.calls_by_report == {"r1": 1}


def test_instructions_and_material_are_sent_as_they_are_in_their_own_places(server: GeminiServer, asked: Any) -> None:
    asked().conclude(inquiry())
    (request,) = server.requests
    assert gemini.prompt(request) == "report: r1\nIt failed."
    assert [part["text"] for part in request["systemInstruction"]["parts"]] == ["Be right."]
    assert gemini.offered(request) == {"lookup", "final_result"}


@pytest.mark.parametrize("name", [f"google:{MODEL}", f"google-gla:{MODEL}"])
def test_the_api_is_spoken_to_at_one_of_its_versions(name: str, server: GeminiServer, asked: Any) -> None:
    model = asked(name)
    assert model.conclude(inquiry()).conclusion
    assert model.name == "gemini"
    assert set(server.paths) <= {f"/{version}/models/{MODEL}:generateContent" for version in ("v1", "v1beta")}


def test_what_a_tool_gives_out_goes_back_as_data_and_stands_in_the_trace(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.calls(("lookup", {"word": "gizmo"}), thought="What is a gizmo?"), gemini.conclude()]
    reply = asked().conclude(inquiry())
    assert gemini.results(server.requests[1]) == ['{"untrusted_data": "gizmo means something"}']
    (step,) = reply.trace
    assert (step.thought, step.action, step.observation) == (
        "What is a gizmo?",
        'lookup({"word":"gizmo"})',
        "gizmo means something",
    )


def test_each_analysis_asks_its_own_sources_though_their_tools_look_the_same(server: GeminiServer, asked: Any) -> None:
    def lookup_of(shelf: str) -> Tool:
        def lookup(word: str) -> str:
            """Look a word up."""
            return f"{word} of {shelf}"

        return Tool(lookup)

    model = asked()
    for number, shelf in enumerate(("shop", "bank")):
        server.script = [gemini.call("lookup", word="gizmo"), gemini.conclude()]
        server.requests.clear()
        refused = ("No quote.", "")[number]
        reply = model.conclude(inquiry(tools=(lookup_of(shelf),), objections=lambda *_, refused=refused: refused))
        assert gemini.results(server.requests[1]) == [f'{{"untrusted_data": "gizmo of {shelf}"}}']
        assert reply.usage.calls == (5, 2)[number]


@pytest.mark.parametrize(
    "invalid",
    [
        gemini.conclude(confidence=7),
        gemini.conclude(error_type="HUMAN_ERROR"),
        gemini.conclude(root_cause=None),
        gemini.text("It was the gizmo."),
        gemini.empty(),
    ],
    ids=["number out of range", "unknown type", "no text", "not typed at all", "empty"],
)
def test_an_invalid_answer_goes_back_to_the_model(invalid: gemini.Answer, server: GeminiServer, asked: Any) -> None:
    server.script = [invalid, gemini.conclude()]
    reply = asked().conclude(inquiry())
    assert reply.conclusion
    assert reply.usage.calls == 2


def test_an_answer_that_stays_invalid_stops_the_talk(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.conclude(confidence=7)]
    reply = asked().conclude(inquiry())
    assert reply.conclusion is None
    assert "stayed invalid" in reply.stopped
    assert reply.usage.calls == 4


def test_objections_go_back_to_the_model_word_for_word(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.conclude(confidence=0.5), gemini.conclude(confidence=0.7)]
    reply = asked().conclude(inquiry(objections=lambda found, model: "Prove it!" if found.confidence < 0.6 else ""))
    assert reply.conclusion
    assert reply.conclusion.confidence == 0.7
    assert "Prove it!" in str(server.requests[1])


def test_a_valid_answer_counts_where_no_call_is_left_to_correct_it(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.conclude(confidence=0.5), gemini.text("Let me think.")]
    reply = asked().conclude(inquiry(limits=Limits(calls=2), objections=lambda found, model: "Prove it!"))
    assert reply.conclusion
    assert (reply.conclusion.confidence, reply.stopped, reply.usage.calls) == (0.5, "", 2)
    assert "The answer before its correction counts: no conclusion after 2 calls." in reply.notes


def test_a_model_that_only_asks_gets_no_tools_in_its_last_call_and_is_then_stopped(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.call("lookup", word="gizmo")]
    reply = asked().conclude(inquiry(limits=Limits(calls=3)))
    assert [gemini.offered(request) for request in server.requests] == [*[{"lookup", "final_result"}] * 2, {"final_result"}]
    assert (reply.conclusion, reply.stopped, reply.usage.calls) == (None, "no conclusion after 3 calls", 3)
    assert reply.trace
    assert asked().conclude(inquiry(limits=Limits(calls=1))).stopped == "no conclusion after 1 call"


def test_at_most_eight_calls_are_made_unless_said_otherwise(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.call("no_such_tool")]
    assert asked().conclude(inquiry()).usage.calls == 8
    assert len(server.requests) == 8


def test_tokens_have_a_limit(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.call("lookup", word="gizmo")]
    reply = asked().conclude(inquiry(limits=Limits(tokens=2000)))
    assert (reply.stopped, reply.usage.calls) == ("no conclusion within 2000 tokens", 2)


def test_time_has_a_limit(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.slow(2, gemini.conclude())]
    reply = asked().conclude(inquiry(limits=Limits(seconds=0.2)))
    assert reply.stopped == "no conclusion within 0.2 s"


def test_money_has_a_limit_where_the_price_is_known(server: GeminiServer, asked: Any) -> None:
    body = gemini.call("lookup", word="gizmo").body
    server.script = [gemini.Answer({**body, "modelVersion": "gemini-2.5-pro"})]
    reply = asked().conclude(inquiry(limits=Limits(cost_usd=0.000001)))
    assert (reply.stopped, reply.usage.calls, reply.notes) == ("no conclusion within 1e-06 dollars", 1, ())
    assert reply.usage.cost_usd > 0


def test_an_unknown_price_counts_as_nothing_and_is_said(asked: Any) -> None:
    reply = asked().conclude(inquiry())
    assert reply.usage.cost_usd == 0
    assert reply.notes == (f"The price of model '{gemini.ANSWERED_BY}' is not known: its cost counts as 0.",)


def test_the_caller_is_asked_before_each_call_and_told_what_it_took(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.call("lookup", word="gizmo")]
    taken: list[Usage] = []
    reply = asked().conclude(
        inquiry(before_call=lambda seconds: "the day's budget is used up" if taken else "", after_call=taken.append)
    )
    assert reply.stopped == "stopped: the day's budget is used up"
    assert [usage.tokens for usage in taken] == [1050]
    assert len(server.requests) == 1


def test_an_error_of_the_caller_ends_the_talk_as_it_is(asked: Any) -> None:
    def refuse(seconds: float) -> str:
        raise LaterError("Calling failed: busy. It is tried again.", 3.0)

    with pytest.raises(LaterError) as caught:
        asked().conclude(inquiry(before_call=refuse))
    assert caught.value.delay == 3.0


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (gemini.error(500), TransientError, "500: It went wrong. It is tried again."),
        (gemini.error(503, "The model is overloaded."), TransientError, "503: The model is overloaded."),
        (gemini.malformed(), TransientError, "It is tried again."),
        (gemini.empty(), TransientError, "it answered nothing"),
        (gemini.slow(2, gemini.conclude()), TransientError, "no answer within 0.3 s"),
        (gemini.refusal(), PermanentError, "it refused to answer"),
        (gemini.blocked(), PermanentError, "it refused to answer"),
        (gemini.error(400, "Request is too long.", "INVALID_ARGUMENT"), PermanentError, "400: Request is too long"),
        (gemini.error(403, "No access.", "PERMISSION_DENIED"), SettingsError, "403: No access"),
    ],
    ids=["500", "503", "malformed JSON", "always empty", "slow", "refusal", "blocked prompt", "400", "403"],
)
def test_a_bad_day_has_its_kind_of_error(
    answer: gemini.Answer, kind: type[Exception], words: str, server: GeminiServer, asked: Any
) -> None:
    server.script = [answer]
    with pytest.raises(kind) as caught:
        asked(call_seconds=0.3).conclude(inquiry())
    assert words in str(caught.value)
    assert str(caught.value).startswith("Asking ")
    assert KEY not in str(caught.value)
    assert isinstance(caught.value, kind)


def test_a_service_that_asks_to_wait_is_asked_once_and_its_delay_is_told(server: GeminiServer, asked: Any) -> None:
    server.script = [gemini.too_many_requests(7.5)]
    with pytest.raises(LaterError) as caught:
        asked().conclude(inquiry())
    assert isinstance(caught.value, TransientError)
    assert (caught.value.delay, len(server.requests)) == (7.5, 1)
    assert "It is tried again in 7.5 s." in str(caught.value)


def test_the_error_with_a_delay_survives_the_way_celery_stores_it() -> None:
    error = LaterError("Busy.", 3.0)
    assert str(LaterError(*error.args)) == "Busy."


def test_a_service_that_is_down_is_a_passing_trouble() -> None:
    with GeminiServer() as gone:
        model = AgentModel(f"google:{MODEL}", api_key=KEY, base_url=gone.url)
    try:
        with pytest.raises(TransientError, match="It is tried again"):
            model.conclude(inquiry())
    finally:
        model.close()


def test_a_model_that_is_not_served_under_its_id_is_the_operators_business(asked: Any) -> None:
    with pytest.raises(SettingsError, match="not served under this id"):
        asked("google:gemini-of-yesterday").conclude(inquiry())
    with pytest.raises(SettingsError, match="404"):
        asked("google:gemini-of-yesterday").check()


def test_a_wrong_key_is_the_operators_business_and_is_not_repeated(asked: Any) -> None:
    wrong = "wrong" + "-key"
    with pytest.raises(SettingsError, match="the key is not accepted") as caught:
        asked(key=wrong).conclude(inquiry())
    assert wrong not in str(caught.value)


def test_a_served_model_can_be_checked_without_a_prompt(server: GeminiServer, asked: Any) -> None:
    assert asked().check() == f"models/{MODEL}"
    assert server.requests == []


@pytest.mark.parametrize("name", ["", "gemini", "google:", ":x"])
def test_a_name_without_provider_and_model_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="DDN_MODEL"):
        AgentModel(name)


def test_an_unknown_provider_is_refused_when_it_is_needed() -> None:
    with pytest.raises(SettingsError, match="Preparing model 'acme:x' failed"):
        AgentModel("acme:x").warm()


def test_a_key_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="GOOGLE_API_KEY"):
        AgentModel(f"google:{MODEL}").warm()


def test_an_openai_compatible_endpoint_is_used_by_its_own_variables(server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.script = [gemini.call("lookup", word="gizmo"), gemini.conclude()]
    model = AgentModel("openai-chat:local-model")
    try:
        reply = model.conclude(inquiry())
    finally:
        model.close()
    assert reply.conclusion
    assert (reply.model, model.name) == ("local-model-7b", "openai-chat")
    assert server.paths == ["/v1/chat/completions"] * 2
    assert reply.trace[0].observation == "gizmo means something"


def test_many_threads_share_one_model_side_by_side(server: GeminiServer, asked: Any) -> None:
    model, replies, together = asked(), list[Reply](), threading.Barrier(20, timeout=30)

    def wait_for_all(request: dict[str, Any]) -> gemini.Answer:
        together.wait()
        return gemini.conclude()

    server.script = wait_for_all
    threads = [threading.Thread(target=lambda: replies.append(model.conclude(inquiry()))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.usage.calls for reply in replies] == [1] * 20
