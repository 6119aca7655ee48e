"""The same table gives the same matrix, and rare texts never reach the model."""

import json

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from features.errors import ModelError
from models.matrix import Encoding, encode, fit_encoding


def spec(name, kind):
    return FeatureSpec(name, name, "fit", kind, "{value}")


SPECS = [spec("employees", "number"), spec("source", "category")]
TABLE = pa.table(
    {
        "employees": [10.0, None, float("inf"), 40.0, 50.0],
        "source": ["web", "web", "fair", "fair", "ada@example.com"],
    }
)


def test_a_value_with_min_rows_rows_is_kept_and_one_with_fewer_is_not():
    assert fit_encoding(TABLE, SPECS, min_rows=2).categories["source"] == ("fair", "web")
    assert fit_encoding(TABLE, SPECS, min_rows=3).categories["source"] == ()


def test_a_rare_text_is_nowhere_in_the_stored_encoding():
    assert "ada@" not in json.dumps(fit_encoding(TABLE, SPECS, min_rows=2).as_json())


def test_the_most_frequent_values_are_kept_when_there_are_too_many():
    table = pa.table({"employees": [1.0, 2.0] * 3, "source": ["a", "b", "b", "c", "c", "c"]})
    assert fit_encoding(table, SPECS, max_categories=2, min_rows=1).categories["source"] == ("c", "b")


def test_null_and_infinite_numbers_are_nan_and_rare_and_unseen_values_share_a_code():
    encoding = fit_encoding(TABLE, SPECS, min_rows=2)
    asked = pa.table(
        {"employees": [1.0, None, float("-inf"), 2.0], "source": ["fair", "web", "unseen", None]}
    )
    expected = [[1, 0], [np.nan, 1], [np.nan, 2], [2, np.nan]]
    np.testing.assert_array_equal(encode(asked, encoding), expected)


def test_the_order_of_columns_and_the_storage_of_text_change_nothing():
    encoding = fit_encoding(TABLE, SPECS, min_rows=2)
    other = pa.table(
        {"source": TABLE["source"].combine_chunks().dictionary_encode(), "employees": TABLE["employees"]}
    )
    np.testing.assert_array_equal(encode(other, encoding), encode(TABLE, encoding))


@pytest.mark.parametrize(
    ("numbers", "why"),
    [([None, None], "no values"), ([3.0, 3.0], "constant"), ([float("nan"), None], "no values")],
)
def test_a_column_that_teaches_nothing_is_dropped_with_its_reason(numbers, why):
    table = pa.table({"employees": pa.array(numbers, pa.float64()), "source": ["a", "b"]})
    encoding = fit_encoding(table, SPECS, min_rows=1)
    assert (encoding.names, encoding.dropped) == (("source",), {"employees": why})


def test_one_value_beside_nulls_is_not_constant():
    table = pa.table({"employees": [3.0, None], "source": pa.array(["a", None])})
    assert fit_encoding(table, SPECS).names == ("employees", "source")


def test_a_missing_column_is_named():
    encoding = fit_encoding(TABLE, SPECS)
    with pytest.raises(ModelError, match="lacks 'source'"):
        encode(TABLE.drop_columns(["source"]), encoding)


@pytest.mark.parametrize(
    "table",
    [
        TABLE.set_column(0, "employees", pa.array(["10"] * 5)),
        TABLE.set_column(1, "source", pa.array([1.0] * 5)),
        TABLE.set_column(0, "employees", pa.array([True] * 5)),
    ],
)
def test_a_column_of_another_type_is_refused(table):
    with pytest.raises(ModelError, match="another type"):
        encode(table, fit_encoding(TABLE, SPECS))


def test_the_encoding_survives_json():
    encoding = fit_encoding(TABLE, SPECS, min_rows=2)
    assert Encoding.from_json(json.loads(json.dumps(encoding.as_json()))) == encoding


def test_an_encoding_that_contradicts_itself_is_refused():
    data = fit_encoding(TABLE, SPECS).as_json()
    with pytest.raises(ModelError, match="contradicts itself"):
        Encoding.from_json({**data, "kinds": data["kinds"][:1]})


def test_a_table_without_rows_gives_a_matrix_without_rows():
    assert encode(TABLE.slice(0, 0), fit_encoding(TABLE, SPECS)).shape == (0, 2)


def test_a_column_that_repeats_an_earlier_one_is_left_out_and_says_which():
    table = pa.table(
        {
            "visits": [1.0, None, 3.0],
            "pages": [1.0, None, 3.0],
            "calls": [1.0, 0.0, 3.0],
            "source": ["web", None, "fair"],
            "campaign": ["web", None, "fair"],
            "owner": ["fair", None, "web"],
        }
    )
    kinds = dict.fromkeys(("source", "campaign", "owner"), "category")
    specs = [FeatureSpec(n, n, "fit", kinds.get(n, "number"), "{value}") for n in table.column_names]
    dropped = fit_encoding(table, specs, min_rows=1).dropped
    assert dropped == {"pages": "same as 'visits'", "campaign": "same as 'source'"}
