"""The language model: a pydantic-ai agent with read-only tools and a typed result. Gemini, or whatever model pydantic-ai names.

DDN_MODEL names it as pydantic-ai does, `provider:model`: `google:<id>` (the Gemini API, GEMINI_API_KEY or GOOGLE_API_KEY),
`google-cloud:<id>` (Vertex AI), `openai:<id>` (with OPENAI_BASE_URL any OpenAI-compatible endpoint), `ollama:<id>`, ...
Providers' own variables are read by pydantic-ai. The older names `google-gla:` and `google-vertex:` mean the first two.

All calls of a process run in one event loop on one thread, so that connections are shared and kept; tools run on threads.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from robot_ddn_listener.contract import ErrorType, Evidence

from ..errors import SettingsError, TransientError
from ..ports import Conclusion, Inquiry, Reply, Tool, Usage
from .loop_thread import LoopThread
from .model_errors import clipped, mapped
from .model_result import Result
from .model_trace import DATA_KEY, RESULT_TOOL, trace

if TYPE_CHECKING:
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider

CALL_SECONDS = 60.0  # of one call; a slower one is a failure of the service
CORRECTIONS = 3  # of a result: two that are not valid, one by the verifier
MAX_ANSWER_TOKENS = 8_192  # of one call, thinking included
GRACE_SECONDS = 5.0  # for the loop's thread to give up an investigation whose time is over
WHERE_CHARACTERS = 40
MAX_TEXT = 2_000  # characters of a result's text; what is shown is cut further
MAX_ITEMS = 6
OLD_NAMES = {"google-gla": "google", "google-vertex": "google-cloud"}
READABLE = {"google": "gemini", "google-cloud": "gemini (Vertex AI)"}


class AgentModel:
    """Implements the port LanguageModel. `api_key` and `base_url` are for the Gemini API; without them its variables count."""

    def __init__(self, model: str, api_key: str = "", base_url: str = "", call_seconds: float = CALL_SECONDS) -> None:
        provider, colon, model_id = model.partition(":")
        if not (colon and provider and model_id):
            raise SettingsError(
                f"Reading setting 'DDN_MODEL' failed: expected <provider>:<model> such as google:<model id>, got '{model}'. "
                "No model is asked."
            )
        self._provider = OLD_NAMES.get(provider, provider)
        self._id = model_id
        self._api_key = api_key
        self._base_url = base_url
        self._call_seconds = call_seconds
        self._model: Model | None = None
        self._loop = LoopThread()
        self._lock = threading.Lock()
        self.name = READABLE.get(self._provider, self._provider)

    @property
    def _full_id(self) -> str:
        return f"{self._provider}:{self._id}"

    def conclude(self, inquiry: Inquiry) -> Reply:
        """Return the model's conclusion, or what stopped it. TransientError, PermanentError or SettingsError otherwise."""
        model = self._ready()
        seconds = inquiry.limits.seconds
        talk = _Talk(inquiry, time.monotonic() + seconds)
        try:
            return self._loop.run(self._concluded(model, talk), seconds + GRACE_SECONDS)
        except TimeoutError:
            return talk.stopped(f"no conclusion within {seconds:g} s")
        except _StopError as stop:
            return talk.stopped(str(stop))

    def check(self) -> str:
        """Ask the provider whether it serves the model and takes the key; return the id it answers with. May cost a few tokens."""
        try:
            return self._loop.run(self._checked(self._ready()), self._call_seconds)
        except TimeoutError as error:
            raise TransientError(f"Asking model '{self._full_id}' failed: no answer within {self._call_seconds:g} s.") from error

    def warm(self) -> None:
        """Import and build what the first call needs: time that no analysis should spend."""
        self._ready()

    def close(self) -> None:
        """Close connections and end the loop's thread."""
        with self._lock:
            model, self._model = self._model, None
            self._loop.close(model.__aexit__(None, None, None) if model else None)

    def _ready(self) -> "Model":
        with self._lock:  # threads that come while it is built wait for it
            if not self._model:
                model = self._built()
                self._loop.run(model.__aenter__(), GRACE_SECONDS)  # so that its connections are kept from one analysis to the next
                self._model = model
            return self._model

    def _built(self) -> "Model":
        from pydantic_ai.exceptions import UserError
        from pydantic_ai.models import infer_model

        try:
            return infer_model(self._full_id, self._provider_for)
        except (UserError, ValueError) as error:
            raise self._unusable(clipped(str(error))) from error
        except ImportError as error:
            raise self._unusable(f"a package of this provider is missing ({clipped(str(error))})") from error

    def _provider_for(self, name: str) -> "Provider[Any]":
        from pydantic_ai.providers import infer_provider
        from pydantic_ai.providers.google import GoogleProvider

        if name == "google":
            return GoogleProvider(api_key=self._api_key or None, base_url=self._base_url or None)
        return infer_provider(name)

    def _unusable(self, cause: str) -> SettingsError:
        return SettingsError(f"Preparing model '{self._full_id}' failed: {cause}. No model is asked.")

    async def _concluded(self, model: "Model", talk: "_Talk") -> Reply:
        agent = _agent(_metered(model, talk, self._call_seconds), talk)
        try:
            async with asyncio.timeout(talk.seconds_left):
                result = await agent.run(talk.inquiry.material, usage_limits=_no_limits())
        except (_StopError, TimeoutError):
            raise
        except Exception as error:
            if problem := talk.unusable_answer(error):
                raise problem from error
            raise mapped(error, self._full_id, self._call_seconds) from error
        return talk.reply(_conclusion(result.output))

    async def _checked(self, model: "Model") -> str:
        from pydantic_ai.messages import ModelMessage, ModelRequest
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.models.google import GoogleModel

        try:
            if isinstance(model, GoogleModel):
                return str((await model.client.aio.models.get(model=self._id)).name)
            asked: list[ModelMessage] = [ModelRequest.user_text_prompt("Say ok.")]
            return str((await model.request(asked, {"max_tokens": 16}, ModelRequestParameters())).model_name)
        except Exception as error:
            raise mapped(error, self._full_id, self._call_seconds) from error


NOTHING = Usage()


class _StopError(Exception):
    """A limit was hit; the message is what a reader is told."""


@dataclass
class _Talk:
    """One investigation while it goes on. `usage` and `messages` survive whatever ends it."""

    inquiry: Inquiry
    deadline: float
    usage: Usage = NOTHING
    model: str = ""
    was_empty: bool = False
    has_no_price: bool = False
    considered: Conclusion | None = None
    messages: Sequence["ModelMessage"] = ()

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def before_call(self) -> None:
        """Wait for the caller's leave; raise _StopError where a limit was hit."""
        limits, spent = self.inquiry.limits, self.usage
        if spent.calls >= limits.calls:
            raise _StopError(f"no conclusion after {limits.calls} calls")
        if spent.tokens >= limits.tokens:
            raise _StopError(f"no conclusion within {limits.tokens} tokens")
        if limits.cost_usd and spent.cost_usd >= limits.cost_usd:
            raise _StopError(f"no conclusion within {limits.cost_usd:g} dollars")
        if refusal := self.inquiry.before_call(self.seconds_left):
            raise _StopError(f"stopped: {refusal}")

    def after_call(self, response: "ModelResponse") -> None:
        cost, is_known = _cost(response)
        taken = Usage(1, response.usage.input_tokens, response.usage.output_tokens, cost)
        self.usage += taken
        self.model = response.model_name or self.model
        self.was_empty = not any(_says_something(part) for part in response.parts)
        self.has_no_price = self.has_no_price or not is_known
        self.inquiry.after_call(taken)

    def unusable_answer(self, error: Exception) -> Exception | None:
        """Return what answers that stayed unusable come to: where there was none, trying again may help; else the draft stands."""
        from pydantic_ai.exceptions import ContentFilterError, UnexpectedModelBehavior

        if not isinstance(error, UnexpectedModelBehavior) or isinstance(error, ContentFilterError):
            return None
        if self.was_empty:
            return TransientError("Asking the model failed: it answered nothing, again and again. It is tried again.")
        return _StopError(f"its answer stayed invalid ({clipped(error.message)})") if self.usage.calls else None

    def is_last_call(self) -> bool:
        return self.usage.calls >= self.inquiry.limits.calls - 1

    def reply(self, conclusion: Conclusion) -> Reply:
        return self._reply(conclusion, "", ())

    def stopped(self, why: str) -> Reply:
        """Return the last valid conclusion, although it was objected to, or why there is none."""
        if self.considered:
            return self._reply(self.considered, "", (f"The answer before its correction counts: {why}.",))
        return self._reply(None, why, ())

    def _reply(self, conclusion: Conclusion | None, why: str, notes: tuple[str, ...]) -> Reply:
        if self.has_no_price:
            notes = (*notes, f"The price of model '{self.model}' is not known: its cost counts as 0.")
        return Reply(conclusion, self.model, why, self.usage, tuple(trace(self.messages)), notes)


def _agent(model: "Model", talk: _Talk) -> "Agent[None, Any]":
    from pydantic_ai import Agent, ModelRetry, ToolOutput

    inquiry = talk.inquiry
    agent: Agent[None, Any] = Agent(
        model,
        output_type=ToolOutput(Result, name=RESULT_TOOL),
        instructions=inquiry.instructions,
        tools=[_as_tool(tool) for tool in inquiry.tools],
        retries={"tools": inquiry.limits.calls, "output": CORRECTIONS},
    )

    @agent.output_validator
    def _objected(output: Any) -> Any:
        talk.considered = _conclusion(output)
        if problem := inquiry.objections(talk.considered):
            raise ModelRetry(problem)
        return output

    return agent


def _as_tool(tool: Tool) -> Any:
    from pydantic_ai import Tool as TheirTool

    @wraps(tool.ask)
    def asked(*args: object, **kwargs: object) -> dict[str, str]:
        return {DATA_KEY: tool.ask(*args, **kwargs)}

    return TheirTool(asked, takes_ctx=False, name=tool.name)


def _metered(model: "Model", talk: _Talk, call_seconds: float) -> "Model":
    """Return `model` with each call counted, limited and, the last one, without tools: it can only conclude."""
    from pydantic_ai.models.wrapper import WrapperModel

    class Metered(WrapperModel):
        async def request(self, messages: Any, model_settings: Any, model_request_parameters: Any) -> "ModelResponse":
            talk.messages = messages
            await asyncio.to_thread(talk.before_call)
            settings = {**(model_settings or {}), "timeout": call_seconds, "max_tokens": MAX_ANSWER_TOKENS, "max_retries": 0}
            if talk.is_last_call():
                model_request_parameters = replace(model_request_parameters, function_tools=[])
            response = await super().request(messages, settings, model_request_parameters)  # type: ignore[arg-type]
            talk.messages = [*messages, response]
            await asyncio.to_thread(talk.after_call, response)
            return response

    return Metered(model)


def _conclusion(output: Any) -> Conclusion:
    return Conclusion(
        error_type=ErrorType(output.error_type),
        root_cause=output.root_cause[:MAX_TEXT],
        recommendation=output.recommendation[:MAX_TEXT],
        confidence=output.confidence,
        evidence=tuple(Evidence(item.quote[:MAX_TEXT], item.where[:WHERE_CHARACTERS]) for item in output.evidence[:MAX_ITEMS]),
        missing=tuple(text[:MAX_TEXT] for text in output.missing[:MAX_ITEMS]),
    )


def _cost(response: "ModelResponse") -> tuple[float, bool]:
    """Return US dollars by the dated price list that comes with pydantic-ai, and whether it knows the model."""
    try:
        return float(response.cost().total_price), True
    except (LookupError, AssertionError):
        return 0.0, False


def _no_limits() -> Any:
    from pydantic_ai.usage import UsageLimits

    return UsageLimits(request_limit=None)  # ours are finer, and say in words what was hit


def _says_something(part: Any) -> bool:
    return part.part_kind == "tool-call" or bool(getattr(part, "content", ""))
