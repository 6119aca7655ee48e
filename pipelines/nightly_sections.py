"""The sections of ``params.yaml`` for what runs every night unwatched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from pipelines.sections import Name, Section, Share
from serve.gates.limits import Limits

Days = Annotated[float, Field(gt=0)]
Distance = Annotated[float, Field(gt=0)]
USUAL = Limits()


class Gates(Section):
    """Figures beyond which a ranking is not published: see `serve.gates.limits.Limits`."""

    rows_fall: Share = USUAL.rows_fall
    freshness_days: Mapping[Name, Days] = {}
    null_rise: Share = USUAL.null_rise
    unseen_rise: Share = USUAL.unseen_rise
    drift: Distance = USUAL.drift
    category_drift: Distance = USUAL.category_drift
    score_drift: Distance = USUAL.score_drift
    churn: Share = USUAL.churn
    ties: Share = USUAL.ties
    model_age_days: Days = USUAL.model_age_days
    skew: Share = USUAL.skew

    @property
    def limits(self) -> Limits:
        """As the gates take them."""
        return Limits(**self.model_dump())
