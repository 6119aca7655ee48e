"""Rows exactly on the boundaries of the recency and stage families: a changed ``<`` breaks a line here."""

from __future__ import annotations

import ibis
import pytest

from features.build import feature_table
from features.families import by_name
from features.vocabulary import Vocabulary, Word
from tests.features.drawn import drawn, fetched, install

WORDS = Vocabulary(
    kinds={"visit": Word("visit", "contextual"), "demo": Word("form", "direct"), "fax": Word("other")},
    returned_days=7,
)


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def found(duck, name, **tables):
    """Value of a feature by lead at the midnight that begins 2026-03-31."""
    leads = sorted(set(next(iter(tables.values()))["lead_id"].to_pylist()))
    rows = "\n".join(f"{place} | {lead} | 2026-03-31 00:00" for place, lead in enumerate(leads))
    held = install(duck, snapshots=drawn(f"snapshot_id | lead_id | as_of\n{rows}"), **tables)
    table = feature_table(held["snapshots"], held, by_name([name], {}, {}), {}, WORDS)
    return dict(zip(leads, fetched(duck, table.order_by("snapshot_id"))[name], strict=True))


def touches(rows):
    return drawn(f"lead_id | kind | duration_seconds | occurred_at\n{rows}")


def test_a_gap_that_ends_thirty_days_ago_is_one_of_the_last_thirty_days(duck):
    rows = """
        edge  | visit | | 2026-02-09 00:00
        edge  | visit | | 2026-02-19 00:00
        edge  | visit | | 2026-03-01 00:00
        edge  | visit | | 2026-03-06 00:00
        older | visit | | 2026-02-09 00:00
        older | visit | | 2026-02-19 00:00
        older | visit | | 2026-02-28 23:59
        older | visit | | 2026-03-05 23:59
    """
    # Gaps of ten days, and then of five: the second ten belongs to the last thirty days, or just not.
    tempo = found(duck, "tempo", touches=touches(rows))
    assert tempo == {"edge": pytest.approx(7.5 / 10), "older": pytest.approx(5 / 10, abs=1e-3)}


def test_a_touch_seven_days_ago_is_part_of_the_burst(duck):
    rows = """
        edge  | visit | | 2026-03-24 00:00
        older | visit | | 2026-03-23 23:59
    """
    assert found(duck, "burst_share_90d", touches=touches(rows)) == {"edge": 1.0, "older": 0.0}


def test_the_letters_of_the_octant_are_high_from_their_boundary_on(duck):
    nine = "\n".join("{lead} | visit | | 2026-03-01 00:00" for _ in range(9))
    rows = f"""
        a recent | visit | 600 | 2026-03-17 00:00
        b older  | visit | 599 | 2026-03-16 23:59
        {nine.format(lead="c ten")}
        c ten    | visit |     | 2026-03-01 00:00
        {nine.format(lead="d nine")}
    """
    octants = {"a recent": "RfM", "b older": "rfm", "c ten": "rFm", "d nine": "rfm"}
    assert found(duck, "rfm_octant_90d", touches=touches(rows)) == octants


def test_saturday_and_sunday_are_the_weekend(duck):
    rows = """
        friday   | visit | | 2026-03-27 23:59
        monday   | visit | | 2026-03-30 00:00
        saturday | visit | | 2026-03-28 00:00
        sunday   | visit | | 2026-03-29 23:59
    """
    shares = {"friday": 0.0, "monday": 0.0, "saturday": 1.0, "sunday": 1.0}
    assert found(duck, "weekend_share", touches=touches(rows)) == shares


def test_a_buying_stage_needs_a_touch_that_points_there(duck):
    rows = """
        asks   | demo  | | 2026-03-30 00:00
        looks  | visit | | 2026-03-30 00:00
        others | fax   | | 2026-03-30 00:00
    """
    stages = {"asks": "decision", "looks": "interest", "others": "unclear"}
    assert found(duck, "buying_stage_30d", touches=touches(rows)) == stages


@pytest.mark.parametrize(
    ("name", "edge", "later"), [("returned_at_once", 1, 0), ("returned_after_follow_up", 0, 1)]
)
def test_a_return_on_the_seventh_day_is_at_once_and_a_minute_later_after_follow_up(duck, name, edge, later):
    outcomes = drawn("""
        lead_id | stage    | occurred_at
        --------+----------+-----------------
        edge    | sql      | 2026-03-01 00:00
        edge    | returned | 2026-03-08 00:00
        later   | sql      | 2026-03-01 00:00
        later   | returned | 2026-03-08 00:01
    """)
    assert found(duck, name, outcomes=outcomes) == {"edge": edge, "later": later}
