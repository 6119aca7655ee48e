"""Groups of a backtest: each row in exactly one, boundaries where they are said to be."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from models.backtests.slices import by_age, groups


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 2.0, 3.0, None, 9.0],
        [5.0, 5.0, 5.0],
        ["a", "b", None, "a"],
        list("abcdefghijk"),
        [None, None],
    ],
)
def test_each_row_is_in_exactly_one_group(values):
    column = pa.chunked_array([pa.array(values, pa.float64() if values[0] is None else None)])
    assert (sum(flags.astype(int) for _, flags in groups(column)) == 1).all()


def test_a_number_is_cut_into_thirds_whose_upper_ends_belong_to_them():
    found = dict(groups(pa.chunked_array([[1.0, 2.0, 3.0, 4.0]])))
    assert {name: np.flatnonzero(rows).tolist() for name, rows in found.items()} == {
        "up to 2": [0, 1], "2 to 3": [2], "over 3": [3],
    }  # fmt: skip


def test_rare_values_are_one_group():
    column = pa.chunked_array([[*"abcdefgh" * 2, "i", "j", None]])
    assert [name for name, _ in groups(column)] == [*"abcdefgh", "other", "unknown"]


def test_a_lead_is_new_until_it_is_thirty_days_old():
    found = dict(by_age(pa.chunked_array([[29.999, 30.0, None]])))
    assert [np.flatnonzero(rows).tolist() for rows in found.values()] == [[0], [1], [2]]
