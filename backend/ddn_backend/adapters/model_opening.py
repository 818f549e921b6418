"""What the first call of an inquiry would send: the whole way to the provider's client is gone, and the call is not made."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..ports import Opening, ToolDeclaration

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model, ModelRequestParameters


class NotSentError(Exception):
    """The call was to be made."""


async def opening(model: "Model", ask: "Callable[[Model], Awaitable[object]]") -> Opening:
    """Return what would be sent first when `ask` asks `model`, tools as this provider is told of them."""
    from pydantic_ai.models.wrapper import WrapperModel

    made: list[Opening] = []

    class Unsent(WrapperModel):
        async def request(self, messages: Any, model_settings: Any, model_request_parameters: Any) -> Any:
            _, parameters = self.wrapped.prepare_request(model_settings, model_request_parameters)
            made.append(Opening("\n\n".join(_instructions(parameters)), _message(messages), tuple(_tools(parameters))))
            raise NotSentError

    with suppress(NotSentError):
        await ask(Unsent(model))
    return made[0]


def _instructions(parameters: "ModelRequestParameters") -> Iterator[str]:
    yield from (part.content for part in parameters.instruction_parts or ())


def _message(messages: "Sequence[ModelMessage]") -> str:
    return "".join(str(part.content) for message in messages for part in message.parts if part.part_kind == "user-prompt")


def _tools(parameters: "ModelRequestParameters") -> Iterator[ToolDeclaration]:
    for tool in parameters.declared_tool_defs.values():
        yield ToolDeclaration(tool.name, tool.description or "", tool.parameters_json_schema)
    for native in parameters.native_tools:
        yield ToolDeclaration(native.kind, "A tool of the provider itself.", {})
