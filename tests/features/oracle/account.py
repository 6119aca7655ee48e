"""The account family, from its manual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.features.oracle.behaviour import count
from tests.features.oracle.world import Seen, present
from tests.features.random_history import DAY


def account(seen: Seen) -> Iterator[tuple[str, Any]]:
    """Name and value of each feature."""
    touches = seen.of_colleagues(seen.world.touches)
    for days in (7, 30, 90):
        recent = seen.last(days, touches)
        yield f"colleague_touches_{days}d", len(recent)
        if days > 7:
            yield f"active_colleagues_{days}d", len({touch["lead_id"] for touch in recent})
    quarter = seen.last(90, touches)
    yield "days_since_colleague_90d", min((seen.age(touch) for touch in quarter), default=None)
    yield "colleague_direct_touches_90d", count(quarter, "says", "direct")
    yield "account_weight", sum(seen.weight(touch) for touch in touches)
    yield "roles_covered_90d", len(set(present(quarter, "role")))
    yield "active_contacts_90d", len(set(present(seen.last(90, seen.touches), "contact_id")))
    yield "colleagues", len(seen.colleagues)
    since = seen.as_of - 90 * DAY
    born = [seen.world.leads[other]["created_at"] for other in seen.colleagues]
    yield "new_colleagues_90d", sum(created >= since for created in born)
    outcomes = seen.of_colleagues(seen.world.outcomes)
    yield "account_wins", count(outcomes, "stage", "won")
    yield "account_losses", count(outcomes, "stage", "lost")
    yield "colleague_stage", outcomes[-1]["stage"] if outcomes else None
