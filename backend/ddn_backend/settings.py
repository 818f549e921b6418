"""The backend's settings: the only reader of environment variables in the backend. `ddn settings` lists them; docs/settings.md
is made from here.

External services are used only when they are named here; a key alone sends nothing.
"""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from robot_ddn_listener.redaction.patterns import UnusablePatternError, compiled
from robot_ddn_listener.redis_url import EXPECTED, UnusableUrlError, parse_redis_url

from .errors import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

IDLE_SECONDS = 60.0
FORMS = {  # what the texts that are no plain words look like, and how that is told
    "model": (r"[\w-]+:\S+$", "<provider>:<model>, such as google:gemini-flash-latest"),
    "github_repo": (r"[\w.-]+/[\w.-]+$", "owner/name"),
    "github_url": (r"https?://[^/]", "a URL such as https://github.example.com/api/v3"),
    "mongo_url": (r"mongodb(?:\+srv)?://[^/]", "a URL such as mongodb://user:password@host:27017/ddn"),
}
NO_CI = ("", "0", "false", "no", "off")


def _setting(default: Any, meaning: str, *, alias: str | AliasChoices | None = None, secret: bool = False, **limits: float) -> Any:
    """Return a field. Texts of a SecretStr are never shown, those of a `secret`, a URL with a password perhaps, neither."""
    options: dict[str, Any] = dict(limits)
    if limits and not isinstance(default, int):
        options["allow_inf_nan"] = False
    if secret:
        options["json_schema_extra"] = {"secret": True}
    return Field(default=default, validate_default=True, description=meaning, validation_alias=alias, **options)


class Settings(BaseSettings):
    """Read from the environment. An empty `redis_url` is only good for the embedded runtime."""

    model_config = SettingsConfigDict(env_prefix="DDN_", frozen=True, extra="ignore", env_ignore_empty=True)

    redis_url: str = _setting(
        "",
        "redis://, rediss://, redis+socket:// or sentinel://; without one the embedded runtime brings its own",
        alias=AliasChoices("DDN_REDIS_URL", "REDIS_URL"),
    )
    ci: str = _setting("", "set by CI services", alias="CI")
    home: str = _setting("", "folder of history, learned documents and the embedded runtime; default ~/.ddn")
    idle: float | None = _setting(
        None, "seconds without a client after which the embedded runtime ends; default 60, or 0 where CI is set", ge=0
    )
    concurrency: int = _setting(8, "analyses at a time, of each worker", ge=1, le=500)
    task_seconds: float = _setting(240.0, "seconds until an analysis that did not end is delivered again", gt=0)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting("INFO", "how much workers tell")
    mongo_url: str = _setting("", "a MongoDB URL; without one the history is SQLite in DDN_HOME", secret=True)
    keep_days: int = _setting(90, "days that history is kept", ge=1)
    model: str = _setting("", "<provider>:<model>, such as google:<id>; without one no model is asked")
    send: Literal["message", "log", "code"] = _setting("log", "what a model may see")
    model_calls: int = _setting(8, "model calls an analysis", ge=1, le=8)
    model_tokens: int = _setting(60_000, "tokens an analysis", ge=1000)
    model_seconds: float = _setting(120.0, "seconds an analysis may spend with the model", gt=0)
    model_cost: float = _setting(0.25, "US dollars an analysis", ge=0)
    model_groups: int = _setting(50, "groups of a run that reach the model", ge=0)
    model_rate: int = _setting(0, "model calls a minute over all workers; 0 is no limit", ge=0)
    run_tokens: int = _setting(0, "tokens a run; 0 is no limit", ge=0)
    run_cost: float = _setting(0.0, "US dollars a run; 0 is no limit", ge=0)
    day_tokens: int = _setting(0, "tokens a project and day; 0 is no limit", ge=0)
    day_cost: float = _setting(0.0, "US dollars a project and day; 0 is no limit", ge=0)
    model_grades: bool = _setting(False, "the model grades what was found, too")
    web_search: bool = _setting(False, "the model may search the web")
    shadow: bool = _setting(False, "the model's answers are recorded and not shown")
    pinecone_index: str = _setting("", "prefix of the two indexes on Pinecone; without one the local index is used")
    pinecone_api_key: SecretStr = _setting("", "Pinecone's key", alias="PINECONE_API_KEY")
    share_causes: bool = _setting(False, "confirmed causes of other projects may be shown")
    github_repo: str = _setting("", "owner/name; without one GitHub is not asked")
    github_token: SecretStr = _setting("", "GitHub's token", alias="GITHUB_TOKEN")
    github_url: str = _setting("https://api.github.com", "address of GitHub's API")
    source_root: str = _setting("", "a git checkout; without one no source is read")
    redact: str = _setting("", "your own secrets, as the listeners have them: regular expressions, one a line", secret=True)
    workers: int = _setting(4, "workers that `ddn up` starts", ge=1, le=64)
    flower_port: int = _setting(5555, "Flower's port", alias="FLOWER_PORT", ge=0, le=65535)
    flower_address: str = _setting("127.0.0.1", "address that Flower is bound to")
    flower_user: str = _setting("", "Flower's user", alias="FLOWER_USER")
    flower_password: SecretStr = _setting("", "Flower's password", alias="FLOWER_PASSWORD")
    metrics_port: int = _setting(9464, "port of the monitor's /metrics", ge=0, le=65535)
    metrics_address: str = _setting("127.0.0.1", "address that /metrics is bound to")
    metrics_user: str = _setting("", "user of /metrics")
    metrics_password: SecretStr = _setting("", "password of /metrics")
    alerts: str = _setting("", "a TOML file of alert rules; without one no alerts are sent")

    @field_validator("redis_url")
    @classmethod
    def _usable_url(cls, url: str) -> str:
        if url:
            try:
                parse_redis_url(url)
            except UnusableUrlError as error:
                raise ValueError(f"expected {EXPECTED}, {error}") from None
        return url

    @classmethod
    def _named_model(cls, name: str) -> str:
        if name and not re.fullmatch(r"[\w-]+:\S+", name):
            raise ValueError("expected <provider>:<model>, such as google:gemini-flash-latest")
        return name

    @classmethod
    def _named_repository(cls, name: str) -> str:
        if name and not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            raise ValueError("expected owner/name")
        return name

    @classmethod
    def _url_of_github(cls, url: str) -> str:
        if not re.match(r"https?://[^/]", url):
            raise ValueError("expected a URL such as https://github.example.com/api/v3")
        return url

    @field_validator(*FORMS)
    @classmethod
    def _of_its_form(cls, value: str, field: ValidationInfo) -> str:
        pattern, expected = FORMS[str(field.field_name)]
        if value and not re.match(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    @field_validator("redact")
    @classmethod
    def _usable_patterns(cls, lines: str) -> str:
        try:
            compiled(_lines(lines))
        except UnusablePatternError as error:
            raise ValueError(f"expected regular expressions, one a line: {str(error).rstrip('.')}") from None
        return lines

    @classmethod
    def _url_of_mongo(cls, url: str) -> str:
        if url and not re.match(r"mongodb(?:\+srv)?://[^/]", url):
            raise ValueError("expected a URL such as mongodb://user:password@host:27017/ddn")
        return url

    @property
    def redact_patterns(self) -> list[str]:
        """The user's own regular expressions of secrets."""
        return _lines(self.redact)

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


def prefer_flower_configuration(path: Path) -> None:
    """Let `celery flower` take its configuration from `path`, unless another one is named or lies in the working folder."""
    if not Path("flowerconfig.py").exists():
        os.environ.setdefault("FLOWER_CONF", str(path))


def environment() -> dict[str, str]:
    """Return the variables of this process, whose secrets must not be in what a model is sent."""
    return dict(os.environ)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


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
    got = "" if "URL" in variable or field == "redact" else f", got '{problem['input']}'"
    expected = problem["msg"].removeprefix("Value error, ").replace("Input should be ", "expected ", 1).partition(", unable to")[0]
    return f"Reading setting '{variable}' failed: {expected}{got}."
