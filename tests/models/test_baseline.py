"""The baseline is a plain logistic regression that bears nulls, outliers and categories."""

import numpy as np
from sklearn.metrics import roc_auc_score

from models.fitting.baseline import logistic_probability
from models.fitting.classifier import Rows


def drawn(seed):
    random = np.random.default_rng(seed)
    matrix = np.column_stack([random.lognormal(3, 1, 900), random.integers(0, 3, 900)]).astype(float)
    matrix[::5, 0] = np.nan
    log_odds = np.nan_to_num(np.log(matrix[:, 0]) - 3) + 1.5 * (matrix[:, 1] == 1) - 1
    return matrix, (random.uniform(size=900) < 1 / (1 + np.exp(-log_odds))).astype(float), log_odds


def test_it_comes_near_the_truth_of_a_linear_outcome():
    seen, label, _ = drawn(0)
    asked, truth, log_odds = drawn(1)
    found = logistic_probability(Rows(seen, label, [1]), asked)
    assert roc_auc_score(truth, found) > roc_auc_score(truth, log_odds) - 0.03


def test_extreme_and_unknown_values_get_a_probability():
    seen, label, _ = drawn(0)
    odd = np.array([[1e300, 0], [-1e300, 2], [np.nan, np.nan], [0, 7]])
    found = logistic_probability(Rows(seen, label, [1]), odd)
    assert ((found > 0) & (found < 1)).all()
