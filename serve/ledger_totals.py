"""The ledger of change by team: what moved the leads of each territory and each owner."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from serve.batch import LEDGER
from serve.reporting.plan import exact
from serve.runs import Run

TOTALS = "change_totals.parquet"
TEAMS = ("territory", "owner")
PARTS = ("new_facts", "time_passing", "model", "calibration", "total")
SCHEMA = pa.schema(
    {
        "by": pa.string(),
        "team": pa.string(),
        **dict.fromkeys(("both", "new", "departed"), pa.int64()),
        "expected_wins": pa.float64(),
        **dict.fromkeys(PARTS, pa.float64()),
    }
)


def write_totals(connection: duckdb.DuckDBPyConnection, staged: Path, previous: Run | None) -> None:
    """Write ``change_totals.parquet``: a row ``all``, and one for each value of a lead's teams.

    Parameters
    ----------
    connection
        Has the table ``leads``; of the columns of `TEAMS` those that it has are told.
    staged
        Folder of tonight's run, with its features and its ledger.
    previous
        The run that the ledger compares with; None writes no row.
    """
    if previous is None:
        pq.write_table(SCHEMA.empty_table(), staged / TOTALS)
        return
    files = [staged / "features.parquet", previous.folder / "ranking.parquet", staged / LEDGER]
    there = {name for name, *_ in connection.execute("DESCRIBE leads").fetchall()}
    teams = [team for team in TEAMS if team in there]
    found = connection.execute(_sql(teams), [str(file) for file in files]).to_arrow_table()
    pq.write_table(found.cast(SCHEMA), staged / TOTALS)


def _sql(teams: list[str]) -> str:
    groups = [
        ("all", "NULL::VARCHAR", ""),
        *((team, f"leads.{team}", f"GROUP BY leads.{team}") for team in teams),
    ]
    # Sums that no order of the rows changes: a night made again has the same bytes, however it is laid out.
    means = ", ".join(f"{exact(f'moved.{part}')} / count(moved.{part}) AS {part}" for part in PARTS)
    selects = [
        f"""
        SELECT '{name}' AS "by", {team} AS team, count(*) FILTER (is_now AND was) AS both,
               count(*) FILTER (is_now AND NOT was) AS new, count(*) FILTER (was AND NOT is_now) AS departed,
               {exact("moved.change")} / 100 AS expected_wins, {means}
        FROM seen LEFT JOIN moved USING (lead_id) LEFT JOIN leads USING (lead_id) {grouped}
        """  # noqa: S608  # names of our own
        for name, team, grouped in groups
    ]
    return f"""
        WITH seen AS (
            SELECT lead_id, tonight.lead_id IS NOT NULL AS is_now, before.lead_id IS NOT NULL AS was
            FROM (SELECT lead_id FROM read_parquet($1)) AS tonight
            FULL JOIN (SELECT lead_id FROM read_parquet($2)) AS before USING (lead_id)
        ), moved AS (SELECT * FROM read_parquet($3))
        {" UNION ALL ".join(selects)} ORDER BY "by", team
    """  # noqa: S608  # names of our own
