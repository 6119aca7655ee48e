"""Rankings drawn by hand, as files of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

NUMBERS = ("probability", "score", "expected_value", "probability_mql", "probability_sql")


def ranking(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write ``ranking.parquet`` into a folder: the rows, ranked from 1; what is not said is null."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {
        name: pa.array([row.get(name) for row in rows], pa.float64() if name in NUMBERS else pa.string())
        for name in names
    }
    path.mkdir(exist_ok=True)
    table = pa.table({"rank": pa.array(range(1, len(rows) + 1), pa.int64()), **columns})
    pq.write_table(table, path / "ranking.parquet")
    return path / "ranking.parquet"
