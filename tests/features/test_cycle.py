"""How long conversions take and how late they are recorded, and what train should be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from features.cycle import cycle, days_to_stages, recording_delays
from tests.features.drawn import fetched, install

FIRST = datetime(2020, 1, 1)  # noqa: DTZ001  # as kept
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def crm(duck, leads):
    """Leads ``(created, days to win, days to the record)`` in days after ``FIRST``."""
    names = [f"l{number}" for number in range(len(leads))]
    created = [FIRST + born * DAY for born, _, _ in leads]
    won = [FIRST + (born + days) * DAY for born, days, _ in leads]
    recorded = [at + late * DAY for at, (_, _, late) in zip(won, leads, strict=True)]
    stamp = pa.timestamp("us")
    return install(
        duck,
        leads=pa.table({"lead_id": names, "created_at": pa.array(created, stamp)}),
        outcomes=pa.table(
            {
                "lead_id": names,
                "stage": ["won"] * len(leads),
                "occurred_at": pa.array(won, stamp),
                "recorded_at": pa.array(recorded, stamp),
            }
        ),
    )


def measured(tables, *, days):
    known_at = (FIRST + days * DAY).replace(tzinfo=UTC)
    return cycle(tables["leads"], tables["outcomes"], stage="won", known_at=known_at)


def test_the_horizon_holds_four_fifths_of_a_full_cycle(duck):
    tables = crm(duck, [(0, 89, 0)] * 80 + [(0, 300, 0)] * 20)
    found = measured(tables, days=2000)
    assert (found.horizon_days, found.cycle_days, found.conversions) == (90, 365, 100)
    assert found.horizon_share == pytest.approx(0.8)
    # On day 90 itself the window of 90 days is over: one conversion fewer than four fifths.
    tables = crm(duck, [(0, 90, 0)] + [(0, 89, 0)] * 79 + [(0, 300, 0)] * 20)
    assert measured(tables, days=2000).horizon_days == 180


def test_young_leads_do_not_make_the_cycle_look_short(duck):
    tables = crm(duck, [(0, 200, 0)] * 40 + [(2100, 5, 0)] * 1000)
    found = measured(tables, days=2464)  # the young are a day short of a full cycle
    assert (found.horizon_days, found.conversions) == (365, 40)
    assert measured(tables, days=2465).horizon_days == 30


def test_a_horizon_leaves_a_history_to_learn_from(duck):
    tables = crm(duck, [(0, 300, 0)] * 40 + [(0, 50, 0)] * 10)
    found = measured(tables, days=730)
    assert (found.horizon_days, found.horizon_share) == (90, 0.2)


def test_too_few_conversions_propose_nothing(duck):
    found = measured(crm(duck, [(0, 10, 0)] * 29), days=2000)
    assert (found.horizon_days, found.reporting_delay_days, found.outcomes) == (None, None, 29)


def test_the_delay_is_the_99th_percentile_rounded_up(duck):
    tables = crm(duck, [(0, 10, 0.01)] * 99 + [(0, 10, 40)] + [(0, 10, 2.5)] * 100)
    assert measured(tables, days=2000).reporting_delay_days == 3
    # Recorded at the moment itself, all of them: nobody kept the record's time, so nothing is known.
    assert measured(crm(duck, [(0, 10, 0)] * 100), days=2000).reporting_delay_days is None


def test_quantiles_are_by_stage_and_know_nothing_recorded_later(duck):
    tables = crm(duck, [(0, days, 1) for days in range(1, 100)] + [(0, 5, 5000)])
    known_at = (FIRST + 2000 * DAY).replace(tzinfo=UTC)
    days = fetched(duck, days_to_stages(tables["leads"], tables["outcomes"], known_at=known_at))
    assert (days["stage"], days["leads"], days["days_q50"]) == (["won"], [99], [50])
    delays = fetched(duck, recording_delays(tables["outcomes"], known_at=known_at))
    assert (delays["outcomes"], delays["days_q99"]) == ([99], [1])
