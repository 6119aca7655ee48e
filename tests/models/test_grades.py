"""Grades: A to D for who a lead is, 1 to 4 for what it does."""

import json

import numpy as np
import pytest

from features.errors import ModelError
from models.grades import Grades, halves, kept, learned

QUARTERS = (0.25, 0.5, 0.75)
RISING = np.arange(101.0)


def test_families_fall_into_two_halves_that_add_up():
    families = {"fit": 1.0, "source": 2.0, "account": 4.0, "behaviour": 8.0, "of_mine": 16.0}
    totals = {name: np.array([value]) for name, value in families.items()}
    assert [half.tolist() for half in halves(totals)] == [[7.0], [24.0]]


def test_a_quarter_of_the_reference_has_each_grade():
    grades = learned({"fit": RISING, "recency": -RISING})
    fit, engagement = grades.of({"fit": RISING, "recency": -RISING}, QUARTERS)
    assert [(fit == letter).sum() for letter in "ABCD"] == [26, 25, 25, 25]
    assert [(engagement == digit).sum() for digit in "1234"] == [26, 25, 25, 25]


@pytest.mark.parametrize(
    ("value", "letter"), [(75.0, "A"), (74.999, "B"), (50.0, "B"), (49.999, "C"), (24.999, "D")]
)
def test_a_value_at_the_bound_has_the_better_grade(value, letter):
    grades = learned({"fit": RISING, "recency": RISING})
    fit, _ = grades.of({"fit": np.array([value]), "recency": np.zeros(1)}, QUARTERS)
    assert fit.tolist() == [letter]


def test_a_half_that_tells_no_leads_apart_gives_none_of_them_the_best_or_the_worst_grade():
    _, engagement = learned({"fit": RISING}).of({"fit": RISING}, QUARTERS)
    assert set(engagement) == {"2"}


def test_a_value_that_many_share_stands_in_their_middle():
    silent = np.concatenate([np.zeros(60), 1 + np.arange(41.0)])
    _, engagement = learned({"recency": silent}).of({"recency": silent}, QUARTERS)
    assert set(engagement[:60]) == {"3"}


def test_grades_survive_being_written():
    grades = learned({"fit": RISING, "recency": RISING / 3})
    assert Grades.from_json(json.loads(json.dumps(grades.as_json()))) == grades


@pytest.mark.parametrize("fit", [[1.0, 0.0] + [2.0] * 99, [0.0] * 100, [float("nan")] * 101])
def test_damaged_grades_are_refused(fit):
    with pytest.raises(ModelError, match="grades"):
        kept({"grades": {"fit": fit, "engagement": RISING.tolist()}})


def test_a_model_may_have_no_grades():
    assert kept({}) is None
