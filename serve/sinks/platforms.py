"""How each ad platform reads offline conversions: its columns, its way to write a time, how old they may be.

The sources are in docs/sinks.md. A row offers ``click``, ``name``, ``created_at`` (UTC), ``value``,
``currency`` and ``key`` (one word for lead and stage).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Ads: TypeAlias = Literal["google", "microsoft", "meta"]


@dataclass(frozen=True)
class Platform:
    """One ad platform.

    Attributes
    ----------
    columns
        SQL of each column by its header, in order; of a row as the module says.
    first
        Values by header of a row that stands before all others; empty for none.
    days
        How many days after the click a conversion still counts.
    """

    columns: Mapping[str, str]
    days: int
    first: Mapping[str, str]


PLATFORMS: Mapping[Ads, Platform] = {
    "google": Platform(
        columns={
            "Google Click ID": "click",
            "Conversion Name": "name",
            "Conversion Time": "strftime(created_at, '%Y-%m-%dT%H:%M:%S+00:00')",
            "Conversion Value": "value",
            "Conversion Currency": "currency",
        },
        days=90,
        first={},
    ),
    "microsoft": Platform(
        columns={
            "Type": "'Offline Conversion'",
            "Status": "''",
            "Id": "''",
            "Parent Id": "''",
            "Client Id": "key",
            "Name": "''",
            "Conversion Currency Code": "currency",
            "Conversion Name": "name",
            "Conversion Time": "strftime(created_at, '%-m/%-d/%Y %-I:%M:%S %p')",
            "Conversion Value": "value",
            "Microsoft Click Id": "click",
        },
        days=90,
        first={"Type": "Format Version", "Name": "6.0"},
    ),
    "meta": Platform(
        columns={
            "event_name": "name",
            "event_time": "CAST(epoch(created_at) AS BIGINT)",
            "event_id": "key",
            "action_source": "'system_generated'",
            "fbc": "CASE WHEN starts_with(click, 'fb.') THEN click"
            " ELSE 'fb.1.' || epoch_ms(created_at) || '.' || click END",
            "value": "value",
            "currency": "currency",
        },
        days=7,
        first={},
    ),
}
