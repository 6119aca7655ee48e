"""The touches and snapshots that all ways are timed on: the same for the same numbers, on every machine.

``python -m tests.benches.history FOLDER --touches 5000000 --leads 100000`` writes ``touches.parquet`` and
``snapshots.parquet``. A few leads have many touches and a few kinds are common, as in a CRM; every tenth
touch is recorded a day late, every twentieth (a planned one) a day ahead; some lie after the moment.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = ("web_visit", "email_open", "email_click", "email_sent", "pricing_visit", "content_download", "call",
         "meeting", "webinar", "demo_request")  # fmt: skip
PLACES = ("product", "pricing", "email", "library", "phone", "blog")
TABLES = ("touches", "snapshots")
DAYS, NIGHTS = 200, 14

# Hashes, not random(): DuckDB's seed gives other rows for another number of threads.
DRAW = "CREATE OR REPLACE MACRO drawn(i, salt) AS hash(i * 16 + salt) / 18446744073709551616.0"
TOUCHES = """
    CREATE TABLE touches AS
    WITH drawn AS (
      SELECT i AS row_number,
        'L' || lpad(CAST(CAST(floor(drawn(i, 0) * drawn(i, 1) * {leads}) AS INT) AS VARCHAR), 7, '0')
          AS lead_id,
        {kinds}[1 + CAST(floor(drawn(i, 2) * drawn(i, 3) * 10) AS INT)] AS kind,
        {places}[1 + CAST(floor(drawn(i, 4) * 6) AS INT)] AS place,
        CASE WHEN drawn(i, 5) < 0.5 THEN 'in' ELSE 'out' END AS direction,
        CASE WHEN drawn(i, 6) < 0.5 THEN round(drawn(i, 7) * 600) END AS duration_seconds,
        TIMESTAMP '2026-01-01' - to_seconds(
          CAST(floor(drawn(i, 8) * {days} * 86400 / {grain}) AS BIGINT) * {grain}) AS occurred_at
      FROM range({touches}) made(i)
    )
    SELECT * EXCLUDE (draw) REPLACE (CAST(duration_seconds AS DOUBLE) AS duration_seconds),
      occurred_at + to_days(CASE WHEN draw < 0.1 THEN 1 WHEN draw > 0.95 THEN -1 ELSE 0 END) AS recorded_at
    FROM (SELECT *, drawn(row_number, 9) AS draw FROM drawn)
"""
SNAPSHOTS = """
    CREATE TABLE snapshots AS
    SELECT i AS snapshot_id, 'L' || lpad(CAST(i AS VARCHAR), 7, '0') AS lead_id,
      TIMESTAMP '2025-12-31' - to_days(CAST(i % {nights} AS INT)) - to_seconds({seconds}) AS as_of
    FROM range({leads}) made(i)
"""


@dataclass(frozen=True)
class Size:
    """How much history.

    Attributes
    ----------
    touches, leads
        Rows of the two tables; each lead has one snapshot.
    has_own_moments
        Whether each snapshot has a moment of its own; else they share 14 midnights.
    grain_seconds
        Touches happen at multiples of it: with half days, many lie on the boundary of a window.
    """

    touches: int
    leads: int
    has_own_moments: bool = False
    grain_seconds: int = 1


def make(connection: Any, size: Size) -> None:
    """Create the tables ``touches`` and ``snapshots``."""
    connection.execute(DRAW)
    words = {"kinds": list(KINDS), "places": list(PLACES), "days": DAYS, "nights": NIGHTS}
    seconds = "i * 37 % 86400" if size.has_own_moments else "0"
    numbers = {"leads": size.leads, "touches": size.touches, "grain": size.grain_seconds, "seconds": seconds}
    for table in (TOUCHES, SNAPSHOTS):
        connection.execute(table.format(**words, **numbers))


def write(folder: Path, size: Size) -> None:
    """Write the tables as Parquet; in memory of its own, so that no way is charged for it."""
    import duckdb

    with duckdb.connect() as connection:
        make(connection, size)
        for table in TABLES:
            connection.table(table).write_parquet(str(folder / f"{table}.parquet"))


def read(connection: Any, folder: Path) -> None:
    """Create the tables from their files."""
    for table in TABLES:
        connection.read_parquet(str(folder / f"{table}.parquet")).create(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--touches", type=int, default=5_000_000)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--own-moments", action="store_true")
    asked = parser.parse_args()
    write(asked.folder, Size(asked.touches, asked.leads, asked.own_moments))


if __name__ == "__main__":
    main()
