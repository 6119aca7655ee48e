"""The likeliest value of a field: learned at one moment a lead, shown only where it held."""

from types import SimpleNamespace

import numpy as np
import pytest

from features.errors import TooFewOutcomesError
from models.calibration import Calibration
from models.further.stated import (
    MOST_VALUES,
    Values,
    filled_together,
    fit_values,
    likeliest,
    one_moment_each,
    tag_text,
    tags_of,
    tried_values,
)
from models.further.tags import Said, tried
from models.further.targets import Fitted, Judged


def texts(*values):
    return np.array(values, dtype=object)


def test_of_equal_chances_the_first_value_is_the_likeliest():
    found = likeliest({"a": np.array([0.5, 0.2, 0.4]), "b": np.array([0.5, 0.3, 0.1])})
    assert found["a"].tolist() == [True, False, True]
    assert found["b"].tolist() == [False, True, False]


def test_a_lead_is_learned_from_at_one_of_its_known_moments():
    leads = np.repeat(texts(*(f"L{n}" for n in range(200))), 4)
    known = np.tile([False, True, True, True], 200)
    found = one_moment_each(leads, known)
    assert sorted(leads[found]) == sorted(set(leads))
    assert not (found & ~known).any()
    assert set(np.flatnonzero(found) % 4) == {1, 2, 3}  # moments of every age
    np.testing.assert_array_equal(found, one_moment_each(leads, known))


def test_a_lead_without_a_known_moment_is_not_learned_from():
    leads, known = texts("a", "b", "b"), np.array([False, True, False])
    assert one_moment_each(leads, known).tolist() == [False, True, False]
    assert not one_moment_each(leads, np.zeros(3, dtype=bool)).any()


def test_a_feature_that_comes_with_the_field_is_left_out_and_half_as_often_is_not():
    stating = {"copy": 1.0, "half": 1.0, "always": 1.0, "never": 0.0}
    silent = {"copy": 0.49, "half": 0.5, "always": 1.0, "never": 0.0}
    assert filled_together(stating, silent) == ["copy"]


@pytest.mark.parametrize(
    ("value", "text"), [("R&D,\n tools", "kind: R&D; tools"), ("<b>", "kind: <b>"), ("a", "kind: a")]
)
def test_a_tag_holds_no_comma_that_would_end_it(value, text):
    assert tag_text("kind", value) == text
    assert ", " not in tag_text("kind", value)


class Target:
    """What a tag needs of a target."""

    def __init__(self, name):
        self.name, self.calibration = name, Calibration((-1.0, 1.0), (-3.0, 3.0))


def fitted(name, label, chance):
    """A value whose model said the same of both slices: rows 0 to n-1, then n to 2n-1."""
    rows = np.arange(len(label))
    label, chance = np.array(label, float), np.array(chance, float)
    early, late = Judged(rows, label, chance), Judged(rows + len(rows), label, chance)
    return Fitted(Target(name), early, late)


# 40 rows say a surely and rightly; 30 say b, and of these 20 have an a that is likelier still.
A = [1] * 40 + [1] * 20 + [0] * 10 + [0] * 30
B = [0] * 40 + [0] * 20 + [1] * 10 + [1] * 30
A_CHANCE = [0.9] * 40 + [0.8] * 20 + [0.1] * 40
B_CHANCE = [0.1] * 40 + [0.7] * 30 + [0.75] * 30
LEADS = texts(*(f"L{n}" for n in range(200)))
VALUES = Values({"a": fitted("t-0", A, A_CHANCE), "b": fitted("t-1", B, B_CHANCE)}, {}, ())


def test_precision_and_n_are_those_of_rows_for_which_the_value_is_the_likeliest():
    trials = tried_values(VALUES, LEADS, floor=0.6, least_rows=20)
    assert (trials["a"].precision, trials["a"].n) == (1.0, 60)
    assert (trials["b"].precision, trials["b"].n) == (1.0, 40)  # without the rows that an a wins: 40 of 60
    assert (trials["a"].base_rate, trials["b"].base_rate) == (0.6, 0.4)
    alone = Said(np.array(B, float), np.array(B_CHANCE), LEADS[:100])
    assert tried(alone, alone, floor=0.5, least_rows=20).precision == pytest.approx(40 / 60)


def test_only_values_that_hold_become_tags():
    shown = tags_of("t", VALUES, tried_values(VALUES, LEADS, floor=0.6, least_rows=41), 0.6)
    assert [(tag.name, tag.target, tag.n, tag.precision) for tag in shown] == [("t: a", "t-0", 60, 1.0)]
    assert shown[0].least_probability == 0.8
    assert shown[0].precision_floor == 0.6


def test_a_value_that_is_never_the_likeliest_is_not_shown():
    never = Values({"a": VALUES.fitted["a"], "b": fitted("t-1", B, [0.05] * 100)}, {}, ())
    trial = tried_values(never, LEADS, floor=0.5, least_rows=20)["b"]
    assert (trial.precision, trial.n) == (None, 0)
    assert trial.why_not == "on later rows it is never the likeliest value"


class Light:
    """Rows of 300 leads, one each, and models that are only counted."""

    def __init__(self):
        leads = texts(*(f"L{n}" for n in range(300)))
        split = {"train": np.arange(150), "stop": np.arange(150, 200)}
        self.first = SimpleNamespace(history=SimpleNamespace(leads=leads), split=split)
        self.is_read = np.ones(300, dtype=bool)
        self.asked, self.blank = [], None

    def known_shares(self, rows):
        return {"copy": float(rows[:200].mean()), "visits": 1.0}

    def without(self, names):
        self.blank = tuple(names)
        return self

    def fit(self, name, stage, horizon_days, answers):
        assert horizon_days is None
        self.asked.append((name, stage, int(answers.label[answers.is_known].sum())))
        if stage.endswith("v1"):
            raise TooFewOutcomesError("too few", hint="add history")
        return stage


def test_the_most_frequent_values_with_enough_leads_are_learned_and_the_rest_is_none_of_them():
    stated = np.full(300, None, dtype=object)
    for place, leads in enumerate(
        [30, 20, 19, 18, 17, 16, 15, 14, 13, 9]
    ):  # 10 values before the calibrate slice
        free = np.flatnonzero(stated[:200] == None)[:leads]  # noqa: E711  # element by element
        stated[free] = f"v{place}"
    light = Light()
    values = fit_values(light, "t", stated, made_of=["own"], least=10)
    assert [stage for _, stage, _ in light.asked] == [f"t: v{place}" for place in range(MOST_VALUES)]
    assert [name for name, _, _ in light.asked] == [f"t-{place}" for place in range(MOST_VALUES)]
    assert light.asked[0][2] == 30
    assert values.left_out == {"v1": "too few"}
    assert "v1" not in values.fitted
    assert light.blank[0] == "own"


def test_a_value_with_just_enough_leads_is_learned():
    light = Light()
    fit_values(light, "t", np.array(["a"] * 10 + ["b"] * 9 + [None] * 281, dtype=object), least=10)
    assert [stage for _, stage, _ in light.asked] == ["t: a"]


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        (["a", "b"] * 150, "every lead states it"),
        ([None] * 300, "no value is stated by 10 earlier leads"),
        ([None] * 200 + ["a"] * 100, "no value is stated by 10 earlier leads"),  # all of them too late
        (["a"] * 9 + [None] * 291, "no value is stated by 10 earlier leads"),
    ],
)
def test_a_field_that_tells_nothing_is_left_out_with_the_reason(stated, why):
    with pytest.raises(TooFewOutcomesError, match=why):
        fit_values(Light(), "t", np.array(stated, dtype=object), least=10)
