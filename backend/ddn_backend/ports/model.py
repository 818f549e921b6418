"""A language model that investigates: what it is asked, what it answers, and what it may take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from robot_ddn_listener.contract import ErrorType, Evidence, Step


@dataclass(frozen=True, slots=True)
class Usage:
    """What asking a model took. `cost_usd` is 0 where the price is not known."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.calls + other.calls,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.cost_usd + other.cost_usd,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What one analysis may take of a model. The call that goes beyond tokens or cost is the last one."""

    calls: int = 8
    tokens: int = 60_000
    seconds: float = 120.0
    cost_usd: float = 0.25


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A model's answer, typed but not yet verified."""

    error_type: ErrorType
    root_cause: str
    recommendation: str
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """Something a model may ask for. Name, docstring and type hints of `ask` are what the model knows of it; it only reads."""

    ask: Callable[..., str]

    @property
    def name(self) -> str:
        return str(getattr(self.ask, "__name__", ""))


def _never_objects(conclusion: Conclusion, model: str) -> str:
    return ""


def _never_stops(seconds: float) -> str:
    return ""


def _not_counted(usage: Usage) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What a model is asked: our `instructions`, the `material` (data, never instructions) and the tools it may use.

    `objections` to a conclusion by the model with that id go back to it, an empty text accepts it. `before_call` gets the seconds
    that are left, may wait, and returns why the model must not be called, or nothing; `after_call` gets what each call took.
    """

    instructions: str
    material: str
    tools: tuple[Tool, ...] = ()
    limits: Limits = Limits()
    objections: Callable[[Conclusion, str], str] = _never_objects
    before_call: Callable[[float], str] = _never_stops
    after_call: Callable[[Usage], None] = _not_counted


@dataclass(frozen=True, slots=True)
class ToolDeclaration:
    """A tool as a model is told of it; `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """All that the first call of an inquiry sends: `instructions` are the system's, `message` is the user's.

    `tools` are what the model may call, and the one by which it concludes.
    """

    instructions: str
    message: str
    tools: tuple[ToolDeclaration, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """`conclusion` is missing where a limit came first: `stopped` says which. `model` is the id that answered."""

    conclusion: Conclusion | None
    model: str = ""
    stopped: str = ""
    usage: Usage = Usage()
    trace: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """How relevant a model finds each of the passages it was shown, 0..1; no values where a limit came first: `stopped`."""

    values: tuple[float, ...] = ()
    model: str = ""
    stopped: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page that a provider's web search led to; `text` is what of the answer rests on it."""

    title: str
    url: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a model found in the web. No pages where it searched in vain, or a limit came first: `stopped`."""

    text: str = ""
    pages: tuple[WebPage, ...] = ()
    model: str = ""
    stopped: str = ""
    usage: Usage = Usage()


class LanguageModel(Protocol):
    """A model. `name` is what a reader is told: gemini, openai, ... TransientError, PermanentError or SettingsError where an
    answer cannot be had."""

    name: str

    def warm(self) -> None:
        """Import and build what the first call needs: time that no analysis should spend."""

    def conclude(self, inquiry: Inquiry) -> Reply:
        """Investigate with the inquiry's tools and return the conclusion."""

    def grade(self, inquiry: Inquiry, count: int) -> Judgement:
        """Return how relevant each of the `count` passages in the material is."""

    def search_web(self, inquiry: Inquiry) -> WebAnswer:
        """Return what the provider's own web search finds for the material."""

    def close(self) -> None:
        """Give all connections back."""


class Budget(Protocol):
    """What projects may take of a model, over all workers."""

    def admit(self, project: str, run_id: str, report_id: str) -> str:
        """Return why the model must not be asked about this report, or nothing; the same report is counted once."""

    def before_call(self, project: str, run_id: str, seconds: float) -> str:
        """Wait for a turn, at most `seconds`; return why the model must not be called, or nothing."""

    def after_call(self, project: str, run_id: str, usage: Usage) -> None:
        """Count what a call took."""
