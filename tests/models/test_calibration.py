"""A curve makes margins honest rates and never changes a ranking."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from features.errors import ModelError
from models.calibration import Calibration
from models.curves.choice import WAYS, beta, fit_calibration, platt
from models.fitting.newton import sigmoid


def drawn(log_odds, seed=0):
    return (np.random.default_rng(seed).uniform(size=len(log_odds)) < sigmoid(log_odds)).astype(float)


MARGIN = np.random.default_rng(1).normal(-1, 1.5, 4000)


def test_platt_is_the_unpenalised_logistic_regression_of_the_margin():
    label = drawn(0.6 * MARGIN + 0.5)
    oracle = LogisticRegression(C=np.inf).fit(MARGIN[:, None], label)
    expected = oracle.predict_proba(MARGIN[:, None])[:, 1]
    np.testing.assert_allclose(platt(MARGIN, label).apply(MARGIN), expected, atol=0.005)


def test_an_overconfident_margin_is_brought_back():
    label = drawn(0.5 * MARGIN)
    after = fit_calibration(MARGIN, label).apply(MARGIN)
    top = np.quantile(MARGIN, 0.9) < MARGIN
    assert after[top].mean() == pytest.approx(label[top].mean(), abs=0.05)
    assert sigmoid(MARGIN)[top].mean() > label[top].mean() + 0.1


def test_the_beta_curve_is_chosen_where_a_line_does_not_fit():
    label = drawn(np.where(MARGIN < 0, 2.5 * MARGIN, 0.0))
    assert len(fit_calibration(MARGIN, label).margins) > 2
    assert len(fit_calibration(MARGIN, drawn(MARGIN)).margins) == 2


@pytest.mark.parametrize("fit", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("truth", [MARGIN, -MARGIN, 0 * MARGIN], ids=["good", "inverted", "none"])
def test_the_ranking_never_changes(fit, truth):
    curve = fit(MARGIN, drawn(truth))
    ordered = curve.apply(np.sort(MARGIN))
    assert (np.diff(ordered) > 0).all()


@pytest.mark.parametrize("label", [np.zeros(40), np.ones(40), np.r_[1.0, np.zeros(39)]])
def test_a_one_sided_sample_gives_moderate_probabilities(label):
    chance = fit_calibration(MARGIN[:40], label).apply(MARGIN[:40])
    assert np.isfinite(chance).all()
    assert chance.min() > 1e-6
    assert chance.max() < 1 - 1e-6


def test_a_perfect_separation_stays_finite():
    margin = np.linspace(-4, 4, 100)
    chance = fit_calibration(np.tile(margin, 2), np.tile((margin > 0).astype(float), 2)).apply(margin)
    assert ((chance > 0) & (chance < 1)).all()


def test_extreme_margins_stay_inside_zero_and_one():
    chance = platt(MARGIN, drawn(MARGIN)).apply(np.array([-1e6, 1e6]))
    assert 0 < chance[0] < 1e-9
    assert 1 - 1e-9 < chance[1] < 1


def test_an_anchored_curve_has_the_mean_asked_for_and_the_same_slope():
    curve = platt(MARGIN, drawn(MARGIN))
    moved = curve.anchored(MARGIN, 0.07)
    assert moved.apply(MARGIN).mean() == pytest.approx(0.07, abs=1e-9)
    assert np.diff(moved.log_odds) == pytest.approx(np.diff(curve.log_odds))


def test_the_curve_survives_json():
    curve = beta(MARGIN, drawn(MARGIN))
    assert Calibration.from_json(json.loads(json.dumps(curve.as_json()))) == curve


@pytest.mark.parametrize("log_odds", [[1.0, 0.0], [0.0, 0.0], [0.0, float("inf")], [0.0]])
def test_a_curve_that_does_not_rise_is_refused(log_odds):
    with pytest.raises(ModelError, match="curve"):
        Calibration.from_json({"margins": [0.0, 1.0], "log_odds": log_odds})
