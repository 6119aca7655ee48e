"""Write the tables block by block: CSV for what people export, Parquet for what systems export."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

FILES = {
    "leads": "data/leads.csv",
    "accounts": "data/accounts.csv",
    "outcomes": "data/outcomes.csv",
    "spend": "data/spend.csv",
    "touches": "data/touches.parquet",
    "field_history": "data/field_history.parquet",
    "truth": "truth.parquet",
}


def is_csv(table: str) -> bool:
    """Whether the table is written as CSV."""
    return FILES[table].endswith(".csv")


def as_text(rows: pa.Table) -> pa.Table:
    """The rows with every moment as ISO 8601 text in UTC, for example ``2025-03-01T09:15:00Z``."""
    for at, column in enumerate(rows.schema):
        if pa.types.is_timestamp(column.type):
            spaced = rows[column.name].cast(pa.timestamp("s")).cast(pa.string())
            text = pc.binary_join_element_wise(pc.utf8_replace_slice(spaced, 10, 11, "T"), "Z", "")
            rows = rows.set_column(at, column.name, text)
    return rows


class Writer:
    """Open files of one demo folder; a file is created with its first rows.

    Parameters
    ----------
    folder
        Where ``data/`` and ``truth.parquet`` go; existing files are replaced.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, pa_csv.CSVWriter | pq.ParquetWriter] = {}
        self.rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._open.values():
            file.close()

    def add(self, table: str, rows: pa.Table) -> None:
        """Append rows to the table's file; the moments of CSV tables must be text already."""
        if table not in self._open:
            self._open[table] = self._create(table, rows.schema)
        self._open[table].write_table(rows)
        self.rows[table] = self.rows.get(table, 0) + len(rows)

    def _create(self, table: str, schema: pa.Schema) -> pa_csv.CSVWriter | pq.ParquetWriter:
        path = self._folder / FILES[table]
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_csv(table):
            return pa_csv.CSVWriter(path, schema)
        words = [column.name for column in schema if pa.types.is_string(column.type)]
        return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=words)
