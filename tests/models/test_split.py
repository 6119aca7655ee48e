"""Slices follow each other in time, with a gap as long as the label window where there is room for it."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from features.errors import ModelError
from models.fitting.split import SLICES, Shares, split_by_order, split_by_time

DAY = 86_400_000_000


def weekly(weeks, per_week):
    """Rows of ``weeks`` weekly nights, ``per_week`` new leads each."""
    at = np.repeat(np.arange(weeks) * 7 * DAY, per_week)
    return at.astype(np.int64), np.array([f"lead-{i}" for i in range(len(at))], dtype=object)


def test_slices_are_in_order_and_a_full_gap_lies_between_them():
    at, leads = weekly(200, 5)
    split = split_by_time(at, leads, gap_days=30)
    for earlier, later in pairwise(SLICES):
        assert at[split[earlier]].max() + 30 * DAY <= at[split[later]].min()
    assert split.gap_days == (30, 30, 30)


def test_a_row_whose_label_window_ends_as_the_next_slice_begins_is_kept():
    at, leads = weekly(200, 5)
    split = split_by_time(at, leads, gap_days=28)  # four weeks: nights fall on the boundary itself
    assert at[split["test"]].min() - at[split["calibrate"]].max() == 28 * DAY


def test_rows_of_one_moment_stay_together():
    at, leads = weekly(30, 37)
    split = split_by_time(at, leads, gap_days=0)
    for earlier, later in combinations(SLICES, 2):
        assert not set(at[split[earlier]]) & set(at[split[later]])


def test_slices_have_the_shares_asked_for():
    at, leads = np.arange(1000) * DAY, np.arange(1000).astype(object)
    split = split_by_time(at, leads, gap_days=0, shares=Shares(stop=0.1, calibrate=0.2, test=0.3))
    assert [len(split[name]) for name in SLICES] == pytest.approx([400, 100, 200, 300], abs=2)


def test_every_row_is_in_one_slice_or_counted_as_purged():
    at, leads = weekly(100, 3)
    split = split_by_time(at, leads, gap_days=30)
    kept = np.concatenate([split[name] for name in SLICES])
    assert len(set(kept)) == len(kept) == len(at) - split.purged


def test_with_a_full_gap_a_lead_may_stand_on_both_sides():
    at, _ = weekly(200, 5)
    leads = np.array([f"lead-{i % 5}" for i in range(len(at))], dtype=object)
    split = split_by_time(at, leads, gap_days=30)
    assert set(leads[split["train"]]) & set(leads[split["test"]])


def test_in_a_short_history_the_gap_gives_way_and_a_lead_keeps_one_side():
    at, _ = weekly(20, 50)
    leads = np.array([f"lead-{i % 50}-{i // 400}" for i in range(len(at))], dtype=object)
    split = split_by_time(at, leads, gap_days=90)
    assert split.gap_days[0] < 90
    for earlier, later in combinations(SLICES, 2):
        if at[split[later]].min() - at[split[earlier]].max() < 90 * DAY:
            assert not set(leads[split[earlier]]) & set(leads[split[later]])


def test_a_lead_that_must_choose_a_side_chooses_either():
    at, _ = weekly(40, 50)
    leads = np.array([f"lead-{i % 50}-{i // 50 // 4}" for i in range(len(at))], dtype=object)
    split = split_by_time(at, leads, gap_days=200)
    plain = split_by_time(at, np.arange(len(at)).astype(object), gap_days=200)
    both = set(leads[plain["stop"]]) & set(leads[plain["calibrate"]])
    assert both & set(leads[split["stop"]])
    assert both & set(leads[split["calibrate"]])


def test_rows_without_dates_are_split_by_their_order():
    split = split_by_order(np.arange(100).astype(object))
    assert [len(split[name]) for name in SLICES] == pytest.approx([50, 15, 15, 20], abs=1)
    assert np.array_equal(np.concatenate([split[name] for name in SLICES]), np.arange(100))


def test_a_repeated_lead_in_rows_without_dates_keeps_one_side():
    leads = np.array([f"lead-{i % 60}" for i in range(100)], dtype=object)
    split = split_by_order(leads)
    for earlier, later in combinations(SLICES, 2):
        assert not set(leads[split[earlier]]) & set(leads[split[later]])


def test_too_few_moments_are_refused_with_the_slices_that_stay_empty():
    with pytest.raises(ModelError, match="no rows are left for the train"):
        split_by_time(np.zeros(50, np.int64), np.arange(50).astype(object), gap_days=0)
