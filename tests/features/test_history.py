"""What counts as known, on every engine."""

from __future__ import annotations

from features.build import available, feature_table
from features.families import full_catalogue
from features.fit import own_fields
from features.tables import Field
from tests.features.drawn import drawn, fetched, install

SNAPSHOTS = """
    snapshot_id | lead_id | as_of
    ------------+---------+-----------------
    0           | a       | 2026-03-31 00:00
    1           | b       | 2026-03-31 00:00
    2           | c       | 2026-03-31 00:00
"""
TOUCHES = """
    lead_id | kind       | place   | direction | duration_seconds | occurred_at         | recorded_at
    --------+------------+---------+-----------+------------------+---------------------+-----------------
    a       | email_open |         | in        |                  | 2026-03-30 09:00    |
    a       | email_open |         | in        |                  | 2026-03-01 00:00    |
    a       | email_open |         | in        |                  | 2026-02-28 23:59:59 |
    a       | web_visit  | pricing | in        | 60               | 2026-03-28 00:00    |
    a       | email_open |         | in        |                  | 2026-03-31 00:00    |
    a       | demo       |         | in        |                  | 2026-04-02 09:00    |
    a       | call       |         | out       | 30               | 2026-03-20 09:00    | 2026-03-31 00:00
    b       | web_visit  | blog    | in        | 5                | 2026-03-29 09:00    | 2026-04-01 09:00
    b       | call       |         | out       | 30               | 2026-02-28 00:00    |
    b       | web_visit  | blog    | in        | 5                | 2026-02-28 00:00    |
"""
LEADS = """
    lead_id | created_at       | industry | account_id
    --------+------------------+----------+-----------
    a       | 2026-01-30 00:00 | metal    | x
    b       | 2026-03-30 12:00 |          | x
    c       | 2026-03-30 00:00 | wood     |
"""
OUTCOMES = """
    lead_id | stage | occurred_at      | recorded_at
    --------+-------+------------------+-----------------
    a       | mql   | 2026-02-10 00:00 |
    a       | sql   | 2026-03-11 00:00 |
    a       | won   | 2026-03-30 00:00 | 2026-04-01 00:00
"""


def built(engine):
    tables = install(
        engine,
        snapshots=drawn(SNAPSHOTS),
        touches=drawn(TOUCHES),
        leads=drawn(LEADS),
        outcomes=drawn(OUTCOMES),
    )
    fields = {"leads": {"industry": Field("category")}}
    every = (*own_fields(fields), *full_catalogue().expand({"kind": ["email_open", "web_visit"]}))
    chosen, _ = available(every, tables, fields)
    table = feature_table(tables["snapshots"], tables, chosen, fields).order_by("snapshot_id")
    return fetched(engine, table)


def test_a_drawn_history(engine):
    got = built(engine)
    assert got["industry"] == ["metal", None, "wood"]
    assert got["lead_age_days"] == [60, 0.5, 1]
    # 2026-03-01 00:00 stands exactly on the edge of 30 days and counts; a second earlier does not;
    # what happens or is recorded at the moment itself is not known yet.
    assert got["kind_touches[email_open]_30d"] == [2, 0, 0]
    assert got["kind_touches[email_open]_90d"] == [3, 0, 0]
    assert got["touches_30d"] == [3, 0, 0]
    assert got["touches_ever"] == [4, 2, 0]
    assert got["days_since_last_touch"] == [0.625, 31, None]
    assert got["days_since[web_visit]"] == [3, 31, None]
    assert got["last_touch_kind"] == ["email_open", "web_visit", None]
    assert got["distinct_kinds_30d"] == [2, 0, 0]
    assert got["active_days_30d"] == [3, 0, 0]
    assert got["inbound_share_30d"] == [1, None, None]
    assert got["duration_seconds_90d"] == [60, 35, None]
    assert got["longest_gap_days_90d"] == [27, 0, None]
    assert got["burst_share_90d"] == [0.5, 0, None]
    assert got["mean_gap_days"] == [round((29.375 + 1 / 86400) / 3, 6), 0, None]
    assert got["latest_stage"] == ["sql", None, None]
    assert got["stages_reached"] == [2, 0, 0]
    assert got["days_in_stage"] == [20, None, None]
    assert got["active_colleagues_30d"] == [0, 1, 0]
    assert got["colleague_touches_90d"] == [2, 4, 0]
