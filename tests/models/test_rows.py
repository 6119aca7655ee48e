"""Weighted rows: those whose window is not over teach the second pass, and nothing is measured on them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from features.errors import ModelError
from models.fitting.blend import Blend, Ensemble
from models.fitting.classifier import SHALLOW, Rows, fit
from models.fitting.rows import History, mature_rows
from models.training import train
from tests.models.test_training import QUICK, ROWS, SPECS


def with_early(*, label=1.0, weight=1.0, count=150):
    """The training rows, of which the latest are not mature, all of one label."""
    rows, is_mature = ROWS, np.arange(ROWS.num_rows) < ROWS.num_rows - count
    labels = np.where(is_mature, ROWS["label"].to_numpy(), label)
    rows = rows.set_column(rows.column_names.index("label"), "label", pa.array(labels))
    rows = rows.append_column("weight", pa.array(np.where(is_mature, 1.0, weight)))
    return rows.append_column("is_mature", pa.array(is_mature))


@pytest.fixture(scope="module")
def trained():
    return train(with_early(), SPECS, QUICK, horizon_days=28.0)


def test_what_is_measured_is_measured_on_mature_rows_alone(trained):
    alone = train(mature_rows(with_early()), SPECS, QUICK, horizon_days=28.0)
    assert trained.report["metrics"] == alone.report["metrics"]
    assert trained.report["rows"] == alone.report["rows"] == ROWS.num_rows - 150
    assert trained.test == alone.test


def test_rows_that_are_decided_early_teach_the_trees_that_are_shipped(trained):
    alone = train(mature_rows(with_early()), SPECS, QUICK, horizon_days=28.0)
    assert trained.bundle.target.blend != alone.bundle.target.blend
    assert trained.bundle.window.rows == ROWS.num_rows


def test_a_row_of_weight_two_teaches_what_two_equal_rows_teach():
    random = np.random.default_rng(0)
    matrix = random.integers(0, 5, (400, 1)).astype(float)
    label = (random.uniform(size=400) < 0.1 + 0.15 * matrix[:, 0]).astype(float)
    twice = np.concatenate([np.arange(400), np.arange(0, 400, 2)])
    shape = SHALLOW.__class__(**{**vars(SHALLOW), "row_share": 1.0, "feature_share": 1.0, "min_leaf_rows": 1})
    weighted = Rows(matrix, label, (), np.where(np.arange(400) % 2, 1.0, 2.0))
    margins = [
        Ensemble(Blend.mean(fit(rows, shape, trees=5, bags=1, seed=0, threads=1).boosters)).margin(matrix)
        for rows in (weighted, Rows(matrix[twice], label[twice]))
    ]
    np.testing.assert_allclose(*margins, atol=1e-6)
    unweighted = Ensemble(
        Blend.mean(fit(Rows(matrix, label), shape, trees=5, bags=1, seed=0, threads=1).boosters)
    )
    assert np.abs(unweighted.margin(matrix) - margins[0]).max() > 1e-3


def test_some_rows_keep_their_weights():
    rows = Rows(np.zeros((3, 1)), np.array([0.0, 1.0, 0.0]), (), np.array([1.0, 2.0, 3.0]))
    assert rows.take([2, 0]).weight.tolist() == [3, 1]


def test_rows_without_weights_count_once_and_are_mature():
    history = History.of(ROWS)
    assert set(history.weight) == {1.0}
    assert history.is_mature.all()
    assert mature_rows(ROWS) is ROWS


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_that_is_not_above_zero_is_refused(weight):
    with pytest.raises(ModelError, match="weight is not above 0"):
        History.of(with_early(weight=weight))
