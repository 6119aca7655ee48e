"""The buying committee: what the other leads and contacts of the same account do, and how it ended before."""

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


@feature(
    on="account_touches", days=90, empty=0, says="{value:.0f} signs of intent by colleagues in {days} days"
)
def colleague_direct_touches(touch: ir.Table) -> ir.Scalar:
    """Touches of the account's other leads that say intent, in the window, in touches; 0 if none."""
    return touch.count(where=touch.says == "direct")


@feature(on="account_touches", empty=0, says="weight of the colleagues' touches today: {value:.2f}")
def account_weight(touch: ir.Table) -> ir.Scalar:
    """Tag weights of all touches of the account's other leads, summed; 0 if none."""
    return touch.weight_now.sum()


@feature(
    on="account_touches", days=90, empty=0, says="{value:.0f} roles of the purchase active in {days} days"
)
def roles_covered(touch: ir.Table) -> ir.Scalar:
    """Different roles (user, selector, decider …) of the account's active contacts, in roles; 0 if none."""
    return touch.role.nunique()


@feature(on="touches", days=90, empty=0, says="{value:.0f} active contacts in {days} days")
def active_contacts(touch: ir.Table) -> ir.Scalar:
    """Different contacts of the lead with a touch in the window, in contacts; 0 if none is named."""
    return touch.contact_id.nunique()


@feature(on="account_leads", empty=0, says="{value:.0f} other leads of the account")
def colleagues(lead: ir.Table) -> ir.Scalar:
    """Other leads of the account that were there before the moment, in leads; 0 if none."""
    return lead.count()


@feature(on="account_leads", days=90, empty=0, says="{value:.0f} new leads of the account in {days} days")
def new_colleagues(lead: ir.Table) -> ir.Scalar:
    """Other leads of the account created in the window, in leads; 0 if none."""
    return lead.count()


@feature(on="account_outcomes", empty=0, says="the account has bought {value:.0f} times")
def account_wins(outcome: ir.Table) -> ir.Scalar:
    """Wins of the account's other leads known before the moment, in wins; 0 if none."""
    return outcome.count(where=outcome.stage == "won")


@feature(on="account_outcomes", empty=0, says="the account was lost {value:.0f} times")
def account_losses(outcome: ir.Table) -> ir.Scalar:
    """Losses of the account's other leads known before the moment, in losses; 0 if none."""
    return outcome.count(where=outcome.stage == "lost")


@feature(on="account_outcomes", says="latest stage of a colleague: {value}", kind="category")
def colleague_stage(outcome: ir.Table) -> ir.Scalar:
    """Stage that another lead of the account reached last; null if none did."""
    return outcome.stage.argmax(outcome.latest)
