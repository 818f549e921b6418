"""Frozen records as JSON and back, by their type hints. What is found out of a class is kept: each analysis needs it again."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import ContractError

T = TypeVar("T")
_Reader = Callable[[Any], Any]

_PLAIN = frozenset({int, float, bool, type(None)})


def encode(record: Any) -> Any:
    """Return `record` as JSON types (dict, list, str, int, float, bool, None); texts lose what UTF-8 cannot hold."""
    kind: Any = type(record)
    if kind is str:
        return record if record.isascii() else _without_surrogates(record)
    if kind in _PLAIN:
        return record
    if kind is tuple or kind is list:
        return [encode(item) for item in record]
    if names := _names(kind):
        return {key: encode(getattr(record, name)) for name, key in names}
    if isinstance(record, Mapping):
        return {str(key): encode(value) for key, value in record.items()}
    if isinstance(record, (tuple, list)):
        return [encode(item) for item in record]
    if isinstance(record, StrEnum):
        return record.value
    return _without_surrogates(record) if isinstance(record, str) else record


def decode(cls: type[T], message: object) -> T:
    """Return `message` (as from json.loads) as a `cls`; unknown fields are ignored, a wrong or missing one raises ContractError."""
    try:
        kind: Any = cls
        result: T = _reader(kind)(message)
    except _UnreadableError as error:
        raise ContractError(f"{cls.__name__}{error.path}", error.problem) from None
    return result


class _UnreadableError(Exception):
    """A value is wrong; `path` grows on the way out, so that reading what is right need not know where it is."""

    def __init__(self, problem: str):
        super().__init__(problem)
        self.problem = problem
        self.path = ""

    def under(self, name: str) -> "_UnreadableError":
        self.path = f"{name}{self.path}"
        return self


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


@cache
def _names(kind: type) -> tuple[tuple[str, str], ...]:
    """Return the names of a record's fields, here and in JSON; none where `kind` is no record."""
    return tuple((f.name, f.name.rstrip("_")) for f in fields(kind)) if is_dataclass(kind) else ()


@cache
def _reader(kind: Any) -> _Reader:
    """Return what reads a JSON value as a `kind`."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _optional_reader(_reader(next(arg for arg in inner if arg is not type(None))))
    if origin is tuple:
        return _tuple_reader(_reader(inner[0]))
    if origin is dict:
        return _dict_reader(_reader(inner[1]))
    if is_dataclass(kind):
        return _record_reader(kind)
    return _enum_reader(kind) if issubclass(kind, StrEnum) else _value_reader(kind)


def _optional_reader(read: _Reader) -> _Reader:
    return lambda value: None if value is None else read(value)


def _tuple_reader(read: _Reader) -> _Reader:
    def read_tuple(value: Any) -> tuple[Any, ...]:
        items, done = _expected(value, list), list[Any]()
        try:
            for item in items:
                done.append(read(item))
        except _UnreadableError as error:
            raise error.under(f"[{len(done)}]") from None
        return tuple(done)

    return read_tuple


def _dict_reader(read: _Reader) -> _Reader:
    def read_dict(value: Any) -> dict[str, Any]:
        return {str(key): _read_under(str(key), read, item) for key, item in _expected(value, dict).items()}

    return read_dict


def _record_reader(cls: Any) -> _Reader:
    def read_record(value: Any) -> Any:
        _expected(value, dict)
        arguments = {}
        for name, key, read, is_required in _schema(cls):
            if key in value:
                arguments[name] = _read_under(key, read, value[key])
            elif is_required:
                raise _UnreadableError("Expected a value, got none.").under(f".{key}")
        return cls(**arguments)

    return read_record


def _enum_reader(kind: Any) -> _Reader:
    return lambda value: kind(_expected(value, str))


def _value_reader(kind: Any) -> _Reader:
    def read_value(value: Any) -> Any:
        if type(value) is kind:
            return value
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        return _expected(value, kind)

    return read_value


def _read_under(key: str, read: _Reader, value: Any) -> Any:
    try:
        return read(value)
    except _UnreadableError as error:
        raise error.under(f".{key}") from None


@cache
def _schema(cls: Any) -> tuple[tuple[str, str, _Reader, bool], ...]:
    """Return, by field: its name here and in JSON, what reads it, whether it must be there. A record may hold its own kind."""
    hints = get_type_hints(cls)
    return tuple(
        (f.name, f.name.rstrip("_"), _reader(hints[f.name]), f.default is MISSING and f.default_factory is MISSING)
        for f in fields(cls)
    )


def _expected(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _UnreadableError(f"Expected {kind.__name__}, got {value!r:.80}.")
    return value
