"""Where the lead comes from, which channels take the credit, and what leads from there were worth so far."""

from __future__ import annotations

import ibis.expr.types as ir

from features.catalogue import feature
from features.wording import Sentence, counted

PRIOR_LEADS = 20.0
"""Leads at the rate of everybody that each value is mixed with: a rate of few leads says little.

Micci-Barreca (2001), "A preprocessing scheme for high-cardinality categorical attributes", section 3.
"""


@feature(
    on="peers",
    per="peers",
    says=Sentence(
        "{value:.1%} of earlier leads with the same {each:column} converted",
        none="none of the earlier leads with the same {each:column} converted",
    ),
)
def earlier_rate(peer: ir.Table) -> ir.Column:
    """Conversion rate of mature leads with the same value, smoothed, 0 to 1; null without mature leads.

    (converted + 20 times the rate of all) / (mature + 20), as known at the moment (`features.peers`).
    """
    return _smoothed_rate(peer)


@feature(
    on="peers", per="peers", says=counted("earlier lead", "earlier leads", " with the same {each:column}")
)
def earlier_leads(peer: ir.Table) -> ir.Column:
    """Mature leads with the same value as known at the moment, in leads; null without a value."""
    return peer.mature


@feature(
    on="words",
    per="words",
    says=Sentence(
        "{each:column}: {value:.1%} of earlier leads with its best word converted",
        none="{each:column}: no earlier lead with its best word converted",
    ),
)
def best_word_rate(word: ir.Table) -> ir.Scalar:
    """Greatest conversion rate of mature leads with one word of the text, 0 to 1; null without a word.

    Each word's rate is smoothed as `earlier_rate` is; null also without mature leads.
    """
    return _smoothed_rate(word).max()


@feature(
    on="words",
    per="words",
    says=Sentence(
        "{each:column}: {value:.1%} of earlier leads with its worst word converted",
        none="{each:column}: no earlier lead with its worst word converted",
    ),
)
def worst_word_rate(word: ir.Table) -> ir.Scalar:
    """Least conversion rate of mature leads with one word of the text, 0 to 1; null without a word.

    Each word's rate is smoothed as `earlier_rate` is; null also without mature leads.
    """
    return _smoothed_rate(word).min()


@feature(on="touches", says="first touch at “{value:place}”", kind="category")
def first_place(touch: ir.Table) -> ir.Scalar:
    """Place of the first touch (first-touch attribution; the landing page); null if it was at none."""
    return touch.place.argmin(touch.latest)


@feature(on="touches", says="last touch at “{value:place}”", kind="category")
def last_place(touch: ir.Table) -> ir.Scalar:
    """Place of the latest touch (last-touch attribution); null if it was at none."""
    return touch.place.argmax(touch.latest)


@feature(
    on="touches",
    per="place",
    says=Sentence("{value:.0%} of all touches were at “{each:place}”", none="no touch was at “{each:place}”"),
)
def place_share(touch: ir.Table) -> ir.Scalar:
    """Share of the lead's touches at one place (linear attribution), 0 to 1; null without a touch there."""
    return touch.count() / touch.facts_known.max()


@feature(on="touches", says="first campaign: {value}", kind="category")
def first_campaign(touch: ir.Table) -> ir.Scalar:
    """Campaign of the first touch that has one (first-touch attribution); null without one."""
    return touch.campaign.argmin(touch.latest, where=touch.campaign.notnull())


@feature(on="touches", says="last campaign: {value}", kind="category")
def last_campaign(touch: ir.Table) -> ir.Scalar:
    """Campaign of the latest touch that has one (last-touch attribution); null without one."""
    return touch.campaign.argmax(touch.latest, where=touch.campaign.notnull())


@feature(on="touches", says="first searched for: {value}", kind="category")
def first_keyword(touch: ir.Table) -> ir.Scalar:
    """Search keyword of the first touch that has one; null without one."""
    return touch.keyword.argmin(touch.latest, where=touch.keyword.notnull())


@feature(on="touches", says="last searched for: {value}", kind="category")
def last_keyword(touch: ir.Table) -> ir.Scalar:
    """Search keyword of the latest touch that has one; null without one."""
    return touch.keyword.argmax(touch.latest, where=touch.keyword.notnull())


@feature(
    on="touches",
    days=90,
    empty=0,
    says=Sentence(
        "reached by {value} campaigns {window}",
        one="reached by {value} campaign {window}",
        none="reached by no campaign {window}",
    ),
)
def distinct_campaigns(touch: ir.Table) -> ir.Scalar:
    """Different campaigns of the touches in the window, in campaigns; 0 if none."""
    return touch.campaign.nunique()


def _smoothed_rate(same: ir.Table) -> ir.Column:
    everybody = same.all_converted / same.all_mature.nullif(0)
    return (same.converted + PRIOR_LEADS * everybody) / (same.mature + PRIOR_LEADS)
