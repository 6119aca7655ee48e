"""One row out per row in, in the same order, whatever is wrong with a row."""

from __future__ import annotations

import csv

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import ParameterError, StorageError
from models.scoring import Scorer
from serve import predictions
from tests.serve.small import bundle, features


@pytest.fixture(scope="module")
def model():
    return bundle()


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.register("leads", pa.table({"lead_id": [f"L{row:05d}" for row in range(6)]}))
        yield connection


FIGURES = ["probability", "probability_low", "probability_high", "score", "margin"]


def csv_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_come_back_in_the_order_they_were_asked_in(model):
    table = features(8).take([5, 0, 7, 2, 1, 3, 6, 4])  # as an engine may give them
    found = predictions.predict(model, table, rows=8)
    assert found.column("row").to_pylist() == list(range(1, 9))
    assert found.column("lead_id").to_pylist() == [f"L{row:05d}" for row in range(8)]
    expected = Scorer(model).score(features(8))
    np.testing.assert_array_equal(found.column("probability").to_numpy(), expected.probability)
    np.testing.assert_array_equal(found.column("margin").to_numpy(), expected.margin)
    np.testing.assert_array_equal(found.column("score").to_numpy(), expected.score)


def test_a_row_that_is_missing_keeps_its_place_without_a_probability(model):
    found = predictions.predict(model, features(5).take([4, 1, 2]), rows=6)
    assert found.column("row").to_pylist() == [1, 2, 3, 4, 5, 6]
    assert found.column("lead_id").to_pylist() == [None, "L00001", "L00002", None, "L00004", None]
    assert found.column("probability").is_null().to_pylist() == [True, False, False, True, False, True]


def test_no_rows_give_no_predictions(model):
    assert predictions.predict(model, features(0), rows=0).num_rows == 0
    assert predictions.predict(model, features(0), rows=2).column("probability").to_pylist() == [None, None]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".CSV"])
def test_a_row_without_a_probability_says_why(model, connection, tmp_path, suffix):
    table = features(8).take([7, 1, 3])  # 7 is a lead that the table `leads` does not have
    out = tmp_path / f"out{suffix}"
    predicted = predictions.predict(model, table, rows=8)
    assert predictions.write(connection, predicted, out, is_flat=False) == 6
    rows = csv_rows(out) if suffix.lower() == ".csv" else pq.read_table(out).to_pylist()
    assert list(rows[0]) == ["row", "lead_id", "as_of", *FIGURES, "problem"]
    assert [int(row["row"]) for row in rows] == list(range(1, 9))
    problems = [row["problem"] or None for row in rows]
    quarantined, unknown = predictions.QUARANTINED, predictions.UNKNOWN
    assert problems == [quarantined, None, quarantined, None, *[quarantined] * 3, unknown]
    for row, problem in zip(rows, problems, strict=True):
        assert all(
            (row[name] in ("", None)) is (problem is not None) for name in ("probability", "score", "margin")
        )


def test_a_flat_table_has_no_moment_and_no_unknown_lead(model, connection, tmp_path):
    out = tmp_path / "out.csv"
    predicted = predictions.predict(model, features(8), rows=9)
    assert predictions.write(connection, predicted, out, is_flat=True) == 1
    rows = csv_rows(out)
    assert list(rows[0]) == ["row", "lead_id", *FIGURES, "problem"]
    assert [row["problem"] for row in rows] == [""] * 8 + [predictions.QUARANTINED]


def test_an_output_of_an_unknown_kind_is_refused(model, connection, tmp_path):
    predicted = predictions.predict(model, features(2), rows=2)
    with pytest.raises(ParameterError, match=r"'out.xlsx' is neither .csv nor .parquet"):
        predictions.write(connection, predicted, tmp_path / "out.xlsx", is_flat=False)


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_an_output_that_cannot_be_written_is_a_storage_error(model, connection, tmp_path, name):
    predicted = predictions.predict(model, features(2), rows=2)
    with pytest.raises(StorageError, match=f"'{name}' cannot be written"):
        predictions.write(connection, predicted, tmp_path / "absent" / name, is_flat=False)


def test_a_refused_row_says_why_and_a_row_that_could_be_answered_is_not_shown(model, connection, tmp_path):
    out = tmp_path / "out.csv"
    predicted = predictions.predict(model, features(5).take([0, 1, 4]), rows=5)
    refused = pa.table(
        {
            "row": [3, 4],
            "lead_id": pa.array(["L00002", None]),
            "as_of": pa.array([None, None], pa.timestamp("us")),
            "problem": [predictions.OPTED_OUT, predictions.ERASED],
        }
    )
    assert predictions.write(connection, predicted, out, is_flat=False, refused=refused) == 2
    rows = csv_rows(out)
    assert [row["lead_id"] for row in rows] == ["L00000", "L00001", "L00002", "", "L00004"]
    assert [row["problem"] for row in rows] == ["", "", predictions.OPTED_OUT, predictions.ERASED, ""]
    assert [row["probability"] != "" for row in rows] == [True, True, False, False, True]
