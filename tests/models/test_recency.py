"""Recent rows count more only where history has drifted and later rows do not speak against it."""

import numpy as np

from models.fitting.classifier import SHALLOW, Rows
from models.fitting.recency import chosen_half_life, recent


def history(rows, seed, *, drifts, changes, at=0.5):
    """Two numbers: one rises with time if ``drifts``, the other has an effect that turns if ``changes``."""
    random = np.random.default_rng(seed)
    time = np.arange(rows) / rows
    matrix = random.normal(size=(rows, 2))
    matrix[:, 0] += 20 * time if drifts else 0
    effect = np.where(time < at, -1.0, 1.0) if changes else 1.0
    return Rows(matrix, (random.uniform(size=rows) < 1 / (1 + np.exp(-effect * matrix[:, 1]))).astype(float))


def chosen(rows, *, later):
    return chosen_half_life(rows, later, SHALLOW, seed=0)


def latest(rows, *, seed):
    """Rows as at the end of a history that changed."""
    return history(2 * rows, seed, drifts=True, changes=True).take(slice(rows, None))


def test_a_row_half_a_history_old_counts_half_of_the_newest():
    rows = recent(Rows(np.zeros((100, 1)), np.zeros(100)), 0.5)
    assert rows.weight[49] / rows.weight[99] == 0.5
    assert abs(rows.weight.mean() - 1) < 1e-12


def test_given_weights_are_kept_in_proportion():
    plain = recent(Rows(np.zeros((4, 1)), np.zeros(4)), 0.5).weight
    given = recent(Rows(np.zeros((4, 1)), np.zeros(4), weight=np.array([1.0, 1, 1, 3])), 0.5).weight
    np.testing.assert_allclose(given, plain * [1, 1, 1, 3])


def test_a_history_that_drifted_and_changed_is_weighted():
    assert chosen(history(3000, 0, drifts=True, changes=True), later=latest(1000, seed=1)) == 0.5


def test_a_history_without_drift_is_not():
    rows = history(3000, 0, drifts=False, changes=False)
    assert chosen(rows, later=history(1000, 1, drifts=False, changes=False)) is None


def test_a_drift_that_weighting_makes_worse_on_later_rows_is_not():
    rows = history(3000, 0, drifts=True, changes=True, at=0.7)
    early = history(4000, 1, drifts=True, changes=True).take(slice(0, 2000))  # as the old part was
    assert chosen(rows, later=early) is None


def test_few_rows_cannot_tell_a_drift():
    assert chosen(history(499, 0, drifts=True, changes=True), later=latest(300, seed=1)) is None
