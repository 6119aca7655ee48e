"""The follow-up family, from its manual."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.features.oracle.behaviour import is_answer
from tests.features.oracle.world import Fact, Seen, is_before, share, steps
from tests.features.random_history import Rows

CLOSING = ("won", "lost", "disqualified")


def follow_up(seen: Seen) -> Iterator[tuple[str, Any]]:
    """Name and value of each feature."""
    ours = [touch for touch in seen.touches if touch["direction"] == "out"]
    waits = [seen.after_creation(touch) for touch in ours if seen.lead["created_at"] is not None]
    yield "first_response_days", min((wait for wait in waits if wait >= 0), default=None)
    for days in (7, 30, 90):
        yield f"attempts_{days}d", len(seen.last(days, ours))
        if days > 7:
            calls = seen.last(days, [touch for touch in seen.touches if touch["means"] == "call"])
            yield f"connected_calls_{days}d", sum((call["duration_seconds"] or 0) > 0 for call in calls)
    yield "attempts_ever", len(ours)
    yield "days_since_attempt", min((seen.age(touch) for touch in ours), default=None)
    talks = [touch for touch in seen.touches if touch["means"] in ("call", "meeting")]
    yield "talk_seconds", sum(talk["duration_seconds"] or 0 for talk in talks)
    answers = sum(is_answer(before, touch) for before, touch, _ in steps(seen.touches))
    yield "answered_share", share(answers, len(ours))
    yield "owner_open_leads", load(seen)


def load(seen: Seen) -> int | None:
    """Open leads of the owner at the moment, the lead itself among them."""
    owner = seen.lead["owner"]
    if owner is None:
        return None
    his = [lead for lead in seen.world.tables["leads"] if lead["owner"] == owner]
    return sum(is_open(lead, seen.world.outcomes[lead["lead_id"]], seen.as_of) for lead in his)


def is_open(lead: Fact, outcomes: Rows, as_of: datetime) -> bool:
    """Open: exists, and each closing known before the moment has a later reopening known before it."""
    told = [o for o in outcomes if o["occurred_at"] < as_of and o["recorded_at"] < as_of]
    back = [outcome["occurred_at"] for outcome in told if outcome["stage"] == "reopened"]
    ends = [outcome["occurred_at"] for outcome in told if outcome["stage"] in CLOSING]
    is_gone = is_before(lead["deleted_at"], as_of)
    is_there = is_before(lead["created_at"], as_of) and not is_gone
    return is_there and all(any(b >= end for b in back) for end in ends)
