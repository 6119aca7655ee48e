"""Who is asked about, when, and what became of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from features.labels import labelled
from features.moments import Moments, nights
from features.questions import Plan, past
from features.snapshots import drawn_for, known_until, past_nights, tonight
from tests.features.drawn import drawn, fetched, install

TONIGHT = datetime(2026, 3, 31, tzinfo=UTC)
LEADS = """
    lead_id    | created_at
    -----------+--------------------
    open       | 2026-03-01 00:00
    unborn     | 2026-03-31 00:00
    newborn    | 2026-03-30 23:59:59
    won        | 2026-03-01 00:00
    won_now    | 2026-03-01 00:00
    won_unsaid | 2026-03-01 00:00
    back       | 2026-03-01 00:00
    back_unsaid| 2026-03-01 00:00
    lost_again | 2026-03-01 00:00
    qualified  | 2026-03-01 00:00
"""
OUTCOMES = """
    lead_id     | stage        | occurred_at      | recorded_at
    ------------+--------------+------------------+-----------------
    won         | won          | 2026-03-30 23:59 |
    won_now     | won          | 2026-03-31 00:00 |
    won_unsaid  | won          | 2026-03-20 00:00 | 2026-03-31 00:00
    back        | lost         | 2026-03-10 00:00 |
    back        | reopened     | 2026-03-20 00:00 |
    back_unsaid | lost         | 2026-03-10 00:00 |
    back_unsaid | reopened     | 2026-03-20 00:00 | 2026-03-31 00:00
    lost_again  | lost         | 2026-03-10 00:00 |
    lost_again  | reopened     | 2026-03-20 00:00 |
    lost_again  | disqualified | 2026-03-25 00:00 |
    qualified   | mql          | 2026-03-05 00:00 |
"""


def test_a_lead_is_open_unless_its_closing_is_known_and_no_later_reopening_is(engine):
    tables = install(engine, leads=drawn(LEADS), outcomes=drawn(OUTCOMES))
    got = fetched(engine, tonight(tables["leads"], tables["outcomes"], TONIGHT).order_by("snapshot_id"))
    assert got["lead_id"] == ["back", "newborn", "open", "qualified", "won_now", "won_unsaid"]
    assert got["snapshot_id"] == [0, 1, 2, 3, 4, 5]


SNAPSHOTS = """
    snapshot_id | lead_id | as_of
    ------------+---------+-----------------
    0           | early   | 2026-01-01 00:00
    1           | late    | 2026-01-01 00:00
    2           | now     | 2026-01-01 00:00
    3           | before  | 2026-01-01 00:00
    4           | unsaid  | 2026-01-01 00:00
    5           | early   | 2026-01-02 00:00
"""
WON = """
    lead_id | stage | occurred_at         | recorded_at
    --------+-------+---------------------+-----------------
    early   | won   | 2026-01-30 23:59:59 |
    late    | won   | 2026-01-31 00:00    |
    now     | won   | 2026-01-01 00:00    |
    before  | won   | 2025-12-31 23:59:59 |
    unsaid  | won   | 2026-01-05 00:00    | 2026-02-02 00:00
    late    | lost  | 2026-01-02 00:00    |
"""


def test_a_label_window_holds_its_first_moment_and_not_its_end(engine):
    tables = install(engine, snapshots=drawn(SNAPSHOTS), outcomes=drawn(WON))
    rows = labelled(
        tables["snapshots"],
        tables["outcomes"],
        stage="won",
        horizon_days=30,
        known_at=datetime(2026, 2, 2, tzinfo=UTC),
        reporting_delay_days=2,
    )
    got = fetched(engine, rows.order_by("snapshot_id"))
    assert got["label"] == [1, 0, 1, 0, 0, 1]
    # 1 January + 30 days + 2 days ends exactly when the history is looked at: mature; a day later is not.
    assert got["is_mature"] == [True, True, True, True, True, False]


@pytest.fixture
def crm(engine):
    if engine.name != "duckdb":
        pytest.skip("training draws its nights on DuckDB")
    return install(engine, leads=drawn(LEADS), outcomes=drawn(OUTCOMES))


def test_training_nights_are_past_nights_of_open_leads_and_no_lead_gives_more_than_its_share(crm):
    every_week = nights(crm["leads"], known_at=TONIGHT, every_days=7)
    assert [night.day for night in every_week] == [3, 10, 17, 24, 31]
    moments = every_week[:3]
    every = past_nights(crm["leads"], crm["outcomes"], moments, max_per_lead=3).to_pyarrow().to_pydict()
    drawn_rows = set(zip(every["lead_id"], (m.day for m in every["as_of"]), strict=True))
    assert {day for lead, day in drawn_rows if lead == "open"} == {3, 10, 17}
    # Lost on the 10th at midnight: still open then, closed a week later, though reopened after that.
    assert {day for lead, day in drawn_rows if lead == "back"} == {3, 10}
    fewer = past_nights(crm["leads"], crm["outcomes"], moments, max_per_lead=2).to_pyarrow().to_pydict()
    assert fewer["lead_id"].count("open") == 2
    assert sorted(fewer["snapshot_id"]) == list(range(len(fewer["lead_id"])))


def test_the_history_is_known_until_the_midnight_after_its_latest_record(crm):
    assert known_until({"outcomes": crm["outcomes"]}) == datetime(2026, 4, 1, tzinfo=UTC)


def kept(duck, **nights_of):
    """What each drawn night of the lead that is asked about stands for, where two may be drawn."""
    start = datetime(2026, 1, 1)  # noqa: DTZ001  # as an engine holds it
    rows = [(lead, start + timedelta(days=day)) for lead, count in nights_of.items() for day in range(count)]
    text = "lead_id | as_of\n--+--\n" + "\n".join(f"{lead} | {night}" for lead, night in rows)
    found = fetched(duck, drawn_for(install(duck, pairs=drawn(text))["pairs"], max_per_lead=2))
    return [w for lead, w in zip(found["lead_id"], found["stands_for"], strict=True) if lead == "asked"]


@pytest.mark.parametrize(
    ("nights", "stand_for"), [(1, [1.0]), (2, [1.0, 1.0]), (3, [1.5, 1.5]), (8, [4.0, 4.0])]
)
def test_the_drawn_nights_of_a_lead_stand_for_all_that_it_has(engine, nights, stand_for):
    if engine.name != "duckdb":
        pytest.skip("training draws its nights on DuckDB")
    assert kept(engine, other=5, asked=nights) == stand_for


@pytest.mark.parametrize("censoring", ["leave_out", "weight"])
def test_the_weighted_rate_of_a_quick_and_a_lasting_lead_is_that_of_all_their_nights(engine, censoring):
    """Three nights of a lead that is won on the fourth day, thirty of one that is lost on the 31st."""
    if engine.name != "duckdb":
        pytest.skip("training draws its nights on DuckDB")
    leads = "lead_id | created_at\n--+--\nquick | 2026-01-01 12:00\nlasting | 2026-01-01 12:00"
    ends = "lead_id | stage | occurred_at | recorded_at\n--+--+--+--\nquick | won | 2026-01-04 12:00 |\n"
    ends += "lasting | lost | 2026-01-31 12:00 |"
    plan = Plan("won", 10, Moments(every_days=1), 5, 0, datetime(2026, 6, 1, tzinfo=UTC), censoring)
    tables = install(engine, leads=drawn(leads), outcomes=drawn(ends))
    rows = past(engine, tables, plan).mature.to_pyarrow()
    label, weight = rows["label"].to_numpy(), rows["stands_for"].to_numpy()
    assert (label.sum(), len(label)) == (3, 8)
    assert weight @ label / weight.sum() == pytest.approx(3 / 33)
