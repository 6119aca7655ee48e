"""A field's value as of the moment."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from features.fields import lead_rows
from features.tables import Field
from tests.features.drawn import drawn, fetched, install

SNAPSHOTS = """
    snapshot_id | lead_id | as_of
    ------------+---------+-----------------
    0           | a       | 2026-01-10 00:00
    1           | a       | 2026-01-20 00:00
    2           | a       | 2026-01-20 00:01
    3           | b       | 2026-01-20 00:00
    4           | c       | 2026-01-20 00:00
    5           | a       | 2026-01-25 00:00
    6           | a       | 2026-01-25 00:01
"""
LEADS = """
    lead_id | created_at       | status | seats | industry | account_id | today | asked_at
    --------+------------------+--------+-------+----------+------------+-------+-----------------
    a       | 2026-01-01 00:00 | hot    | 50    | metal    | x          | yes   | 2026-01-05 00:00
    b       | 2026-01-01 00:00 | cold   | 7     |          | y          | yes   |
    c       | 2026-01-01 00:00 | new    |       | wood     |            | no    |
"""
HISTORY = """
    lead_id | field  | changed_at       | recorded_at      | old_value | new_value
    --------+--------+------------------+------------------+-----------+----------
    a       | status | 2026-01-15 00:00 |                  | new       | warm
    a       | status | 2026-01-20 00:00 |                  | warm      | hot
    a       | seats  | 2026-01-12 00:00 | 2026-01-25 00:00 | 10        | 50
    b       | status | 2026-01-19 00:00 |                  | warm      |
    c       | seats  | 2026-01-20 00:00 | 2026-01-18 00:00 | 3         |
    c       | other  | 2026-01-19 00:00 |                  | x         | y
"""
ACCOUNTS = """
    account_id | employees
    -----------+----------
    x          | 250
"""


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def test_a_tracked_field_has_the_value_that_was_known_at_the_moment(engine):
    tables = install(
        engine,
        snapshots=drawn(SNAPSHOTS),
        leads=drawn(LEADS),
        field_history=drawn(HISTORY),
        accounts=drawn(ACCOUNTS),
    )
    fields = {
        "leads": {
            "status": Field("category", "tracked"),
            "seats": Field("number", "tracked"),
            "industry": Field("category"),
            "today": Field("flag", "current"),
            "asked_at": Field("timestamp"),
        },
        "accounts": {"employees": Field("number")},
    }
    # The drawing holds text; ingest would have made a number of it.
    tables["leads"] = tables["leads"].mutate(
        seats=tables["leads"].seats.cast("float64"), asked_at=tables["leads"].asked_at.cast("timestamp")
    )
    got = fetched(engine, lead_rows(tables["snapshots"], tables, fields).order_by("snapshot_id"))
    # a: 'new' before the first change, 'warm' at the moment of the second, 'hot' a minute later.
    # b: emptied by its change. c: never changed, so today's value stands.
    assert got["status"] == ["new", "warm", "hot", None, "new", "hot", "hot"]
    # a: the change to 50 was recorded only later: until after that moment the old value is what was known.
    # b: never changed. c: emptied as planned before, and at the moment of the change not yet.
    assert got["seats"] == [10, 10, 10, 7, 3, 10, 50]
    assert got["industry"] == ["metal", "metal", "metal", None, "wood", "metal", "metal"]
    assert got["account.employees"] == [250, 250, 250, None, None, 250, 250]
    assert got["asked_at"][:2] == [5, 15]
    assert got["age_days"][0] == 9
    assert "today" not in got


def test_what_is_known_of_bant_needs_two_of_its_fields(duck):
    leads = pa.table({"lead_id": ["a"], "row_number": [0], "budget": ["high"], "need": pa.nulls(1, "string")})
    tables = install(duck, snapshots=drawn(SNAPSHOTS), leads=leads)
    for fields, known in ((("budget",), None), (("budget", "need"), [1.0])):
        declared = {"leads": {name: Field("category") for name in fields}}
        rows = lead_rows(tables["snapshots"].limit(1), tables, declared)
        assert fetched(duck, rows).get("bant_known") == known
