"""The nurture list: leads to nurture, each with the content that leads like it consumed before advancing.

Leads are alike by stage and role, else by stage. What is named is what came before advances more often than
chance explains; whether it caused them nobody knows from history alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features.ingest.sql import named
from features.vocabulary import Vocabulary
from models.audit.association import wilson
from serve.lists.consumed import FIRST, counts_sql, kinds_of, stays_sql
from serve.lists.evidence import Evidence
from serve.spreadsheet import write_csv

NURTURE, CONTENT = "nurture.parquet", "nurture_content.parquet"
ROUTE = "nurture"
Z_95 = 1.96
COUNTS = pa.schema(
    {
        **dict.fromkeys(("stage", "role", "content"), pa.string()),
        **dict.fromkeys(("leads", "advanced"), pa.int64()),
    }
)
SCRATCH = ("_asked", "_stays", "_claims")


def write_nurture(
    connection: duckdb.DuckDBPyConnection,
    staged: Path,
    evidence: Evidence,
    *,
    as_of: str,
    tables: Mapping[str, Collection[str]],
    role: str | None,
    words: Vocabulary,
) -> None:
    """Write ``nurture.parquet``, ``nurture.csv`` and ``nurture_content.parquet``.

    Parameters
    ----------
    connection
        Has the loaded tables; without ``touches`` and ``outcomes`` nothing is claimed.
    staged
        Folder of tonight's run, with ``ranking.parquet``.
    as_of
        The moment, UTC without a zone, as ISO 8601: only what was known before it counts.
    tables
        Columns of the loaded tables.
    role
        Column of leads that is their role; None for none.
    words
        What the kinds of touch mean.
    """
    moment = f"TIMESTAMP '{as_of}'"
    has_past = {"touches", "outcomes"} <= set(tables) and "created_at" in tables["leads"]
    connection.register("_ranking", connection.read_parquet(str(staged / "ranking.parquet")))
    nothing = "SELECT NULL::VARCHAR AS lead_id, NULL::VARCHAR AS stage WHERE FALSE"
    _make(connection, "_stays", stays_sql(moment) if has_past else nothing)
    _make(connection, "_asked", _asked_sql(role, tables["leads"], has_past=has_past))
    counts = COUNTS.empty_table()
    if has_past:
        counting = counts_sql(evidence, moment=moment, role=role, tables=tables)
        counts = connection.execute(counting, [kinds_of(words)]).to_arrow_table().cast(COUNTS)
    _write_claims(connection, staged, counts, evidence)
    listed = connection.sql(_listed_sql(evidence.kinds))
    listed.write_parquet(str(staged / NURTURE))
    written = connection.read_parquet(str(staged / NURTURE))
    write_csv(written.order("rank"), staged / "nurture.csv")
    connection.unregister("_ranking")
    for name in SCRATCH:
        connection.execute(f"DROP TABLE {name}")


def _make(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _asked_sql(role: str | None, columns: Collection[str], *, has_past: bool) -> str:
    """The leads to nurture, with the stage that each is in now: null where nothing is dated."""
    parts = {name: f"leads.{name}" if name in columns else "NULL::VARCHAR" for name in ("owner", "territory")}
    stage = f"coalesce(latest.stage, '{FIRST}')" if has_past else "NULL::VARCHAR"
    still_there = "WHERE left_at IS NULL" if has_past else ""
    return f"""
        SELECT _ranking.rank, _ranking.lead_id, {parts["owner"]} AS owner, {parts["territory"]} AS territory,
               _ranking.probability, _ranking.grade, {stage} AS stage,
               {"NULL" if role is None else f"leads.{named(role)}"}::VARCHAR AS role
        FROM _ranking LEFT JOIN leads USING (lead_id)
             LEFT JOIN (SELECT lead_id, stage FROM _stays {still_there}) AS latest USING (lead_id)
        WHERE route = '{ROUTE}'
    """  # noqa: S608  # names of our own


def _write_claims(
    connection: duckdb.DuckDBPyConnection, staged: Path, counts: pa.Table, evidence: Evidence
) -> None:
    """Write ``nurture_content.parquet`` and make the table ``_claims`` of what is named, by place."""
    advanced, leads = (np.asarray(counts.column(name), dtype=np.float64) for name in ("advanced", "leads"))
    low, high = wilson(advanced, leads, z=Z_95)
    ends = counts.append_column("rate_low", pa.array(low)).append_column("rate_high", pa.array(high))
    connection.register("_counts", ends)
    connection.sql(_CONTENT, params=[evidence.min_leads]).write_parquet(str(staged / CONTENT))
    connection.register("_content", connection.read_parquet(str(staged / CONTENT)))
    _make(connection, "_claims", "SELECT * FROM _content WHERE place IS NOT NULL")
    for view in ("_counts", "_content"):
        connection.unregister(view)


def _listed_sql(kinds: int) -> str:
    """The list, each lead with what is claimed of its stage and role, or else of its stage."""
    columns: Sequence[str] = [
        f"max({column}) FILTER (place = {place}) AS {name}_{place}"
        for place in range(1, kinds + 1)
        for name, column in (("content", "content"), ("lift", "lift"), ("leads", "leads"))
    ]
    return f"""
        WITH wide AS (SELECT stage, role, {", ".join(columns)} FROM _claims GROUP BY stage, role),
        alike AS (
            SELECT _asked.*, narrow.stage IS NOT NULL AS is_narrow
            FROM _asked LEFT JOIN wide AS narrow ON narrow.stage = _asked.stage AND narrow.role = _asked.role
        )
        SELECT alike.* EXCLUDE (is_narrow),
               CASE WHEN is_narrow THEN 'stage and role' WHEN wide.stage IS NOT NULL THEN 'stage' END
                   AS alike_by,
               wide.* EXCLUDE (stage, role)
        FROM alike LEFT JOIN wide ON wide.stage = alike.stage
             AND wide.role IS NOT DISTINCT FROM CASE WHEN is_narrow THEN alike.role END
        ORDER BY rank
    """  # noqa: S608  # names of our own


_CONTENT = """
    WITH judged AS (
        SELECT had.stage, had.role, had.content, had.leads, had.advanced,
               had.advanced / had.leads AS rate, had.rate_low, had.rate_high,
               base.leads AS base_leads, base.advanced / base.leads AS base_rate
        FROM _counts AS had
             JOIN _counts AS base ON base.content IS NULL AND base.stage = had.stage
             AND base.role IS NOT DISTINCT FROM had.role
        WHERE had.content IS NOT NULL AND had.leads >= $1
    )
    SELECT *, rate / nullif(base_rate, 0) AS lift,
           CASE WHEN rate_low > base_rate THEN row_number() OVER (
               PARTITION BY stage, role ORDER BY rate_low > base_rate DESC, rate DESC, content)
           END AS place
    FROM judged ORDER BY stage, role, place, content
"""
