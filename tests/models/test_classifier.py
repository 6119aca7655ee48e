"""Bags are a function of rows and seed, and their margin is the mean of their log-odds."""

from dataclasses import replace

import lightgbm
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from features.errors import ModelError
from models.classifier import DEEP, SHALLOW, Ensemble, Rows, fit, fit_until

RANDOM = np.random.default_rng(2)
MATRIX = np.column_stack([RANDOM.normal(size=(1500, 3)), RANDOM.integers(0, 5, 1500)])
MATRIX[::7, 0] = np.nan
LABEL = (np.nan_to_num(MATRIX[:, 0]) + (MATRIX[:, 3] == 2) + RANDOM.normal(size=1500) > 0.4).astype(float)
ROWS = Rows(MATRIX, LABEL, [3])
EARLY, LATE = ROWS.take(slice(0, 1000)), ROWS.take(slice(1000, None))


def test_the_same_seed_gives_the_same_text_on_one_and_on_two_threads():
    found = [fit(ROWS, SHALLOW, trees=10, bags=3, seed=4, threads=threads) for threads in (1, 2, 2)]
    assert found[0] == found[1] == found[2]


def test_another_seed_and_another_bag_give_other_trees():
    first, other = (fit(ROWS, SHALLOW, trees=5, bags=2, seed=seed, threads=2) for seed in (0, 1))
    assert len({*first.boosters, *other.boosters}) == 4


def test_the_margin_is_the_mean_of_lightgbms_raw_scores():
    bags = fit(ROWS, SHALLOW, trees=10, bags=3, seed=0, threads=2)
    raw = [lightgbm.Booster(model_str=text).predict(MATRIX, raw_score=True) for text in bags.boosters]
    np.testing.assert_allclose(Ensemble(bags.boosters).margin(MATRIX), np.mean(raw, axis=0), rtol=1e-12)


def test_later_rows_are_ranked_well():
    bags = fit_until(EARLY, LATE, SHALLOW, most_trees=300, patience=20, bags=2, seed=0, threads=2)
    truth = np.nan_to_num(LATE.matrix[:, 0]) + (LATE.matrix[:, 3] == 2)
    reached = roc_auc_score(LATE.label, Ensemble(bags.boosters).margin(LATE.matrix))
    assert reached > roc_auc_score(LATE.label, truth) - 0.03


def test_early_stopping_keeps_the_best_number_of_trees():
    bags = fit_until(EARLY, LATE, DEEP, most_trees=400, patience=20, bags=2, seed=0, threads=2)
    assert all(0 < trees < 380 for trees in bags.trees)
    assert [text.count("Tree=") for text in bags.boosters] == list(bags.trees)


def test_no_tree_is_deeper_than_its_shape_allows():
    bags = fit(ROWS, replace(DEEP, max_depth=3), trees=5, bags=1, seed=0, threads=1)
    depths = lightgbm.Booster(model_str=bags.boosters[0]).trees_to_dataframe()["node_depth"]
    assert depths.max() == 4  # three splits, then the leaf


def test_a_depth_that_explanations_cannot_bear_is_refused():
    with pytest.raises(ModelError, match="max_depth is 9"):
        fit(ROWS, replace(DEEP, max_depth=9), trees=1, bags=1, seed=0, threads=1)


def test_a_matrix_of_another_width_is_refused():
    bags = fit(ROWS, SHALLOW, trees=2, bags=1, seed=0, threads=1)
    with pytest.raises(ModelError, match="4 columns wide"):
        Ensemble(bags.boosters).margin(MATRIX[:, :3])


def test_the_text_holds_no_parameters_of_the_machine():
    text = fit(ROWS, SHALLOW, trees=2, bags=1, seed=0, threads=1).boosters[0]
    assert "num_threads" not in text
    assert text.endswith("end of trees\n")
