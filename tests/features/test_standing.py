"""Leads as they stand today, how they ended, and when their tracked fields changed."""

from datetime import UTC, datetime

import ibis
import pyarrow as pa
import pytest

from features.standing import CLOSED, CREATED, OPEN, WON, change_times, leads_today
from features.tables import Field

TODAY = datetime(2026, 3, 1, tzinfo=UTC)
FIELDS = {
    "leads": {
        "plan": Field("category", "tracked"),
        "tier": Field("category", "current"),
        "signed_on": Field("timestamp"),
    }
}


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day)  # noqa: DTZ001  # stamps are naive UTC inside an engine


@pytest.fixture(scope="module")
def tables():
    """Three leads: ``a`` is won, ``b`` is lost, reopened and open again, ``c`` is open."""
    backend = ibis.duckdb.connect()
    rows = {
        "leads": [
            {"lead_id": "a", "created_at": at(1, 1), "plan": "soon", "tier": "gold", "signed_on": at(2, 20)},
            {"lead_id": "b", "created_at": at(1, 10), "plan": "later", "tier": None, "signed_on": at(3, 11)},
            {"lead_id": "c", "created_at": at(2, 1), "plan": None, "tier": None, "signed_on": None},
        ],
        "outcomes": [
            {"lead_id": "a", "stage": "mql", "occurred_at": at(1, 5), "recorded_at": at(1, 5)},
            {"lead_id": "a", "stage": "won", "occurred_at": at(2, 19), "recorded_at": at(2, 20)},
            {"lead_id": "b", "stage": "lost", "occurred_at": at(1, 20), "recorded_at": at(1, 20)},
            {"lead_id": "b", "stage": "reopened", "occurred_at": at(2, 1), "recorded_at": at(2, 1)},
            {"lead_id": "c", "stage": "won", "occurred_at": at(2, 28), "recorded_at": at(3, 1)},
        ],
        "field_history": [
            {"lead_id": "a", "field": "plan", "changed_at": at(2, 9), "recorded_at": at(2, 9)},
            {"lead_id": "a", "field": "plan", "changed_at": at(2, 19), "recorded_at": at(2, 19)},
            {"lead_id": "b", "field": "plan", "changed_at": at(1, 30), "recorded_at": at(1, 30)},
            {"lead_id": "c", "field": "plan", "changed_at": at(2, 2), "recorded_at": at(2, 2)},
            {"lead_id": "a", "field": "tier", "changed_at": at(2, 2), "recorded_at": at(2, 2)},
        ],
    }  # fmt: skip
    for name, table in rows.items():
        numbered = [{**row, "row_number": number} for number, row in enumerate(table)]
        backend.create_table(name, ibis.memtable(pa.Table.from_pylist(numbered)))
    return {name: backend.table(name) for name in rows}


def test_a_lead_has_its_fields_of_today_and_its_end(tables):
    found = (
        leads_today(tables, FIELDS, stage="won", known_at=TODAY).order_by("lead_id").to_pyarrow().to_pylist()
    )
    names = ("lead_id", "plan", "tier", "signed_on", CREATED, WON, CLOSED, OPEN)
    assert [tuple(row[name] for name in names) for row in found] == [
        ("a", "soon", "gold", 9, 59, 10, 10, False),
        ("b", "later", None, -10, 50, None, 40, True),  # the date is still to come
        ("c", None, None, None, 28, None, None, True),  # its end was recorded today: not known yet
    ]


def test_changes_are_counted_from_the_closing_on(tables):
    found = change_times(tables, FIELDS, stage="won", known_at=TODAY).to_pyarrow().to_pylist()
    # a: ten days before the closing, and on it; b: ten days after; c is not closed
    assert found == [{"field": "plan", "changes": 3, "after_share": pytest.approx(2 / 3), "median_days": 0.0}]
