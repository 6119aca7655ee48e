"""Points fade with the age of an action: by how much, from where on, and which points do not."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from features.build import feature_table
from features.catalogue import FeatureSpec
from features.errors import ParameterError
from features.families import by_name
from features.vocabulary import Vocabulary
from models.points.fading import unfading
from models.points.reasons import rule_reasons
from models.points.rule import Rule
from models.points.scorecard import DEFAULT_RULES, WrittenCard
from tests.features.drawn import drawn, install

TRIAL = Rule("kind_touches[trial]_90d", 40, at_least=1)

# A trial now, one, two and three half-lives ago, and none. The page was seen at other times than the trial.
LEADS = pa.table(
    {
        "kind_touches[trial]_90d": [1.0, 1.0, 2.0, 1.0, 0.0],
        "days_since[trial]": [0.0, 30.0, 60.0, 90.0, None],
        "place_touches[pricing]_90d": [1.0, 1.0, 1.0, 1.0, 1.0],
        "touches_30d": [4.0, 4.0, 4.0, 0.0, 0.0],
        "days_since_last_touch": [0.0, 15.0, 30.0, 60.0, None],
        "renewal": [-10.0, 0.0, 30.0, None, float("nan")],
        "source": ["referral", "referral", "ads", None, "referral"],
    }
)


def given(*rules, half_life_days=30.0):
    return WrittenCard(rules, half_life_days).points(LEADS).tolist()


def test_an_action_is_worth_all_its_points_at_once_and_half_after_a_half_life():
    assert given(TRIAL) == [40, 20, 10, 5, 0]


def test_without_a_half_life_points_never_fade():
    assert given(TRIAL, half_life_days=None) == [40, 40, 40, 40, 0]


def test_a_rules_own_half_life_goes_before_the_cards():
    own = Rule("kind_touches[trial]_90d", 40, at_least=1, half_life_days=60)
    assert given(own)[2] == 20
    assert given(own, half_life_days=None)[2] == 20


def test_a_rule_may_say_that_it_does_not_fade():
    assert given(Rule("kind_touches[trial]_90d", 40, at_least=1, fades=False)) == [40, 40, 40, 40, 0]


def test_a_rule_on_the_age_itself_fades_by_it_and_silence_does_not():
    assert given(Rule("days_since_last_touch", 40, at_most=30)) == [40, pytest.approx(40 / 2**0.5), 20, 0, 0]
    assert given(Rule("days_since_last_touch", 40, at_least=30)) == [0, 0, 40, 40, 0]
    assert given(Rule("days_since_last_touch", 40, is_missing=False))[2:4] == [20, 10]
    assert given(Rule("touches_30d", 40, equals=0)) == [0, 0, 0, 40, 40]
    assert given(Rule("touches_30d", 40, equals=4)) == [40, pytest.approx(40 / 2**0.5), 20, 0, 0]


def test_a_trait_keeps_its_points():
    assert given(Rule("source", 5, equals="referral")) == [5, 5, 0, 0, 5]


def test_points_that_were_taken_come_back_only_by_a_half_life_of_their_own():
    have = Rule("source", 60, is_missing=False), Rule("source", 60, is_missing=True)
    assert given(*have, Rule("kind_touches[trial]_90d", -40, at_least=1)) == [20, 20, 20, 20, 60]
    own = Rule("kind_touches[trial]_90d", -40, at_least=1, half_life_days=30)
    assert given(*have, own) == [20, 40, 50, 55, 60]


def test_an_action_without_an_age_of_its_own_names_the_column_of_it():
    pricing = Rule("place_touches[pricing]_90d", 40, at_least=1, age_feature="days_since_last_touch")
    assert given(pricing) == [40, pytest.approx(40 / 2**0.5), 20, 10, 40]  # nobody knows when: all points
    assert given(Rule("place_touches[pricing]_90d", 40, at_least=1)) == [40] * 5


def test_a_moment_to_come_and_an_unknown_one_leave_all_points():
    rule = Rule("touches_30d", 40, at_least=0, half_life_days=30, age_feature="renewal")
    assert given(rule) == [40, 40, 20, 40, 40]


def test_a_half_life_without_an_age_is_refused():
    with pytest.raises(ParameterError, match=r"'source' fades.*age_feature"):
        given(Rule("source", 5, equals="referral", half_life_days=30))
    with pytest.raises(ParameterError, match=r"'days_since_lst_touch'.*did you mean 'days_since_last_touch'"):
        given(Rule("source", 5, equals="ads", half_life_days=9, age_feature="days_since_lst_touch"))
    with pytest.raises(ParameterError, match="'source' as an age"):
        given(Rule("touches_30d", 5, at_least=1, half_life_days=9, age_feature="source"))


@pytest.mark.parametrize(
    "key", [{"half_life_days": 0}, {"half_life_days": -1}, {"half_life_days": 9, "fades": False}]
)
def test_a_half_life_is_above_zero_days(key):
    with pytest.raises(ParameterError, match="above 0 days"):
        TypeAdapter(Rule).validate_python({"feature": "a", "points": 3, "at_least": 1, **key})


def test_the_default_card_fades_what_was_done_and_nothing_else():
    names = {rule.feature for rule in DEFAULT_RULES}
    ages = {name.replace("kind_touches", "days_since").removesuffix("_90d") for name in names if "[" in name}
    rules = WrittenCard(None, 30.0).usable(sorted(names | ages))
    assert len(rules) == len(DEFAULT_RULES)
    assert {rule.feature for rule in rules if rule.half_life_days is None} == {
        "kind_touches[careers_visit]_90d", "kind_touches[unsubscribe]_90d", "days_since_last_touch", "source",
        "account_revenue",
    }  # fmt: skip
    faded = [rule for rule in rules if rule.half_life_days is not None]
    assert all(rule.age_feature == rule.feature.replace("kind_touches", "days_since")[:-4] for rule in faded)


def test_the_reasons_say_what_is_left():
    rules = WrittenCard((TRIAL, Rule("source", 5, equals="referral")), 30.0).usable(LEADS.column_names)
    specs = {
        "kind_touches[trial]_90d": FeatureSpec("a", "a", "behaviour", "number", "{value:.0f} trials"),
        "source": FeatureSpec("source", "source", "source", "category", "came by {value}"),
    }
    said = rule_reasons(LEADS.slice(0, 2), rules, specs).to_pylist()
    assert [(reason["row"], reason["points"], reason["sentence"]) for reason in said] == [
        (0, 40, "1 trials"),
        (0, 5, "came by referral"),
        (1, 20, "1 trials (20 of 40 points left)"),
        (1, 5, "came by referral"),
    ]


def test_a_learned_rule_is_printed_as_one_that_does_not_fade():
    card = WrittenCard((unfading(TRIAL),), 30.0)
    assert card.points(LEADS).tolist() == given(TRIAL, half_life_days=None)
    assert unfading(Rule("source", 5, equals="ads")) == Rule("source", 5, equals="ads")


TOUCHES = """
    lead_id | kind  | occurred_at
    L1      | trial | 2026-01-01 00:00
    L1      | trial | 2026-03-15 00:00
"""


@pytest.mark.parametrize("alone", [False, True])
def test_a_past_moment_gives_the_points_of_that_night(alone):
    """Asked among other moments, as in training, or alone, as at night; a later trial is not seen."""
    nights = ["2026-01-31", "2026-03-02", "2026-03-30"]
    expected = [20, 10, 40 * 0.5**0.5]
    for night, points in zip(nights, expected, strict=True):
        rows = [night] if alone else nights
        snapshots = "\n".join(f"{place} | L1 | {moment} 00:00" for place, moment in enumerate(rows))
        held = install(
            ibis.duckdb.connect(),
            snapshots=drawn(f"snapshot_id | lead_id | as_of\n{snapshots}"),
            touches=drawn(TOUCHES),
        )
        chosen = by_name(["kind_touches[trial]_90d", "days_since[trial]"], {"kind": ["trial"]}, {})
        built = feature_table(held["snapshots"], held, chosen, {}, Vocabulary()).order_by("snapshot_id")
        found = WrittenCard((TRIAL,), 30.0).points(built.to_pyarrow())
        assert found[rows.index(night)] == pytest.approx(points, abs=1e-4)
