"""Weights of parts are equal until later rows clearly ask for others."""

import lightgbm as lgb
import numpy as np
import pytest

from models.fitting.blend import Blend, Ensemble, learned_weights
from models.fitting.classifier import SHALLOW, Rows, fit
from models.fitting.linear import fit_linear

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(size=4000)
LABEL = (RANDOM.uniform(size=4000) < 1 / (1 + np.exp(-TRUTH))).astype(float)
NOISE = RANDOM.normal(size=4000)


def test_a_part_that_only_adds_noise_does_not_count():
    np.testing.assert_allclose(learned_weights(np.stack([TRUTH, NOISE]), LABEL), [1, 0])


def test_parts_that_know_the_same_count_alike():
    found = learned_weights(np.stack([TRUTH, TRUTH]), LABEL)
    np.testing.assert_allclose(found, [0.5, 0.5])


def test_few_rows_keep_equal_weights():
    found = learned_weights(np.stack([TRUTH, TRUTH + 0.3 * NOISE])[:, :40], LABEL[:40])
    np.testing.assert_allclose(found, [0.5, 0.5])


def test_parts_that_all_contradict_the_rows_count_alike():
    np.testing.assert_allclose(learned_weights(np.stack([-TRUTH, -TRUTH + NOISE]), LABEL), [0.5, 0.5])


def test_the_weights_follow_the_precision_of_the_parts():
    rough = TRUTH + 2 * NOISE
    found = learned_weights(np.stack([TRUTH, rough]), LABEL)
    assert found.sum() == pytest.approx(1)
    assert found[0] > 0.85


def test_parts_disagree_by_their_weighted_variance_around_the_margin():
    matrix = np.column_stack([TRUTH, NOISE])
    rows = Rows(matrix, LABEL)
    trees = fit(rows, SHALLOW, trees=20, bags=2, seed=1, threads=1).boosters
    linear = fit_linear(rows, strength=0.02)
    ensemble = Ensemble(Blend(trees, (0.1, 0.3), linear.times(0.6)))
    said = [lgb.Booster(model_str=text).predict(matrix, raw_score=True) for text in trees]
    parts = np.stack([*said, linear.margin(matrix)])
    weights = np.array([0.1, 0.3, 0.6])
    np.testing.assert_allclose(ensemble.margin(matrix), weights @ parts)
    expected = weights @ (parts - weights @ parts) ** 2
    np.testing.assert_allclose(ensemble.disagreement(matrix), expected, rtol=1e-6)
    assert ensemble.disagreement(matrix[:0]).shape == (0,)


def test_one_part_alone_agrees_with_itself():
    rows = Rows(TRUTH[:, None], LABEL)
    trees = fit(rows, SHALLOW, trees=5, bags=1, seed=1, threads=1).boosters
    np.testing.assert_allclose(Ensemble(Blend.mean(trees)).disagreement(rows.matrix), 0, atol=1e-20)
