"""Which tables and columns a request may have: those of the declared tables, under our names."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from features.ingest.headers import NEEDS_ONE_OF, Wanted, wanted
from features.ingest.persons import MADE_OF
from features.tables import PERSONAL, Source

TABLES = ("leads", "touches", "outcomes", "contacts", "accounts", "field_history", "identities")
NOT_ASKED = ("merged_into", "merged_at", "deleted_at", "outcome", "order_value")
"""Of leads that are there no more, or whose end is known: nobody asks about them."""
_RECORDED_DEFAULTS = ("touches", "outcomes", "field_history")
_TYPES = {"number": pa.float64(), "flag": pa.float64(), "timestamp": pa.timestamp("us")}
SNAPSHOTS = pa.schema({"snapshot_id": pa.int64(), "lead_id": pa.string(), "as_of": pa.timestamp("us")})

Columns = Mapping[str, Wanted]


def accepted(sources: Mapping[str, Source], loaded: Mapping[str, Collection[str]]) -> dict[str, Columns]:
    """The columns of each table that a request may have, by name.

    Parameters
    ----------
    loaded
        Columns of each table that the ranking in force was made from: a feature may tell a column that is
        not there from one that is empty.
    """
    return {
        table: _columns(table, sources[table], loaded[table])
        for table in TABLES
        if table in sources and table in loaded
    }


def schema(table: str, columns: Columns, made: Collection[str] = ()) -> pa.Schema:
    """The table as features read it, with what is made of personal columns, which are not in it."""
    kept = {"row_number": pa.int64()}
    kept |= {name: type_of(column) for name, column in columns.items() if not is_personal(table, column)}
    numbers = ("has_company", "company_matches_email")
    kept |= {name: pa.float64() if name in numbers else pa.string() for name in made}
    return pa.schema(kept)


def derived(columns: Columns, loaded: Collection[str]) -> tuple[str, ...]:
    """What the load made of personal columns of ``leads``."""
    return tuple(name for name in MADE_OF if name in loaded and name not in columns)


def type_of(column: Wanted) -> pa.DataType:
    """Arrow type of a column."""
    return _TYPES.get(column.role, pa.string())


def is_personal(table: str, column: Wanted) -> bool:
    """Whether only the load reads a column, and drops it."""
    return column.role == "text" and column.name in PERSONAL.get(table, ())


def needs_one_of(table: str, columns: Columns) -> tuple[str, ...]:
    """Columns of which a row needs one, where it need not have a certain one."""
    return tuple(name for name in NEEDS_ONE_OF.get(table, ()) if name in columns)


def has_recorded(table: str) -> bool:
    """Whether a fact of the table is known from when it happened, unless ``recorded_at`` says later."""
    return table in _RECORDED_DEFAULTS


def _columns(table: str, source: Source, loaded: Collection[str]) -> Columns:
    there = {*loaded, *(text for name in loaded for text in MADE_OF.get(name, ()))}
    columns = {column.name: column for column in wanted(table, source)}
    return {name: column for name, column in columns.items() if name in there and name not in NOT_ASKED}
