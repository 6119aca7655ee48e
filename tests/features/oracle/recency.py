"""The recency family, from its manual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.features.oracle.behaviour import COMMON_KINDS, count
from tests.features.oracle.world import Seen, mean, present, share, steps
from tests.features.random_history import DAY


def recency(seen: Seen) -> Iterator[tuple[str, Any]]:
    """Name and value of each feature."""
    created = seen.lead["created_at"]
    yield "lead_age_days", None if created is None else (seen.as_of - created) / DAY
    yield from ages(seen)
    yield from rhythm(seen)
    yield from clock(seen)
    yield "rfm_octant_90d", octant(seen)


def ages(seen: Seen) -> Iterator[tuple[str, Any]]:
    touches = seen.touches
    yield "days_since_last_touch", min((seen.age(t) for t in touches), default=None)
    yield "days_since_first_touch", max((seen.age(t) for t in touches), default=None)
    for kind in COMMON_KINDS:
        of_kind = [seen.age(touch) for touch in touches if touch["kind"] == kind]
        yield f"days_since[{kind}]", min(of_kind, default=None)
        yield f"days_since_first[{kind}]", max(of_kind, default=None)
    yield "days_since_direct", min((seen.age(t) for t in touches if t["says"] == "direct"), default=None)
    yield "days_since_inbound", min((seen.age(t) for t in touches if t["direction"] == "in"), default=None)
    yield "last_touch_kind", touches[-1]["kind"] if touches else None


def rhythm(seen: Seen) -> Iterator[tuple[str, Any]]:
    gaps = [(seen.age(touch), gap) for _, touch, gap in steps(seen.touches)]
    usual = mean([gap for _, gap in gaps])
    yield "mean_gap_days", usual
    yield "longest_gap_days_90d", max((gap for age, gap in gaps if age <= 90), default=None)
    yield "last_gap_days", gaps[-1][1] if gaps else None
    recent = mean([gap for age, gap in gaps if age <= 30])
    yield "tempo", share(recent, mean([gap for age, gap in gaps if age > 30]))
    yield "silence_ratio", share(seen.age(seen.touches[-1]), usual) if seen.touches else None
    quarter = seen.last(90, seen.touches)
    yield "burst_share_90d", share(len(seen.last(7, quarter)), len(quarter))


def clock(seen: Seen) -> Iterator[tuple[str, Any]]:
    moments = [touch["occurred_at"] for touch in seen.touches]
    yield "weekend_share", mean([moment.isoweekday() in (6, 7) for moment in moments])
    yield "mean_hour", mean([moment.hour for moment in moments])
    yield "last_hour", moments[-1].hour if moments else None
    yield "last_weekday", moments[-1].isoweekday() - 1 if moments else None


def octant(seen: Seen) -> str | None:
    """Touched within 14 days; 10 touches or more; 600 measured seconds or more."""
    quarter = seen.last(90, seen.touches)
    if not quarter:
        return None
    is_recent = bool(seen.last(14, quarter))
    is_deep = sum(present(quarter, "duration_seconds")) >= 600
    return f"{'R' if is_recent else 'r'}{'F' if len(quarter) >= 10 else 'f'}{'M' if is_deep else 'm'}"


def buying_stage(seen: Seen) -> str | None:
    """Where the actions of 30 days point."""
    month = seen.last(30, seen.touches)
    if not month:
        return None
    if count(month, "says", "direct"):
        return "decision"
    if any(touch["means"] in ("download", "event", "form", "meeting") for touch in month):
        return "evaluation"
    return "interest" if count(month, "says", "contextual") else "unclear"
