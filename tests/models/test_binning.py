"""Bins of a feature: every lead is in exactly one, whatever its value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from models.binning import MOST_VALUES, Cuts, cuts_of, numbers


def column(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def test_a_number_at_an_edge_has_a_bin_between_those_below_and_above():
    cuts = Cuts((10.0, 20.0), None)
    # below 10, 10, between, 20, above 20, missing
    found = cuts.counts(column([9.9, 10.0, 10.1, 19.9, 20.0, 20.1, None]))
    assert found.tolist() == [1, 1, 2, 1, 1, 1]


def test_a_category_of_its_own_is_other_and_an_absent_one_is_missing():
    cuts = Cuts(None, ("organic", "referral"))
    found = cuts.counts(column(["organic", "organic", "tv", None]))
    assert found.tolist() == [2, 0, 1, 1]


def test_every_lead_is_counted_once():
    values = np.random.default_rng(0).normal(size=500).tolist() + [None] * 7
    for bins in (2, 5, 10):
        assert cuts_of(column(values), bins=bins).counts(column(values)).sum() == 507


def test_a_heavier_row_counts_for_more():
    cuts = Cuts((0.5,), None)
    assert cuts.counts(column([0.0, 1.0]), np.array([3.0, 1.0])).tolist() == [3, 0, 1, 0]


def test_a_value_that_most_leads_share_does_not_spread_over_bins():
    cuts = cuts_of(column([0.0] * 90 + [float(n) for n in range(1, 11)]), bins=5)
    assert cuts.edges == (0.0,)


def test_values_beyond_the_most_common_ones_share_a_bin():
    values = [f"campaign {n:02d}" for n in range(MOST_VALUES + 5)]
    cuts = cuts_of(column(["campaign 54", *values]), bins=10)
    assert len(cuts.values) == MOST_VALUES
    assert cuts.values[0] == "campaign 54"  # the only one with two leads
    assert cuts.counts(column(values))[-2] == 5


def test_a_column_without_any_value_has_a_bin_for_what_is_missing():
    nothing = column([None, None], pa.float64())
    cuts = cuts_of(nothing, bins=10)
    assert cuts.counts(nothing).tolist() == [0, 2]


@pytest.mark.parametrize("kind", [pa.bool_(), pa.int64(), pa.float64()])
def test_flags_and_whole_numbers_are_numbers(kind):
    assert numbers(column([1, 0, None], pa.int64()).cast(kind)).tolist()[:2] == [1.0, 0.0]
