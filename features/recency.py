"""How long ago things happened, and whether they speed up or fall silent."""

from __future__ import annotations

import ibis.expr.types as ir

from features.catalogue import feature


@feature(on="leads", says="known for {value:.0f} days")
def lead_age_days(lead: ir.Table) -> ir.Column:
    """Days from the lead's creation to the moment; null if its creation is unknown."""
    return lead.age_days


@feature(on="touches", says="last touch {value:.0f} days ago")
def days_since_last_touch(touch: ir.Table) -> ir.Scalar:
    """Days from the latest touch to the moment; null if never touched."""
    return touch.age_days.min()


@feature(on="touches", says="first touch {value:.0f} days ago")
def days_since_first_touch(touch: ir.Table) -> ir.Scalar:
    """Days from the first touch to the moment; null if never touched."""
    return touch.age_days.max()


@feature(on="touches", per="kind", says="{each}: last {value:.0f} days ago")
def days_since(touch: ir.Table, each: str) -> ir.Scalar:
    """Days from the latest touch of one kind to the moment; null if there was none."""
    return touch.age_days.min(where=touch.kind == each)


@feature(on="touches", says="last touch: {value}", kind="category")
def last_touch_kind(touch: ir.Table) -> ir.Scalar:
    """Kind of the latest touch (of equal moments, the later row of the table); null if never touched."""
    return touch.kind.argmax(touch.latest)


@feature(on="touches", says="a touch every {value:.1f} days on average")
def mean_gap_days(touch: ir.Table) -> ir.Scalar:
    """Mean days between one touch and the next; null with fewer than two touches."""
    return (touch.age_days.max() - touch.age_days.min()) / (touch.count() - 1).nullif(0)


@feature(on="touches", days=90, says="longest silence in {days} days: {value:.0f} days")
def longest_gap_days(touch: ir.Table) -> ir.Scalar:
    """Longest gap that ended in the window, in days; null without one."""
    return touch.gap_days.max()


@feature(on="touches", days=90, says="{value:.0%} of the touches of {days} days fell in the last 7")
def burst_share(touch: ir.Table) -> ir.Scalar:
    """Share of the window's touches that fell in its last 7 days, 0 to 1; null without a touch."""
    return (touch.age_days <= 7).cast("float64").mean()  # noqa: PLR2004  # days of a week
