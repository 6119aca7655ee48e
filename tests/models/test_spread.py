"""The interval of a probability covers what another sample, the level and the next period leave open."""

import json

import numpy as np
import pytest

from features.errors import ModelError
from models.calibration import Calibration
from models.curves.spread import NORMAL_90, Spread, fit_spread, halved
from models.fitting.newton import logit, sigmoid

SAME = Calibration((-12.0, 12.0), (-12.0, 12.0))
RANDOM = np.random.default_rng(0)


def drawn(log_odds):
    return (RANDOM.uniform(size=len(log_odds)) < sigmoid(log_odds)).astype(float)


def test_the_ends_lie_as_far_from_the_middle_as_the_deviation_says():
    low, high = Spread((0.0, 1.0), (0.1, 0.3)).interval(np.array([0.0, 0.5]), SAME)
    assert logit(high) - logit(low) == pytest.approx(2 * NORMAL_90 * np.array([0.1, 0.2]))
    assert logit(low)[0] == pytest.approx(-NORMAL_90 * 0.1), "at even odds the middle is the probability"


@pytest.mark.parametrize("log_odds", [-4.5, -3.0, -1.5, 0.0, 2.0])
def test_the_mean_of_what_the_interval_allows_is_the_probability(log_odds):
    """Oracle: the mean chance of drawn log-odds, normal between the ends of the interval."""
    low, high = Spread((0.0,), (0.6,)).interval(np.array([log_odds]), SAME)
    middle = (logit(low) + logit(high)) / 2
    mean = sigmoid(middle + 0.6 * np.random.default_rng(1).normal(size=400_000)).mean()
    assert mean == pytest.approx(sigmoid(np.array([log_odds]))[0], rel=0.03)


def test_however_wide_an_interval_is_the_probability_is_inside():
    margin = np.linspace(-6, 6, 50)
    low, high = Spread((0.0,), (9.0,)).interval(margin, SAME)
    assert ((low < sigmoid(margin)) & (sigmoid(margin) < high)).all()


def test_where_models_of_half_the_leads_disagree_more_the_interval_is_wider():
    margin = np.sort(RANDOM.normal(-1, 1, 4000))
    noise = np.where(margin > -1, 0.8, 0.1) * RANDOM.normal(size=4000)
    found = fit_spread([(margin + noise, margin - noise)], margin, drawn(margin), SAME)
    assert found.deviations[-1] > 3 * found.deviations[0]
    assert found.deviations[-1] == pytest.approx(0.8, abs=0.15)  # half the difference is the noise of all


def test_a_level_that_moves_between_periods_widens_every_interval():
    margin = RANDOM.normal(-1, 1, 8000)
    moved = margin + np.repeat([-0.6, 0.6, -0.6, 0.6], 2000)
    still, moving = (
        np.median(fit_spread([(margin, margin)], margin, drawn(truth), SAME).deviations)
        for truth in (margin, moved)
    )
    assert still < 0.2
    assert moving > 0.5


def test_few_outcomes_leave_the_rate_open():
    margin = np.linspace(-3.01, -2.99, 2000)
    label = np.tile(np.r_[np.ones(1), np.zeros(24)], 80)  # eight in each of the ten bins
    found = fit_spread([(margin, margin)], margin, label, SAME)
    assert np.mean(found.deviations) == pytest.approx(
        1 / np.sqrt(8.5 * 0.96), rel=0.05
    )  # of a rate of 1 in 25


def test_rows_of_one_lead_are_not_more_evidence():
    margin = np.linspace(-3.01, -2.99, 2000)
    label = np.tile(np.r_[np.ones(1), np.zeros(24)], 80)
    one, four = (fit_spread([(margin, margin)], margin, label, SAME, rows_per_lead=n) for n in (1, 4))
    assert np.mean(four.deviations) > 1.7 * np.mean(one.deviations)


def test_where_the_curve_misses_the_rate_the_interval_reaches_it():
    margin = np.sort(RANDOM.normal(-1, 1, 20_000))
    truth = np.where(margin < -1.5, 2 * margin + 1.5, margin)
    spread = fit_spread([(margin, margin)], margin, drawn(truth), SAME)
    low, high = spread.interval(margin, SAME)
    is_inside = (low < sigmoid(truth)) & (sigmoid(truth) < high)
    assert is_inside[margin < -2].mean() > 0.8
    assert (high - low)[margin > 0].mean() < 0.15


def test_a_steeper_curve_carries_the_same_disagreement_further():
    margin = RANDOM.normal(-1, 1, 4000)
    halves = [(margin + 0.3, margin - 0.3)]
    steep = Calibration((-12.0, 12.0), (-24.0, 24.0))
    one, two = (fit_spread(halves, margin, drawn(k * margin), c) for k, c in ((1, SAME), (2, steep)))
    assert two.deviations[5] == pytest.approx(2 * one.deviations[5], rel=0.1)


def test_all_rows_of_a_lead_fall_into_one_half_and_both_halves_are_used():
    leads = np.repeat(np.array([f"lead-{i}" for i in range(100)], dtype=object), 3)
    masks = [
        half for pair in halved(leads, np.zeros(len(leads)), lambda mask: mask, threads=2) for half in pair
    ]
    for first, second in zip(masks[::2], masks[1::2], strict=True):
        assert (first ^ second).all()
        assert 30 < first[::3].sum() < 70
        np.testing.assert_array_equal(first[::3], first[2::3])
    assert len({mask.tobytes() for mask in masks}) == 8


def test_two_leads_of_an_outcome_never_fall_into_the_same_half():
    leads = np.array([f"lead-{i}" for i in range(41)], dtype=object)
    for number in range(30):
        label = np.zeros(41)
        label[[number, number + 7]] = 1
        for first, second in halved(leads, label, lambda mask: mask, threads=1):
            assert label[first].sum() == label[second].sum() == 1


def test_it_survives_json():
    spread = Spread((0.0, 1.5), (0.1, 0.3))
    assert Spread.from_json(json.loads(json.dumps(spread.as_json()))) == spread


@pytest.mark.parametrize(
    ("margins", "deviations"),
    [([], []), ([0, 0], [1, 1]), ([0, 1], [1, 0]), ([0], [float("inf")]), ([0, 1], [1])],
)
def test_a_damaged_spread_is_refused(margins, deviations):
    with pytest.raises(ModelError, match="interval"):
        Spread.from_json({"margins": margins, "deviations": deviations})


def test_where_the_parts_of_a_model_disagree_the_interval_is_wider():
    margin = np.sort(RANDOM.normal(-1, 1, 4000))
    apart = np.where(margin > -1, 0.64, 0.0)
    found = fit_spread([(margin, margin)], margin, drawn(margin), SAME, disagreement=apart)
    assert found.deviations[-1] == pytest.approx(0.8, abs=0.1)
    assert found.deviations[0] < 0.4
