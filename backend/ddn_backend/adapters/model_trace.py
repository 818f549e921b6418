"""What a model thought, asked and was answered, in short, out of pydantic-ai's messages."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from robot_ddn_listener.contract import Step

from .model_errors import clipped

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage

DATA_KEY = "untrusted_data"  # what a tool gave out stands under it; the prompt says what that means
RESULT_TOOL = "final_result"


def trace(messages: Iterable["ModelMessage"]) -> Iterator[Step]:
    """Yield what was thought, asked and answered, in short."""
    answers = {part.tool_call_id: part for message in messages for part in _parts(message) if _is_answer(part)}
    for message in messages:
        if message.kind == "response":
            thought = clipped(" ".join(str(part.content) for part in message.parts if part.part_kind in ("text", "thinking")))
            calls = [part for part in message.parts if part.part_kind == "tool-call"]
            if not calls and thought:
                yield Step(thought=thought)
            for call in calls:
                if call.tool_name == RESULT_TOOL and call.tool_call_id not in answers:
                    continue  # the conclusion itself
                yield Step(thought, clipped(_action(call)), clipped(_observation(answers.get(call.tool_call_id))))
                thought = ""


def _is_answer(part: Any) -> bool:
    return getattr(part, "tool_call_id", None) is not None and part.part_kind != "tool-call"


def _action(call: Any) -> str:
    return f"{call.tool_name}({call.args_as_json_str()})"


def _observation(part: Any) -> str:
    content = getattr(part, "content", "")
    return str(content[DATA_KEY]) if isinstance(content, dict) and DATA_KEY in content else str(content)


def _parts(message: Any) -> Iterable[Any]:
    return tuple(message.parts)
