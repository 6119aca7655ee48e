"""The interest family, from its manual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.features.oracle.behaviour import count
from tests.features.oracle.world import Seen, share


def interest(seen: Seen) -> Iterator[tuple[str, Any]]:
    """Name and value of each feature."""
    anonymous = count(seen.touches, "is_anonymous", value=True)
    yield "anonymous_touches", anonymous
    yield "anonymous_share", share(anonymous, len(seen.touches))
    created = seen.lead["created_at"]
    is_unknown = created is None or not seen.touches
    yield "interest_days", None if is_unknown else -seen.after_creation(seen.touches[0])
    before = [touch for touch in seen.touches if created is not None and touch["occurred_at"] < created]
    yield "places_before", len(before)
    yield "direct_before", count(before, "says", "direct")
