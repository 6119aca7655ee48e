"""Aggregates of chosen rows are written as aggregates of chosen values: the same answers, no FILTER."""

from __future__ import annotations

from typing import Any

import ibis
import pyarrow as pa

from features.chosen import of_values

ROWS = pa.table(
    {
        "lead": ["a", "a", "a", "b", "b", "c", None],
        "kind": ["visit", "call", None, "call", None, "visit", "visit"],
        "age": [1.0, 2.0, 3.0, None, -0.0, float("nan"), 7.5],
        "count": pa.array([1, 2, 3, None, 5, 6, None], pa.int64()),
    }
)


def asked(rows: Any) -> Any:
    """Each aggregate over rows of which none, some, or all are chosen, or the choice is null."""
    choices = {"visits": rows.kind == "visit", "none": rows.kind == "x", "young": rows.age <= 3.0}
    columns = {"rows": rows.count()}
    for name, chosen in choices.items():
        columns |= {
            f"{name}_rows": rows.count(where=chosen),
            f"{name}_ages": rows.age.count(where=chosen),
            f"{name}_least": rows.age.min(where=chosen),
            f"{name}_most": rows.age.max(where=chosen),
            f"{name}_sum": rows["count"].sum(where=chosen),
            f"{name}_mean": rows.age.mean(where=chosen),
            f"{name}_kinds": rows.kind.nunique(where=chosen),
            f"{name}_last": rows.kind.first(where=chosen, order_by=rows["count"].desc()),
        }
    return rows.group_by("lead").aggregate(**columns).order_by("lead")


def test_the_answers_and_their_types_are_the_same() -> None:
    backend = ibis.duckdb.connect()
    query = asked(backend.create_table("rows", ROWS))
    before, after = query.to_pyarrow(), of_values(query).to_pyarrow()
    assert after.schema == before.schema
    assert repr(after.to_pylist()) == repr(before.to_pylist())
    assert before.column("visits_rows").to_pylist() == [1, 0, 1, 1]


def test_only_what_nulls_would_change_keeps_its_filter() -> None:
    written = ibis.to_sql(of_values(asked(ibis.table(ibis.Schema.from_pyarrow(ROWS.schema), name="rows"))))
    assert written.count("FILTER") == 6  # distinct counts and first ones, of three choices
