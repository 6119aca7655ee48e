"""The section ``monitor`` of ``params.yaml``: what is looked at after a night, and what is an alarm."""

from __future__ import annotations

from dataclasses import fields
from typing import Literal

from pipelines.sections import Section
from serve.monitoring.estimated import EstimatedLimits
from serve.monitoring.limits import Distance, DriftLimits, Least, Share
from serve.monitoring.realised import RealisedLimits

USUAL = DriftLimits()


class Monitor(Section):
    """What `leadrank monitor` looks at; for all that is not named here see `DriftLimits`.

    Attributes
    ----------
    at_score
        Whether `leadrank score` monitors each ranking that it publishes.
    fail_on
        Level from which on `leadrank monitor` ends with code 4; None: it never does.
    realised, estimated
        See `serve.monitoring.realised.RealisedLimits` and `serve.monitoring.estimated.EstimatedLimits`.
    """

    at_score: bool = True
    fail_on: Literal["warning", "alarm"] | None = "alarm"
    drift: Distance = USUAL.drift
    matters: Distance = USUAL.matters
    model_drift: Distance = USUAL.model_drift
    null_rise: Share = USUAL.null_rise
    unseen_rise: Share = USUAL.unseen_rise
    least_share: Share = USUAL.least_share
    false_alarms: Share = USUAL.false_alarms
    min_leads: Least = USUAL.min_leads
    skew: Share = USUAL.skew
    realised: RealisedLimits = RealisedLimits()
    estimated: EstimatedLimits = EstimatedLimits()

    @property
    def limits(self) -> DriftLimits:
        """As drift is judged."""
        return DriftLimits(**{part.name: getattr(self, part.name) for part in fields(DriftLimits)})
