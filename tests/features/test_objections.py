"""Who has opted out is not ranked, and is learned from only as of moments before the objection."""

from __future__ import annotations

from datetime import UTC, datetime

import ibis
import pytest

from features.lifetimes import existing, still_there
from features.moments import Moments, as_moments
from features.objections import may_be_asked
from features.questions import Plan, explicit, flat_history, open_now, past
from features.snapshots import objecting, tonight, undecided, undecided_objecting
from features.tables import Source
from tests.features.drawn import drawn, fetched, install
from tests.features.ingested import Ingested

TONIGHT = datetime(2026, 3, 31, tzinfo=UTC)
LEADS = """
    lead_id    | created_at | opted_out | opted_out_at
    -----------+------------+-----------+-----------------
    silent     | 2026-01-01 |           |
    says_no    | 2026-01-01 | 0         |
    undated    | 2026-01-01 | 1         |
    dated      | 2026-01-01 | 1         | 2026-02-01 00:00
    by_date    | 2026-01-01 |           | 2026-02-01 00:00
    took_back  | 2026-01-01 | 0         | 2026-02-01 00:00
    later      | 2026-01-01 | 1         | 2026-05-01 00:00
    lost_out   | 2026-01-01 | 1         |
    unborn_out | 2026-04-01 | 1         |
"""
OUTCOMES = """
    lead_id  | stage | occurred_at
    ---------+-------+-----------
    lost_out | lost  | 2026-02-10
"""
ASKED = ["says_no", "silent", "took_back"]


@pytest.fixture
def tables(engine):
    return install(engine, leads=drawn(LEADS), outcomes=drawn(OUTCOMES))


def names(engine, table):
    return sorted(fetched(engine, table)["lead_id"])


def test_who_has_opted_out_by_now_is_not_ranked_whatever_the_moment(engine, tables):
    assert names(engine, tonight(tables["leads"], tables["outcomes"], TONIGHT)) == ASKED
    long_ago = datetime(2026, 1, 15, tzinfo=UTC)
    assert names(engine, tonight(tables["leads"], tables["outcomes"], long_ago)) == ASKED


def test_only_leads_that_would_be_ranked_are_counted_as_left_out(engine, tables):
    left_out = objecting(tables["leads"], tables["outcomes"], TONIGHT)
    assert names(engine, left_out) == ["by_date", "dated", "later", "undated"]


@pytest.mark.parametrize(
    ("moment", "also"),
    [
        ("2026-01-15", ["by_date", "dated", "later"]),
        ("2026-02-01", ["by_date", "dated", "later"]),  # at the very moment: nobody knows it yet
        ("2026-02-01T00:00:01", ["later"]),
        ("2026-05-02", []),
    ],
)
def test_a_past_moment_counts_until_the_objection_and_an_undated_one_never(engine, tables, moment, also):
    at = as_moments([datetime.fromisoformat(moment).replace(tzinfo=UTC)])
    asked = set(names(engine, existing(tables["leads"], at))) - {"unborn_out"}
    assert asked == {*ASKED, *also}
    pairs = tables["leads"].select("lead_id").cross_join(at)
    assert set(names(engine, still_there(tables["leads"], pairs))) - {"unborn_out"} == {*ASKED, *also}


@pytest.fixture
def backend():
    """A question is kept as a table of DuckDB."""
    return ibis.duckdb.connect()


def test_training_learns_from_no_moment_after_an_objection(backend):
    tables = install(backend, leads=drawn(LEADS), outcomes=drawn(OUTCOMES))
    plan = Plan("won", 10, Moments(every_days=20), 9, 0, known_at=TONIGHT)
    got = fetched(backend, past(backend, tables, plan).snapshots)
    days = [moment.date().isoformat() for moment in got["as_of"]]
    asked = set(zip(got["lead_id"], days, strict=True))
    moments = {moment for _, moment in asked}
    assert {"2026-01-10", "2026-01-30", "2026-02-19"} <= moments
    assert {moment for lead, moment in asked if lead == "silent"} == moments
    assert {moment for lead, moment in asked if lead == "dated"} == {m for m in moments if m <= "2026-02-01"}
    assert not [lead for lead, _ in asked if lead in {"undated", "lost_out", "unborn_out"}]


def test_explicit_rows_after_an_objection_are_left_out(backend):
    rows = """
        lead_id   | as_of            | label
        ----------+------------------+------
        dated     | 2026-02-01 00:00 | 1
        dated     | 2026-02-01 00:01 | 1
        undated   | 2026-01-02 00:00 | 1
        took_back | 2026-03-01 00:00 | 0
    """
    asked = explicit(backend, install(backend, leads=drawn(LEADS), rows=drawn(rows)))
    assert sorted(fetched(backend, asked.snapshots)["snapshot_id"]) == [0, 3]


FLAT = """
    lead_id  | outcome | opted_out | opted_out_at
    ---------+---------+-----------+-------------
    won      | 1       |           |
    won_out  | 1       | 1         |
    lost_out | 0       |           | 2026-02-01
    open     |         | 0         |
    open_out |         | 1         | 2026-02-01
"""


def test_a_flat_table_without_moments_leaves_them_out_altogether(backend):
    tables = install(backend, leads=drawn(FLAT))
    assert names(backend, flat_history(backend, tables).snapshots) == ["won"]
    assert names(backend, open_now(backend, tables, known_at=None)) == ["open"]
    assert names(backend, undecided(tables["leads"])) == ["open"]
    assert names(backend, undecided_objecting(tables["leads"])) == ["open_out"]


def test_a_table_that_does_not_say_asks_everybody(engine):
    leads = install(engine, leads=drawn("lead_id | created_at\n--+--\na | 2026-01-01\n"))["leads"]
    assert names(engine, may_be_asked(leads)) == ["a"]


def test_the_flag_is_read_like_any_flag_and_what_is_none_is_quarantined(tmp_path):
    crm = Ingested(tmp_path)
    crm.write(
        "leads.csv",
        "Id,Individual.HasOptedOutProfiling,opted_out_at\na,true,2026-01-01\nb,FALSE,\nc,,\nd,maybe,\n",
    )
    mapping = {"lead_id": "Id", "opted_out": "Individual.HasOptedOutProfiling"}
    crm.loads({"leads": Source("leads.csv", mapping=mapping)})
    assert crm.column("opted_out") == [1.0, 0.0, None]
    assert crm.away == [(5, "Individual.HasOptedOutProfiling", "not_a_flag")]
