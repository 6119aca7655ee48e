"""The linear part is scikit-learn's regression on standardised terms, as data whose contributions add up."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from features.errors import ModelError
from models.fitting.classifier import Rows
from models.fitting.linear import Linear, fit_linear

RANDOM = np.random.default_rng(0)
NUMBER, CATEGORY = RANDOM.normal(size=600), RANDOM.integers(0, 3, 600).astype(float)
MATRIX = np.column_stack([NUMBER, CATEGORY])
LABEL = (RANDOM.uniform(size=600) < 1 / (1 + np.exp(-NUMBER - (CATEGORY == 1)))).astype(float)
ROWS = Rows(MATRIX, LABEL, [1])


def z(values):
    return (values - values.mean()) / values.std()


def test_its_margin_is_scikit_learns_on_logarithms_and_flags():
    logarithm = np.sign(NUMBER) * np.log1p(np.abs(NUMBER))
    terms = np.column_stack([z(logarithm), *(z((code == CATEGORY).astype(float)) for code in range(3))])
    oracle = LogisticRegression(C=0.2, solver="newton-cholesky").fit(terms, LABEL)
    found = fit_linear(ROWS, strength=0.2).margin(MATRIX)
    np.testing.assert_allclose(found, oracle.decision_function(terms), atol=1e-9)


def test_contributions_and_intercept_add_up_to_the_margin():
    part = fit_linear(ROWS, strength=0.2)
    odd = np.array([[np.nan, np.nan], [1e300, 7], [0, 1]])
    np.testing.assert_allclose(part.intercept + part.contributions(odd).sum(axis=1), part.margin(odd))


def test_a_column_contributes_nothing_on_average():
    part = fit_linear(ROWS, strength=0.2)
    np.testing.assert_allclose(part.contributions(MATRIX).mean(axis=0), 0, atol=1e-3)


def test_a_null_number_adds_only_what_being_null_tells():
    matrix = MATRIX.copy()
    matrix[:200, 0] = np.nan
    is_won = np.r_[np.ones(200), LABEL[200:]]  # always won where the number is null
    part = fit_linear(Rows(matrix, is_won, [1]), strength=0.2)
    value, flag = (part.coefficient[(part.column == 0) & (part.reads == what)] for what in (-2, -1))
    gain = part.contributions(np.array([[np.nan, 0]]))[0, 0]
    assert gain == pytest.approx(float(flag[0] * z(np.isnan(matrix[:, 0]).astype(float)).max()))
    assert flag > 0
    assert value > 0


def test_a_row_counts_as_often_as_its_weight_says():
    twice = Rows(np.vstack([MATRIX, MATRIX[:100]]), np.r_[LABEL, LABEL[:100]], [1])
    weighted = Rows(MATRIX, LABEL, [1], np.r_[np.full(100, 2.0), np.ones(500)])
    one, other = (fit_linear(rows, strength=0.2).margin(MATRIX) for rows in (twice, weighted))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_only_the_latest_rows_are_used(monkeypatch):
    monkeypatch.setattr("models.fitting.linear.MOST_ROWS", 300)
    expected = fit_linear(ROWS.take(slice(-300, None)), strength=0.2).margin(MATRIX)
    np.testing.assert_array_equal(fit_linear(ROWS, strength=0.2).margin(MATRIX), expected)


def test_without_a_column_that_varies_it_is_the_base_rate():
    part = fit_linear(Rows(np.full((10, 2), np.nan), np.r_[np.ones(2), np.zeros(8)], [1]), strength=0.2)
    np.testing.assert_allclose(part.margin(np.zeros((1, 2))), np.log(0.25))


def test_it_survives_json():
    part = fit_linear(ROWS, strength=0.2)
    again = Linear.from_json(json.loads(json.dumps(part.as_json())), columns=2)
    np.testing.assert_array_equal(again.margin(MATRIX), part.margin(MATRIX))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("column", [5, 1, 1, 1]),
        ("spread", [0.0, 1, 1, 1]),
        ("mean", [1.0]),
        ("reads", [-3, 0, 1, 2]),
        ("coefficient", [float("nan"), 1, 1, 1]),
    ],
)
def test_a_damaged_part_is_refused(name, value):
    data = fit_linear(ROWS, strength=0.2).as_json()
    with pytest.raises(ModelError, match="damaged"):
        Linear.from_json({**data, name: value}, columns=2)
