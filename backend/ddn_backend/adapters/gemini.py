"""The language model: a pydantic-ai agent with read-only tools and a typed result. Gemini, or whatever model pydantic-ai names.

DDN_MODEL names it as pydantic-ai does, `provider:model`: `google:<id>` (the Gemini API, GEMINI_API_KEY or GOOGLE_API_KEY),
`google-cloud:<id>` (Vertex AI), `openai:<id>` (with OPENAI_BASE_URL any OpenAI-compatible endpoint), `ollama:<id>`, ...
Providers' own variables are read by pydantic-ai. The older names `google-gla:` and `google-vertex:` mean the first two.

All calls of a process run in one event loop on one thread, so that connections are shared and kept; tools run on threads.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import SettingsError, TransientError
from ..ports import Inquiry, Judgement, Opening, Reply, WebAnswer
from .investigator import Investigators
from .loop_thread import LoopThread
from .model_errors import clipped, mapped
from .model_opening import opening
from .model_result import PassageGrades, conclusion
from .model_talk import StopError, Talk, metered
from .model_trace import RESULT_TOOL
from .model_web import answer_text, pages

if TYPE_CHECKING:
    from pydantic_ai import AgentRunResult
    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider

T = TypeVar("T")

CALL_SECONDS = 60.0  # of one call; a slower one is a failure of the service
GRACE_SECONDS = 5.0  # for the loop's thread to give up an investigation whose time is over
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
        self._investigators = Investigators()
        self._loop = LoopThread()
        self._lock = threading.Lock()
        self.name = READABLE.get(self._provider, self._provider)

    @property
    def _full_id(self) -> str:
        return f"{self._provider}:{self._id}"

    def conclude(self, inquiry: Inquiry) -> Reply:
        """Return the model's conclusion, or what stopped it. TransientError, PermanentError or SettingsError otherwise."""
        talk = self._talk(inquiry, "conclusion")
        try:
            return self._come_to(talk, self._concluded)
        except StopError as stop:
            return talk.stopped(str(stop))

    def grade(self, inquiry: Inquiry, count: int) -> Judgement:
        """Return the model's grades of the `count` passages in the material, or what stopped it; errors as for `conclude`."""
        talk = self._talk(inquiry, "grades")
        try:
            values = self._come_to(talk, lambda model, talk: _graded(model, talk, count))
        except StopError as stop:
            return Judgement((), talk.model, str(stop), talk.usage)
        return Judgement(values, talk.model, "", talk.usage)

    def search_web(self, inquiry: Inquiry) -> WebAnswer:
        """Return what the provider's web search finds, or what stopped it; SettingsError where it has none."""
        talk = self._talk(inquiry, "answer")
        try:
            self._come_to(talk, _searched)
        except StopError as stop:
            return WebAnswer("", (), talk.model, str(stop), talk.usage)
        response: Any = talk.messages[-1]
        return WebAnswer(answer_text(response), pages(response), talk.model, "", talk.usage)

    def check(self) -> str:
        """Ask the provider whether it serves the model and takes the key; return the id it answers with. May cost a few tokens."""
        try:
            return self._loop.run(self._checked(self._ready()), self._call_seconds)
        except TimeoutError as error:
            raise TransientError(f"Asking model '{self._full_id}' failed: no answer within {self._call_seconds:g} s.") from error

    def opening(self, inquiry: Inquiry) -> Opening:
        """Return what the first call would send; nothing is sent. SettingsError where the model cannot be built."""
        talk = Talk(inquiry, time.monotonic() + GRACE_SECONDS)

        def ask(model: "Model") -> "Coroutine[Any, Any, AgentRunResult[Any]]":
            return self._asked(metered(model, talk, self._call_seconds), talk)

        return self._loop.run(opening(self._built(), ask), GRACE_SECONDS)

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

    def _talk(self, inquiry: Inquiry, wanted: str) -> Talk:
        return Talk(inquiry, time.monotonic() + inquiry.limits.seconds, wanted)

    def _come_to(self, talk: Talk, work: "Callable[[Model, Talk], Coroutine[Any, Any, T]]") -> T:
        """Return what `work` comes to; StopError where a limit came first."""
        model, seconds = self._ready(), talk.inquiry.limits.seconds
        try:
            return self._loop.run(self._guarded(metered(model, talk, self._call_seconds), talk, work), seconds + GRACE_SECONDS)
        except TimeoutError:
            raise StopError(f"no {talk.wanted} within {seconds:g} s") from None

    async def _guarded(self, model: "Model", talk: Talk, work: "Callable[[Model, Talk], Coroutine[Any, Any, T]]") -> T:
        try:
            async with asyncio.timeout(talk.seconds_left):
                return await work(model, talk)
        except (StopError, TimeoutError):
            raise
        except Exception as error:
            if problem := talk.unusable_answer(error):
                raise problem from error
            raise mapped(error, self._full_id, self._call_seconds) from error

    async def _concluded(self, model: "Model", talk: Talk) -> Reply:
        return talk.reply(conclusion((await self._asked(model, talk)).output))

    def _asked(self, model: "Model", talk: Talk) -> "Coroutine[Any, Any, AgentRunResult[Any]]":
        agent = self._investigators.of(talk.inquiry)
        return agent.run(talk.inquiry.material, model=model, deps=talk, usage_limits=_no_limits())

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


async def _graded(model: "Model", talk: Talk, count: int) -> tuple[float, ...]:
    from pydantic_ai import Agent, ModelRetry, ToolOutput

    agent: Agent[None, Any] = Agent(
        model,
        output_type=ToolOutput(PassageGrades, name=RESULT_TOOL),
        instructions=talk.inquiry.instructions,
        retries={"output": 1},
    )

    @agent.output_validator
    def _complete(output: Any) -> Any:
        if len(output.grades) != count:
            raise ModelRetry(f"Expected {count} grades, one for each passage in its order; got {len(output.grades)}.")
        return output

    return tuple((await agent.run(talk.inquiry.material, usage_limits=_no_limits())).output.grades)


async def _searched(model: "Model", talk: Talk) -> None:
    from pydantic_ai import Agent
    from pydantic_ai.capabilities import NativeTool
    from pydantic_ai.native_tools import WebSearchTool

    agent: Agent[None, str] = Agent(model, instructions=talk.inquiry.instructions, capabilities=[NativeTool(WebSearchTool())])
    await agent.run(talk.inquiry.material, usage_limits=_no_limits())


def _no_limits() -> Any:
    from pydantic_ai.usage import UsageLimits

    return UsageLimits(request_limit=None)  # ours are finer, and say in words what was hit
