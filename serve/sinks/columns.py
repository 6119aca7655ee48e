"""The ranking's columns as those of a PostgreSQL table: names that fit and differ, types, the width."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from features.errors import InputError

NAME_BYTES = 63
_MOST_COLUMNS = 1_599  # 1,600 of PostgreSQL, less run_id
_ROW_BYTES = 7_800  # a row stands on one page of 8 KiB, with its header and run_id
_FIXED_BYTES, _TEXT_BYTES = 8, 24  # longer text is kept elsewhere
_TAKEN = {"run_id", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_TYPES = {"DOUBLE": "double precision", "FLOAT": "double precision", "BOOLEAN": "boolean", "DATE": "date"}


@dataclass(frozen=True)
class SqlColumn:
    """A column of the table: its name and type there."""

    name: str
    type: str


def sql_columns(kinds: Mapping[str, str]) -> dict[str, SqlColumn]:
    """The table's column for each column of a ranking, by its name there.

    Parameters
    ----------
    kinds
        DuckDB type by column.

    Raises
    ------
    InputError
        PostgreSQL has no table that is so wide.

    Examples
    --------
    >>> sql_columns({"rank": "BIGINT", "run_id": "VARCHAR"})["run_id"].name
    'run_id_0cd01327'
    """
    columns = {name: SqlColumn(_fitting(name), _type(kind)) for name, kind in kinds.items()}
    width = sum(_TEXT_BYTES if c.type == "text" else _FIXED_BYTES for c in columns.values())
    if len(columns) > _MOST_COLUMNS or width > _ROW_BYTES:
        raise InputError(
            f"the ranking has {len(columns)} columns, more than a PostgreSQL table can hold",
            hint="publish fewer columns (score.publish_columns), or take sinks.sql away",
        )
    return columns


def _fitting(name: str) -> str:
    """The name itself; with a digest at its end where PostgreSQL would cut it, or has one of that name."""
    if len(name.encode()) <= NAME_BYTES and name not in _TAKEN:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    start = name.encode()[: NAME_BYTES - len(digest) - 1].decode(errors="ignore")
    return f"{start}_{digest}"


def _type(kind: str) -> str:
    if kind in _WHOLE:
        return "bigint"
    return "timestamp with time zone" if kind.startswith("TIMESTAMP") else _TYPES.get(kind, "text")
