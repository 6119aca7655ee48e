"""The ledger of change: parts that add up exactly, and what moved each lead."""

from __future__ import annotations

import dataclasses

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.calibration import Calibration
from models.explaining import Explainer
from serve import batch, ledger
from serve.batch import Shown
from serve.ledger import Sides
from serve.runs import Run
from tests.serve.small import bundle, features

LEADS = 120
OTHER_CURVE = Calibration((-1.0, 1.0), (-2.5, 1.5))


@pytest.fixture(scope="module")
def model():
    return bundle()


@pytest.fixture(scope="module")
def other(model):
    """Tonight's model: half of the trees, and a steeper curve."""
    blend = model.target.blend
    fewer = dataclasses.replace(blend, boosters=blend.boosters[:1], weights=(1.0,))
    return dataclasses.replace(
        model, targets=(dataclasses.replace(model.target, blend=fewer, calibration=OTHER_CURVE),)
    )


def changed(table: pa.Table, name: str, by: float) -> pa.Table:
    """The table with a number raised; null stays null."""
    place = table.column_names.index(name)
    return table.set_column(place, name, pc.add(table.column(name), by))


def ranked(model, table: pa.Table, folder) -> None:
    folder.mkdir()
    pq.write_table(table, folder / "features.parquet")
    batch.score_leads(model, folder / "features.parquet", folder, shown=Shown())


@pytest.fixture(scope="module")
def night(model, other, tmp_path_factory):
    """Two nights, a day apart: every lead is a day more silent, the odd ones opened three e-mails.

    Leads 0 to 9 are new, and ten others have left.
    """
    folder = tmp_path_factory.mktemp("nights")
    before = features(LEADS).slice(10)
    tonight = changed(features(LEADS), "days_since_last_touch", 1.0).slice(0, LEADS - 10)
    is_odd = pa.array(np.arange(LEADS - 10) % 2 == 1)
    opened = pc.if_else(is_odd, pc.add(tonight.column("opens_7d"), 3.0), tonight.column("opens_7d"))
    arrived = tonight.set_column(tonight.column_names.index("opens_7d"), "opens_7d", opened)
    ranked(model, before, folder / "before")
    with duckdb.connect() as connection:
        connection.register("leads", before.select(["lead_id"]))
        ledger.write_nothing(folder / "before")
        batch.write_ranking(connection, folder / "before", shown=Shown())
        ranked(other, arrived, folder / "now")
        pq.write_table(tonight, folder / "passed.parquet")
        sides = Sides(
            Run("before", folder / "before", {"as_of": "2026-06-29T00:00:00+00:00"}),
            Explainer(model),
            OTHER_CURVE,
            folder / "passed.parquet",
            folder / "now" / "features.parquet",
            frozenset({"source"}),
        )
        counts = ledger.write_changes(connection, folder / "now", sides)
    return folder / "now", counts


def test_leads_of_both_nights_are_explained_and_the_others_counted(night):
    folder, counts = night
    assert counts == {"both": 100, "new": 10, "departed": 10}
    assert pq.read_table(folder / "changes.parquet").num_rows == 100
    assert sorted(path.name for path in folder.iterdir()) == [
        "change_reasons.parquet", "changes.parquet", "contributions.parquet", "features.parquet",
        "reasons.parquet", "scores.parquet",
    ]  # fmt: skip


def test_the_parts_add_up_to_the_change_of_the_log_odds(night):
    folder, _ = night
    found = pq.read_table(folder / "changes.parquet")
    scores = pq.read_table(folder / "scores.parquet")
    now = dict(zip(scores["lead_id"].to_pylist(), scores["probability"].to_pylist(), strict=True))
    for row in found.to_pylist():
        parts = sum(row[name] for name in ("new_facts", "time_passing", "model", "calibration"))
        assert parts == pytest.approx(row["total"], abs=1e-12)
        moved = logit(now[row["lead_id"]]) - logit(row["probability_before"])
        assert row["total"] == pytest.approx(moved, abs=1e-9)
        assert row["change"] == pytest.approx(100 * (now[row["lead_id"]] - row["probability_before"]))


def logit(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


def test_only_leads_with_new_facts_are_moved_by_them(night):
    folder, _ = night
    for row in pq.read_table(folder / "changes.parquet").to_pylist():
        assert (row["new_facts"] != 0) <= (int(row["lead_id"][1:]) % 2 == 1)
    moved = pq.read_table(folder / "changes.parquet")
    for part in ("new_facts", "time_passing", "model", "calibration"):
        assert np.ptp(moved.column(part).to_numpy()) > 0.01, part


def test_a_change_is_told_by_the_feature_that_moved_and_by_what_moved_it(night):
    folder, _ = night
    reasons = pq.read_table(folder / "change_reasons.parquet").to_pylist()
    even = {r["part"] for r in reasons if int(r["lead_id"][1:]) % 2 == 0}
    assert even == {"time_passing"}  # nothing arrived
    raised = {r["part"] for r in reasons if r["stem"] == "opens" and r["points"] > 1}
    assert raised == {"new_facts"}


@pytest.mark.parametrize("is_kept", [True, False], ids=["what was said", "explained again"])
def test_the_same_night_twice_moves_nobody(model, tmp_path, is_kept):
    table = features(30)
    ranked(model, table, tmp_path / "one")
    ranked(model, table, tmp_path / "two")
    with duckdb.connect() as connection:
        connection.register("leads", table.select(["lead_id"]))
        ledger.write_nothing(tmp_path / "one")
        batch.write_ranking(connection, tmp_path / "one", shown=Shown())
        path = tmp_path / "two" / "features.parquet"
        arrived = None if is_kept else path
        previous = Run("one", tmp_path / "one", {})
        sides = Sides(previous, Explainer(model), model.target.calibration, path, arrived, frozenset())
        ledger.write_changes(connection, tmp_path / "two", sides)
    found = pq.read_table(tmp_path / "two" / "changes.parquet")
    for part in ("new_facts", "time_passing", "model", "calibration", "total", "change"):
        np.testing.assert_allclose(found.column(part).to_numpy(), 0, atol=1e-12)
    assert pq.read_table(tmp_path / "two" / "change_reasons.parquet").num_rows == 0
