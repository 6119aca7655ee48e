"""The parts of the leads by which a model is judged, and whether probabilities come true in one."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binomtest

from models.segments.cut import segments
from models.segments.reliability import reliability


def test_rows_are_cut_by_category_and_by_age_on_its_boundary():
    table = pa.table(
        {"source": ["web", "fair", None], "lead_age_days": [29.9, 30.0, 400.0], "industry": ["a", "b", "c"]}
    )
    found = {name: texts.tolist() for name, texts in segments(table).items()}
    assert found == {"source": ["web", "fair", "unknown"], "age": ["new (under 30 days)", "old", "old"]}


def test_a_column_that_tells_no_rows_apart_and_a_number_are_no_slices():
    table = pa.table({"country": ["DE", "DE"], "territory": [1.0, 2.0]})
    assert segments(table) == {}


@pytest.mark.parametrize(("won", "count"), [(0, 7), (3, 10), (40, 400), (5, 5)])
def test_the_interval_of_a_rate_is_wilsons(won, count):
    label = np.repeat([1.0, 0.0], [won, count - won])
    found = reliability(label, np.full(count, 0.5), np.arange(count))
    known = binomtest(won, count).proportion_ci(0.95, method="wilson")
    assert (found["rate_low"], found["rate_high"]) == pytest.approx((known.low, known.high), abs=1e-5)
    assert (found["rows"], found["leads"], found["positives"]) == (count, count, won)
    assert found["rate"] == won / count


def test_more_nights_of_the_same_leads_do_not_make_the_rate_surer():
    label, chance, leads = np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.2, 0.1, 0.4, 0.7]), list("abcd")
    once = reliability(label, chance, leads)
    often = reliability(np.repeat(label, 9), np.repeat(chance, 9), np.repeat(leads, 9))
    assert often["rows"] == 36
    assert often | {"rows": 4, "positives": 2} == pytest.approx(once)


def test_a_forecast_on_the_end_of_the_interval_is_inside_and_one_beyond_it_is_not():
    label, leads = np.repeat([1.0, 0.0], [3, 5]), np.arange(8)  # the mean of eight equal numbers is exact

    def inside(forecast):
        return reliability(label, np.full(8, forecast), leads)["is_inside"]

    ends = reliability(label, np.full(8, 0.3), leads)
    low, high = ends["rate_low"], ends["rate_high"]
    assert [inside(low), inside(high)] == [True, True]
    assert [inside(np.nextafter(low, 0)), inside(np.nextafter(high, 1))] == [False, False]
