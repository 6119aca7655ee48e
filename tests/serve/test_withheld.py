"""A probability that is withheld: nothing tells it, its lead keeps score and rank, and no order changes."""

from __future__ import annotations

import csv
from dataclasses import replace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.bundle import Target
from models.further.amount import Amount
from models.segments.floor import FLOOR, Floor
from serve import batch, ledger, predictions, queries
from serve.batch import Shown
from serve.predicted import STAGES
from serve.runs import Run
from tests.serve.small import bundle, features

LEADS = 300
TELLING = ["probability", "probability_low", "probability_high", "probability_30d", "probability_90d",
           "probability_sql", "expected_value"]  # fmt: skip
FEW, UNKNOWN = "too few outcomes in source", "source unknown to the model"


@pytest.fixture(scope="module")
def model():
    """A model with every column that tells a probability."""
    made = bundle()
    ranking = replace(made.target, horizons=((30.0, made.target.calibration),))
    stage: Target = replace(made.target, name="sql-90d", stage="sql")
    amount = Amount(None, None, {}, 100.0, 1.0, {})
    return replace(made, targets=(ranking, stage), amount=amount, extras={STAGES: {"sql": "sql-90d"}})


def with_floor(model, web, fair, without, least=5):
    kept = Floor("source", least, {"web": web, "fair": fair}, without).as_json()
    return replace(model, extras={**model.extras, FLOOR: kept})


def ranked(model, folder, table=None):
    """The ranking that a model publishes of ``features``."""
    folder.mkdir()
    pq.write_table(features(LEADS) if table is None else table, folder / "features.parquet")
    batch.score_leads(model, folder / "features.parquet", folder, shown=Shown())
    with duckdb.connect() as connection:
        connection.register("leads", pa.table({"lead_id": [f"L{row:05d}" for row in range(LEADS)]}))
        ledger.write_nothing(folder)
        batch.write_ranking(connection, folder, shown=Shown())
    return pq.read_table(folder / "ranking.parquet")


def sources(ranking):
    """The source of each lead of a ranking."""
    known = features(LEADS).column("source").to_pylist()
    return [known[int(lead[1:])] for lead in ranking.column("lead_id").to_pylist()]


@pytest.mark.parametrize("counts", [(0, 0, 0), (9, 0, 9), (0, 9, 0), (4, 5, 5), (9, 9, 9)])
def test_withholding_never_changes_an_order_a_score_or_a_margin(model, tmp_path, counts):
    open_, held = ranked(model, tmp_path / "open"), ranked(with_floor(model, *counts), tmp_path / "held")
    kept = [name for name in open_.column_names if name not in (*TELLING, batch.WITHHELD)]
    assert {"rank", "lead_id", "score", "margin", "margin_fit", "for_1"} <= set(kept)
    assert held.select(kept).equals(open_.select(kept))


def test_leads_of_one_probability_keep_their_order_when_some_are_withheld(model, tmp_path):
    table = features(LEADS).set_column(3, "opens_7d", pa.array(np.full(LEADS, 2.0)))
    table = table.set_column(5, "days_since_last_touch", pa.array(np.full(LEADS, 9.0)))
    open_ = ranked(model, tmp_path / "open", table)
    assert len(set(open_.column("probability").to_pylist())) <= 3  # one a source
    held = ranked(with_floor(model, 9, 0, 9), tmp_path / "held", table)
    assert held.column("lead_id").to_pylist() == open_.column("lead_id").to_pylist()


def test_exactly_the_floor_is_published_and_one_fewer_tells_nothing(model, tmp_path):
    open_ = ranked(model, tmp_path / "open")
    held = ranked(with_floor(model, web=5, fair=4, without=5), tmp_path / "held")
    is_fair = [source == "fair" for source in sources(held)]
    assert 0 < sum(is_fair) < LEADS
    assert held.column(batch.WITHHELD).to_pylist() == [FEW if fair else None for fair in is_fair]
    assert open_.column(batch.WITHHELD).null_count == LEADS
    told = [name for name in held.column_names if name.startswith("probability") and name != batch.WITHHELD]
    assert sorted([*told, "expected_value"]) == sorted(TELLING)
    for name in TELLING:
        published, before = held.column(name).to_pylist(), open_.column(name).to_pylist()
        assert published == [None if fair else value for fair, value in zip(is_fair, before, strict=True)]
        assert None not in before


def test_the_csv_says_why_in_place_of_a_number(model, tmp_path):
    ranked(with_floor(model, web=5, fair=4, without=0), tmp_path / "held")
    with (tmp_path / "held" / "ranking.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row[batch.WITHHELD] for row in rows} == {"", FEW}
    assert all((row["probability"] == "") == (row[batch.WITHHELD] == FEW) for row in rows)
    assert all(row["score"] for row in rows)


def test_a_source_that_training_did_not_know_is_withheld(model, tmp_path):
    table = features(LEADS)
    moon = pa.array(["moon" if row == 7 else "web" for row in range(LEADS)])
    found = ranked(with_floor(model, 9, 9, 9), tmp_path / "held", table.set_column(4, "source", moon))
    said = dict(zip(*(found.column(name).to_pylist() for name in ("lead_id", batch.WITHHELD)), strict=True))
    assert {lead: why for lead, why in said.items() if why} == {"L00007": UNKNOWN}


def test_predictions_for_judging_keep_every_probability(model):
    table = features(LEADS)
    open_ = predictions.predict(model, table, rows=LEADS)
    assert predictions.predict(with_floor(model, 0, 0, 0), table, rows=LEADS).equals(open_)


def test_withheld_leads_are_counted_by_their_reason(model, tmp_path):
    table = features(LEADS)
    moon = pa.array(["moon" if row < 2 else "fair" if row < 5 else "web" for row in range(LEADS)])
    ranked(with_floor(model, 9, 0, 9), tmp_path / "held", table.set_column(4, "source", moon))
    assert queries.withheld(Run("held", tmp_path / "held", {})) == {FEW: 3, UNKNOWN: 2}


def test_a_ranking_of_before_there_was_a_floor_withholds_nothing(tmp_path):
    pq.write_table(pa.table({"rank": [1], "probability": [0.2]}), tmp_path / "ranking.parquet")
    assert queries.withheld(Run("old", tmp_path, {})) == {}
