"""Evidence: what became of leads with such a value, counted on rows that the model has not learned from."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from features.errors import ModelError
from models import evidence
from models.evidence import Evidence, gather
from models.matrix import Encoding

VISITS = Encoding(("visits",), ("number",), {}, {})
# Visits, won?, lead: four leads without a visit, four with many.
ROWS = [
    (0, 0, "a"),
    (0, 0, "b"),
    (0, 1, "c"),
    (0, 0, "d"),
    (9, 1, "e"),
    (9, 1, "f"),
    (9, 0, "g"),
    (9, 1, "h"),
]
"""Drawn so that a sales person could count them."""


def of_visits(rows=ROWS, encoding=VISITS):
    values, label, leads = zip(*rows, strict=True)
    return gather(np.array(values, float)[:, None], np.array(label, float), leads, encoding)


def told(found: Evidence, *values: float, floor: int = 1) -> list:
    """Rates and leads of some values; None where nothing is said."""
    figures = found.of(np.array(values), 0, floor=floor)
    return [[None if np.isnan(x) else round(float(x), 3) for x in figures[n]] for n in ("rate", "leads")]


def test_a_value_has_the_rate_of_the_leads_in_its_bin():
    found = of_visits()
    assert found.base_rate == 0.5
    assert told(found, 0, 9) == [[0.25, 0.75], [4, 4]]


def test_a_bin_begins_at_its_edge():
    assert told(of_visits(), 8.999, 9.0)[0] == [0.25, 0.75]


def test_a_bin_keeps_a_typical_value():
    (bins,) = of_visits([*ROWS, (12, 0, "i"), (7, 1, "j")]).features
    assert bins.middles[0] == 0
    assert 9 in bins.middles


def test_the_interval_is_wilsons():
    found = of_visits().of(np.array([9.0]), 0, floor=1)
    bounds = binomtest(3, 4).proportion_ci(0.95, method="wilson")
    assert (found["low"][0], found["high"][0]) == pytest.approx((bounds.low, bounds.high))


@pytest.mark.parametrize(("floor", "rate"), [(4, 0.25), (5, None)])
def test_a_bin_with_fewer_leads_than_the_floor_says_nothing(floor, rate):
    assert told(of_visits(), 0, floor=floor)[0] == [rate]


def test_the_rows_of_one_lead_are_one_lead():
    rows = [(0, 0, "a"), (0, 0, "a"), (0, 0, "a"), (0, 1, "b")]
    assert told(of_visits(rows), 0) == [[0.25], [2]]


def test_an_unknown_value_has_no_evidence():
    rows = [*ROWS, (float("nan"), 1, "i")]
    assert told(of_visits(rows), float("nan"), 0) == [[None, 0.25], [None, 4]]


def test_a_number_with_one_value_has_one_bin():
    assert told(of_visits([(5, 0, "a"), (5, 1, "b")]), 5, 7) == [[0.5, 0.5], [2, 2]]


def test_a_category_has_its_own_leads_and_a_rare_one_none():
    source = Encoding(("source",), ("category",), {"source": ("ads", "web")}, {})
    found = of_visits([(0, 0, "a"), (1, 1, "b"), (1, 0, "c"), (2, 1, "d")], source)  # 2: any other
    assert told(found, 0, 1, 2) == [[0.0, 0.5, None], [1, 2, None]]


def test_zero_visits_are_a_bin_of_their_own_where_they_are_many():
    rows = [(0, 0, f"z{i}") for i in range(30)] + [(1 + i, 1, f"v{i}") for i in range(70)]
    assert told(of_visits(rows), 0, 1) == [[0.0, 1.0], [30, told(of_visits(rows), 1)[1][0]]]


def test_only_the_latest_rows_count(monkeypatch):
    monkeypatch.setattr(evidence, "MOST_ROWS", 4)
    assert told(of_visits(), 9) == [[0.75], [4]]


@given(
    st.lists(st.tuples(st.floats(0, 5) | st.just(float("nan")), st.integers(0, 1)), min_size=1, max_size=60)
)
def test_the_bins_together_hold_every_known_row(rows):
    found = of_visits([(value, won, f"lead {place}") for place, (value, won) in enumerate(rows)])
    (bins,) = found.features
    known = [won for value, won in rows if not np.isnan(value)]
    assert sum(bins.leads) == len(known)
    assert np.dot(bins.leads, bins.rates) == pytest.approx(sum(known))


def test_evidence_survives_being_written():
    found = of_visits()
    assert Evidence.from_json(json.loads(json.dumps(found.as_json())), columns=1) == found


def test_evidence_of_a_model_of_before_rests_on_all_of_its_leads():
    data = of_visits().as_json()
    for bins in data["features"]:
        del bins["worth"]
    assert Evidence.from_json(data, columns=1) == of_visits()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("edges", [9.0, 9.0]),
        ("edges", []),
        ("leads", [-1, 4]),
        ("rates", [0.1, 1.1]),
        ("rates", [0.1]),
        ("middles", [0.0]),
        ("worth", [0.0]),
        ("worth", [-1.0, 1.0]),
        ("worth", [1e9, 1.0]),
    ],
)
def test_damaged_evidence_is_refused(part, value):
    data = of_visits().as_json()
    data["features"][0][part] = value
    with pytest.raises(ModelError, match="evidence"):
        Evidence.from_json(data, columns=1)


def test_a_model_without_evidence_shows_none():
    assert told(evidence.kept({}, columns=1), 0.0) == [[None], [None]]
