"""Weights of parts are equal until later rows clearly ask for others."""

import numpy as np
import pytest

from models.fitting.blend import learned_weights

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
