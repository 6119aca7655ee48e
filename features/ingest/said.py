"""What people said of leads becomes rows of ``outcomes``, each known from the moment at which it was said.

- A stage that the tables have already, or that somebody has said before, is not counted again: rows of one
  stage that follow one another are one stay in it. A stay that the tables know is theirs.
- A closing that is followed by something else within `CORRECTED_HOURS` was a slip and is left out.
- What was said of a lead that is not in ``leads`` is left out: it was erased, or is no lead any more.
"""

# ruff: noqa: S608  # names are our own, and rows are never written into SQL

from __future__ import annotations

from datetime import datetime

import duckdb
import pyarrow as pa

from features.ingest.digest import table_sums
from features.ingest.quarantine import Counts
from features.ingest.sql import count, quoted
from features.moments import CLOSING, naive_utc

FEEDBACK = "feedback"
"""Table of all that was said of leads that are there, with the columns that it came with."""
ROWS = "said"
"""Table ``said (row_number)``: the rows of ``outcomes`` that are not of its source."""
CORRECTED_HOURS = 24
_ORDER = "PARTITION BY lead_id ORDER BY said_at, is_said, row_number"
_LIKE = "CASE WHEN starts_with(stage, 'returned') THEN 'returned' ELSE stage END"
_SCRATCH = ("_said", "_steps")


def add_said(
    connection: duckdb.DuckDBPyConnection, said: pa.Table, *, until: datetime
) -> tuple[Counts, dict[str, object] | None]:
    """Add what was said to ``outcomes``.

    Parameters
    ----------
    connection
        Has ``leads`` and ``outcomes``.
    said
        ``lead_id``, ``stage`` and ``said_at`` (UTC without a zone, before ``until``), in the order in which
        it was said; further columns are kept in `FEEDBACK`.
    until
        Only rows of ``outcomes`` that were known before it are compared with.

    Returns
    -------
    tuple
        Counts, whose ``deduplicated`` are repeats and slips and whose ``erased`` are of leads that are not
        there; and the sums of `FEEDBACK` for the digest of the data, None if nothing is in it.
    """
    connection.register("_arrow", said)
    connection.execute(
        f"CREATE OR REPLACE TABLE {FEEDBACK} AS SELECT *, row_number() OVER () AS place FROM _arrow"
    )
    connection.unregister("_arrow")
    connection.execute(f"DELETE FROM {FEEDBACK} WHERE lead_id NOT IN (SELECT lead_id FROM leads)")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _said AS {_WITHOUT_SLIPS}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _steps AS {_STEPS}", {"until": naive_utc(until)})
    connection.execute(f"CREATE OR REPLACE TABLE {ROWS} AS {_FIRST_OF_STAYS}")
    connection.execute(
        "INSERT INTO outcomes BY NAME "
        "SELECT lead_id, stage, said_at AS occurred_at, said_at AS recorded_at, row_number "
        f"FROM _steps SEMI JOIN {ROWS} USING (row_number) ORDER BY row_number"
    )
    there = count(connection, f"SELECT count(*) FROM {FEEDBACK}")
    accepted = count(connection, f"SELECT count(*) FROM {ROWS}")
    for scratch in _SCRATCH:
        connection.execute(f"DROP TABLE {scratch}")
    counts = Counts(FEEDBACK, said.num_rows, accepted, 0, there - accepted, said.num_rows - there).checked()
    return counts, table_sums(connection, FEEDBACK, said.column_names) if there else None


_CLOSES = f"stage IN ({', '.join(map(quoted, CLOSING))})"
_WITHOUT_SLIPS = f"""
    SELECT lead_id, stage, said_at, place FROM {FEEDBACK}
    WINDOW later AS (PARTITION BY lead_id ORDER BY said_at, place)
    QUALIFY NOT ({_CLOSES} AND coalesce(lead(stage) OVER later <> stage
                 AND lead(said_at) OVER later < said_at + INTERVAL {CORRECTED_HOURS} HOUR, FALSE))
"""
_STEPS = f"""
    WITH known AS (
        SELECT lead_id, stage, occurred_at AS said_at, row_number, FALSE AS is_said
        FROM outcomes SEMI JOIN _said USING (lead_id)
        WHERE occurred_at < $until AND recorded_at < $until
        UNION ALL
        SELECT lead_id, stage, said_at, place + (SELECT coalesce(max(row_number), 0) FROM outcomes), TRUE
        FROM _said
    ), marked AS (
        SELECT *, coalesce({_LIKE} <> lag({_LIKE}) OVER ({_ORDER}), TRUE) AS is_other FROM known
    )
    SELECT *, count(*) FILTER (is_other) OVER ({_ORDER}) AS stay FROM marked
"""
_FIRST_OF_STAYS = """
    SELECT row_number FROM _steps
    WINDOW stays AS (PARTITION BY lead_id, stay)
    QUALIFY bool_and(is_said) OVER stays AND row_number = min(row_number) OVER stays
"""
