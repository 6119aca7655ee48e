"""Past origins: what was known there, drawn row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis
import pytest

from features.moments import Moments
from features.origins import Origin, origins, replayed
from features.questions import Plan
from tests.features.drawn import drawn, install

AT = datetime(2026, 3, 1, tzinfo=UTC)
TODAY = datetime(2026, 4, 5, tzinfo=UTC)
LEADS = """
    lead_id | created_at
    --------+-----------------
    open    | 2026-01-30 00:00
    bought  | 2026-01-30 00:00
    unsaid  | 2026-01-30 00:00
    ended   | 2026-01-30 00:00
    born    | 2026-03-05 00:00
"""
OUTCOMES = """
    lead_id | stage | occurred_at      | recorded_at      | employees
    --------+-------+------------------+------------------+----------
    bought  | won   | 2026-02-10 00:00 | 2026-02-28 23:59 | 100
    unsaid  | won   | 2026-02-10 00:00 | 2026-03-01 00:00 | 70
    ended   | lost  | 2026-02-20 00:00 |                  |
    open    | won   | 2026-03-31 00:00 |                  | 40
    born    | won   | 2026-03-20 00:00 |                  |
"""


def plan(**known):
    given = {"stage": "won", "horizon_days": 20, "moments": Moments(every_days=1), "max_per_lead": 99,
             "reporting_delay_days": 5, "known_at": TODAY}  # fmt: skip
    return Plan(**{**given, **known})


def by_lead_and_day(table, rows):
    """The rows of a table with what is known of their snapshots."""
    told = {}
    for row in table.to_pyarrow().to_pylist():
        snapshot = rows[row["snapshot_id"]]
        key = snapshot["lead_id"], snapshot["as_of"].date().isoformat()
        told[key] = {**row, "amount": snapshot["amount"], "today": snapshot["label"]}
    return told


@pytest.fixture
def replay():
    """Rows of the replay by lead and day: what one origin learns, what it lists, what became of it."""

    def of(asked, nights=(AT,)):
        backend = ibis.duckdb.connect()
        outcomes = drawn(OUTCOMES)
        outcomes = outcomes.rename_columns({"employees": "amount"})
        tables = install(backend, leads=drawn(LEADS), outcomes=outcomes)
        found = replayed(backend, tables, asked, [Origin(AT, tuple(nights))])
        rows = {row["snapshot_id"]: row for row in found.snapshots.to_pyarrow().to_pylist()}
        return [by_lead_and_day(table, rows) for table in (found.learning, found.lists)]

    return of


def test_an_origin_learns_from_nothing_whose_window_and_delay_end_after_it(replay):
    learning, _ = replay(plan())
    last = AT - timedelta(days=25)  # 20 days of horizon and 5 of delay end exactly at the origin
    assert max(day for _, day in learning) == last.date().isoformat() == "2026-02-04"


def test_a_label_is_what_was_recorded_before_the_origin(replay):
    learning, _ = replay(plan())
    day = "2026-02-04"
    assert {lead: learning[lead, day]["label"] for lead in ("bought", "unsaid", "ended", "open")} == {
        "bought": 1.0, "unsaid": 0.0, "ended": 0.0, "open": 0.0,
    }  # fmt: skip
    assert learning["unsaid", day]["today"] == 1.0


def test_moments_are_drawn_from_those_that_the_origin_knew(replay):
    every, _ = replay(plan())
    some, _ = replay(plan(max_per_lead=2))
    assert len(every) == 4 * 5  # 31 January to 4 February
    assert len(some) == 4 * 2


def test_a_list_holds_whoever_was_open_that_night_and_is_judged_by_all_that_is_known_today(replay):
    _, lists = replay(plan(), nights=[AT, AT + timedelta(days=10)])
    assert {key: (row["today"], row["amount"]) for key, row in lists.items()} == {
        ("open", "2026-03-01"): (0.0, None),
        ("unsaid", "2026-03-01"): (0.0, None),  # its closing was recorded at that very midnight
        ("open", "2026-03-11"): (0.0, None),  # won on the day on which the window ends
        ("born", "2026-03-11"): (1.0, None),
    }


def test_the_last_list_of_the_last_origin_is_just_mature():
    found = origins(TODAY, plan(), count=2, every_days=30, lists_every_days=7)
    assert [len(origin.nights) for origin in found] == [5, 5]
    assert found[-1].nights[-1] + timedelta(days=25) == TODAY
    assert found[1].at - found[0].at == timedelta(days=30)
    assert found[0].nights[-1] < found[1].at
