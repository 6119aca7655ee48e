"""Pictures of the whole model: each is a PNG of its own, the same each time, whatever the names are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import FeatureSpec
from models.explaining import Explainer
from models.views.dependence import Dependence, dependence
from models.views.importance import importance
from models.views.overview import Overview
from models.views.pictures import draw
from tests.serve.small import SPECS, features
from tests.serve.small import bundle as small_bundle

# matplotlib's parser of font patterns and shap's dependencies warn about themselves.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning", "ignore::FutureWarning"
)
WEIGHT = np.ones(200)


@pytest.fixture(scope="module")
def seen():
    table, bundle = features(200), small_bundle()
    explained = Explainer(bundle).explain(table)
    found = importance(explained.contributions, SPECS, np.arange(200), WEIGHT)
    each = tuple(
        dependence(explained.contributions, explained.matrix, bundle.encoding, place, WEIGHT)
        for place in range(3)
    )
    return Overview(SPECS, 200, found, each, np.arange(200), table, explained, {}, [])


def test_each_picture_is_a_png_and_the_same_model_gives_the_same_bytes(seen, tmp_path):
    first = {name: path.read_bytes() for name, path in draw(tmp_path, seen).items()}
    assert set(first) == {"importance", "beeswarm", "dependence"}
    assert all(picture.startswith(b"\x89PNG") for picture in first.values())
    np.random.random(5)  # noqa: NPY002  # somebody draws in between
    assert {name: path.read_bytes() for name, path in draw(tmp_path, seen).items()} == first


def test_nobody_else_notices_that_shap_drew_random_numbers(seen, tmp_path):
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random(4).tolist()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    draw(tmp_path, seen)
    assert np.random.random(4).tolist() == expected  # noqa: NPY002


def test_long_names_and_dollar_signs_are_drawn(seen, tmp_path):
    names = ["price_in_$_and_$", "x" * 200, "цена"]
    words = ("$a$", "y" * 90)
    specs = tuple(replace(spec, name=name) for spec, name in zip(SPECS, names, strict=True))
    table = seen.table.rename_columns(
        [
            names[[s.name for s in SPECS].index(n)] if n in [s.name for s in SPECS] else n
            for n in seen.table.column_names
        ]
    )
    each = tuple(replace(d, name=n, words=words) for d, n in zip(seen.dependences, names, strict=True))
    named = replace(
        seen, specs=specs, importance=replace(seen.importance, specs=specs), dependences=each, table=table
    )
    assert all(path.stat().st_size for path in draw(tmp_path, named).values())


@pytest.mark.parametrize(
    "values", [np.full(200, np.nan), np.full(200, 7.0), np.where(np.arange(200) == 0, 1e12, np.arange(200.0))]
)
def test_a_number_without_spread_or_with_a_far_value_is_drawn(seen, tmp_path, values):
    odd = Dependence("odd", "number", values, np.linspace(-1, 1, 200), WEIGHT)
    assert draw(tmp_path, replace(seen, dependences=(odd,)))["dependence"].stat().st_size


def test_a_model_of_one_feature_is_drawn(seen, tmp_path):
    spec = FeatureSpec("opens_7d", "opens", "behaviour", "number", "")
    found = importance(seen.explained.contributions[:, :1], [spec], np.arange(200), WEIGHT)
    one = replace(seen, specs=[spec], importance=found, explained=seen.explained.of_features([0]))
    assert set(draw(tmp_path, one)) == {"importance", "beeswarm", "dependence"}
