"""Expected values add up to what was booked, forward in time, and amounts are kept as data."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.errors import ModelError, TooFewOutcomesError
from models.bundle import AMOUNT_FILE, from_files
from models.further.amount import Amount, by_segments
from models.further.expected_value import with_amount
from models.training import train
from tests.models.test_training import QUICK, ROWS, SPECS
from tests.serve.small import bundle, features


@pytest.fixture(scope="module")
def done():
    return train(ROWS, SPECS, QUICK, horizon_days=28.0)


def booked(done, *, spread=0.5, seed=0):
    """Amounts of won rows that depend on the number of opens; others NaN."""
    table = done.first.history.table
    random = np.random.default_rng(seed)
    typical = 100 * np.exp(0.5 * table.column("opens").to_numpy())
    amounts = typical * np.exp(spread * random.normal(size=len(typical)))
    return np.where(done.first.history.label == 1, amounts, np.nan)


def test_the_sum_of_expected_values_is_what_was_booked_on_later_rows(done):
    amounts = booked(done)
    model, report = with_amount(done.bundle, done.first, amounts, QUICK)
    test = done.first.split["test"]
    assert report["way"] == "trees"
    assert report["booked"] == pytest.approx(np.nansum(amounts[test]))
    assert report["low"] < 1 < report["high"]
    assert report["low"] <= report["ratio"] <= report["high"]
    assert report["ratio"] == pytest.approx(1, abs=0.25)
    assert report["log_error"] < 0.8 * report["log_error_of_median"]
    worth = model.amount.predict(ROWS, model.encoding)
    opens = ROWS.column("opens").to_numpy()
    assert worth[opens >= 6].mean() > 2 * worth[opens <= 2].mean()


def test_the_mean_is_met_and_not_the_median_of_skewed_amounts(done):
    model, _ = with_amount(done.bundle, done.first, booked(done, spread=1.0), QUICK)
    assert model.amount.level > 1.2  # the mean of such a log-normal is 1.65 times its median


def test_without_a_use_for_trees_the_median_of_the_segment_is_taken(done):
    random = np.random.default_rng(1)
    source = np.array(done.first.history.table.column("source").to_pylist())
    amounts = np.where(source == "fair", 900.0, 100.0) * np.exp(0.01 * random.normal(size=len(source)))
    amounts = np.where(done.first.history.label == 1, amounts, np.nan)
    model, report = with_amount(done.bundle, done.first, amounts, QUICK)
    assert report["way"] == "segments"
    assert model.amount.medians["fair"] == pytest.approx(900, rel=0.02)
    two = pa.table({"source": ["fair", "never seen"]})
    assert model.amount.by_segment(two).tolist() == [model.amount.medians["fair"], model.amount.median]


def test_a_segment_with_nine_won_rows_has_no_median_of_its_own():
    table = pa.table({"source": ["fair"] * 9 + ["web"] * 10})
    found = by_segments(table, np.array([900.0] * 9 + [100.0] * 10), "source")
    assert found.medians == {"web": 100.0}
    assert found.median == 100.0


def test_won_rows_without_an_amount_are_counted_and_teach_nothing(done):
    amounts = booked(done)
    test = done.first.split["test"]
    amounts[test[np.flatnonzero(done.first.history.label[test] == 1)[:7]]] = [0, np.nan, 0, 0, 0, 0, np.nan]
    _, report = with_amount(done.bundle, done.first, amounts, QUICK)
    assert report["without_amount"] == 7


def test_too_few_amounts_are_refused(done):
    amounts = booked(done)
    won = np.flatnonzero(~np.isnan(amounts))
    amounts[won[29:]] = np.nan
    with pytest.raises(TooFewOutcomesError, match="won rows with an amount"):
        with_amount(done.bundle, done.first, amounts, QUICK)


def test_the_same_rows_give_the_same_digest(done):
    first, again = (with_amount(done.bundle, done.first, booked(done), QUICK)[0] for _ in range(2))
    assert first.digest == again.digest


def test_a_bundle_keeps_its_amounts_bit_for_bit(done):
    model, _ = with_amount(done.bundle, done.first, booked(done), QUICK)
    back = from_files(model.files())
    assert AMOUNT_FILE in model.files()
    assert back.digest == model.digest
    assert (back.amount.predict(ROWS, back.encoding) == model.amount.predict(ROWS, model.encoding)).all()


@pytest.mark.parametrize(
    "damage", [{"median": 0.0}, {"level": -1.0}, {"medians": {"web": 0.0}}, {"column": "no such"}]
)
def test_damaged_amounts_are_refused(damage):
    sound = Amount(None, "source", {"web": 3.0}, 2.0, 1.0, {})
    model = replace(bundle(), amount=sound)
    assert from_files(model.files()).amount.predict(features(3), model.encoding).min() > 0
    with pytest.raises(ModelError):
        from_files(replace(model, amount=replace(sound, **damage)).files())
