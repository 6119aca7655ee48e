"""How far the lead has come in the funnel."""

from __future__ import annotations

import ibis.expr.types as ir

from features.catalogue import feature


@feature(on="outcomes", says="latest stage: {value}", kind="category")
def latest_stage(outcome: ir.Table) -> ir.Scalar:
    """Stage reached last (of equal moments, the later row of the table); null before the first."""
    return outcome.stage.argmax(outcome.latest)


@feature(on="outcomes", empty=0, says="{value:.0f} stages so far")
def stages_reached(outcome: ir.Table) -> ir.Scalar:
    """Stage changes so far, in changes; 0 before the first."""
    return outcome.count()


@feature(on="outcomes", says="in its stage for {value:.0f} days")
def days_in_stage(outcome: ir.Table) -> ir.Scalar:
    """Days since the latest stage change; null before the first."""
    return outcome.age_days.min()
