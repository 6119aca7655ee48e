"""Bags are a function of rows and seed, and their margin is the mean of their log-odds."""

from dataclasses import replace

import lightgbm
import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from features.errors import ModelError
from models.fitting.blend import Blend, Ensemble
from models.fitting.classifier import DEEP, RANDOM, SHALLOW, Rows, fit, grow
from models.fitting.newton import sigmoid

DRAW = np.random.default_rng(2)
MATRIX = np.column_stack([DRAW.normal(size=(1500, 3)), DRAW.integers(0, 5, 1500)])
MATRIX[::7, 0] = np.nan
LABEL = (np.nan_to_num(MATRIX[:, 0]) + (MATRIX[:, 3] == 2) + DRAW.normal(size=1500) > 0.4).astype(float)
ROWS = Rows(MATRIX, LABEL, [3])
EARLY, LATE = ROWS.take(slice(0, 1000)), ROWS.take(slice(1000, None))


def margin(bags, matrix):
    return Ensemble(Blend.mean(bags.boosters)).margin(matrix)


def test_the_same_seed_gives_the_same_text_on_one_and_on_two_threads():
    found = [fit(ROWS, SHALLOW, trees=10, bags=3, seed=4, threads=threads) for threads in (1, 2, 2)]
    assert found[0] == found[1] == found[2]


def test_another_seed_and_another_bag_give_other_trees():
    first, other = (fit(ROWS, SHALLOW, trees=5, bags=2, seed=seed, threads=2) for seed in (0, 1))
    assert len({*first.boosters, *other.boosters}) == 4


def test_the_margin_is_the_mean_of_lightgbms_raw_scores():
    bags = fit(ROWS, SHALLOW, trees=10, bags=3, seed=0, threads=2)
    raw = [lightgbm.Booster(model_str=text).predict(MATRIX, raw_score=True) for text in bags.boosters]
    np.testing.assert_allclose(margin(bags, MATRIX), np.mean(raw, axis=0), rtol=1e-12)


def test_later_rows_are_ranked_well():
    bags = fit(EARLY, SHALLOW, trees=100, bags=2, seed=0, threads=2)
    truth = np.nan_to_num(LATE.matrix[:, 0]) + (LATE.matrix[:, 3] == 2)
    reached = roc_auc_score(LATE.label, margin(bags, LATE.matrix))
    assert reached > roc_auc_score(LATE.label, truth) - 0.03


def test_fifty_rows_are_learned_by_heart_and_the_loss_falls_all_the_way():
    few = ROWS.take(slice(0, 50))
    shape = replace(DEEP, min_leaf_rows=1, feature_share=1.0, row_share=1.0, l2=0.0)
    bags = [fit(few, shape, trees=count, bags=1, seed=0, threads=1) for count in (5, 20, 80, 320)]
    losses = [log_loss(few.label, sigmoid(margin(each, few.matrix))) for each in bags]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1 * losses[0]


def test_growing_in_steps_says_what_trees_of_that_number_say():
    growth = grow(EARLY, LATE.matrix, DEEP, goes_on=lambda g: g.trees[-1] < 100, bags=2, seed=0)
    assert growth.trees == (20, 40, 60, 80, 100)
    for count, found in zip(growth.trees, growth.margins, strict=True):
        whole = fit(EARLY, DEEP, trees=count, bags=2, seed=0, threads=1)
        np.testing.assert_allclose(found, margin(whole, LATE.matrix), atol=1e-12)


def test_where_no_split_gains_growing_goes_on_without_trees():
    flat = Rows(np.ones((60, 1)), np.tile([0.0, 1.0], 30))
    growth = grow(flat, np.ones((2, 1)), SHALLOW, goes_on=lambda g: g.trees[-1] < 40, bags=1, seed=0)
    np.testing.assert_array_equal(growth.margins[0], growth.margins[1])


def test_random_trees_follow_the_rows_less_closely():
    close, loose = (
        log_loss(ROWS.label, sigmoid(margin(fit(ROWS, s, trees=60, bags=1, seed=0, threads=1), MATRIX)))
        for s in (DEEP, RANDOM)
    )
    assert close < loose


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
        margin(bags, MATRIX[:, :3])


def test_the_text_holds_no_parameters_of_the_machine():
    text = fit(ROWS, SHALLOW, trees=2, bags=1, seed=0, threads=1).boosters[0]
    assert "num_threads" not in text
    assert text.endswith("end of trees\n")
