"""The behaviour family, from its manual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.features.oracle.world import Seen, mean, present, share, steps
from tests.features.random_history import Rows

COMMON_KINDS, COMMON_PLACES = ("email_open", "email_sent", "call"), ("pricing", "blog")
"""Values that get features of their own."""


def behaviour(seen: Seen) -> Iterator[tuple[str, Any]]:
    """Name and value of each feature."""
    yield from counts(seen)
    yield from of_values(seen)
    yield from in_sequence(seen)
    for days in (7, 30, 90):
        touches = seen.last(days, seen.touches)
        lasted = present(touches, "duration_seconds")
        yield f"active_days_{days}d", len({days_back(seen.age(touch)) for touch in touches})
        yield f"duration_seconds_{days}d", sum(lasted) if lasted else None
        if days > 7:
            yield f"distinct_kinds_{days}d", len(set(present(touches, "kind")))
            yield f"distinct_places_{days}d", len(set(present(touches, "place")))
            yield f"longest_seconds_{days}d", max(lasted, default=None)
    yield "mean_seconds", mean(present(seen.touches, "duration_seconds"))
    yield from rates(seen)
    yield "tag_weight", sum(seen.weight(touch) for touch in seen.touches)
    yield "top_place_90d", top_place(seen)


def days_back(age: float) -> int:
    """Number of the day back from the moment: day 0 is ``[as_of - 1 day, as_of)``."""
    return int(age) - (age == int(age))


def counts(seen: Seen) -> Iterator[tuple[str, Any]]:
    for days in (1, 7, 30, 90):
        touches = seen.last(days, seen.touches)
        yield f"touches_{days}d", len(touches)
        if days > 1:
            yield f"inbound_touches_{days}d", count(touches, "direction", "in")
            yield f"direct_touches_{days}d", count(touches, "says", "direct")
            yield f"contextual_touches_{days}d", count(touches, "says", "contextual")
        if days > 7:
            yield f"negative_touches_{days}d", count(touches, "says", "negative")
            yield f"social_touches_{days}d", count(touches, "means", "social")
    yield "touches_ever", len(seen.touches)


def of_values(seen: Seen) -> Iterator[tuple[str, Any]]:
    for kind in COMMON_KINDS:
        for days in (1, 7, 30, 90):
            yield f"kind_touches[{kind}]_{days}d", count(seen.last(days, seen.touches), "kind", kind)
        yield f"kind_touches_ever[{kind}]", count(seen.touches, "kind", kind)
    for place in COMMON_PLACES:
        for days in (7, 30, 90):
            yield f"place_touches[{place}]_{days}d", count(seen.last(days, seen.touches), "place", place)
        yield f"place_touches_ever[{place}]", count(seen.touches, "place", place)
        yield f"place_weight[{place}]", weight_at(seen, seen.touches, place)


def rates(seen: Seen) -> Iterator[tuple[str, Any]]:
    month, quarter = seen.last(30, seen.touches), seen.last(90, seen.touches)
    yield "inbound_share_30d", share(count(month, "direction", "in"), len(month))
    direct = count(quarter, "says", "direct")
    yield "direct_share_90d", share(direct, direct + count(quarter, "says", "contextual"))
    sent = count(quarter, "means", "email_sent")
    yield "email_open_rate_90d", share(count(quarter, "means", "email_open"), sent)
    yield "email_click_rate_90d", share(count(quarter, "means", "email_click"), sent)


def in_sequence(seen: Seen) -> Iterator[tuple[str, Any]]:
    opens = [before for before, touch, _ in steps(seen.touches) if touch["means"] == "email_open"]
    yield "opens_after_download", count(opens, "means", "download")
    yield "opens_again", count(opens, "means", "email_open")
    answers = [(touch, gap) for before, touch, gap in steps(seen.touches) if is_answer(before, touch)]
    recent = [gap for touch, gap in answers if seen.age(touch) <= 90]
    yield "answers_90d", len(recent)
    yield "answer_days_90d", mean(recent)


def is_answer(before: dict[str, Any], touch: dict[str, Any]) -> bool:
    """A touch by the lead right after ours."""
    return touch["direction"] == "in" and before["direction"] == "out"


def count(facts: Rows, column: str, value: object) -> int:
    """Facts with a value."""
    return sum(fact[column] == value for fact in facts)


def weight_at(seen: Seen, touches: Rows, place: str) -> float:
    return sum(seen.weight(touch) for touch in touches if touch["place"] == place)


def top_place(seen: Seen) -> str | None:
    """Of places that weigh the same to six decimals, the last in the alphabet."""
    quarter = seen.last(90, seen.touches)
    places = sorted(set(present(quarter, "place")))
    return max(reversed(places), key=lambda place: round(weight_at(seen, quarter, place), 6), default=None)
