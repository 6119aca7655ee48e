"""How many leads an experiment needs, and what is known after it: by published figures and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from models.experiments import FEWEST_OUTCOMES, Group, compared, mismatch, needed


@pytest.mark.parametrize(
    ("base", "lift", "power", "each"),
    [
        (0.05, 0.2, 0.8, 8158),  # power.prop.test of R: 8157.2
        (0.5, 0.5, 0.9, 77),  # its manual: 76.7 for .50 and .75
        (0.1, 0.5, 0.8, 686),  # and 685.6
    ],
)
def test_groups_are_as_large_as_r_says(base, lift, power, each):
    assert needed(base, lift, power=power) == (each, each)


def test_a_small_control_group_costs_leads_and_the_shares_are_kept():
    treated, control = needed(0.05, 0.2, share=0.1)
    assert treated / control == pytest.approx(9, rel=1e-3)
    assert treated + control > sum(needed(0.05, 0.2))


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_an_experiment_of_the_size_sees_the_lift_as_often_as_was_asked(share):
    treated, control = needed(0.1, 0.3, share=share)
    random = np.random.default_rng(1)
    one, other = random.binomial(treated, 0.13, 4000) / treated, random.binomial(control, 0.1, 4000) / control
    mean = (one * treated + other * control) / (treated + control)
    z = (one - other) / np.sqrt(mean * (1 - mean) * (1 / treated + 1 / control))
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("asked", [(0.0, 0.2), (1.0, 0.2), (0.5, 1.0), (0.5, 0.0)])
def test_what_is_no_rate_or_no_lift_has_no_size(asked):
    with pytest.raises(ValueError, match="rates"):
        needed(*asked)


def test_the_intervals_hold_the_truth_in_nineteen_of_twenty_experiments():
    random, hits = np.random.default_rng(2), []
    for _ in range(1500):
        found = compared(Group(900, random.binomial(900, 0.08)), Group(300, random.binomial(300, 0.06)))
        if found["ratio"] is not None:
            hits.append(
                (
                    found["difference"]["low"] <= 0.02 <= found["difference"]["high"],
                    found["ratio"]["low"] <= 0.08 / 0.06 <= found["ratio"]["high"],
                )
            )
    assert np.mean(hits, axis=0) == pytest.approx([0.95, 0.95], abs=0.02)


def test_nothing_is_told_of_groups_with_a_handful_of_outcomes():
    enough = Group(100, FEWEST_OUTCOMES)
    assert compared(enough, enough)["ratio"]["value"] == 1
    assert compared(enough, Group(100, FEWEST_OUTCOMES - 1))["ratio"] is None
    assert compared(enough, Group(100, 100 - FEWEST_OUTCOMES + 1))["difference"] is None


def test_unequal_groups_are_judged_by_chi_square():
    found = mismatch(880, 120, 0.1)
    assert found["p_value"] == pytest.approx(chisquare([880, 120], [900, 100]).pvalue)
    assert found["expected"] == pytest.approx(100)
    assert mismatch(0, 0, 0.1)["p_value"] is None
