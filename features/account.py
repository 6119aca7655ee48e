"""The buying committee: what the other leads and contacts of the same account do, and how it ended before."""

from __future__ import annotations

import ibis.expr.types as ir

from features.catalogue import feature
from features.wording import ago, counted, times, weighed


@feature(on="account_touches", days=(30, 90), empty=0, says=counted("active colleague", "active colleagues"))
def active_colleagues(touch: ir.Table) -> ir.Scalar:
    """Other leads of the account with a touch in the window, in leads; 0 if none."""
    return touch.lead_id.nunique()


@feature(
    on="account_touches",
    days=(7, 30, 90),
    empty=0,
    says=counted("touch", "touches", " with colleagues {window}"),
)
def colleague_touches(touch: ir.Table) -> ir.Scalar:
    """Touches of the account's other leads in the window, in touches; 0 if none."""
    return touch.count()


@feature(on="account_touches", days=90, says=ago("a colleague was last active"))
def days_since_colleague(touch: ir.Table) -> ir.Scalar:
    """Days since the latest touch of another lead of the account; null if there was none in the window."""
    return touch.age_days.min()


@feature(
    on="account_touches",
    days=90,
    empty=0,
    says=counted("sign of buying intent from colleagues", "signs of buying intent from colleagues"),
)
def colleague_direct_touches(touch: ir.Table) -> ir.Scalar:
    """Touches of the account's other leads that say intent, in the window, in touches; 0 if none."""
    return touch.count(where=touch.says == "direct")


@feature(
    on="account_touches",
    empty=0,
    says=weighed("colleagues' activity weighs"),
)
def account_weight(touch: ir.Table) -> ir.Scalar:
    """Tag weights of all touches of the account's other leads, summed; 0 if none."""
    return touch.weight_now.sum()


@feature(
    on="account_touches",
    days=90,
    empty=0,
    says=counted("role in the purchase active", "roles in the purchase active"),
)
def roles_covered(touch: ir.Table) -> ir.Scalar:
    """Different roles (user, selector, decider …) of the account's active contacts, in roles; 0 if none."""
    return touch.role.nunique()


@feature(on="touches", days=90, empty=0, says=counted("active contact person", "active contact persons"))
def active_contacts(touch: ir.Table) -> ir.Scalar:
    """Different contacts of the lead with a touch in the window, in contacts; 0 if none is named."""
    return touch.contact_id.nunique()


@feature(on="account_leads", empty=0, says=counted("other lead", "other leads", " at the same company"))
def colleagues(lead: ir.Table) -> ir.Scalar:
    """Other leads of the account that were there before the moment, in leads; 0 if none."""
    return lead.count()


@feature(
    on="account_leads",
    days=90,
    empty=0,
    says=counted("new lead", "new leads", " at the same company {window}"),
)
def new_colleagues(lead: ir.Table) -> ir.Scalar:
    """Other leads of the account created in the window, in leads; 0 if none."""
    return lead.count()


@feature(
    on="account_outcomes", empty=0, says=times("the company has bought", "the company has not bought yet")
)
def account_wins(outcome: ir.Table) -> ir.Scalar:
    """Wins of the account's other leads known before the moment, in wins; 0 if none."""
    return outcome.count(where=outcome.stage == "won")


@feature(on="account_outcomes", empty=0, says=counted("lost deal", "lost deals", " with the company"))
def account_losses(outcome: ir.Table) -> ir.Scalar:
    """Losses of the account's other leads known before the moment, in losses; 0 if none."""
    return outcome.count(where=outcome.stage == "lost")


@feature(on="account_outcomes", says="latest stage of a colleague: {value:stage}", kind="category")
def colleague_stage(outcome: ir.Table) -> ir.Scalar:
    """Stage that another lead of the account reached last; null if none did."""
    return outcome.stage.argmax(outcome.latest)
