"""Odd histories: days that calendars stumble over, values at the ends of their ranges, one giant lead."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from features.build import feature_table
from features.families import by_name
from features.vocabulary import Vocabulary
from tests.features.drawn import fetched, install
from tests.features.oracle.engines import built
from tests.features.random_history import TONIGHT, history

WORDS = Vocabulary(kinds={})
MOMENTS, TEXTS = pa.timestamp("us"), pa.string()


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def touches(rows):
    """Touches of (lead or None, moment)."""
    leads, moments = zip(*rows, strict=True)
    return pa.table(
        {
            "lead_id": pa.array(leads, TEXTS),
            "kind": pa.array(["call"] * len(rows), TEXTS),
            "occurred_at": pa.array(moments, MOMENTS),
            "recorded_at": pa.array(moments, MOMENTS),
            "row_number": pa.array(range(len(rows)), pa.int64()),
        }
    )


def counted(duck, asked, facts, names):
    """Features at (lead, moment), in their order."""
    leads, moments = zip(*asked, strict=True)
    snapshots = pa.table(
        {
            "snapshot_id": pa.array(range(len(asked)), pa.int64()),
            "lead_id": pa.array(leads, TEXTS),
            "as_of": pa.array(moments, MOMENTS),
        }
    )
    held = install(duck, snapshots=snapshots, touches=touches(facts))
    table = feature_table(held["snapshots"], held, by_name(names, {}, {}), {}, WORDS)
    return fetched(duck, table.order_by("snapshot_id"))


NIGHTS = ["2024-02-29", "2024-03-01", "2023-03-01", "2024-03-31", "2024-12-31", "2020-12-31", "2021-01-03",
          "2021-01-04", "2024-10-27", "2025-05-31"]  # fmt: skip


def test_windows_are_days_whatever_month_year_or_week_they_cross(duck):
    nights = [datetime.fromisoformat(night) for night in NIGHTS]
    first = min(nights) - timedelta(days=100)
    hours = int((max(nights) - first) / timedelta(hours=9)) + 20
    facts = [("a", first + timedelta(hours=9 * step)) for step in range(hours)]
    names = ["touches_7d", "touches_30d", "touches_90d"]
    got = counted(duck, [("a", night) for night in nights], facts, names)
    for name, days in zip(names, (7, 30, 90), strict=True):
        slowly = [sum(night - timedelta(days=days) <= at < night for _, at in facts) for night in nights]
        assert got[name] == slowly
        assert len(set(slowly)) <= 2  # as many hours before a leap day as before any other
    assert min(got["touches_7d"]) > 15


def test_one_lead_with_nearly_all_touches_and_touches_of_nobody_change_no_other_lead(duck):
    tonight, lasts = datetime(2026, 6, 30), timedelta(minutes=1)  # noqa: DTZ001  # as an engine holds it
    asked = [("giant", tonight), ("small", tonight), ("none", tonight), (None, tonight)]
    names = ["touches_30d", "touches_90d", "distinct_kinds_30d", "longest_gap_days_90d"]
    small = [("small", tonight - timedelta(days=day)) for day in range(1, 8)]
    alone = counted(duck, asked[1:3], small, names)
    giant = [("giant", tonight - lasts * (1 + n % 40_000)) for n in range(200_000)]
    nobody = [(None, at) for _, at in giant[:100_000]]
    got = counted(duck, asked, [*small, *giant, *nobody], names)
    for name in names:
        assert got[name][1:3] == alone[name], name
    assert got["touches_30d"][0] == 200_000
    assert got["touches_30d"][3] in {None, 0}  # a null key is nobody's, not even its like's


@pytest.mark.parametrize("value", [1e150, -1e150, 5e-324, -0.0])
def test_values_far_from_all_others_raise_in_no_feature_and_give_no_infinity(duck, value):
    tables = history(3, leads=15)
    ends = [datetime(1900, 1, 2), datetime(2199, 12, 31)]  # noqa: DTZ001  # what the load lets through
    for place, row in enumerate(tables["leads"]):
        row.update(
            seats=value, size=value, agreed=value, asked_at=ends[place % 2], due_at=ends[1 - place % 2]
        )
        row["created_at"] = ends[0] if place % 3 == 0 else row["created_at"]
    for place, row in enumerate(tables["touches"]):
        row.update(weight=value, score=value, duration_seconds=abs(value))
        if place % 7 == 0:
            row.update(occurred_at=ends[0], recorded_at=ends[place % 2])
    found = built(duck, tables)
    assert len(found["lead_id"]) == len(tables["snapshots"])
    infinite = {
        name
        for name, column in found.items()
        if any(isinstance(each, float) and math.isinf(each) for each in column)
    }
    assert not infinite
    assert ends[0] < TONIGHT
