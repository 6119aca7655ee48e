"""Merged leads: what happened on the record that lost is its master's from the merge on, and not before.

``merged_into`` and ``merged_at`` (or else ``deleted_at``) of ``leads`` say which record a lead became, and
when. Each touch of the loser is repeated for its master with ``recorded_at`` no earlier than the merge: until
then nobody knew that it was the same person. A master of which a merged record had been won is closed from
the merge on, by the stage ``won_as_merged``: its own labels do not count that win a second time. Other
outcomes stay where they were recorded; a duplicate that was disqualified says nothing of its master. A chain
(a into b, b into c) hands over along its whole way. Records that merge into one another in a circle are
quarantined.
"""

# ruff: noqa: S608  # names are our own or go through named(), and rows are never written into SQL

from __future__ import annotations

from collections.abc import Collection

import duckdb

from features.ingest.quarantine import Note
from features.ingest.sql import count, named, quoted
from features.ingest.staging import STAGED, Stage

WON_AS_MERGED = "won_as_merged"
_IS_LOSER = "merged_into IS NOT NULL AND merged_into <> lead_id"
_ONE_MOMENT = "TIMESTAMP '1970-01-01'"
_MASTER = "merges.master_id AS lead_id"
_KNOWN = "greatest(facts.recorded_at, merges.since) AS recorded_at"


def turn_away_circles(stage: Stage) -> None:
    """Quarantine leads that became themselves over others; a lead merged into itself was not merged."""
    if stage.table != "leads" or not {"lead_id", "merged_into"} <= set(stage.columns):
        return
    column = quoted(stage.source.header("merged_into"))
    stage.turn_away(
        f"WITH RECURSIVE {_chains(STAGED, _ONE_MOMENT)} "
        f"SELECT DISTINCT row_number, {column} AS \"column\", 'merged_in_a_circle' AS reason "
        f"FROM {STAGED} JOIN chains USING (lead_id) WHERE chains.master_id = lead_id"
    )


def hand_over(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> list[Note]:
    """Give masters the touches, and the wins, of the records that were merged into them."""
    columns = _columns(connection, "leads") if "leads" in tables else set()
    if not {"lead_id", "merged_into"} <= columns:
        return []
    moments = [name for name in ("merged_at", "deleted_at") if name in columns]
    moment = f"coalesce({', '.join(moments)})" if moments else "NULL::TIMESTAMP"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _merges AS WITH RECURSIVE {_chains('leads', moment)} "
        "SELECT lead_id, master_id, min(since) AS since FROM chains GROUP BY ALL"
    )
    if "touches" in tables:
        _repeat(connection, "touches", f"{_MASTER}, {_KNOWN}", "TRUE")
    if "outcomes" in tables:
        closed = f"{quoted(WON_AS_MERGED)} AS stage, greatest(facts.occurred_at, merges.since) AS occurred_at"
        _repeat(connection, "outcomes", f"{_MASTER}, {closed}, {_KNOWN}", "stage = 'won'")
    connection.execute("DROP TABLE _merges")
    undated = count(connection, f"SELECT count(*) FROM leads WHERE {_IS_LOSER} AND {moment} IS NULL")
    return [Note("leads", "merged_at", "merged_undated", undated)] if undated else []


def _chains(table: str, moment: str) -> str:
    """The recursive table ``chains (lead_id, master_id, since)``: what a lead became, and when."""
    step = (
        f"SELECT lead_id, merged_into AS master_id, {moment} AS since FROM {table} "
        f"WHERE {_IS_LOSER} AND {moment} IS NOT NULL"
    )
    return (
        f"chains AS ({step} UNION SELECT chains.lead_id, step.master_id, greatest(chains.since, step.since) "
        f"FROM chains JOIN ({step}) AS step ON chains.master_id = step.lead_id)"
    )


def _repeat(connection: duckdb.DuckDBPyConnection, table: str, changed: str, condition: str) -> None:
    """Add the rows of merged leads that meet a condition for their masters, with some columns changed."""
    connection.execute(
        f"INSERT INTO {table} SELECT facts.* REPLACE ({changed}) "
        f"FROM {table} AS facts JOIN _merges AS merges ON facts.lead_id = merges.lead_id WHERE {condition}"
    )


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    return {row[0] for row in connection.execute(f"DESCRIBE {named(table)}").fetchall()}
