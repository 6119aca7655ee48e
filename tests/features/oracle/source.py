"""The source family, from its manual: attribution, and what became of earlier leads from there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from tests.features.oracle.behaviour import COMMON_PLACES, count
from tests.features.oracle.world import Fact, Seen, World, present, share
from tests.features.random_history import DAY


def source(seen: Seen) -> Iterator[tuple[str, Any]]:
    """Name and value of each feature."""
    touches = seen.touches
    yield "first_place", touches[0]["place"] if touches else None
    yield "last_place", touches[-1]["place"] if touches else None
    for place in COMMON_PLACES:
        there = count(touches, "place", place)
        yield f"place_share[{place}]", share(there, len(touches)) if there else None
    campaigns = present(touches, "campaign")
    yield "first_campaign", campaigns[0] if campaigns else None
    yield "last_campaign", campaigns[-1] if campaigns else None
    keywords = present(touches, "keyword")
    yield "first_keyword", keywords[0] if keywords else None
    yield "last_keyword", keywords[-1] if keywords else None
    yield "distinct_campaigns_90d", len(set(present(seen.last(90, touches), "campaign")))
    for column in ("source", "campaign", "city", "first.keyword", "account.sector", "account.employees"):
        yield from peers(seen, column)
    for column in ("city", "first.keyword"):
        rates = [rate_of(seen, column, word) for word in words_of(value_as_of(seen, column))]
        known = [rate for rate in rates if rate is not None]
        yield f"best_word_rate[{column}]", max(known, default=None)
        yield f"worst_word_rate[{column}]", min(known, default=None)


def rate_of(seen: Seen, column: str, word: str) -> float | None:
    """Smoothed rate of the mature leads with a word in their text."""
    mature = [lead for lead in seen.world.tables["leads"] if is_mature(seen, lead)]
    rate = share(sum(is_converted(seen, lead) for lead in mature), len(mature))
    like_it = [lead for lead in mature if word in words_of(value_when_mature(seen, lead, column))]
    converted = sum(is_converted(seen, lead) for lead in like_it)
    return None if rate is None else (converted + 20 * rate) / (len(like_it) + 20)


def words_of(text: str | None) -> set[str]:
    return set(re.findall(r"\w+", (text or "").lower()))


@cache
def first_keyword(world: World, lead_id: str, moment: datetime) -> str | None:
    """What the lead first searched for, as known before a moment."""
    searched = present(Seen(world, lead_id, moment).touches, "keyword")
    return searched[0] if searched else None


def value_as_of(seen: Seen, column: str) -> Any:
    if column == "first.keyword":
        return first_keyword(seen.world, seen.lead_id, seen.as_of)
    return value_of(seen, seen.lead, column)


def value_when_mature(seen: Seen, lead: Fact, column: str) -> Any:
    if column == "first.keyword":
        return first_keyword(seen.world, lead["lead_id"], told_at(seen, lead))
    return value_of(seen, lead, column)


def peers(seen: Seen, column: str) -> Iterator[tuple[str, Any]]:
    """Leads that were mature before the moment, with the lead's own value and with any."""
    value = value_as_of(seen, column)
    mature = [lead for lead in seen.world.tables["leads"] if is_mature(seen, lead)]
    like_it = [lead for lead in mature if value_when_mature(seen, lead, column) == value]
    rate = share(sum(is_converted(seen, lead) for lead in mature), len(mature))
    converted = sum(is_converted(seen, lead) for lead in like_it)
    is_unknown = value is None or rate is None
    yield f"earlier_rate[{column}]", None if is_unknown else (converted + 20 * rate) / (len(like_it) + 20)
    yield f"earlier_leads[{column}]", None if value is None else len(like_it)


def value_of(seen: Seen, lead: Fact, column: str) -> Any:
    """The lead's value, or its company's; of a number, how many digits stand before the point."""
    if not column.startswith("account."):
        return lead[column]
    accounts = seen.world.tables["accounts"]
    account = next((row for row in accounts if row["account_id"] == lead["account_id"]), None)
    value = account and account[column.removeprefix("account.")]
    return value if isinstance(value, str | None) else len(str(int(value))) if value >= 1 else 0


def is_mature(seen: Seen, lead: Fact) -> bool:
    """Whether horizon and reporting delay after its creation were over before the moment."""
    return lead["created_at"] is not None and told_at(seen, lead) < seen.as_of


def is_converted(seen: Seen, lead: Fact) -> bool:
    """Whether the lead was won within the horizon, as recorded when it became mature."""
    words, created = seen.world.words, lead["created_at"]
    return any(
        outcome["stage"] == words.stage
        and created <= outcome["occurred_at"] < created + words.horizon_days * DAY
        and outcome["recorded_at"] < told_at(seen, lead)
        for outcome in seen.world.outcomes[lead["lead_id"]]
    )


def told_at(seen: Seen, lead: Fact) -> datetime:
    words = seen.world.words
    return lead["created_at"] + (words.horizon_days + words.reporting_delay_days) * DAY
