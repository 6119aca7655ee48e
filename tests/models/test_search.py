"""Parts, number of trees and weights follow the later rows and the size of the history."""

import numpy as np
import pytest

from models.fitting.blend import Ensemble
from models.fitting.classifier import DEEP, SHALLOW, Rows
from models.fitting.options import TrainOptions
from models.fitting.search import LINEAR, STRENGTHS, USUAL_TREES, fit_choice, fitting, search

OPTIONS = TrainOptions(bags=2, most_trees=150)


def chessboard(rows, seed):
    """An outcome that no single split sees: whether two numbers have the same sign."""
    matrix = np.random.default_rng(seed).normal(size=(rows, 2))
    return Rows(matrix, (matrix.prod(axis=1) > 0).astype(float))


def line(rows, seed):
    """A weak outcome of many small effects, where large trees learn noise."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 12))
    return Rows(matrix, (random.uniform(size=rows) < 1 / (1 + np.exp(-matrix.sum(axis=1) / 5))).astype(float))


def weights(choice):
    return {part.name: part.weight for part in choice.parts} | {LINEAR: choice.linear_weight}


def test_where_no_column_alone_tells_anything_deep_trees_count_most():
    found = weights(search(chessboard(1500, 0), chessboard(3000, 50), OPTIONS))
    assert found["deep"] == max(found.values())
    assert sum(found.values()) == pytest.approx(1)


def test_where_all_effects_are_linear_the_linear_part_counts_most():
    found = weights(search(line(1500, 0), line(6000, 50), OPTIONS))
    assert found[LINEAR] == max(found.values())


def test_too_few_later_outcomes_take_the_usual_values_untried():
    later = Rows(np.zeros((50, 12)), np.r_[np.ones(4), np.zeros(46)])
    choice = search(line(300, 0), later, OPTIONS)
    assert set(weights(choice).values()) == {0.25}
    assert (choice.trees, choice.strength, choice.half_life, choice.tried) == (
        USUAL_TREES,
        STRENGTHS[0],
        None,
        {},
    )


def test_later_rows_that_tell_nothing_leave_the_usual_number_of_trees_and_equal_weights():
    noise = Rows(np.random.default_rng(0).normal(size=(400, 3)), np.tile([0.0, 1.0], 200))
    choice = search(noise.take(slice(0, 340)), noise.take(slice(340, None)), OPTIONS)
    assert choice.trees == USUAL_TREES
    assert set(weights(choice).values()) == {0.25}


def test_no_booster_grows_beyond_the_most_trees():
    choice = search(line(1500, 0), line(1500, 50), TrainOptions(most_trees=40))
    assert max(choice.trees.values()) <= 40


@pytest.mark.parametrize(("rows", "least"), [(100, 3), (500, 10), (5000, 40)])
def test_small_histories_get_small_leaves(rows, least):
    assert fitting(SHALLOW, OPTIONS, rows=rows, columns=10).min_leaf_rows == least


@pytest.mark.parametrize(("rows", "rate"), [(10_000, 0.04), (15_000, 0.06), (1_000_000, 0.1)])
def test_long_histories_get_larger_steps(rows, rate):
    assert fitting(SHALLOW, OPTIONS, rows=rows, columns=10).learning_rate == pytest.approx(rate)


def test_the_depth_limit_holds_for_every_shape():
    assert fitting(DEEP, TrainOptions(max_depth=5), rows=1000, columns=10).max_depth == 5


def test_the_chosen_number_of_trees_is_fitted_in_every_bag():
    rows = line(400, 0)
    choice = search(rows, line(200, 1), OPTIONS)
    blend = fit_choice(rows, choice, OPTIONS)
    grown = [text.count("Tree=") for text in blend.boosters]
    assert grown == [count for count in choice.trees.values() for _ in range(OPTIONS.bags)]


def test_the_weights_of_bags_and_parts_add_up_to_the_choices():
    rows, later = line(400, 0), line(200, 1)
    choice = search(rows, later, OPTIONS)
    blend = fit_choice(rows, choice, OPTIONS)
    assert sum(blend.weights) == pytest.approx(sum(part.weight for part in choice.parts))
    without = Ensemble(type(blend)(blend.boosters, blend.weights)).margin(later.matrix)
    np.testing.assert_allclose(
        Ensemble(blend).margin(later.matrix), without + blend.linear.margin(later.matrix)
    )


@pytest.mark.parametrize(
    ("rows", "columns", "share"), [(20_000, 120, 0.5), (20_001, 120, 0.2), (20_001, 48, 0.5)]
)
def test_a_tree_sees_fewer_of_many_columns_when_rows_are_many(rows, columns, share):
    assert fitting(SHALLOW, OPTIONS, rows=rows, columns=columns).feature_share == pytest.approx(share)
