"""Two groups of leads: how many are needed to see a difference, and what is known of it afterwards.

Rates of conversion in a treated and a control group; everything is by intention to treat: a lead belongs to
the group that it was drawn into, whatever was done with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from models.audit.association import wilson

LEVEL, POWER = 0.95, 0.8
FEWEST_OUTCOMES = 10
"""Converted and not converted leads of each group without which no difference is told."""
MISMATCHED = 0.001
"""Chance under which an unequal split is no accident: small, for it is looked at often."""


@dataclass(frozen=True)
class Group:
    """Leads of a group that can be judged, and how many of them converted."""

    leads: int
    converted: int

    @property
    def rate(self) -> float:
        """Share that converted; 0 of nobody."""
        return self.converted / self.leads if self.leads else 0.0

    @property
    def has_enough(self) -> bool:
        """Whether the intervals below hold."""
        return min(self.converted, self.leads - self.converted) >= FEWEST_OUTCOMES


def needed(
    base_rate: float, lift: float, *, share: float = 0.5, power: float = POWER, alpha: float = 1 - LEVEL
) -> tuple[int, int]:
    """How many treated and control leads show a lift, if it is there.

    Parameters
    ----------
    base_rate
        Rate of the control group, between 0 and 1.
    lift
        Rise that must not be missed, as a share of the base rate (0.2: from 5 % to 6 %); not 0.
    share
        Part of all leads that is the control group, between 0 and 1.
    power
        Chance to see the lift if it is as large.
    alpha
        Chance to see one where there is none, on both sides.

    Returns
    -------
    tuple
        Treated leads, control leads.

    Notes
    -----
    Normal approximation with the pooled variance under no difference, groups of unequal size, without the
    correction for continuity (Fleiss, Levin and Paik 2003, *Statistical Methods for Rates and Proportions*,
    3rd edition, chapter 4).

    Examples
    --------
    >>> needed(0.05, 0.2)
    (8158, 8158)
    """
    raised = base_rate * (1 + lift)
    if not (0 < base_rate < 1 and 0 < raised < 1 and lift and 0 < share < 1):
        raise ValueError("rates lie between 0 and 1, and a lift is not 0")
    times = (1 - share) / share  # treated leads to one of the control group
    mean = (base_rate + times * raised) / (1 + times)
    none, some = NormalDist().inv_cdf(1 - alpha / 2), NormalDist().inv_cdf(power)
    under_none = none * math.sqrt((1 + times) * mean * (1 - mean))
    under_some = some * math.sqrt(times * base_rate * (1 - base_rate) + raised * (1 - raised))
    control = (under_none + under_some) ** 2 / (times * (raised - base_rate) ** 2)
    return math.ceil(control * times), math.ceil(control)


def compared(treated: Group, control: Group, *, level: float = LEVEL) -> Mapping[str, Any]:
    """What the treatment did to the rate.

    Returns
    -------
    dict
        ``difference`` and ``ratio``, each with ``value``, ``low``, ``high``; None where a group has fewer
        than `FEWEST_OUTCOMES` leads of either outcome.

    Notes
    -----
    Difference: the score interval of Newcombe 1998, *Interval estimation for the difference between
    independent proportions*, method 10 (the example is his). Ratio: its logarithm is taken as normal (Katz,
    Baptista, Azen and Pike 1978, *Obtaining confidence intervals for the risk ratio in cohort studies*).

    Examples
    --------
    >>> found = compared(Group(70, 56), Group(80, 48))["difference"]
    >>> [round(found[name], 4) for name in ("value", "low", "high")]
    [0.2, 0.0524, 0.3339]
    """
    if not (treated.has_enough and control.has_enough):
        return {"difference": None, "ratio": None}
    z = NormalDist().inv_cdf((1 + level) / 2)
    one, other = treated.rate, control.rate
    (low, low_other), (high, high_other) = wilson(
        np.array([float(treated.converted), float(control.converted)]),
        np.array([float(treated.leads), float(control.leads)]),
        z=z,
    )
    gain = one - other
    ratio = one / other
    spread = math.exp(z * math.sqrt((1 - one) / treated.converted + (1 - other) / control.converted))
    return {
        "difference": {
            "value": gain,
            "low": gain - math.hypot(one - low, high_other - other),
            "high": gain + math.hypot(high - one, other - low_other),
        },
        "ratio": {"value": ratio, "low": ratio / spread, "high": ratio * spread},
    }


def mismatch(treated: int, control: int, share: float) -> Mapping[str, Any]:
    """Whether the groups are as large as they were drawn: if not, leads were lost on one side.

    Parameters
    ----------
    treated, control
        Leads drawn into either group.
    share
        Part of all leads that is the control group.

    Returns
    -------
    dict
        ``expected`` (control leads), ``p_value``, ``is_mismatched``.

    Notes
    -----
    Pearson's chi-square with one degree of freedom (Fabijan et al. 2019, *Diagnosing sample ratio mismatch in
    online controlled experiments*).

    >>> mismatch(900, 100, 0.1)["is_mismatched"], mismatch(950, 50, 0.1)["is_mismatched"]
    (False, True)
    """
    every = treated + control
    if not every:
        return {"expected": 0.0, "p_value": None, "is_mismatched": False}
    expected = every * share
    statistic = (control - expected) ** 2 / (every * share * (1 - share))
    p_value = math.erfc(math.sqrt(statistic / 2))
    return {"expected": expected, "p_value": p_value, "is_mismatched": p_value < MISMATCHED}
