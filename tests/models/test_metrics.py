"""Figures equal scikit-learn's, and intervals resample leads."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from features.errors import ModelError
from models.metrics import interval, measure

RANDOM = np.random.default_rng(3)
CHANCE = np.round(RANDOM.uniform(0.01, 0.99, 500), 2)  # rounded: many ties
LABEL = (RANDOM.uniform(size=500) < CHANCE).astype(float)
WEIGHT = RANDOM.integers(0, 3, 500).astype(float)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("roc_auc", oracle.roc_auc_score),
        ("average_precision", oracle.average_precision_score),
        ("log_loss", oracle.log_loss),
        ("brier", oracle.brier_score_loss),
    ],
)
def test_a_figure_equals_scikit_learns(name, function, weight):
    expected = function(LABEL, CHANCE, sample_weight=weight)
    assert measure(LABEL, CHANCE, weight=weight).as_json()[name] == pytest.approx(expected, abs=1e-12)


def test_lift_and_capture_of_a_drawn_ranking():
    chance = np.linspace(0.9, 0.1, 10)
    label = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 0], float)
    found = measure(label, chance)
    assert (found.capture_10, found.capture_20) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert (found.lift_10, found.lift_20) == (pytest.approx(10 / 3), pytest.approx(10 / 3))


def test_a_constant_forecast_has_lift_one():
    found = measure(np.array([1.0, 0, 0, 0, 1]), np.full(5, 0.3))
    assert (found.lift_10, found.lift_20, found.roc_auc) == pytest.approx((1, 1, 0.5))


def test_calibration_error_is_the_mean_distance_in_ten_equal_bins():
    chance = np.repeat(np.arange(10) / 10 + 0.05, 20)
    label = np.tile([1.0, 0.0], 100)
    expected = np.abs(np.arange(10) / 10 + 0.05 - 0.5).mean()
    assert measure(label, chance).calibration_error == pytest.approx(expected)


def test_a_drawn_weight_is_the_row_repeated():
    times = WEIGHT.astype(int)
    repeated = measure(np.repeat(LABEL, times), np.repeat(CHANCE, times)).as_json()
    weighted = measure(LABEL, CHANCE, weight=WEIGHT).as_json()
    del repeated["calibration_error"], weighted["calibration_error"]  # a bin's edge may cut a weighted row
    assert weighted == pytest.approx(repeated)


def test_intervals_hold_the_figure_and_repeat_with_the_seed():
    ends = interval(LABEL, CHANCE, np.arange(500), seed=5)
    value = measure(LABEL, CHANCE).roc_auc
    assert ends["roc_auc"][0] < value < ends["roc_auc"][1]
    assert ends == interval(LABEL, CHANCE, np.arange(500), seed=5)
    assert ends != interval(LABEL, CHANCE, np.arange(500), seed=6)


def test_repeated_rows_of_a_lead_do_not_narrow_the_interval():
    leads = np.arange(500)
    once = interval(LABEL, CHANCE, leads)["roc_auc"]
    tenfold = interval(np.tile(LABEL, 10), np.tile(CHANCE, 10), np.tile(leads, 10))["roc_auc"]
    assert tenfold == pytest.approx(once)


def test_one_class_is_refused():
    with pytest.raises(ModelError, match="one outcome only"):
        measure(np.zeros(5), np.linspace(0.1, 0.5, 5))
