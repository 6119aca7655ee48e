"""What pydantic found wrong, in words of ours: the full path, what is expected, never the value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from features.errors import ParameterError, Place

_MOST = 3
_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
_MISSING = {"missing", "missing_argument"}
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a section of keys and values",
    "model_type": "a section of keys and values",
    "dataclass_type": "a section of keys and values",
    "mapping_type": "a section of keys and values",
    "string_too_short": "text that is not empty",
    "finite_number": "a finite number",
    "datetime_type": "a moment such as 2026-01-31T02:00:00Z",
    "value_error": "a moment such as 2026-01-31T02:00:00Z",
}


def refusal(error: ValidationError, model: type[BaseModel], file: str) -> ParameterError:
    """One error for all that pydantic found.

    Parameters
    ----------
    error
        What pydantic raised.
    model
        The model that was validated; its keys are what a misspelt key is compared with.
    file
        Name of the parameter file.
    """
    details = error.errors(include_url=False, include_context=False)
    shown = "; ".join(_problem(detail, model) for detail in details[:_MOST])
    more = f"; and {len(details) - _MOST} more" if len(details) > _MOST else ""
    return ParameterError(shown + more, hint=_hint(details[0], file), place=Place("parameters", file))


def _problem(detail: ErrorDetails, model: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in detail["loc"])
    if detail["type"] in _UNKNOWN:
        return f"unknown parameter '{path}'" + _nearest(detail["loc"], model)
    if detail["type"] in _MISSING:
        return f"the parameter '{path}' is missing"
    if expected := _EXPECTED.get(detail["type"]):
        return f"the parameter '{path}' must be {expected}"
    return f"the parameter '{path}' must be {_ending(detail['msg'])}"


def _ending(message: str) -> str:
    """Pydantic's own expectation; other messages may quote the value and are dropped."""
    start = "Input should be "
    return message.removeprefix(start) if message.startswith(start) else "of the right form"


def _hint(detail: ErrorDetails, file: str) -> str:
    if detail["type"] == "string_type" and isinstance(detail["input"], bool | int | float):
        return 'put it in quotes: "true", "1"; without them YAML reads a number or true and false'
    if detail["type"] in _UNKNOWN:
        return "correct or remove it; `leadrank init` writes a file with every key explained"
    return f"correct it in '{file}'"


def _nearest(path: tuple[int | str, ...], model: type[BaseModel]) -> str:
    near = get_close_matches(str(path[-1]), list(_keys(_type_at(path[:-1], model))), n=1)
    return f" — did you mean '{near[0]}'" if near else ""


def _type_at(path: Iterable[int | str], model: type[BaseModel]) -> Any:
    """The type that stands at a path of keys and list positions."""
    found: Any = model
    for part in path:
        keys = _keys(found)
        found = keys[str(part)] if keys else _items(found)
    return found


def _keys(kind: Any) -> Mapping[str, Any]:
    """Keys of a section and their types; none for other types."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: info.annotation for name, info in kind.model_fields.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return {field.name: hints[field.name] for field in fields(kind)}
    return {}


def _items(kind: Any) -> Any:
    """Type of the values of a mapping or list."""
    args = [arg for arg in get_args(kind) if arg not in (Ellipsis, NoneType)]
    return args[-1] if get_origin(kind) is not None and args else kind
