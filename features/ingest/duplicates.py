"""Two rows with one key: the same twice is dropped, a correction wins, a contradiction is turned away.

- equal content: the first row stays, the others are deduplicated;
- different content in a table with ``recorded_at``: the latest recorded row stays, the others are dropped;
- different content otherwise, or recorded at the same moment: all rows of the key are quarantined.
"""

# ruff: noqa: S608  # texts go through quoted(), names through named(), and rows are never written into SQL

from __future__ import annotations

from collections.abc import Sequence

from features.ingest.sql import count, named, quoted
from features.ingest.staging import STAGED, Stage
from features.tables import LOADABLE


def deduplicate(stage: Stage) -> int:
    """Resolve the rows of one key; the number of rows dropped."""
    key = LOADABLE[stage.table].key or ("touch_id",)
    if not set(key) <= set(stage.columns):
        return 0
    repeated = f"SELECT 1 FROM {STAGED} GROUP BY {', '.join(map(named, key))} HAVING count(*) > 1 LIMIT 1"
    if not stage.connection.execute(repeated).fetchone():
        return 0
    _judge(stage, key)
    column = quoted(stage.source.header(key[0]))
    stage.turn_away(
        f"SELECT row_number, {column} AS \"column\", 'conflicting_duplicate' AS reason "
        "FROM _leaving WHERE is_conflict"
    )
    dropped = count(stage.connection, "SELECT count(*) FROM _leaving WHERE NOT is_conflict")
    stage.connection.execute(f"DELETE FROM {STAGED} WHERE row_number IN (SELECT row_number FROM _leaving)")
    return dropped


def _judge(stage: Stage, key: Sequence[str]) -> None:
    """Make the temporary table ``_leaving (row_number, is_conflict)`` of all rows that have to go."""
    keys = ", ".join(map(named, key))
    content = ", ".join(map(named, stage.columns))
    latest = "recorded_at" if "recorded_at" in stage.columns else "TIMESTAMP '1970-01-01'"
    stage.connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE _leaving AS
        WITH repeated AS (SELECT {keys} FROM {STAGED} GROUP BY ALL HAVING count(*) > 1),
        ranked AS (
            SELECT row_number, {keys}, row({content}) AS content, {latest} AS known_at,
                   max({latest}) OVER (PARTITION BY {keys}) AS last_known_at
            FROM {STAGED} SEMI JOIN repeated USING ({keys})
        ),
        judged AS (
            SELECT row_number,
                   count(DISTINCT content) FILTER (known_at = last_known_at) OVER (PARTITION BY {keys}) > 1
                       AS is_conflict,
                   min(row_number) FILTER (known_at = last_known_at) OVER (PARTITION BY {keys}) AS kept
            FROM ranked
        )
        SELECT row_number, is_conflict FROM judged WHERE is_conflict OR row_number <> kept
        """
    )
