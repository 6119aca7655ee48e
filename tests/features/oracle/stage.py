"""The stage family, from its manual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.features.oracle.behaviour import count
from tests.features.oracle.recency import buying_stage
from tests.features.oracle.world import Seen, mean, steps

COMMON_STAGES = ("won", "reopened", "returned")
"""Values that get a feature of their own."""


def stage(seen: Seen) -> Iterator[tuple[str, Any]]:
    """Name and value of each feature."""
    told = seen.outcomes
    yield "latest_stage", told[-1]["stage"] if told else None
    yield "stages_reached", len(told)
    yield "days_in_stage", seen.age(told[-1]) if told else None
    for name in COMMON_STAGES:
        reached = [seen.age(outcome) for outcome in told if outcome["stage"] == name]
        yield f"days_since_stage[{name}]", min(reached, default=None)
    yield "days_to_first_stage", seen.after_creation(told[0]) if told else None
    yield "mean_stage_days", mean([gap for *_, gap in steps(told)])
    back = [gap for _, outcome, gap in steps(told) if outcome["stage"] == "returned"]
    soon = sum(gap <= seen.world.words.returned_days for gap in back)
    yield "returned_at_once", count(told, "stage", "returned_at_once") + soon
    late = len(back) - soon
    yield "returned_after_follow_up", count(told, "stage", "returned_after_follow_up") + late
    yield "reopened", count(told, "stage", "reopened")
    yield "buying_stage_30d", buying_stage(seen)
