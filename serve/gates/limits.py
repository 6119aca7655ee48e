"""How far a night may lie from the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """Figures beyond which a gate stays shut.

    Attributes
    ----------
    rows_fall
        Share of a table's rows, or of the ranked leads, that may be gone since the run before.
    freshness_days
        Days without a new fact by table; for others one and a half times the longest silence of the ninety
        days before, and at least one day.
    null_rise
        By how much the share of leads without a value of a feature may rise.
    unseen_rise
        By how much the share of leads with a category that training did not know may rise.
    drift
        Population stability index of a number: a storm, not a weekend that makes every touch two days older.
    category_drift
        Jensen-Shannon divergence of a category, in bits.
    score_drift
        Population stability index of the score, if the same model ranked.
    churn
        Share of the first tenth of the ranking that others may take though data and model are the same.
    ties
        Share of the leads that may have one score.
    model_age_days
        Days since the end of the history that the model has learned from.
    skew
        Share of leads whose feature, rebuilt for the moment of the run before, may differ from that run's.
    """

    rows_fall: float = 0.2
    freshness_days: Mapping[str, float] = field(default_factory=dict)
    null_rise: float = 0.3
    unseen_rise: float = 0.2
    drift: float = 1.0
    category_drift: float = 0.25
    score_drift: float = 0.25
    churn: float = 0.2
    ties: float = 0.5
    model_age_days: float = 400.0
    skew: float = 0.1
