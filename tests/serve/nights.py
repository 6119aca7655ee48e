"""A night's ranking and its tables, drawn by hand, for the lists that people work from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from serve.lists.calls import write_calls
from serve.lists.capacity import Capacity
from serve.lists.holdout import Holdout

AS_OF = "2026-06-30T00:00:00"
NEW = "2026-06-29"
TEXTS, MOMENTS = pa.string(), pa.timestamp("us")


def table(rows: list[tuple], **columns: pa.DataType) -> pa.Table:
    """Rows under their columns; text of a moment column is read as ISO 8601."""
    arrays = zip(*rows, strict=True) if rows else [[] for _ in columns]
    return pa.table(
        {
            name: pa.array([datetime.fromisoformat(v) if kind == MOMENTS and v else v for v in values], kind)
            for (name, kind), values in zip(columns.items(), arrays, strict=True)
        }
    )


def ranking(leads: list[tuple], **more: list) -> pa.Table:
    """A ranking of (lead, probability), the best first; ``more`` columns beside."""
    chances = pa.array([chance for _, chance in leads], pa.float64())
    half = pa.array([None if chance is None else chance / 2 for _, chance in leads], pa.float64())
    return pa.table(
        {
            "rank": range(1, len(leads) + 1),
            "lead_id": pa.array([name for name, _ in leads], TEXTS),
            "probability": chances,
            "probability_low": half,
            "probability_high": pa.array([1.0] * len(leads)),
            **more,
        }
    )


def called(
    folder: Path,
    ranked: pa.Table,
    leads: pa.Table,
    capacity: Capacity,
    *,
    ranked_by: str = "model",
    seed: int = 7,
    as_of: str = AS_OF,
    holdout: Holdout | None = None,
    **tables: pa.Table,
) -> tuple[list[dict], dict[str | None, dict]]:
    """The calls of a night, and its totals by rep (None: all)."""
    pq.write_table(ranked, folder / "ranking.parquet")
    loaded = {"leads": leads, **tables}
    with duckdb.connect() as connection:
        for name, rows in loaded.items():
            connection.register(name, rows)
        columns = {name: rows.column_names for name, rows in loaded.items()}
        write_calls(
            connection,
            folder,
            capacity,
            as_of=as_of,
            seed=seed,
            ranked_by=ranked_by,
            tables=columns,
            holdout=holdout,
        )
        left = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
        assert left == set(loaded)  # nothing of ours stays behind
    totals = pq.read_table(folder / "call_totals.parquet").to_pylist()
    return pq.read_table(folder / "calls.parquet").to_pylist(), {row["owner"]: row for row in totals}
