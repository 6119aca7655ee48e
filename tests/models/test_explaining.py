"""A bundle's trees and its linear part are explained together, and every row is checked."""

from dataclasses import replace

import numpy as np
import pytest

from features.errors import ModelError
from models import explaining
from models.bundle import Bundle
from models.explaining import Explainer
from models.fitting.blend import Blend
from models.fitting.linear import Linear
from tests.serve import small

ROWS = small.features(80, seed=4)
LINEAR = Linear(
    column=np.array([0, 2]),
    reads=np.array([-2, -1]),  # a value, and whether there is none
    mean=np.array([1.3, 0.1]),
    spread=np.array([0.5, 0.3]),
    coefficient=np.array([0.7, -0.4]),
    intercept=-1.5,
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return small.bundle()


def blended(bundle: Bundle, blend: Blend) -> Bundle:
    return replace(bundle, targets=(replace(bundle.target, blend=blend),))


@pytest.mark.parametrize("parts", ["trees", "trees with weights", "trees and linear", "linear"])
def test_base_and_contributions_are_the_margin_whatever_it_is_the_sum_of(bundle, parts):
    texts = bundle.target.blend.boosters
    blend = {
        "trees": bundle.target.blend,
        "trees with weights": Blend(texts, (0.2, 0.9)),
        "trees and linear": Blend(texts, (0.2, 0.5), LINEAR),
        "linear": Blend((), (), LINEAR),
    }[parts]
    explained = Explainer(blended(bundle, blend), threads=1).explain(ROWS)
    sums = explained.base + explained.contributions.sum(axis=1)
    np.testing.assert_allclose(sums, explained.scores.margin, rtol=0, atol=1e-9)
    assert np.ptp(explained.scores.margin) > 0.5


def test_the_base_of_a_linear_part_is_its_margin_where_all_is_average(bundle):
    explained = Explainer(blended(bundle, Blend((), (), LINEAR)), threads=1).explain(ROWS)
    assert explained.base == -1.5
    assert not explained.contributions[:, 1].any()  # no term reads it


def test_a_row_whose_sum_is_not_its_margin_is_refused(bundle, monkeypatch):
    monkeypatch.setattr(explaining, "TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="miss the margin by"):
        Explainer(bundle, threads=1).explain(ROWS)


def test_no_rows_are_explained_by_nothing(bundle):
    explained = Explainer(bundle, threads=1).explain(ROWS.slice(0, 0))
    assert explained.contributions.shape == (0, 3)
