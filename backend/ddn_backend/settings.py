"""The backend's settings: the only reader of environment variables in the backend.

variable                value                              default
DDN_REDIS_URL           a Redis URL (else REDIS_URL)       none; the embedded runtime brings its own
DDN_IDLE                seconds without a client, >= 0     60, or 0 where CI is set; then the embedded runtime ends
DDN_CONCURRENCY         analyses at a time, 1..500         8
DDN_TASK_SECONDS        seconds until an analysis that did not end is delivered again  240
DDN_LOG_LEVEL           DEBUG, INFO, WARNING, ERROR        INFO
DDN_HOME                a folder                           ~/.ddn; history and learned documents are below it
DDN_MONGO_URL           a MongoDB URL                      none: history in SQLite below DDN_HOME
DDN_KEEP_DAYS           days that history is kept          90

External services are used only when they are named here; a key alone sends nothing.

DDN_MODEL               <provider>:<model>, such as google:<id>    none: no model is asked
DDN_SEND                message, log, code: what a model may see   log
DDN_MODEL_CALLS         model calls an analysis, 1..8      8
DDN_MODEL_TOKENS        tokens an analysis                 60000
DDN_MODEL_SECONDS       seconds an analysis                120
DDN_MODEL_COST          US dollars an analysis             0.25
DDN_MODEL_GROUPS        groups of a run that reach it      50
DDN_MODEL_RATE          calls a minute over all workers    0, no limit
DDN_DAY_COST            US dollars a project and day       0, no limit
DDN_PINECONE_INDEX      prefix of the two indexes          none: the local index only
PINECONE_API_KEY        Pinecone's key                     none
DDN_SHARE_CAUSES        confirmed causes of other projects may be shown    false
DDN_GITHUB_REPO         owner/name                         none
GITHUB_TOKEN            GitHub's token                     none
DDN_GITHUB_URL          the API's address                  https://api.github.com
DDN_SOURCE_ROOT         a git checkout                     none: no source is read

DDN_SHADOW              analysed and recorded, not shown   false
DDN_WEB_SEARCH          the model may search the web       false
DDN_MODEL_GRADES        the model grades what was found    false

For operators; `ddn up` and what it starts read them from a file `.env` in the working folder too.

DDN_WORKERS             workers of `ddn up`, 1..64         4
FLOWER_PORT             Flower's port                      5555
DDN_FLOWER_ADDRESS      the address Flower is bound to     127.0.0.1
FLOWER_USER             Flower's user                      none
FLOWER_PASSWORD         Flower's password                  none
DDN_METRICS_PORT        port of the monitor's /metrics     9464
DDN_METRICS_ADDRESS     the address it is bound to         127.0.0.1
DDN_METRICS_USER        user of /metrics                   none
DDN_METRICS_PASSWORD    password of /metrics               none
DDN_ALERTS              a TOML file of alert rules         none: no alerts are sent
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
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
    home: str = ""
    mongo_url: str = ""
    keep_days: int = Field(default=90, ge=1)
    model: str = ""
    send: Literal["message", "log", "code"] = "log"
    model_calls: int = Field(default=8, ge=1, le=8)
    model_tokens: int = Field(default=60_000, ge=1000)
    model_seconds: float = Field(default=120, gt=0, allow_inf_nan=False)
    model_cost: float = Field(default=0.25, ge=0, allow_inf_nan=False)
    model_groups: int = Field(default=50, ge=0)
    model_rate: int = Field(default=0, ge=0)
    day_cost: float = Field(default=0, ge=0, allow_inf_nan=False)
    pinecone_index: str = ""
    pinecone_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="PINECONE_API_KEY")
    share_causes: bool = False
    github_repo: str = ""
    github_token: SecretStr = Field(default=SecretStr(""), validation_alias="GITHUB_TOKEN")
    github_url: str = "https://api.github.com"
    source_root: str = ""
    shadow: bool = False
    web_search: bool = False
    model_grades: bool = False
    workers: int = Field(default=4, ge=1, le=64)
    flower_port: int = Field(default=5555, ge=0, le=65535, validation_alias="FLOWER_PORT")
    flower_address: str = "127.0.0.1"
    flower_user: str = Field(default="", validation_alias="FLOWER_USER")
    flower_password: SecretStr = Field(default=SecretStr(""), validation_alias="FLOWER_PASSWORD")
    metrics_port: int = Field(default=9464, ge=0, le=65535)
    metrics_address: str = "127.0.0.1"
    metrics_user: str = ""
    metrics_password: SecretStr = SecretStr("")
    alerts: str = ""
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
    def home_folder(self) -> Path:
        """Where history and learned documents are, below it in folders of their own."""
        return Path(self.home or Path.home() / ".ddn").absolute()

    @property
    def idle_seconds(self) -> float:
        """Seconds without a client after which the embedded runtime ends."""
        if self.idle is not None:
            return self.idle
        return IDLE_SECONDS if self.ci.lower() in NO_CI else 0.0


def read_dotenv(folder: Path) -> None:
    """Take variables over from a file `.env` in `folder`, where there is one; what is set already stays."""
    from dotenv import dotenv_values

    for name, value in dotenv_values(folder / ".env").items():
        if value is not None:
            os.environ.setdefault(name, value)


def environment() -> dict[str, str]:
    """Return the variables of this process, whose secrets must not be in what a model is sent."""
    return dict(os.environ)


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
