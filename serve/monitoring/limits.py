"""From where on drift is a warning or an alarm: part of ``monitor`` in ``params.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Distance: TypeAlias = Annotated[float, Field(gt=0)]
Least: TypeAlias = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class DriftLimits:
    """The limits of drift; an alarm is at the limit, a warning a quarter before it.

    Attributes
    ----------
    drift
        Population stability index from which on a feature, or the score, has moved.
    matters
        Index times the feature's share of all contributions, from which on a move matters.
    model_drift
        Mean index of all features, weighted by these shares.
    null_rise, unseen_rise
        By how much the share of leads without a value, or with a category of its own in none of the bins, may
        have risen.
    least_share
        Share of all contributions below which such a rise does not matter, and nothing is asked of new leads.
    false_alarms
        Of the features that are named among new leads, the share that is so by chance alone, at most.
    min_leads
        New leads of a segment without which nothing is said of it.
    skew
        Share of leads whose feature, rebuilt for the moment of an earlier run, may differ from that run's.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    drift: Distance = 0.25
    matters: Distance = 0.01
    model_drift: Distance = 0.1
    null_rise: Share = 0.1
    unseen_rise: Share = 0.1
    least_share: Share = 0.005
    false_alarms: Share = 0.01
    min_leads: Least = 10
    skew: Share = 0.05
