"""What the lead did and what was done: visits, opens, forms, calls, meetings."""

from __future__ import annotations

import ibis.expr.types as ir

from features.catalogue import feature

WINDOWS = (7, 30, 90, None)


@feature(on="touches", days=(7, 30, 90), empty=0, says="{value:.0f} touches in the last {days} days")
def touches(touch: ir.Table) -> ir.Scalar:
    """Touches of any kind in the window, in touches; 0 if none."""
    return touch.count()


@feature(on="touches", empty=0, says="{value:.0f} touches so far")
def touches_ever(touch: ir.Table) -> ir.Scalar:
    """Touches of any kind so far, in touches; 0 if none."""
    return touch.count()


@feature(
    on="touches", per="kind", days=(7, 30, 90), empty=0, says="{each}: {value:.0f} in the last {days} days"
)
def kind_touches(touch: ir.Table, each: str) -> ir.Scalar:
    """Touches of one kind in the window, in touches; 0 if none."""
    return touch.count(where=touch.kind == each)


@feature(on="touches", per="kind", empty=0, says="{each}: {value:.0f} so far")
def kind_touches_ever(touch: ir.Table, each: str) -> ir.Scalar:
    """Touches of one kind so far, in touches; 0 if none."""
    return touch.count(where=touch.kind == each)


@feature(on="touches", days=(7, 30, 90), empty=0, says="active on {value:.0f} of the last {days} days")
def active_days(touch: ir.Table) -> ir.Scalar:
    """Days of the window with a touch, counted back from the moment, in days; 0 if none."""
    return touch.age_days.ceil().nunique()  # a day, too, begins with its first moment: [as_of - 1 day, as_of)


@feature(on="touches", days=(30, 90), empty=0, says="{value:.0f} different kinds of touch in {days} days")
def distinct_kinds(touch: ir.Table) -> ir.Scalar:
    """Different kinds of touch in the window, in kinds; 0 if none."""
    return touch.kind.nunique()


@feature(on="touches", days=30, says="{value:.0%} of the touches in {days} days came from the lead")
def inbound_share(touch: ir.Table) -> ir.Scalar:
    """Share of touches with direction ``in`` in the window, 0 to 1; null without a touch."""
    # Not of the numbers 1.0 and 0.0: Spark takes them for decimals and rounds their mean to five places.
    return (touch.direction == "in").fill_null(False).cast("float64").mean()  # noqa: FBT003  # a value


@feature(on="touches", days=(30, 90), says="{value:.0f} seconds of calls, visits and meetings in {days} days")
def duration_seconds(touch: ir.Table) -> ir.Scalar:
    """Summed duration of the touches in the window, in seconds; null if none was measured."""
    return touch.duration_seconds.sum()
