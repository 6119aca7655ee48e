"""A tag is shown where its precision held on later leads, and nowhere else."""

import numpy as np
import pytest

from features.errors import ModelError
from models.audit.association import wilson
from models.calibration import Calibration
from models.further.tags import NORMAL_95, Said, Tag, least_margin, lowest_holding, shown_tags, tagged, tried


def said(right, chance, leads=None):
    """Rows: whether the tag would be right, with which probability, of which lead (each its own)."""
    leads = [f"L{row}" for row in range(len(right))] if leads is None else leads
    return Said(np.array(right, float), np.array(chance, float), np.array(leads, dtype=object))


GOOD = said([1] * 28 + [0] * 2 + [0] * 70, [0.8] * 30 + [0.1] * 70)


def test_the_threshold_is_the_lowest_probability_that_surely_holds_the_floor():
    # .9: 20 of 20; .8: 38 of 40; .1: 38 of 140
    rows = said([1] * 20 + [1] * 18 + [0] * 2 + [0] * 100, [0.9] * 20 + [0.8] * 20 + [0.1] * 100)
    assert lowest_holding(rows, floor=0.8, least_rows=20) == 0.8
    assert lowest_holding(rows, floor=0.2, least_rows=20) == 0.1
    assert lowest_holding(rows, floor=0.99, least_rows=20) is None


def test_a_bound_that_equals_the_floor_holds_it():
    floor = float(wilson(np.array([28.0]), np.array([30.0]), z=NORMAL_95)[0][0])
    assert lowest_holding(GOOD, floor=floor, least_rows=20) == 0.8
    assert lowest_holding(GOOD, floor=np.nextafter(floor, 1), least_rows=20) is None


def test_rows_of_one_probability_stand_or_fall_together():
    rows = said([1] * 30 + [0] * 30, [0.5] * 60)  # the right ones come first, but nothing tells them apart
    assert lowest_holding(rows, floor=0.7, least_rows=20) is None


@pytest.mark.parametrize(("least", "found"), [(30, 0.8), (31, None)])
def test_too_few_rows_say_nothing(least, found):
    assert lowest_holding(GOOD, floor=0.7, least_rows=least) == found


def test_many_rows_of_one_lead_are_one_piece_of_evidence():
    one_each = said([1] * 30 + [0] * 30, [0.8] * 30 + [0.1] * 30)
    one_lead = said([1] * 30 + [0] * 30, [0.8] * 30 + [0.1] * 30, ["L1"] * 30 + ["L2"] * 30)
    assert lowest_holding(one_each, floor=0.8, least_rows=20) == 0.8
    assert lowest_holding(one_lead, floor=0.8, least_rows=20) is None


def test_a_tag_that_held_on_later_rows_is_shown_with_its_measured_precision():
    trial = tried(GOOD, said([1] * 16 + [0] * 4, [0.8] * 20), floor=0.8, least_rows=20)
    assert trial.why_not is None  # 16 of 20 is the floor itself
    assert (trial.least_probability, trial.precision, trial.n) == (0.8, 0.8, 20)


@pytest.mark.parametrize(
    ("right", "chance", "why"),
    [
        ([1] * 15 + [0] * 5, [0.8] * 20, "precision 0.75 under the floor 0.8, n = 20"),
        ([1] * 19 + [0], [0.8] * 19 + [0.79], "19 tagged leads on later rows, 20 are needed"),
        ([1] * 20, [0.1] * 20, "0 tagged leads"),
    ],
)
def test_a_tag_that_did_not_hold_on_later_rows_is_not_shown_and_says_why(right, chance, why):
    trial = tried(GOOD, said(right, chance), floor=0.8, least_rows=20)
    assert why in trial.why_not


def test_a_tag_without_a_threshold_says_how_precise_its_best_rows_were():
    trial = tried(GOOD, GOOD, floor=0.99, least_rows=20)
    assert trial.least_probability is None
    assert "precision 0.93 of the best 30" in trial.why_not


@pytest.mark.parametrize("probability", [0.01, 0.2, 0.5, 0.9])
def test_the_least_margin_is_where_the_curve_reaches_the_probability(probability):
    curve = Calibration((-1.0, 0.0, 3.0), (-2.0, -0.5, 1.0))
    margin = least_margin(curve, probability)
    assert curve.apply(np.array([margin]))[0] == pytest.approx(probability)


HOT = Tag("hot", "sql-90d", 0.5, 0.6, 90.0, 0.5, 0.7, 40)
COLD = Tag("cold", "won-90d", 2.0, 0.6, 90.0, 0.5, 0.7, 40)


def test_a_lead_carries_the_tags_whose_margin_it_reaches_if_it_is_asked():
    # lead            1     2     3     4
    sql = np.array([0.49, 0.50, 0.90, 0.90])
    won = np.array([9.00, 9.00, 0.00, 2.00])
    asked = np.array([True, True, True, False])
    found = tagged([HOT, COLD], {"sql-90d": sql, "won-90d": won}, {"sql-90d": asked})
    assert found == ["cold", "hot, cold", "hot", "cold"]


def test_tags_come_back_from_a_bundle_as_they_were_and_damaged_ones_are_refused():
    assert shown_tags({"tags": {"shown": [HOT.as_json()]}}) == (HOT,)
    assert shown_tags({}) == ()
    for damage in ({"name": "hot"}, {**HOT.as_json(), "least_margin": float("nan")}):
        with pytest.raises(ModelError):
            shown_tags({"tags": {"shown": [damage]}})
