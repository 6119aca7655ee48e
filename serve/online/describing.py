"""The body of a request as JSON Schema, before any model says which of the columns it takes."""

from __future__ import annotations

from typing import Any

from features.ingest.headers import Wanted, wanted
from features.tables import Source
from serve.online.body import MOST_CHARACTERS, MOST_LEADS, MOST_ROWS
from serve.online.columns import NOT_ASKED, TABLES

_MOMENT = {"type": "string", "format": "date-time"}
_TEXT = {"type": "string", "maxLength": MOST_CHARACTERS}
_TYPES = {"number": {"type": "number"}, "flag": {"type": "boolean"}, "timestamp": _MOMENT}


def body_schema() -> dict[str, Any]:
    """JSON Schema of a body with the columns of the contract.

    A model takes fewer: those that its ranking was loaded with. It takes the fields that ``params.yaml``
    declares, which the contract does not know, so rows may have others here.
    """
    ids = {"type": "array", "minItems": 1, "maxItems": MOST_LEADS, "items": _TEXT}
    tables = {table: _rows(table) for table in TABLES}
    return {
        "type": "object",
        "required": ["leads"],
        "additionalProperties": False,
        "properties": {"as_of": _or_null(_MOMENT), "score": _or_null(ids), **tables},
    }


def _rows(table: str) -> dict[str, Any]:
    columns = [one for one in wanted(table, Source(path="")) if one.name not in NOT_ASKED]
    bounds = {"minItems": 1, "maxItems": MOST_LEADS} if table == "leads" else {"maxItems": MOST_ROWS}
    row = {
        "type": "object",
        "required": [one.name for one in columns if one.is_required],
        "properties": {one.name: _cell(one) for one in columns},
    }
    return {"type": "array", **bounds, "items": row}


def _cell(column: Wanted) -> dict[str, Any]:
    kind = _TYPES.get(column.role, _TEXT)
    return kind if column.is_required else _or_null(kind)


def _or_null(kind: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [kind, {"type": "null"}]}
