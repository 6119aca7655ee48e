"""Contributions as shap's own plots want them."""

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from models.cards.shap_view import explanation
from models.explaining import Explained
from models.scoring import Scores

SPECS = [
    FeatureSpec("visits", "visits", "behaviour", "number", ""),
    FeatureSpec("country", "country", "fit", "category", ""),
]
# shap and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning", "ignore::FutureWarning"
)


@pytest.fixture
def shown():
    table = pa.table({"country": ["DE", None], "lead_id": ["a", "b"], "visits": [1234.5, None]})
    margin = np.array([-1.0, -3.0])
    scores, values = Scores(margin, margin, margin, margin, margin), np.array([[0.5, 0.5], [-0.5, -0.5]])
    explained = Explained(scores, values, -2.0, matrix=np.zeros((2, 2)))
    return explanation(explained, table, SPECS)


def test_every_row_adds_up_to_its_margin(shown):
    assert (shown.base_values + shown.values.sum(axis=1)).tolist() == [-1.0, -3.0]
    assert shown.feature_names == ["visits", "country"]


def test_numbers_have_a_colour_and_categories_a_name(shown):
    assert shown.data[0].tolist() == [1234.5, "DE"]
    assert np.isnan(shown.data[1][0])
    assert shown.data[1][1] == "unknown"


def test_values_are_shown_in_words(shown):
    assert shown.display_data.tolist() == [["1,234", "DE"], ["unknown", "unknown"]]
