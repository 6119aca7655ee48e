"""The benchmark compares the same columns: ours are what SQL by hand says."""

from __future__ import annotations

import pytest

from features.backend import workspace
from tests.benches import history, ours, plain
from tests.benches.values import differences

HALF_DAY = 43_200
SIZE = history.Size(touches=20_000, leads=1_000, grain_seconds=HALF_DAY)  # every other touch is at midnight


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    with workspace(tmp_path_factory.mktemp("bench")) as made:
        history.make(made.con, SIZE)
        made.con.execute(f"CREATE TABLE plain AS {plain.query()}")
        made.create_table("ours", ours.table(made, ours.same_columns()))
        yield made


def test_our_values_are_those_of_the_plain_query(backend):
    assert len(plain.COLUMNS) == 41
    assert differences(backend.con, "plain", "ours") == {}


@pytest.mark.parametrize(
    "broken", ["touches_7d + 1", "days_since_last_touch + 2e-6", "inbound_share_30d * NULL"]
)
def test_the_comparison_sees_one_other_value(backend, broken):
    name = broken.split()[0]
    one = f"CASE WHEN snapshot_id = 3 THEN {broken} ELSE {name} END"
    changed = f"(SELECT * REPLACE ({one} AS {name}) FROM ours)"  # noqa: S608  # words of this test
    assert differences(backend.con, "plain", changed) == {name: 1}


def test_a_missing_snapshot_is_a_difference(backend):
    fewer = "(SELECT * FROM ours WHERE snapshot_id <> 3)"
    assert set(differences(backend.con, "plain", fewer)) == set(plain.COLUMNS)


@pytest.mark.parametrize(
    "boundary",
    [
        "occurred_at = as_of - to_days(7)",
        "occurred_at = as_of AND recorded_at < as_of",
        "recorded_at = as_of AND occurred_at < as_of",
    ],
)
def test_touches_on_each_boundary_are_among_those_compared(backend, boundary):
    both = backend.con.sql("FROM snapshots JOIN touches USING (lead_id)")
    assert len(both.filter(boundary)) > 0


def test_some_leads_have_no_touch(backend):
    silent = "SELECT count(*) FROM ours WHERE touches_ever = 0 AND days_since_last_touch IS NULL"
    assert backend.con.execute(silent).fetchone()[0] > 0


def test_the_same_numbers_make_the_same_history(backend, tmp_path):
    with workspace(tmp_path) as again:
        again.con.execute("SET threads = 1")
        history.make(again.con, SIZE)
        assert _digest(again.con) == _digest(backend.con)


def _digest(connection):
    return connection.execute("SELECT sum(hash(t)) FROM touches t").fetchone()
