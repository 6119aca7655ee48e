"""When a figure is a warning or an alarm, and what the verdict on a run is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serve.monitoring import skew
from serve.monitoring.alarms import levelled, ordered, verdict
from serve.monitoring.figure import Figure
from serve.monitoring.limits import DriftLimits

LIMITS = DriftLimits(drift=0.25, matters=0.01, model_drift=0.1, null_rise=0.125, least_share=0.005, skew=0.05)
MOVED = Figure("drift", "touches_30d", "psi", 0.25, reference="training", weight=0.05)


def level(figure: Figure, *beside: Figure) -> str:
    return levelled([figure, *beside], LIMITS)[0].level


@pytest.mark.parametrize(
    ("value", "found"), [(0.25, "alarm"), (0.2499, "warning"), (0.1875, "warning"), (0.1874, "ok")]
)
def test_an_alarm_is_at_the_limit_and_a_warning_a_quarter_before(value, found):
    assert level(replace(MOVED, weight=1.0, value=value)) == found


@pytest.mark.parametrize(("weight", "found"), [(0.04, "alarm"), (0.0399, "ok")])
def test_a_move_of_a_feature_that_the_ranking_hardly_uses_does_not_matter(weight, found):
    assert level(replace(MOVED, weight=weight)) == found  # 0.25 · 0.04 is the limit of what matters


def test_all_features_together_have_a_limit_of_their_own():
    assert level(Figure("drift", "model", "psi", 0.1, reference="training", weight=1.0)) == "alarm"


def test_scores_are_judged_against_last_week_and_only_told_against_training():
    scores = Figure("score", "score", "psi", 0.25, reference="last_week", weight=1.0)
    assert level(scores) == "alarm"
    assert level(replace(scores, reference="training", value=9.0)) == "ok"


def test_a_feature_that_is_missing_more_often_by_the_limit_is_an_alarm():
    nulls = Figure("drift", "phone", "null_share", 0.375, reference="last_week", against=0.25, weight=0.005)
    assert level(nulls) == "alarm"
    assert level(replace(nulls, against=0.26)) == "warning"
    assert level(replace(nulls, weight=0.0049)) == "ok"
    assert level(replace(nulls, value=0.3, against=0.4)) == "ok"  # it is missing less often


def test_new_leads_are_named_only_where_chance_is_ruled_out():
    moved = Figure("newcomers", "email_kind", "psi", 2.0, "source=tv", "training", weight=0.05)
    by_chance = Figure("newcomers", "email_kind", "chance", 0.2, "source=tv", "training", low=0.0)
    assert level(moved, by_chance) == "ok"
    assert level(moved, replace(by_chance, value=1e-9, low=1.0)) == "alarm"
    elsewhere = replace(by_chance, value=1e-9, low=1.0, slice="source=fair")
    assert level(moved, elsewhere) == "ok"


def test_the_alarm_names_the_segment_and_the_feature():
    moved = Figure("newcomers", "email_kind", "psi", 2.0, "source=tv", "training", weight=0.05)
    stands = Figure("newcomers", "email_kind", "chance", 1e-9, "source=tv", "training", low=1.0)
    found = verdict(levelled([moved, stands], LIMITS))
    assert found["reasons"] == [
        "new leads of source tv are not what such leads were in training: 'email_kind' (PSI 2.00)"
    ]
    assert (found["level"], found["retrain"]) == ("alarm", False)


def test_skew_beyond_the_limit_is_an_alarm():
    figures = skew.figures({"industry": 0.05, "country": 0.01}, {"industry": 0.02}, rows=1000)
    assert [figure.level for figure in levelled(figures, LIMITS)] == ["ok", "alarm"]  # by name


def test_what_another_part_has_judged_stays_as_it_is():
    judged = replace(MOVED, level="warning", because="mine")
    assert levelled([judged], LIMITS) == (judged,)


def test_drift_from_training_asks_for_training_and_a_move_of_a_week_does_not():
    assert verdict(levelled([MOVED], LIMITS))["retrain"] is True
    assert verdict(levelled([replace(MOVED, reference="last_week")], LIMITS))["retrain"] is False


def test_where_training_again_would_learn_from_a_fault_it_is_not_advised():
    both = [MOVED, replace(MOVED, reference="last_week")]
    found = verdict(levelled(both, LIMITS))
    assert found["retrain"] is False
    assert found["advice"].startswith("see what has changed at the source")


def test_a_warning_does_not_decide_what_an_alarm_asks_for():
    warning = replace(MOVED, reference="last_week", weight=1.0, value=0.2)
    assert verdict(levelled([MOVED, warning], LIMITS))["retrain"] is True


def test_the_worst_comes_first_and_then_what_moves_the_ranking_most():
    quiet, loud = replace(MOVED, subject="b", weight=0.06), replace(MOVED, subject="c", weight=0.3)
    warning = replace(MOVED, subject="a", weight=1.0, value=0.2)
    found = ordered(levelled([warning, quiet, loud], LIMITS))
    assert [figure.subject for figure in found] == ["c", "b", "a"]


def test_a_run_without_findings_is_well():
    found = verdict(levelled([replace(MOVED, value=0.0)], LIMITS))
    assert found == {"level": "ok", "retrain": False, "advice": "nothing to do", "reasons": []}
