"""A table written in parts in a test, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError
from features.tables import Field
from tests.features.ingested import Ingested

SIZE = {"size": Field("number")}
ROWS = {
    "lead_id": ["L1", "L2", "L3", "L4", "L5"],
    "created_at": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"],
    "source": ["web", "fair", None, "web", "fair"],
    "size": [1.5, 2.0, None, 4.0, 5.0],
}


def write(crm: Ingested, name: str, columns: Mapping[str, object], **options: object) -> None:
    """A Parquet file."""
    file = crm.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(dict(columns)), file, **options)


def part(crm: Ingested, name: str, first: int, last: int) -> None:
    """Some of ROWS as a part."""
    write(crm, f"leads/{name}", {column: values[first:last] for column, values in ROWS.items()})


def in_parts(crm: Ingested) -> None:
    """All of ROWS as Spark leaves a table: one part of it empty, and files beside them."""
    part(crm, "part-00000-a.c000.snappy.parquet", 0, 2)
    write(crm, "leads/part-00001-a.c000.snappy.parquet", {"lead_id": pa.array([], pa.string())})
    part(crm, "part-00002-a.c000.snappy.parquet", 2, 5)
    for name in ("_SUCCESS", "._SUCCESS.crc", ".part-00000-a.c000.snappy.parquet.crc", "_metadata"):
        (crm.folder / "leads" / name).write_bytes(b"no table")


def given(**settings: object) -> dict[str, object]:
    return {"path": "leads", "format": "parquet", "fields": SIZE, **settings}


def digest(crm: Ingested, **settings: object) -> str:
    return crm.load(**given(**settings)).digest  # type: ignore[arg-type]


def refused(crm: Ingested, **settings: object) -> InputError:
    error = crm.refused(**given(**settings))
    assert error.code == 3
    assert error.hint
    return error
