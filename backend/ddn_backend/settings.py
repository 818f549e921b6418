"""The backend's settings: the only reader of environment variables in the backend.

variable          value                              default
DDN_REDIS_URL     a Redis URL (else REDIS_URL)       none; the embedded runtime brings its own
DDN_IDLE          seconds without a client, >= 0     60, or 0 where CI is set; then the embedded runtime ends
DDN_CONCURRENCY   analyses at a time, 1..500         8
DDN_TASK_SECONDS  seconds after which an analysis that did not end is delivered again  240
DDN_LOG_LEVEL     DEBUG, INFO, WARNING, ERROR        INFO
"""

from typing import TYPE_CHECKING, Literal

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from robot_ddn_listener.redis_url import EXPECTED, UnusableUrlError, parse_redis_url

from .errors import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

IDLE_SECONDS = 60.0
NO_CI = ("", "0", "false", "no", "off")


class Settings(BaseSettings):
    """See the table above. An empty `redis_url` is only good for the embedded runtime."""

    model_config = SettingsConfigDict(env_prefix="DDN_", frozen=True, extra="ignore", env_ignore_empty=True)

    redis_url: str = Field(default="", validation_alias=AliasChoices("DDN_REDIS_URL", "REDIS_URL"))
    ci: str = Field(default="", validation_alias="CI")
    idle: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    concurrency: int = Field(default=8, ge=1, le=500)
    task_seconds: float = Field(default=240, gt=0, allow_inf_nan=False)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("redis_url")
    @classmethod
    def _usable_url(cls, url: str) -> str:
        if url:
            try:
                parse_redis_url(url)
            except UnusableUrlError as error:
                raise ValueError(f"expected {EXPECTED}, {error}") from None
        return url

    @property
    def idle_seconds(self) -> float:
        """Seconds without a client after which the embedded runtime ends."""
        if self.idle is not None:
            return self.idle
        return IDLE_SECONDS if self.ci.lower() in NO_CI else 0.0


def load() -> Settings:
    """Return the settings of this process."""
    try:
        return Settings()
    except ValidationError as error:
        problems = " ".join(_explain(problem) for problem in error.errors())
        raise SettingsError(f"{problems} The backend does not start.") from None  # pydantic's message repeats passwords


def _explain(problem: "ErrorDetails") -> str:
    field = str(problem["loc"][0]) if problem["loc"] else "?"
    variable = field if field.isupper() else f"DDN_{field.upper()}"
    got = "" if "URL" in variable else f", got '{problem['input']}'"
    return f"Reading setting '{variable}' failed: {problem['msg'].removeprefix('Value error, ')}{got}."
