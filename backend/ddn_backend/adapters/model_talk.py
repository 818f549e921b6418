"""One talk with a model while it goes on: what it took so far, and whether another call may be made."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import TransientError
from ..ports import Conclusion, Inquiry, Reply, Usage
from .model_errors import clipped
from .model_trace import trace

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model

MAX_ANSWER_TOKENS = 8_192  # of one call, thinking included
NOTHING = Usage()


class StopError(Exception):
    """A limit was hit; the message is what a reader is told."""


@dataclass
class Talk:
    """`usage` and `messages` survive whatever ends it. `wanted` is what the model is to come to, in words."""

    inquiry: Inquiry
    deadline: float
    wanted: str = "conclusion"
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
        """Wait for the caller's leave; raise StopError where a limit was hit."""
        limits, spent = self.inquiry.limits, self.usage
        if spent.calls >= limits.calls:
            raise StopError(f"no {self.wanted} after {limits.calls} {'call' if limits.calls == 1 else 'calls'}")
        if spent.tokens >= limits.tokens:
            raise StopError(f"no {self.wanted} within {limits.tokens} tokens")
        if limits.cost_usd and spent.cost_usd >= limits.cost_usd:
            raise StopError(f"no {self.wanted} within {limits.cost_usd:g} dollars")
        if refusal := self.inquiry.before_call(self.seconds_left):
            raise StopError(f"stopped: {refusal}")

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
        return StopError(f"its answer stayed invalid ({clipped(error.message)})") if self.usage.calls else None

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


def metered(model: "Model", talk: Talk, call_seconds: float) -> "Model":
    """Return `model` with each call counted, limited and, the last one, without tools: it can only conclude."""
    made: Model = _metered_class()(model, talk, call_seconds)
    return made


@cache
def _metered_class() -> Any:
    from pydantic_ai.models.wrapper import WrapperModel

    class Metered(WrapperModel):
        def __init__(self, model: "Model", talk: Talk, call_seconds: float) -> None:
            super().__init__(model)
            self.talk = talk
            self.call_settings = {"timeout": call_seconds, "max_tokens": MAX_ANSWER_TOKENS, "max_retries": 0}

        async def request(self, messages: Any, model_settings: Any, model_request_parameters: Any) -> "ModelResponse":
            talk = self.talk
            talk.messages = messages
            await asyncio.to_thread(talk.before_call)
            settings = {**(model_settings or {}), **self.call_settings}
            if talk.is_last_call():
                model_request_parameters = replace(model_request_parameters, function_tools=[])
            response = await super().request(messages, settings, model_request_parameters)  # type: ignore[arg-type]
            talk.messages = [*messages, response]
            await asyncio.to_thread(talk.after_call, response)
            return response

    return Metered


def _cost(response: "ModelResponse") -> tuple[float, bool]:
    """Return US dollars by the dated price list that comes with pydantic-ai, and whether it knows the model."""
    try:
        return float(response.cost().total_price), True
    except (LookupError, AssertionError):
        return 0.0, False


def _says_something(part: Any) -> bool:
    return part.part_kind == "tool-call" or bool(getattr(part, "content", ""))
