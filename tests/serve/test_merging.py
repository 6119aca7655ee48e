"""The rows of an earlier run beside those of leads that were scored again: two small runs by hand."""

from __future__ import annotations

from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve import merging
from serve.runs import Run

NIGHT, NINE = (datetime(2026, 6, 30, hour) for hour in (0, 9))  # noqa: DTZ001  # as kept
MARGINS = {"A": 2.0, "B": 0.0, "C": -1.0, "GONE": 3.0}


def sigmoid(margin):
    return 1 / (1 + np.exp(-margin))


def write(path, **columns):
    pq.write_table(pa.table(columns), path)


@pytest.fixture
def night(tmp_path):
    """A run of four leads; nobody is told B's probability."""
    folder = tmp_path / "it's a run"
    folder.mkdir()
    leads, margin = list(MARGINS), np.array(list(MARGINS.values()))
    probability = [None if lead == "B" else float(sigmoid(MARGINS[lead])) for lead in leads]
    why = pa.array(["too few" if lead == "B" else None for lead in leads], pa.string())
    moments = pa.array([NIGHT] * 4, pa.timestamp("us"))
    write(
        folder / "features.parquet", snapshot_id=[0, 1, 2, 3], lead_id=leads, as_of=moments, opens=[1.0] * 4
    )
    write(folder / "contributions.parquet", lead_id=leads, base=[0.0] * 4, opens=margin)
    write(
        folder / "reasons.parquet",
        lead_id=["A", "A", "GONE"],
        rank_in_row=[1, 2, 1],
        sentence=["first", "second", "gone"],
    )
    ranked = {"rank": [2, 3, 4, 1], "lead_id": leads, "ranked_by": ["model"] * 4, "probability": probability}
    scored = {"probability_withheld": why, "margin": margin, "rank_before": [None] * 4, "for_1": ["x"] * 4}
    write(folder / "ranking.parquet", **ranked, **scored)
    return Run("night", folder, {})


def staged_of(tmp_path, leads):
    """Tonight A0 is new and stands first by its id, and C was scored again; B and A are as they were."""
    staged = tmp_path / "staged"
    staged.mkdir()
    connection = duckdb.connect()
    open_leads = {"A0": 0, "A": 1, "B": 2, "C": 3}
    numbers = [open_leads[lead] for lead in leads]
    tables = {"open_leads": (list(open_leads), list(open_leads.values())), "snapshots": (leads, numbers)}
    for name, (ids, places) in tables.items():
        given = pa.table({"lead_id": pa.array(ids, pa.string()), "snapshot_id": pa.array(places, pa.int64())})
        connection.execute(f"CREATE TABLE {name} AS FROM given")
        assert given is not None
    moments = pa.array([NINE] * len(leads), pa.timestamp("us"))
    ids, opens = pa.array(leads, pa.string()), pa.array([2.0] * len(leads), pa.float64())
    write(
        staged / "features.parquet",
        snapshot_id=pa.array(numbers, pa.int64()),
        lead_id=ids,
        as_of=moments,
        opens=opens,
    )
    if leads:
        margin = np.full(len(leads), 1.0)
        nothing = pa.nulls(len(leads), pa.string())
        write(staged / "contributions.parquet", lead_id=ids, base=[0.0] * len(leads), opens=margin)
        write(staged / "reasons.parquet", lead_id=["C"], rank_in_row=[1], sentence=["again"])
        write(
            staged / "scores.parquet",
            lead_id=ids,
            probability=sigmoid(margin),
            probability_withheld=nothing,
            margin=margin,
        )
    return connection, staged


def columns(file):
    return pq.read_table(file).to_pydict()


def test_kept_leads_stand_beside_those_scored_again_in_the_order_of_tonight(night, tmp_path):
    connection, staged = staged_of(tmp_path, ["A0", "C"])
    assert merging.take_over(connection, staged, night, calibrate=sigmoid) == 2
    features = columns(staged / "features.parquet")
    assert features == {
        "snapshot_id": [0, 1, 2, 3],
        "lead_id": ["A0", "A", "B", "C"],
        "as_of": [NINE, NIGHT, NIGHT, NINE],
        "opens": [2.0, 1.0, 1.0, 2.0],
    }
    assert columns(staged / "contributions.parquet")["opens"] == [1.0, 2.0, 0.0, 1.0]
    assert columns(staged / "reasons.parquet")["sentence"] == ["first", "second", "again"]


def test_a_withheld_probability_is_known_to_the_order_and_to_nobody_else(night, tmp_path):
    connection, staged = staged_of(tmp_path, ["A0", "C"])
    merging.take_over(connection, staged, night, calibrate=sigmoid)
    scores = {row["lead_id"]: row for row in pq.read_table(staged / "scores.parquet").to_pylist()}
    assert scores["B"]["probability"] == sigmoid(0.0)
    assert scores["B"]["probability_withheld"] == "too few"
    assert scores["A"]["probability"] == sigmoid(2.0)
    assert {lead: row["scored_at"] for lead, row in scores.items()} == {
        "A0": NINE, "A": NIGHT, "B": NIGHT, "C": NINE,
    }  # fmt: skip


def test_no_lead_need_have_changed(night, tmp_path):
    connection, staged = staged_of(tmp_path, [])
    assert merging.take_over(connection, staged, night, calibrate=sigmoid) == 3
    assert columns(staged / "scores.parquet")["lead_id"] == ["A", "B", "C"]


def test_in_the_ledger_who_was_kept_did_not_move(night, tmp_path):
    connection, staged = staged_of(tmp_path, ["A0", "C"])
    merging.take_over(connection, staged, night, calibrate=sigmoid)
    parts = {name: [0.5] for name in ("new_facts", "time_passing", "model", "calibration", "total")}
    write(
        staged / "changes.parquet",
        lead_id=["C"],
        rank_before=[4],
        probability_before=[0.25],
        change=[9.0],
        **parts,
    )
    counts = merging.take_over_ledger(connection, staged, night)
    assert counts == {"both": 3, "new": 1, "departed": 1}
    rows = {row["lead_id"]: row for row in pq.read_table(staged / "changes.parquet").to_pylist()}
    assert (rows["A"]["rank_before"], rows["A"]["change"], rows["A"]["total"]) == (2, 0.0, 0.0)
    assert (rows["B"]["change"], rows["C"]["change"]) == (None, 9.0)
    assert "A0" not in rows
