"""Scores follow the columns' names, not their order, and are never NaN."""

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from features.errors import ModelError
from models import scoring
from models.bundle import Bundle, Target, Window
from models.calibration import Calibration
from models.curves.spread import Spread
from models.fitting.blend import Blend
from models.fitting.classifier import SHALLOW, Rows, fit
from models.matrix import encode, fit_encoding
from models.scoring import Scorer, margin, probability, score, standing

RANDOM = np.random.default_rng(0)
TABLE = pa.table(
    {
        "opens": pa.array(RANDOM.poisson(3, 400).astype(float)),
        "source": pa.array(RANDOM.choice(["web", "fair", "ad"], 400)),
    }
)
SPECS = (
    FeatureSpec("opens", "opens", "behaviour", "number", "{value}"),
    FeatureSpec("source", "source", "fit", "category", "{value}"),
)


@pytest.fixture(scope="module")
def bundle():
    encoding = fit_encoding(TABLE, SPECS)
    matrix = encode(TABLE, encoding)
    label = (matrix[:, 0] + RANDOM.normal(size=400) > 3).astype(float)
    bags = fit(Rows(matrix, label, [1]), SHALLOW, trees=10, bags=2, seed=0, threads=1)
    curve = Calibration((-1.0, 1.0), (-2.0, 1.0))
    target = Target(
        "won",
        "won",
        None,
        Blend.mean(bags.boosters),
        curve,
        tuple(np.linspace(0.1, 0.6, 101).tolist()),
        Spread((0.0,), (0.3,)),
    )
    return Bundle((target,), encoding, SPECS, Window(None, None, 400, 200))


REFERENCE = tuple(np.linspace(0.1, 0.6, 101).tolist())


def test_reordered_and_additional_columns_change_no_score(bundle):
    other = TABLE.select(["source", "opens"]).append_column("fax", pa.nulls(400))
    np.testing.assert_array_equal(margin(bundle, other), margin(bundle, TABLE))


def test_pieces_give_the_same_scores_as_the_whole(bundle, monkeypatch):
    whole = margin(bundle, TABLE)
    monkeypatch.setattr(scoring, "ROWS_AT_ONCE", 150)
    np.testing.assert_array_equal(margin(bundle, TABLE), whole)


def test_probability_and_score_never_change_the_ranking(bundle):
    found = Scorer(bundle).score(TABLE)
    order = np.argsort(found.margin, kind="stable")
    assert (np.diff(found.probability[order]) >= 0).all()
    assert (np.diff(found.score[order]) >= 0).all()
    assert len(set(found.probability)) == len(set(found.margin))


def test_null_infinite_and_unseen_values_still_get_a_finite_score(bundle):
    odd = pa.table({"opens": [None, float("inf"), 1e300, 0.0], "source": [None, "unseen", "", "web"]})
    found = Scorer(bundle).score(odd)
    assert np.isfinite([found.margin, found.probability, found.score]).all()
    assert ((probability(bundle, odd) > 0) & (probability(bundle, odd) < 1)).all()
    assert ((score(bundle, odd) >= 0) & (score(bundle, odd) <= 100)).all()


def test_no_rows_give_no_scores(bundle):
    assert len(Scorer(bundle).score(TABLE.slice(0, 0)).margin) == 0


def test_a_missing_column_is_refused(bundle):
    with pytest.raises(ModelError, match="lacks 'opens'"):
        margin(bundle, TABLE.drop_columns(["opens"]))


def test_an_unknown_target_is_refused(bundle):
    with pytest.raises(ModelError, match="no target 'churn'"):
        Scorer(bundle, target="churn")


def test_standing_is_the_percentile_and_a_tied_quantile_counts_half():
    reference = (0.1, 0.2, 0.2, 0.2, 0.5)
    found = standing(np.array([0.0, 0.1, 0.2, 0.35, 0.5, 0.9]), reference)
    assert found.tolist() == pytest.approx([0, 0, 50, 75, 100, 100])


def test_a_value_that_is_not_finite_is_refused():
    with pytest.raises(ModelError, match="1 rows got a value"):
        scoring._finite(np.array([0.0, np.nan]))
