"""Merged and deleted leads: gone from their end on, and nothing of them is counted twice."""

from __future__ import annotations

from datetime import UTC, datetime

import ibis
import pytest

from features.censoring import with_follow_up
from features.lifetimes import counted_once
from features.moments import Moments
from features.questions import Plan, past
from features.snapshots import tonight, undecided
from features.tables import Source
from tests.features.drawn import drawn, fetched, install
from tests.features.ingested import Ingested

LEADS = """\
lead_id,created_at,merged_into,merged_at,deleted_at
a,2026-01-01,b,2026-02-01,
b,2026-01-01,c,2026-01-20,
c,2026-01-01,,,
gone,2026-01-01,,,2026-02-01
self,2026-01-01,self,2026-01-05,
undated,2026-01-01,c,,
by_deletion,2026-01-01,c,,2026-02-01
"""
TOUCHES = """\
lead_id,occurred_at,recorded_at,kind
a,2026-01-10,2026-01-10,call
b,2026-01-11,2026-03-01,mail
undated,2026-01-12,2026-01-12,fair
by_deletion,2026-01-13,2026-01-13,visit
"""
OUTCOMES = """\
lead_id,stage,occurred_at
a,won,2026-01-15
b,lost,2026-01-16
"""


@pytest.fixture
def crm(tmp_path):
    held = Ingested(tmp_path)
    for name, text in {"leads": LEADS, "touches": TOUCHES, "outcomes": OUTCOMES}.items():
        held.write(f"{name}.csv", text)
    held.loaded = held.loads({name: Source(f"{name}.csv") for name in ("leads", "touches", "outcomes")})
    return held


def test_touches_are_the_masters_from_the_merge_on_along_the_whole_chain(crm):
    rows = crm.rows("SELECT lead_id, kind, recorded_at::DATE::VARCHAR FROM touches ORDER BY ALL")
    assert rows == [
        ("a", "call", "2026-01-10"),
        ("b", "call", "2026-02-01"),
        ("b", "mail", "2026-03-01"),
        ("by_deletion", "visit", "2026-01-13"),
        ("c", "call", "2026-02-01"),  # a became c with b: not before its own merge into b
        ("c", "mail", "2026-03-01"),
        ("c", "visit", "2026-02-01"),
        ("undated", "fair", "2026-01-12"),
    ]
    assert crm.loaded.counts["touches"].accepted == 4
    assert [note.count for note in crm.loaded.notes if note.kind == "merged_undated"] == [1]


def test_a_win_closes_the_master_from_the_merge_on_but_is_no_label_of_it(crm):
    rows = crm.rows("SELECT lead_id, stage, occurred_at::DATE::VARCHAR FROM outcomes ORDER BY ALL")
    assert rows == [
        ("a", "won", "2026-01-15"),
        ("b", "lost", "2026-01-16"),
        ("b", "won_as_merged", "2026-02-01"),
        ("c", "won_as_merged", "2026-02-01"),
    ]


@pytest.mark.parametrize(
    ("night", "ranked"),
    [
        ("2026-01-02", ["a", "b", "by_deletion", "c", "gone", "self"]),
        ("2026-01-20", ["b", "by_deletion", "c", "gone", "self"]),  # merged just now: not known yet
        ("2026-01-21", ["by_deletion", "c", "gone", "self"]),
        ("2026-02-01", ["by_deletion", "c", "gone", "self"]),
        ("2026-02-02", ["self"]),
    ],
)
def test_a_merged_or_deleted_lead_is_ranked_until_its_end_and_never_after(crm, night, ranked):
    backend = ibis.duckdb.from_connection(crm.connection)
    leads, outcomes = backend.table("leads"), backend.table("outcomes")
    outcomes = outcomes.filter(outcomes.stage != "lost")
    rows = tonight(leads, outcomes, datetime.fromisoformat(night).replace(tzinfo=UTC))
    assert sorted(fetched(backend, rows)["lead_id"]) == ranked


def test_leads_that_merge_in_a_circle_are_quarantined_and_others_are_not(tmp_path):
    held = Ingested(tmp_path)
    held.load(content="lead_id,merged_into\na,b\nb,c\nc,a\nd,a\ne,e\nf,nobody\n")
    assert held.column("lead_id") == ["d", "e", "f"]
    assert held.away == [(n, "merged_into", "merged_in_a_circle") for n in (2, 3, 4)]


def test_a_win_that_stands_on_both_records_counts_once(engine):
    leads = "lead_id | merged_into\n--+--\nloser | master\nmaster |\n"
    outcomes = """
    lead_id | stage | occurred_at
    --------+-------+------------
    loser   | won   | 2026-01-10
    loser   | mql   | 2026-01-05
    master  | won   | 2026-01-10
    """
    tables = install(engine, leads=drawn(leads), outcomes=drawn(outcomes))
    got = fetched(engine, counted_once(tables["leads"], tables["outcomes"]))
    assert sorted(zip(got["lead_id"], got["stage"], strict=True)) == [("loser", "mql"), ("master", "won")]


def test_a_window_that_the_merge_cuts_off_is_not_mature(crm):
    """Within 30 days of 3 January lead a is merged: what became of it is its master's story."""
    backend = ibis.duckdb.from_connection(crm.connection)
    plan = Plan(
        stage="won",
        horizon_days=30,
        moments=Moments(every_days=100, also_at=(datetime(2026, 1, 3, tzinfo=UTC),)),
        max_per_lead=5,
        reporting_delay_days=0,
        known_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    tables = {name: backend.table(name) for name in ("leads", "touches", "outcomes")}
    question = past(backend, tables, plan)
    assert fetched(backend, question.snapshots)["lead_id"] == ["c", "gone", "self"]
    assert sorted(fetched(backend, question.young)["lead_id"])[:3] == ["a", "b", "by_deletion"]
    short = with_follow_up(
        backend.table("candidates").select("lead_id", "as_of"),
        tables["leads"], horizon_days=29, known_at=plan.known_at, reporting_delay_days=0,
    )  # fmt: skip
    rows = fetched(backend, short)
    is_mature = dict(zip(rows["lead_id"], rows["is_mature"], strict=True))
    assert is_mature["a"]  # 3 January and 29 days: exactly the merge
    assert not is_mature["b"]


def test_a_merged_or_deleted_lead_of_a_flat_table_is_not_ranked(tmp_path):
    held = Ingested(tmp_path)
    held.load(
        content="lead_id,won,merged_into,deleted_at\na,,,\nb,,a,\nc,,,2026-01-01\nd,1,,\n",
        outcome_column="won",
    )
    leads = ibis.duckdb.from_connection(held.connection).table("leads")
    assert undecided(leads).lead_id.to_pyarrow().to_pylist() == ["a"]
