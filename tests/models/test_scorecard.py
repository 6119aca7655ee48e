"""Points: what earns them, where the bounds are, and which rules are refused."""

import importlib

import numpy as np
import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError

from features.catalogue import catalogue
from features.errors import ParameterError
from models.points.rule import Rule
from models.points.scorecard import DEFAULT_RULES, WrittenCard, newest_first

LEADS = pa.table(
    {
        "visits_30d": pa.array([2.0, 3.0, 4.0, None, float("nan")]),
        "source": ["referral", "ads", "referral", None, ""],
        "opens_7d": [0, 0, 9, 9, 0],
    }
)


def points(table, rules=None):
    """What the card gives."""
    return WrittenCard(None if rules is None else tuple(rules)).points(table)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("visits_30d", 10, at_least=3), [0, 10, 10, 0, 0]),
        (Rule("visits_30d", 10, at_most=3), [10, 10, 0, 0, 0]),
        (Rule("visits_30d", 10, equals=4), [0, 0, 10, 0, 0]),
        (Rule("source", 10, equals="referral"), [10, 0, 10, 0, 0]),
        (Rule("visits_30d", 10, is_missing=True), [0, 0, 0, 10, 10]),
        (Rule("source", 10, is_missing=False), [10, 10, 10, 0, 10]),
        (Rule("opens_7d", 10, at_least=9), [0, 0, 10, 10, 0]),
    ],
)
def test_a_rule_counts_on_its_bound_and_never_for_a_missing_value(rule, expected):
    assert points(LEADS, [rule]).tolist() == expected


def test_points_add_up_and_stop_at_0_and_100():
    rules = [
        Rule("opens_7d", 70, at_least=9),
        Rule("source", 40, equals="referral"),
        Rule("visits_30d", -30, is_missing=True),
        Rule("source", -5, equals="ads"),
    ]
    assert points(LEADS, rules).tolist() == [40, 0, 100, 40, 0]


def test_an_unknown_feature_is_refused_with_the_nearest_name():
    with pytest.raises(ParameterError, match=r"'visit_30d'.*did you mean 'visits_30d'"):
        points(LEADS, [Rule("visit_30d", 5, at_least=1)])


def test_default_rules_pass_over_features_that_do_not_exist():
    table = pa.table({"kind_touches[webinar]_90d": [0, 1], "days_since_last_touch": [10.0, 30.0]})
    assert points(table).tolist() == [0, 0]
    assert points(table.drop_columns("days_since_last_touch")).tolist() == [0, 30]


def test_default_rules_stand_on_names_that_the_catalogue_makes():
    kinds = [rule.feature.split("[")[1].split("]")[0] for rule in DEFAULT_RULES if "[" in rule.feature]
    for family in ("behaviour", "recency", "account"):
        importlib.import_module(f"features.{family}")
    known = {f.name for f in catalogue.expand({"kind": kinds})} | {"source", "account_revenue"}
    assert {rule.feature for rule in DEFAULT_RULES} <= known


@pytest.mark.parametrize("conditions", [{}, {"at_least": 1, "equals": 2}])
def test_a_rule_has_exactly_one_condition(conditions):
    with pytest.raises(ParameterError, match="exactly one condition"):
        Rule("visits_30d", 5, **conditions)


def test_a_number_is_not_compared_with_texts():
    with pytest.raises(ParameterError, match="'source' does not fit"):
        points(LEADS, [Rule("source", 5, at_least=1)])
    with pytest.raises(ParameterError, match="'visits_30d' does not fit"):
        points(LEADS, [Rule("visits_30d", 5, equals="three")])


def test_parameters_make_a_rule_and_refuse_unknown_keys():
    adapter = TypeAdapter(Rule)
    assert adapter.validate_python({"feature": "a", "points": 3, "at_least": 1}) == Rule("a", 3, at_least=1)
    with pytest.raises(ValidationError, match="at_leest"):
        adapter.validate_python({"feature": "a", "points": 3, "at_leest": 1})


def test_newest_first_puts_unknown_ages_last():
    table = pa.table({"lead_age_days": [30.0, 2.0, None]})
    assert np.argsort(-newest_first(table)).tolist() == [1, 0, 2]
    assert newest_first(LEADS) is None
