"""A field's value as of the moment."""

from __future__ import annotations

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
    c       | other  | 2026-01-19 00:00 |                  | x         | y
"""
ACCOUNTS = """
    account_id | employees
    -----------+----------
    x          | 250
"""


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
    assert got["status"] == ["new", "warm", "hot", None, "new"]
    # The change to 50 seats was recorded only later: the old value is what was known.
    assert got["seats"] == [10, 10, 10, 7, None]
    assert got["industry"] == ["metal", "metal", "metal", None, "wood"]
    assert got["account.employees"] == [250, 250, 250, None, None]
    assert got["asked_at"][:2] == [5, 15]
    assert got["age_days"][0] == 9
    assert "today" not in got
