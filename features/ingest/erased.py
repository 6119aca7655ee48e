"""Erased leads do not come back: their rows, and the facts that only they have, leave every table.

The ids of all tables are hashed once each, in DuckDB, and only where there are tombstones. A record that was
merged into an erased one is the same person and goes with it. A touch without a lead goes if its contact was
an erased lead's, or if every lead that its visitor became was erased.
"""

# ruff: noqa: S608  # names are our own or go through named(), and ids and keys are never written into SQL

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb
import pyarrow as pa

from features.ingest.sql import count, named, quoted
from features.tombstones import Tombstones

ROWS = "erased"
"""Table ``erased(table_name, row_number)``: which rows were dropped."""

_BLOCK_BYTES = 64  # of SHA-256
_SCRATCH = ("_tombstones", "_erased_leads", "_erased_contact_id", "_erased_visitor_id")
_LINKS = ("contact_id", "visitor_id")


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table of `ROWS`."""
    connection.execute(f"CREATE OR REPLACE TABLE {ROWS} (table_name VARCHAR, row_number BIGINT)")


def drop_erased(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Collection[str]], tombstones: Tombstones
) -> dict[str, int]:
    """Drop all that the tables have of erased leads; the number of rows by table.

    Parameters
    ----------
    columns
        Columns of each loaded table, by table; ``lead_id`` may be among them.
    """
    _find_leads(connection, columns, tombstones)
    for link in _LINKS:
        _find_links(connection, columns, link)
    dropped = {table: _drop(connection, table, have) for table, have in columns.items()}
    for scratch in _SCRATCH:
        connection.execute(f"DROP TABLE {scratch}")
    return dropped


def _find_leads(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Collection[str]], tombstones: Tombstones
) -> None:
    """Make ``_erased_leads``: tombstoned ids, and those that were merged into one, over others too."""
    connection.register("_arrow", pa.table({"pseudonym": pa.array(tombstones.stones, pa.string())}))
    connection.execute("CREATE OR REPLACE TEMP TABLE _tombstones AS SELECT * FROM _arrow")
    connection.unregister("_arrow")
    merges = "merged_into" in columns.get("leads", ()) and "lead_id" in columns["leads"]
    ids = [f"SELECT lead_id FROM {named(table)}" for table, have in columns.items() if "lead_id" in have]
    ids += ["SELECT merged_into FROM leads"] if merges else ["SELECT NULL::VARCHAR"]
    inner, outer = (bytes(byte ^ pad for byte in _padded(tombstones.key)) for pad in (0x36, 0x5C))
    step = (
        "UNION SELECT leads.lead_id FROM leads JOIN gone ON leads.merged_into = gone.lead_id"
        if merges
        else ""
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE _erased_leads AS
        WITH RECURSIVE ids(lead_id) AS ({" UNION ".join(ids)}),
        hashed AS (
            SELECT lead_id, sha256($outer || unhex(sha256($inner || encode(lead_id)))) AS pseudonym
            FROM ids WHERE lead_id IS NOT NULL
        ),
        gone(lead_id) AS (SELECT lead_id FROM hashed SEMI JOIN _tombstones USING (pseudonym) {step})
        SELECT DISTINCT lead_id FROM gone
        """,
        {"inner": inner, "outer": outer},
    )


def _find_links(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Collection[str]], link: str
) -> None:
    """Make ``_erased_<link>``: contacts or visitors of whom every known lead was erased."""
    pairs = [
        f"SELECT {link}, lead_id FROM {named(table)}"
        for table in ("contacts", "identities")
        if {link, "lead_id"} <= set(columns.get(table, ()))
    ]
    known = " UNION ALL ".join(pairs) or f"SELECT NULL::VARCHAR AS {link}, NULL::VARCHAR AS lead_id"
    is_erased = "lead_id IN (SELECT lead_id FROM _erased_leads)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _erased_{link} AS SELECT {link} FROM ({known}) "
        f"WHERE {link} IS NOT NULL AND lead_id IS NOT NULL GROUP BY {link} HAVING bool_and({is_erased})"
    )


def _drop(connection: duckdb.DuckDBPyConnection, table: str, have: Collection[str]) -> int:
    """Drop the rows of one table: by their lead, or where they name none by contact and visitor."""
    links = [f"{link} IN (SELECT {link} FROM _erased_{link})" for link in _LINKS if link in have]
    own = "lead_id IN (SELECT lead_id FROM _erased_leads)"
    if "lead_id" in have:
        theirs = f"{own} OR (lead_id IS NULL AND ({' OR '.join(links)}))" if links else own
    elif links:
        theirs = " OR ".join(links)
    else:
        return 0
    connection.execute(
        f"INSERT INTO {ROWS} SELECT {quoted(table)}, row_number FROM {named(table)} WHERE {theirs}"
    )
    found = f"SELECT row_number FROM {ROWS} WHERE table_name = {quoted(table)}"
    connection.execute(f"DELETE FROM {named(table)} WHERE row_number IN ({found})")
    return count(connection, f"SELECT count(*) FROM ({found})")


def _padded(key: bytes) -> bytes:
    return key.ljust(_BLOCK_BYTES, b"\0")
