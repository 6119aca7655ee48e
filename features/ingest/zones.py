"""When the clocks of a time zone change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Change:
    """A change of a zone's clock: when (UTC), and by how much it moves."""

    at: datetime
    by: timedelta


@cache
def clock_changes(zone: str) -> Sequence[Change]:
    """Changes of a zone's clock from 1970 to 2100, found to the minute."""
    place = ZoneInfo(zone)
    changes = []
    day, end = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    while day < end:
        after = day + timedelta(days=1)
        if (by := _offset(place, after) - _offset(place, day)) != timedelta(0):
            changes.append(Change(_turn(place, day, after), by))
        day = after
    return tuple(changes)


def _turn(place: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """First minute with the later offset, by halving."""
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) // 2
        middle = middle.replace(second=0, microsecond=0)
        if _offset(place, middle) == _offset(place, before):
            before = middle
        else:
            after = middle
    return after


def _offset(place: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(place).utcoffset() or timedelta(0)


def skipping_days(zone: str) -> list[str]:
    """Local dates on which clocks go forward."""
    forward = [change for change in clock_changes(zone) if change.by > timedelta(0)]
    place = ZoneInfo(zone)
    days = {
        (change.at + shift).astimezone(place).date()
        for change in forward
        for shift in (timedelta(0), -change.by)
    }
    return sorted(map(str, days))
