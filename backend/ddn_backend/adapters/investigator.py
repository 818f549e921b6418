"""The agent that investigates, made once for all analyses with the same instructions and tools: making one takes longer than all
else that is done around a call. What differs between analyses (the model with its meter, the tools' sources, the objections)
it gets with each run: the Talk.
"""

import inspect
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..ports import Inquiry, Tool
from .model_result import Result, conclusion
from .model_talk import Talk
from .model_trace import DATA_KEY, RESULT_TOOL

if TYPE_CHECKING:
    from pydantic_ai import Agent, RunContext

CORRECTIONS = 3  # of a result: two that are not valid, one by the verifier
MAX_AGENTS = 64  # kept: combinations of tools, times calls that are left


class Investigators:
    """The agents of one AgentModel. May be used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._agents: dict[object, Agent[Talk, Any]] = {}

    def of(self, inquiry: Inquiry) -> "Agent[Talk, Any]":
        """Return an agent for `inquiry`; its run needs a model and, as deps, the Talk."""
        key = (inquiry.instructions, inquiry.limits.calls, tuple(map(_declared, inquiry.tools)))
        with self._lock:
            agent = self._agents.get(key)
            if not agent:
                if len(self._agents) >= MAX_AGENTS:
                    self._agents.clear()
                agent = self._agents[key] = _made(inquiry)
            return agent


def _declared(tool: Tool) -> object:
    """Return what all a model knows of a tool comes from: tools with the same code are told of in the same words."""
    function = inspect.unwrap(tool.ask)
    return tool.name, getattr(function, "__code__", function)


def _made(inquiry: Inquiry) -> "Agent[Talk, Any]":
    from pydantic_ai import Agent, ModelRetry, RunContext, ToolOutput

    agent: Agent[Talk, Any] = Agent(
        deps_type=Talk,
        output_type=ToolOutput(Result, name=RESULT_TOOL),
        instructions=inquiry.instructions,
        tools=[_as_tool(tool) for tool in inquiry.tools],
        retries={"tools": inquiry.limits.calls, "output": CORRECTIONS},
    )

    @agent.output_validator
    def _objected(ctx: RunContext[Talk], output: Any) -> Any:
        talk = ctx.deps
        talk.considered = conclusion(output)
        if problem := talk.inquiry.objections(talk.considered, talk.model):
            raise ModelRetry(problem)
        return output

    return agent


def _as_tool(tool: Tool) -> Any:
    """Return the tool as pydantic-ai takes it: declared as `tool` is, asked as the analysis at hand has it."""
    from pydantic_ai import Tool as TheirTool

    declared = TheirTool(tool.ask, takes_ctx=False, name=tool.name).function_schema
    asked = _asker(tool.name)
    return TheirTool(asked, name=tool.name, function_schema=replace(declared, function=asked, takes_ctx=True))


def _asker(name: str) -> Callable[..., dict[str, str]]:
    def asked(ctx: "RunContext[Talk]", *arguments: object, **named: object) -> dict[str, str]:
        ask = next(tool.ask for tool in ctx.deps.inquiry.tools if tool.name == name)
        return {DATA_KEY: ask(*arguments, **named)}

    return asked
