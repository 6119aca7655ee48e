"""What was known of the lead before it was a lead: the anonymous visits that its identity brought along."""

from __future__ import annotations

import ibis.expr.types as ir

from features.catalogue import feature
from features.wording import Sentence, counted


@feature(on="touches", empty=0, says=counted("visit", "visits", " before we knew who it was"))
def anonymous_touches(touch: ir.Table) -> ir.Scalar:
    """Touches of visitors that were linked to the lead later, in touches; 0 if none is known."""
    return touch.count(where=touch.is_anonymous)


@feature(
    on="touches",
    says=Sentence("{value:.0%} of the touches were anonymous", none="none of the touches was anonymous"),
)
def anonymous_share(touch: ir.Table) -> ir.Scalar:
    """Share of anonymous touches, 0 to 1; null without a touch."""
    return touch.is_anonymous.cast("int32").mean()


@feature(on="touches", says="first touch {value:from_creation}")
def interest_days(touch: ir.Table) -> ir.Scalar:
    """Days from the first touch to the lead's creation; below 0 if the first came later; null if unknown."""
    return 0 - touch.days_after_creation.min()


@feature(on="touches", empty=0, says=counted("touch", "touches", " before becoming a lead"))
def places_before(touch: ir.Table) -> ir.Scalar:
    """Touches before the lead's creation, in touches; 0 if none is known."""
    return touch.count(where=touch.days_after_creation < 0)


@feature(
    on="touches",
    empty=0,
    says=counted("sign of buying intent", "signs of buying intent", " before becoming a lead"),
)
def direct_before(touch: ir.Table) -> ir.Scalar:
    """Touches that say intent before the lead's creation, in touches; 0 if none is known."""
    return touch.count(where=(touch.says == "direct") & (touch.days_after_creation < 0))
