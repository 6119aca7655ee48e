"""Shape and number of trees follow the later rows and the size of the history."""

from dataclasses import replace

import numpy as np
import pytest

from models.classifier import DEEP, SHALLOW, Rows
from models.options import TrainOptions
from models.search import fit_choice, fitting, search

OPTIONS = TrainOptions(bags=2, most_trees=150, patience=15)


STUMPS = replace(SHALLOW, leaves=2, max_depth=1, feature_share=1.0, learning_rate=0.2)
BUSHES = replace(DEEP, feature_share=1.0, learning_rate=0.3, min_leaf_rows=3, l2=0.0)


def chessboard(rows, seed):
    """An outcome that no single split sees: whether two numbers have the same sign."""
    matrix = np.random.default_rng(seed).normal(size=(rows, 2))
    return Rows(matrix, (matrix.prod(axis=1) > 0).astype(float))


def line(rows, seed):
    """A weak outcome of many small effects, where large trees learn noise."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 12))
    return Rows(matrix, (random.uniform(size=rows) < 1 / (1 + np.exp(-matrix.sum(axis=1) / 5))).astype(float))


@pytest.mark.parametrize(("draw", "name"), [(chessboard, "deep"), (line, "shallow")])
def test_the_shape_that_serves_later_rows_is_chosen(draw, name, monkeypatch):
    monkeypatch.setattr("models.search.SHAPES", {"shallow": STUMPS, "deep": BUSHES})
    choice = search(draw(1500, 0), draw(3000, 50), OPTIONS)
    assert choice.name == name
    assert set(choice.tried) == {"shallow", "deep"}


def test_a_gain_that_may_be_chance_keeps_the_first_shape(monkeypatch):
    losses = {STUMPS.leaves: 0.5, BUSHES.leaves: 0.5 * 0.991}
    monkeypatch.setattr("models.search.SHAPES", {"shallow": STUMPS, "deep": BUSHES})
    monkeypatch.setattr(
        "models.search._try", lambda _rows, _later, shape, _options: (losses[shape.leaves], 30)
    )
    assert search(line(300, 0), line(100, 1), OPTIONS).name == "shallow"
    losses[BUSHES.leaves] = 0.5 * 0.989
    assert search(line(300, 0), line(100, 1), OPTIONS).name == "deep"


def test_too_few_later_outcomes_take_the_first_shape_untried():
    later = Rows(np.zeros((50, 12)), np.r_[np.ones(4), np.zeros(46)])
    choice = search(line(300, 0), later, OPTIONS)
    assert (choice.name, choice.trees, choice.tried) == ("shallow", OPTIONS.few_trees, {})


def test_never_fewer_trees_than_the_floor():
    noise = Rows(np.random.default_rng(0).normal(size=(400, 3)), np.tile([0.0, 1.0], 200))
    assert search(noise, noise.take(slice(0, 100)), OPTIONS).trees >= OPTIONS.fewest_trees


@pytest.mark.parametrize(("rows", "least"), [(100, 3), (500, 10), (5000, 40)])
def test_small_histories_get_small_leaves(rows, least):
    assert fitting(SHALLOW, OPTIONS, rows=rows, columns=10).min_leaf_rows == least


@pytest.mark.parametrize(("rows", "rate"), [(10_000, 0.04), (15_000, 0.06), (1_000_000, 0.16)])
def test_long_histories_get_larger_steps(rows, rate):
    assert fitting(SHALLOW, OPTIONS, rows=rows, columns=10).learning_rate == pytest.approx(rate)


def test_the_depth_limit_holds_for_every_shape():
    assert fitting(DEEP, TrainOptions(max_depth=5), rows=1000, columns=10).max_depth == 5


def test_the_chosen_number_of_trees_is_fitted_in_every_bag():
    rows = line(400, 0)
    choice = search(rows, line(200, 1), OPTIONS)
    assert fit_choice(rows, choice, OPTIONS).trees == (choice.trees,) * 2


@pytest.mark.parametrize(
    ("rows", "columns", "share"), [(20_000, 120, 0.5), (20_001, 120, 0.2), (20_001, 48, 0.5)]
)
def test_a_tree_sees_fewer_of_many_columns_when_rows_are_many(rows, columns, share):
    assert fitting(SHALLOW, OPTIONS, rows=rows, columns=columns).feature_share == pytest.approx(share)
