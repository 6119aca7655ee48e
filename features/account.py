"""The buying committee: what the other leads of the same account do."""

from __future__ import annotations

import ibis.expr.types as ir

from features.catalogue import feature


@feature(on="account_touches", days=(30, 90), empty=0, says="{value:.0f} active colleagues in {days} days")
def active_colleagues(touch: ir.Table) -> ir.Scalar:
    """Other leads of the account with a touch in the window, in leads; 0 if none."""
    return touch.lead_id.nunique()


@feature(
    on="account_touches", days=(7, 30, 90), empty=0, says="{value:.0f} touches by colleagues in {days} days"
)
def colleague_touches(touch: ir.Table) -> ir.Scalar:
    """Touches of the account's other leads in the window, in touches; 0 if none."""
    return touch.count()


@feature(on="account_touches", days=90, says="a colleague was last active {value:.0f} days ago")
def days_since_colleague(touch: ir.Table) -> ir.Scalar:
    """Days since the latest touch of another lead of the account; null if there was none in the window."""
    return touch.age_days.min()
