"""Prepared queries: planned over empty tables, asked again and again, and nothing of a question stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.backend import workspace
from features.beside import beside
from features.prepared import Made, Prepared

NUMBERS = pa.schema({"row_number": pa.int64(), "number": pa.float64()})


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Any]:
    with workspace(tmp_path) as made:
        yield made


def rows(*numbers: float) -> pa.Table:
    return pa.table([range(len(numbers)), numbers], schema=NUMBERS)


def queries(tables: Any, keep: Any) -> dict[str, Any]:
    large = keep(tables["numbers"].filter(tables["numbers"].number > 10))
    return {
        "counted": tables["numbers"].aggregate(rows=tables["numbers"].count()),
        "large": large.order_by("row_number").select("number"),
        "summed": large.aggregate(total=large.number.sum()),
    }


def test_plans_made_over_empty_tables_see_the_rows_of_each_question(backend: Any) -> None:
    prepared = Prepared(backend, {"numbers": NUMBERS}, queries)
    for given in ((1, 11, 12), (), (20,), (3, 4)):
        found = prepared.answer({"numbers": rows(*given)})
        large = [number for number in given if number > 10]
        assert found["counted"].to_pylist() == [{"rows": len(given)}]
        assert found["large"].column("number").to_pylist() == large
        assert found["summed"].to_pylist() == [{"total": sum(large) if large else None}]


def test_nothing_of_a_question_stays(backend: Any) -> None:
    prepared = Prepared(backend, {"numbers": NUMBERS}, queries)
    prepared.answer({"numbers": rows(11, 12)})
    for (table,) in backend.con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        assert backend.con.table(table).fetchall() == []
    assert backend.con.table("_given_numbers").fetchall() == []


def test_after_a_question_that_failed_the_next_one_is_answered(backend: Any) -> None:
    prepared = Prepared(backend, {"numbers": NUMBERS}, queries)
    with pytest.raises(KeyError):
        prepared.answer({"numbers": rows(11).drop_columns(["number"])})
    assert prepared.answer({"numbers": rows(11)})["counted"].to_pylist() == [{"rows": 1}]


def test_a_table_can_be_made_of_rows_of_another_shape(backend: Any) -> None:
    texts = pa.schema({"row_number": pa.int64(), "text": pa.string()})
    made = Made(texts, "SELECT row_number, length(text)::DOUBLE FROM numbers")
    prepared = Prepared(backend, {"numbers": NUMBERS}, queries, {"numbers": made})
    given = pa.table([[0, 1], ["a" * 12, "b"]], schema=texts)
    assert prepared.answer({"numbers": given})["large"].column("number").to_pylist() == [12.0]


def test_a_snapshot_that_a_part_does_not_know_has_the_empty_value() -> None:
    part = pa.table({"snapshot_id": [2, 0], "kind": ["late", "early"], "touches": [3.0, 1.0]})
    whole = pa.table({"snapshot_id": [0, 1, 2], "age": [5.0, None, 7.0]})
    features = [_Named("touches", 0), _Named("kind", None), _Named("age", None)]
    found = beside(3, {"a": part, "b": whole}, features)
    assert {name: column.to_pylist() for name, column in found.items()} == {
        "touches": [1.0, 0.0, 3.0],
        "kind": ["early", None, "late"],
        "age": [5.0, None, 7.0],
    }


class _Named:
    def __init__(self, name: str, empty: float | None) -> None:
        self.name, self.empty = name, empty
