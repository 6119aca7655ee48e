"""Contributions: equal to shap's, additive in every row, averaged over the bags."""

import lightgbm
import numpy as np
import pytest

from features.errors import ModelError
from models import contributions as module
from models.contributions import contributions


def history(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, nulls and one category column with codes 0 to 4; some signal in each."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 6))
    matrix[:, 5] = rng.integers(0, 5, rows)
    margin = matrix[:, 0] - 0.5 * matrix[:, 1] * (matrix[:, 5] == 2) + rng.normal(size=rows)
    matrix[rng.random(matrix.shape) < 0.15] = np.nan
    return matrix, (margin > 1).astype(int)


def booster(seed: int, **more) -> lightgbm.Booster:
    matrix, label = history(600, seed)
    data = lightgbm.Dataset(matrix, label, categorical_feature=[5])
    params = {"objective": "binary", "max_depth": 4, "verbose": -1, "num_threads": 1, "seed": seed, **more}
    return lightgbm.train(params, data, num_boost_round=20)


@pytest.fixture(scope="module")
def bags() -> list[lightgbm.Booster]:
    return [booster(1), booster(2)]


ROWS = history(300, seed=3)[0]


# shap itself sets up its colour maps in a way that matplotlib will drop.
@pytest.mark.filterwarnings("ignore:The set_.* function:PendingDeprecationWarning")
def test_contributions_are_the_mean_of_shaps_tree_explainer_over_the_bags(bags, monkeypatch):
    import shap

    monkeypatch.setattr(module, "CHUNK_ROWS", 128)  # 300 rows: two full chunks and a rest
    values, base = contributions(bags, ROWS, threads=1)
    oracle = [shap.TreeExplainer(bag)(ROWS) for bag in bags]
    np.testing.assert_allclose(values, np.mean([o.values for o in oracle], axis=0), atol=1e-9)
    np.testing.assert_allclose(base, np.mean([o.base_values[0] for o in oracle]), atol=1e-9)


def test_base_and_contributions_add_up_to_the_margin_of_each_row(bags):
    values, base = contributions(bags, ROWS, threads=1)
    margin = np.mean([bag.predict(ROWS, raw_score=True) for bag in bags], axis=0)
    np.testing.assert_allclose(base + values.sum(axis=1), margin, atol=1e-9)


def test_a_row_whose_sum_is_not_its_margin_is_refused(bags, monkeypatch):
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="differ from the margin"):
        contributions(bags, ROWS, threads=1)


def test_a_matrix_of_another_width_is_refused(bags):
    with pytest.raises(ModelError, match="knows 6 features, the matrix has 5 columns"):
        contributions(bags, ROWS[:, :5], threads=1)
    with pytest.raises(ModelError, match="no booster"):
        contributions([], ROWS)


def test_no_rows_give_no_contributions_but_a_base(bags):
    values, base = contributions(bags, ROWS[:0], threads=1)
    assert values.shape == (0, 6)
    assert base == contributions(bags, ROWS[:1], threads=1)[1]
