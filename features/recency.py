"""How long ago things happened, in which rhythm, and whether they speed up or fall silent."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.catalogue import feature
from features.wording import Sentence, ago

WEEK, QUARTER = 7, 90
RECENT_DAYS, FREQUENT_TOUCHES, DEEP_SECONDS = 14, 10, 600
"""From where recency, frequency and depth of an RFM octant count as high."""


@feature(
    on="leads",
    says=Sentence(
        "known for {value:.0f} days", one="known for {value:.0f} day", none="known for less than a day"
    ),
)
def lead_age_days(lead: ir.Table) -> ir.Column:
    """Days from the lead's creation to the moment; null if its creation is unknown."""
    return lead.age_days


@feature(on="touches", says=ago("last touch"))
def days_since_last_touch(touch: ir.Table) -> ir.Scalar:
    """Days from the latest touch to the moment; null if never touched."""
    return touch.age_days.min()


@feature(on="touches", says=ago("first touch"))
def days_since_first_touch(touch: ir.Table) -> ir.Scalar:
    """Days from the first touch to the moment; null if never touched."""
    return touch.age_days.max()


@feature(on="touches", per="kind", says=ago("last {each:kind}"))
def days_since(touch: ir.Table) -> ir.Scalar:
    """Days from the latest touch of one kind to the moment; null if there was none."""
    return touch.age_days.min()


@feature(on="touches", per="kind", says=ago("first {each:kind}"))
def days_since_first(touch: ir.Table) -> ir.Scalar:
    """Days from the first touch of one kind to the moment; null if there was none."""
    return touch.age_days.max()


@feature(on="touches", says=ago("last sign of buying intent"))
def days_since_direct(touch: ir.Table) -> ir.Scalar:
    """Days from the latest touch that says intent to the moment; null if there was none."""
    return touch.age_days.min(where=touch.says == "direct")


@feature(on="touches", says=ago("the lead was last active"))
def days_since_inbound(touch: ir.Table) -> ir.Scalar:
    """Days from the latest touch with direction ``in`` to the moment; null if there was none."""
    return touch.age_days.min(where=touch.direction == "in")


@feature(on="touches", says="last touch: {value:kind}", kind="category")
def last_touch_kind(touch: ir.Table) -> ir.Scalar:
    """Kind of the latest touch (of equal moments, the later row of the table); null if never touched."""
    return touch.kind.argmax(touch.latest)


@feature(on="touches", says="a touch every {value:days} on average")
def mean_gap_days(touch: ir.Table) -> ir.Scalar:
    """Mean days between one touch and the next; null with fewer than two touches."""
    return _mean_gap(touch)


@feature(on="touches", days=QUARTER, says="longest silence that ended {window}: {value:days}")
def longest_gap_days(touch: ir.Table) -> ir.Scalar:
    """Longest gap that ended in the window, in days; null without one."""
    return touch.gap_days.max()


@feature(on="touches", says="time between the last two touches: {value:days}")
def last_gap_days(touch: ir.Table) -> ir.Scalar:
    """Days between the last two touches; null with fewer than two."""
    return touch.gap_days.argmax(touch.latest)


@feature(on="touches", says="touches of the last 30 days are {value} times as far apart as before")
def tempo(touch: ir.Table) -> ir.Scalar:
    """Mean gap of the last 30 days in the mean gap before, from 0; null without both, or over 0."""
    recent = touch.age_days <= 30  # noqa: PLR2004  # days, as the docstring says
    return touch.gap_days.mean(where=recent) / touch.gap_days.mean(where=~recent).nullif(0)


@feature(
    on="touches",
    days=QUARTER,
    says=Sentence(
        "{value:.0%} of the touches {window} fell in the last 7 days",
        none="none of the touches {window} fell in the last 7 days",
    ),
)
def burst_share(touch: ir.Table) -> ir.Scalar:
    """Share of the window's touches that fell in its last 7 days, 0 to 1; null without a touch."""
    return (touch.age_days <= WEEK).cast("int32").mean()


@feature(on="touches", says="silent {value} times as long as usual")
def silence_ratio(touch: ir.Table) -> ir.Scalar:
    """Days since the last touch in the mean gap before it, from 0; null with fewer than two touches."""
    return touch.age_days.min() / _mean_gap(touch).nullif(0)


@feature(on="touches", days=QUARTER, says="touches {window}: {value:octant}", kind="category")
def rfm_octant(touch: ir.Table) -> ir.Scalar:
    """``R``, ``F``, ``M`` if high, else ``r``, ``f``, ``m``; null without a touch in the window.

    High: touched within 14 days; 10 touches or more; 600 measured seconds or more (before the first purchase
    "monetary" is depth of engagement). Hughes (1994), "Strategic Database Marketing".
    """
    return (
        _letter(touch.age_days.min() <= RECENT_DAYS, "R")
        + _letter(touch.count() >= FREQUENT_TOUCHES, "F")
        + _letter(touch.duration_seconds.sum().fill_null(0) >= DEEP_SECONDS, "M")
    )


@feature(
    on="touches",
    says=Sentence(
        "{value:.0%} of the touches fall on a weekend", none="none of the touches falls on a weekend"
    ),
)
def weekend_share(touch: ir.Table) -> ir.Scalar:
    """Share of touches on Saturday or Sunday (UTC), 0 to 1; null without a touch."""
    return (touch.weekday >= 5).cast("int32").mean()  # noqa: PLR2004  # Saturday


@feature(on="touches", says="average time of the touches: {value:hour} UTC")
def mean_hour(touch: ir.Table) -> ir.Scalar:
    """Mean hour of the touches (UTC), 0 to 23; null without a touch."""
    return touch.hour.cast("float64").mean()


@feature(on="touches", says="last touch in the hour from {value:hour} UTC")
def last_hour(touch: ir.Table) -> ir.Scalar:
    """Hour of the latest touch (UTC), 0 to 23; null without a touch."""
    return touch.hour.argmax(touch.latest)


@feature(on="touches", says="weekday of the last touch: {value:weekday}")
def last_weekday(touch: ir.Table) -> ir.Scalar:
    """Weekday of the latest touch (UTC), 0 Monday to 6; null without a touch."""
    return touch.weekday.argmax(touch.latest)


def _mean_gap(touch: ir.Table) -> ir.Scalar:
    return (touch.age_days.max() - touch.age_days.min()) / (touch.count() - 1).nullif(0)


def _letter(is_high: ir.BooleanScalar, letter: str) -> ir.StringScalar:
    return ibis.ifelse(is_high, letter, letter.lower())
