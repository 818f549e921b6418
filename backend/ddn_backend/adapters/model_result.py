"""The result that a model has to give: its JSON schema is what the model sees, its checks are what sends an invalid one back."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


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
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    evidence: list[Quote] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
