"""The body of a request: a JSON object of tables, read strictly; a refusal names the place, never a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NotRequired

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from features.errors import listed
from features.ingest.headers import Wanted, nearest
from serve.online.refusal import MOST_TOLD, Problem, refused

MOST_LEADS, MOST_TOUCHES = 1_000, 2_000
MOST_BYTES = 16 * 2**20
MOST_ROWS = 200_000
"""Of any table: of a thousand leads with two hundred facts each."""
MOST_CHARACTERS = 1_000
_STRICT = ConfigDict(extra="forbid", strict=True)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}", re.ASCII)
_TYPES: Mapping[str, Any] = {
    "number": Annotated[float, Field(allow_inf_nan=False)],
    "flag": bool,
    "timestamp": datetime,
}
_TEXT = Annotated[str, Field(max_length=MOST_CHARACTERS)]
_SAID = {
    "missing": "is missing",
    "extra_forbidden": "is no field here",
    "json_invalid": "is no JSON",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "string_too_long": f"has more than {MOST_CHARACTERS} characters",
    "too_short": "has no rows",
    "too_long": "has too many rows",
}

Rows = Sequence[Mapping[str, Any]]


class Body:
    """Reads bodies with certain tables.

    Parameters
    ----------
    tables
        Columns of each table, as `serve.online.columns.accepted` gives them.
    """

    def __init__(self, tables: Mapping[str, Mapping[str, Wanted]]) -> None:
        self._names = {table: tuple(columns) for table, columns in tables.items()}
        self._reader: TypeAdapter[Any] = TypeAdapter(_request(tables))

    def read(self, content: bytes) -> dict[str, Any]:
        """``as_of`` (None: now), ``score`` (ids of the leads to score; None: all) and the rows by table.

        Raises
        ------
        RefusedError
            It is no JSON, a field is unknown, missing or of another type, or there is too much of something.
        """
        if len(content) > MOST_BYTES:
            raise refused(Problem("", f"is larger than {MOST_BYTES // 2**20} MiB"))
        try:
            found = self._reader.validate_json(content)
        except ValidationError as error:
            raise refused(*self._problems(error)) from None
        return found.model_dump() if isinstance(found, BaseModel) else dict(found)

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of a body."""
        return self._reader.json_schema()

    def _problems(self, error: ValidationError) -> Iterator[Problem]:
        told = error.errors(include_url=False, include_context=False, include_input=False)
        for one in told[: MOST_TOLD + 1]:
            place, kind = one["loc"], str(one["type"])
            if kind == "extra_forbidden":
                yield self._unknown(place)
            else:
                yield Problem(_written(place), _said(kind))

    def _unknown(self, place: tuple[int | str, ...]) -> Problem:
        """An unknown field: named only if it looks like a name, for a key may hold anything."""
        name = str(place[-1])
        known = ("as_of", "score", *self._names) if len(place) == 1 else self._names[str(place[0])]
        if not _PLAIN_NAME.fullmatch(name):
            return Problem(_written(place[:-1]), "has a field that is no plain name")
        near = nearest(name, known)
        hint = f"did you mean '{near}'?" if near else f"there are {listed(known, most=len(known))}"
        return Problem(_written(place), f"is no field here: {hint}")


def _request(tables: Mapping[str, Mapping[str, Wanted]]) -> Any:
    fields: dict[str, Any] = {
        "as_of": NotRequired[datetime | None],
        "score": NotRequired[Annotated[list[_TEXT], Field(min_length=1, max_length=MOST_LEADS)] | None],
    }
    for table, columns in tables.items():
        row: Any = _row(table, columns)
        rows: Any = Annotated[list[row], _bounds(table)]
        fields[table] = rows if table == "leads" else NotRequired[rows]
    return _typed("Request", fields)


def _bounds(table: str) -> Any:
    return Field(min_length=1, max_length=MOST_LEADS) if table == "leads" else Field(max_length=MOST_ROWS)


def _row(table: str, columns: Mapping[str, Wanted]) -> Any:
    given = {name: _TYPES.get(column.role, _TEXT) for name, column in columns.items()}
    return _typed(
        f"Row of {table}",
        {n: kind if columns[n].is_required else NotRequired[kind | None] for n, kind in given.items()},
    )


def _typed(name: str, fields: Mapping[str, Any]) -> Any:
    made = TypedDict(name, dict(fields))  # type: ignore[misc]  # noqa: UP013  # its fields are data
    return with_config(_STRICT)(made)


def _said(kind: str) -> str:
    if kind.startswith(("datetime", "date_", "timezone")):
        return "must be a moment in ISO 8601, such as 2026-06-30T12:00:00Z"
    return _SAID.get(kind, "is not what is expected here")


def _written(place: Sequence[int | str]) -> str:
    """A place in the body.

    >>> _written(("touches", 7, "kind"))
    'touches[7].kind'
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")
