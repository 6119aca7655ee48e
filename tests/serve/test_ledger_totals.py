"""The totals of the ledger follow from its rows alone, not from the order in which they are read."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from serve import part_rows
from serve.batch import LEDGER
from serve.ledger_totals import PARTS, TOTALS, write_totals
from serve.runs import Run

LEADS = 3_000


def totals(folder, order, part_leads):
    """The bytes of the totals of rows in some order, read from parts or from one file."""
    folder.mkdir()
    random = np.random.default_rng(1)
    names = np.array([f"L{row}" for row in range(LEADS)])
    parts = {part: random.normal(size=LEADS) * 10.0 ** random.integers(-9, 9, LEADS) for part in PARTS}
    ledger = pa.table({"lead_id": names, "change": random.normal(size=LEADS), **parts})
    before = Run("before", folder / "before", {})
    before.folder.mkdir()
    leads = pa.table({"lead_id": names, "owner": [f"owner {row % 3}" for row in range(LEADS)]}).take(order)
    pq.write_table(ledger.take(order), folder / LEDGER)
    for file in (folder / "features.parquet", before.folder / "ranking.parquet"):
        part_rows.write(leads.select(["lead_id"]).to_reader(), file, part_leads)
    with duckdb.connect() as connection:
        connection.register("leads", leads)
        write_totals(connection, folder, before)
    return (folder / TOTALS).read_bytes(), ledger


def test_totals_are_the_same_in_whatever_order_and_parts_the_leads_lie(tmp_path):
    one, ledger = totals(tmp_path / "one", np.arange(LEADS), LEADS)
    other, _ = totals(tmp_path / "other", np.random.default_rng(2).permutation(LEADS), 700)
    assert one == other
    every = next(row for row in pq.read_table(tmp_path / "one" / TOTALS).to_pylist() if row["by"] == "all")
    for part in PARTS:
        assert abs(every[part] - float(np.mean(ledger.column(part).to_numpy()))) <= 1e-6
    assert every["both"] == LEADS
