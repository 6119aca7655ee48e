"""Tables drawn as text, so that a sales person could check a test."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa

MOMENTS = {
    "created_at", "merged_at", "deleted_at", "opted_out_at", "occurred_at", "recorded_at", "changed_at",
    "as_of",
}  # fmt: skip
NUMBERS = {"duration_seconds", "employees", "snapshot_id", "row_number", "opted_out", "outcome", "label"}


def drawn(text: str) -> pa.Table:
    """One table from a drawing; a blank cell is null, a blank ``recorded_at`` the fact's own time."""
    lines = [line for line in text.strip().splitlines() if "|" in line]
    names = [cell.strip() for cell in lines[0].split("|")]
    rows = [dict(zip(names, _cells(line, names), strict=True)) for line in lines[1:] if "-+-" not in line]
    for number, row in enumerate(rows):
        row.setdefault("row_number", number)
        for moment in ("occurred_at", "changed_at"):
            if moment in row:
                row["recorded_at"] = row.get("recorded_at") or row[moment]
    columns = dict.fromkeys([*names, "row_number", *(["recorded_at"] if "recorded_at" in rows[0] else [])])
    return pa.table({name: pa.array([row[name] for row in rows], _type(name)) for name in columns})


def install(engine: Any, **tables: pa.Table) -> dict[str, Any]:
    """Put tables into an engine and return them as Ibis tables by name."""
    if engine.name == "pyspark":
        for name, table in tables.items():
            engine._session.createDataFrame(_as_spark(table)).createOrReplaceTempView(name)
    else:
        for name, table in tables.items():
            engine.create_table(name, table, overwrite=True)
    return {name: engine.table(name) for name in tables}


def fetched(engine: Any, table: Any) -> dict[str, list[Any]]:
    """The rows of a table by column."""
    if engine.name == "pyspark":  # through Arrow: Ibis goes through pandas, where a null number is NaN
        return engine._session.sql(engine.compile(table)).toArrow().to_pydict()
    return table.to_pyarrow().to_pydict()


def _as_spark(table: pa.Table) -> pa.Table:
    """Spark reads a zoneless Arrow stamp as TIMESTAMP_NTZ; the session's zone is UTC, so say UTC."""
    fields = [
        f.with_type(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(f.type) else f for f in table.schema
    ]
    return table.cast(pa.schema(fields))


def _cells(line: str, names: list[str]) -> list[Any]:
    texts = [cell.strip() for cell in line.split("|")]
    return [_value(name, text) for name, text in zip(names, texts, strict=True)]


def _value(name: str, text: str) -> Any:
    if not text:
        return None
    if name in MOMENTS:
        return datetime.fromisoformat(text)
    if name in {"snapshot_id", "row_number"}:
        return int(text)
    return float(text) if name in NUMBERS else text


def _type(name: str) -> pa.DataType:
    if name in MOMENTS:
        return pa.timestamp("us")
    if name in {"snapshot_id", "row_number"}:
        return pa.int64()
    return pa.float64() if name in NUMBERS else pa.string()
