"""The results that a model has to give: their JSON schemas are what it sees, their checks are what sends an invalid one back."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from robot_ddn_listener.contract import ErrorType, Evidence

from ..ports import Conclusion

WHERE_CHARACTERS = 40
MAX_TEXT = 2_000  # characters of a result's text; what is shown is cut further
MAX_ITEMS = 6

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Quote(BaseModel):
    """A passage of the material, letter by letter."""

    model_config = ConfigDict(extra="ignore")

    quote: str
    where: str = ""


class Result(BaseModel):
    """Why the test failed."""

    model_config = ConfigDict(extra="ignore")

    error_type: Literal["CODE_ERROR", "TEST_ERROR", "INFRA_ERROR", "CONFIG_ERROR", "DEPENDENCY_ERROR", "UNKNOWN"]
    root_cause: str
    recommendation: str
    confidence: Share
    evidence: list[Quote] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)


class PassageGrades(BaseModel):
    """How relevant each passage is to the failure, in their order: one grade a passage."""

    model_config = ConfigDict(extra="ignore")

    grades: list[Share]


def conclusion(output: Result) -> Conclusion:
    """Return `output` as a conclusion, cut to size."""
    return Conclusion(
        error_type=ErrorType(output.error_type),
        root_cause=output.root_cause[:MAX_TEXT],
        recommendation=output.recommendation[:MAX_TEXT],
        confidence=output.confidence,
        evidence=tuple(Evidence(item.quote[:MAX_TEXT], item.where[:WHERE_CHARACTERS]) for item in output.evidence[:MAX_ITEMS]),
        missing=tuple(text[:MAX_TEXT] for text in output.missing[:MAX_ITEMS]),
    )
