"""One SHA-256 for what was loaded: the same for the same content, in whatever file it came.

Rows are hashed one by one and the hashes added up, so that neither the order of rows nor that of columns
counts. DuckDB's ``hash`` is fast and the same within a DuckDB version; two independent sums make chance
collisions no concern. It tells versions of data apart; it does not guard against somebody who forges them.
"""

# ruff: noqa: S608  # names go through named()

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

import duckdb

from features.ingest.sql import named
from features.tables import Source


def table_sums(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Iterable[str]
) -> dict[str, object]:
    """Row count and order-free hash sums of the columns of a table, by name.

    Parameters
    ----------
    columns
        Columns that count; their order does not.
    """
    names = sorted(columns)
    cells = ", ".join(map(named, names))
    found = connection.execute(
        f"SELECT count(*), CAST(sum(a) AS VARCHAR), CAST(sum(hash(a, 'leadrank')) AS VARCHAR) "
        f"FROM (SELECT hash({cells}) AS a FROM {named(table)})"
    ).fetchone()
    rows, first, second = found or (0, None, None)
    return {"columns": names, "rows": rows, "sums": [first, second]}


def digest(sums: Mapping[str, Mapping[str, object]], sources: Mapping[str, Source]) -> str:
    """SHA-256, in hexadecimal, over the sums of each table and the declared fields.

    Parameters
    ----------
    sums
        `table_sums` by table name.
    sources
        Declared sources of the same tables.
    """
    declared = {
        table: sorted((name, own.kind, own.time or "") for name, own in sources[table].fields.items())
        for table in sums
    }
    text = json.dumps({"duckdb": duckdb.__version__, "tables": sums, "fields": declared}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
