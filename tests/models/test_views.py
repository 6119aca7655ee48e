"""The whole model at a glance: importance, dependence and steadiness, against what others compute."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from features.catalogue import FeatureSpec
from models.explaining import Explainer
from models.reasons import first_stems, reasons
from models.views.dependence import Dependence
from models.views.importance import importance
from models.views.overview import drawn
from models.views.stability import Voice, agreement, mean_agreement, voice
from tests.serve.small import SPECS, features
from tests.serve.small import bundle as small_bundle

RANDOM = np.random.default_rng(11)


def specs(*families):
    return [
        FeatureSpec(f"f{place}", f"f{place}", family, "number", "") for place, family in enumerate(families)
    ]


@pytest.fixture(scope="module")
def bundle():
    return small_bundle()


@pytest.fixture(scope="module")
def explained(bundle):
    return Explainer(bundle).explain(features(300))


def test_strength_is_the_mean_absolute_contribution_that_lightgbm_tells(bundle, explained):
    boosters = [lgb.Booster(model_str=text) for text in bundle.target.blend.boosters]
    told = np.mean([b.predict(explained.matrix, pred_contrib=True)[:, :-1] for b in boosters], axis=0)
    found = importance(explained.contributions, SPECS, np.arange(300), np.ones(300))
    np.testing.assert_allclose(found.strength, np.abs(told).mean(axis=0), atol=1e-12)


def test_a_row_that_stands_for_three_counts_as_three():
    values = RANDOM.normal(size=(4, 2))
    weighted = importance(values, specs("fit", "stage"), np.arange(4), np.array([3.0, 1.0, 1.0, 1.0]))
    np.testing.assert_allclose(weighted.strength, np.abs(values[[0, 0, 0, 1, 2, 3]]).mean(axis=0))


def test_shares_of_families_are_those_of_their_features_and_add_up_to_one():
    values = np.array([[1.0, -2.0, 3.0, 0.0], [1.0, 2.0, -3.0, 0.0]])
    found = importance(values, specs("fit", "stage", "fit", "source"), np.arange(2), np.ones(2))
    assert found.families == pytest.approx({"fit": 4 / 6, "stage": 2 / 6, "source": 0.0})
    assert list(found.families) == ["fit", "stage", "source"]  # the greatest first
    assert sum(row["share"] for row in found.as_json()) == pytest.approx(1)
    assert [row["feature"] for row in found.as_json()] == ["f2", "f1", "f0", "f3"]


def test_the_interval_is_that_of_scipys_bootstrap():
    values = RANDOM.exponential(size=(400, 1))
    found = importance(values, specs("fit"), np.arange(400), np.ones(400))
    ends = stats.bootstrap((values[:, 0],), np.mean, n_resamples=2000, method="percentile", rng=1)
    low, high = ends.confidence_interval
    assert (found.low[0], found.high[0]) == pytest.approx((low, high), abs=0.02)


def test_rows_of_one_lead_are_resampled_together():
    values = np.repeat(RANDOM.exponential(size=(40, 1)), 10, axis=0)
    one, many = (
        importance(values, specs("fit"), leads, np.ones(400))
        for leads in (np.arange(400) // 10, np.arange(400))
    )
    assert (one.high - one.low)[0] > 2 * (many.high - many.low)[0]


def test_a_feature_that_is_never_among_the_strongest_does_not_stay_in_the_top():
    values = np.ones((50, 12)) * np.arange(12, 0, -1)
    found = importance(values, specs(*["fit"] * 12), np.arange(50), np.ones(50))
    assert found.stays.tolist() == [1.0] * 10 + [0.0] * 2
    assert found.same_top == 1.0


def number(values, contributions, weight=None):
    return Dependence(
        "n", "number", values, contributions, np.ones(len(values)) if weight is None else weight
    )


def test_the_groups_of_a_number_are_tenths_and_their_means_those_of_pandas():
    values, contributions = RANDOM.normal(size=1000), RANDOM.normal(size=1000)
    found = number(values, contributions).groups
    expected = pd.Series(contributions).groupby(pd.qcut(values, 10, labels=False)).mean()
    np.testing.assert_allclose([group.contribution for group in found], expected)
    assert [group.low for group in found][1:] > [group.high for group in found][:-1]


def test_equal_values_are_one_group_and_each_row_is_in_one():
    values = np.array([0.0] * 80 + [1.0, 2.0, np.nan, 7.0] * 5)
    found = number(values, np.arange(100.0))
    assert sorted(row for group in (*found.groups, found.unknown) for row in group.rows) == list(range(100))
    assert [(group.low, group.high) for group in found.groups] == [(0.0, 0.0), (1.0, 2.0), (7.0, 7.0)]
    assert found.as_json()[-1] == {"feature": "n", "value": "unknown", "from": None, "to": None,
                                   "contribution": np.arange(82, 100, 4).mean(), "rows": 5}  # fmt: skip


def test_a_number_that_is_always_unknown_has_no_groups():
    found = number(np.full(3, np.nan), np.array([1.0, 2.0, 6.0]), np.array([1.0, 1.0, 2.0]))
    assert found.groups == ()
    assert found.unknown.contribution == 15 / 4


def test_the_groups_of_a_category_are_its_values_then_the_rare_ones():
    found = Dependence(
        "c", "category", np.array([0.0, 2.0, 1.0, 0.0]), np.arange(4.0), np.ones(4), ("web", "fair")
    )
    assert [(g.word, g.contribution) for g in found.groups] == [
        ("web", 1.5),
        ("fair", 2.0),
        ("other values", 1.0),
    ]
    assert found.unknown is None


def test_the_stems_of_the_first_reasons_are_those_of_the_reasons(explained):
    table = features(300)
    said = reasons(explained.contributions, table, SPECS, margin=explained.scores.margin,
                   calibrate=lambda margin: margin, most_for=3, most_against=0)  # fmt: skip
    expected = [[] for _ in range(300)]
    for row in said.to_pylist():
        expected[row["row"]].append((row["family"], row["stem"]))
    stems, places = first_stems(explained.contributions, table, SPECS, most=3)
    assert [[stems[place] for place in row if place >= 0] for row in places] == expected
    assert any(len(row) < 3 for row in expected)


A, B, C, D = (("fit", stem) for stem in "abcd")


def spoken(*rows, strength=None):
    """A model that gives each lead these reasons."""
    stems = list(dict.fromkeys(stem for row in rows for stem in row))
    places = np.full((len(rows), 3), -1)
    for number, row in enumerate(rows):
        places[number, : len(row)] = [stems.index(stem) for stem in row]
    return Voice(strength or {"a": 1.0, "b": 0.5}, stems, places)


def test_reasons_agree_by_the_share_that_both_models_give():
    one = spoken((A, B, C), (A, B, C), (A,), ())
    other = spoken((C, B, A), (D, A, B), (A, B), ())
    found = agreement(one, other)
    assert found["reasons"] == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)  # nobody has a reason for the last lead
    assert found["first_reason"] == pytest.approx(1 / 3)


def test_the_same_model_agrees_with_itself_and_by_chance_less():
    one = spoken((A, B, C), (B, C, D), (A,), (D,))
    found = agreement(one, one)
    assert (found["reasons"], found["first_reason"], found["top_features"]) == (1, 1, 1)
    assert found["reasons_by_chance"] == pytest.approx(1 / 3)  # each beside the lead two further


def test_without_any_reason_nothing_is_said_of_reasons():
    found = agreement(spoken((), ()), spoken((), ()))
    assert found["reasons"] is found["first_reason"] is found["reasons_by_chance"] is None
    assert mean_agreement([found, agreement(spoken((A,)), spoken((A,)))])["reasons"] == 1


def test_top_features_agree_by_name_also_where_one_model_lacks_a_feature():
    one = spoken((A,), strength={f"f{n}": 20.0 - n for n in range(12)})
    other = spoken((A,), strength={f"f{n}": 20.0 - n for n in range(1, 12)})
    assert agreement(one, other)["top_features"] == 0.9  # f0 is strongest there and unknown here
    expected = stats.spearmanr(
        [20.0 - n for n in range(12)], [0.0, *(20.0 - n for n in range(1, 12))]
    ).statistic
    assert agreement(one, other)["rank_correlation"] == pytest.approx(expected)


def test_a_voice_is_heard_with_the_weights_of_the_rows(explained):
    weight = np.arange(1.0, 301.0)
    heard = voice(explained.contributions, features(300), SPECS, weight)
    assert heard.strength["source"] == pytest.approx(
        np.average(np.abs(explained.contributions[:, 1]), weights=weight)
    )


def test_rows_are_drawn_in_proportion_to_what_they_stand_for():
    weight = RANDOM.uniform(0.5, 5, 1000)
    found = drawn(weight, 500)
    assert len(found) == 500
    counts = np.bincount(found, minlength=1000)
    assert np.abs(np.cumsum(counts) - 500 * np.cumsum(weight) / weight.sum()).max() < 1
    assert drawn(np.ones(7), 500).tolist() == list(range(7))
