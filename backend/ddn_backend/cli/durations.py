"""The type of options that take a time, such as `--since 2h`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ..ops.durations import since

if TYPE_CHECKING:
    _Type = click.ParamType[datetime]
else:  # older releases of click know no type of the value
    _Type = click.ParamType


class Since(_Type):
    """The type of an option such as `--since 2h`; its value is a datetime with a zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return since(str(value), datetime.now(UTC))
        except ValueError as error:
            name = param.opts[0] if param else "--since"
            raise click.UsageError(f"Reading option '{name}' failed: {error}. Nothing was done.") from None
