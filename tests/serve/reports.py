"""Reports of a night from tables that are drawn in a test."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from serve.reporting.plan import Plan
from serve.reporting.writing import write
from tests.serve.nights import AS_OF, MOMENTS, TEXTS, table

LEAD = {"lead_id": TEXTS, "created_at": MOMENTS, "territory": TEXTS, "owner": TEXTS, "source": TEXTS}
OUTCOME = {"lead_id": TEXTS, "stage": TEXTS, "occurred_at": MOMENTS, "recorded_at": MOMENTS}
TOUCH = {"lead_id": TEXTS, "kind": TEXTS, "place": TEXTS, "direction": TEXTS, "occurred_at": MOMENTS}
WINDOW, DELAY = 60, 3


def leads(*rows: tuple, **more: pa.DataType) -> pa.Table:
    """(lead, created, territory, owner, source), and ``more`` columns."""
    return table(list(rows), **LEAD, **more)


def outcomes(*rows: tuple, amounts: tuple = ()) -> pa.Table:
    """(lead, stage, occurred[, recorded]): recorded when it happened, unless said."""
    drawn = table([(*row, row[2]) if len(row) == 3 else row for row in rows], **OUTCOME)
    worth = pa.array([dict(amounts).get(row[0]) if row[1] == "won" else None for row in rows], pa.float64())
    return _numbered(drawn.append_column("amount", worth))


def touches(*rows: tuple) -> pa.Table:
    """(lead, place, direction, occurred[, recorded]) of kind ``touch``."""
    whole = [(*row, row[3]) if len(row) == 4 else row for row in rows]
    drawn = [(lead, "touch", place, way, at, known) for lead, place, way, at, known in whole]
    return _numbered(table(drawn, **TOUCH, recorded_at=MOMENTS))


def _numbered(drawn: pa.Table) -> pa.Table:
    return drawn.append_column("row_number", pa.array(range(drawn.num_rows), pa.int64()))


def reported(
    folder: Path,
    *,
    ranked: dict[str, float] | None = None,
    previous=None,
    sla_hours: float = 24.0,
    returned_days: int = 7,
    as_of: str = AS_OF,
    values: dict[str, float] | None = None,
    holdout_share: float | None = None,
    **tables: pa.Table,
) -> Path:
    """Write the reports of a night into a folder, and return it."""
    found = ranked or {}
    names = pa.array(list(found), TEXTS)
    worth = pa.array([(values or {}).get(name) for name in found], pa.float64())
    chances = pa.array(list(found.values()), pa.float64())
    ranking = pa.table({"lead_id": names, "probability": chances, "expected_value": worth})
    pq.write_table(ranking, folder / "ranking.parquet")
    if not (folder / "changes.parquet").exists():
        nothing = pa.schema({"lead_id": TEXTS, "change": pa.float64()}).empty_table()
        pq.write_table(nothing, folder / "changes.parquet")
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        columns = {name: rows.column_names for name, rows in tables.items()}
        plan = Plan(
            as_of,
            WINDOW,
            DELAY,
            sla_hours,
            returned_days,
            30.0,
            columns,
            holdout_share=holdout_share,
        )
        write(connection, folder, plan, previous=previous)
        left = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
        assert left == set(tables)  # nothing of ours stays behind
    return folder
