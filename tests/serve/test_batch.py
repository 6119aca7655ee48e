"""The ranking: its order, its sums, its words, and a CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
from dataclasses import replace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.scoring import Scorer
from serve import batch, ledger
from serve.batch import Shown
from tests.serve.small import SPECS, bundle, features

LEADS = 300


@pytest.fixture(scope="module")
def model():
    return bundle()


@pytest.fixture(scope="module")
def ranked(model, tmp_path_factory):
    """The folder of a ranking of ``features``, and the ranking as a table."""
    folder = tmp_path_factory.mktemp("ranked")
    shown = Shown(publish_columns=["owner"])
    pq.write_table(features(LEADS), folder / "features.parquet")
    count = batch.score_leads(model, folder / "features.parquet", folder, shown=shown)
    assert count == LEADS
    owners = pa.table({"lead_id": [f"L{row:05d}" for row in range(LEADS)], "owner": ["Ann"] * LEADS})
    with duckdb.connect() as connection:
        connection.register("leads", owners)
        ledger.write_nothing(folder)
        batch.write_ranking(connection, folder, shown=shown)
    return folder, pq.read_table(folder / "ranking.parquet")


def test_every_lead_is_ranked_once_by_its_probability(ranked, model):
    _, table = ranked
    assert table.column("rank").to_pylist() == list(range(1, LEADS + 1))
    assert sorted(table.column("lead_id").to_pylist()) == [f"L{row:05d}" for row in range(LEADS)]
    assert (np.diff(table.column("probability").to_numpy()) <= 0).all()
    scores = Scorer(model).score(features(LEADS)).probability
    assert table.column("probability").to_pylist() == [
        scores[int(lead[1:])] for lead in table.column("lead_id").to_pylist()
    ]


def test_reasons_speak_the_language_that_is_asked_for(model, tmp_path):
    said = {"says": "{value} touches {window}", "one": "{value} touch {window}", "none": "no touch {window}"}
    spoken = replace(model, specs=(replace(SPECS[0], **said), *SPECS[1:]))
    pq.write_table(features(LEADS), tmp_path / "features.parquet")
    for language, word in (("en", "touch"), ("zh", "互动"), ("ru", "касани")):
        shown = Shown(language=language)
        batch.score_leads(spoken, tmp_path / "features.parquet", tmp_path, shown=shown)
        rows = pq.read_table(tmp_path / "reasons.parquet").to_pylist()
        sentences = {row["sentence"] for row in rows if row["feature"] == "opens_7d"}
        assert len(sentences) > 3
        assert all(word in sentence for sentence in sentences)


def test_base_and_families_add_up_to_the_margin_of_every_lead(ranked):
    _, table = ranked
    families = ("margin_base", "margin_behaviour", "margin_fit", "margin_recency")
    assert [name for name in table.column_names if name.startswith("margin_")] == list(families)
    total = sum(table.column(name).to_numpy() for name in families)
    np.testing.assert_allclose(total, table.column("margin").to_numpy(), rtol=0, atol=1e-9)
    assert np.ptp(table.column("margin_behaviour").to_numpy()) > 0.1  # not all of it in the base


def test_base_and_contributions_add_up_to_the_margin_of_every_lead(ranked):
    folder, table = ranked
    kept = pq.read_table(folder / "contributions.parquet")
    assert kept.column_names == ["lead_id", "base", *(spec.name for spec in SPECS)]
    total = sum(kept.column(name).to_numpy() for name in kept.column_names[1:])
    margins = dict(zip(table.column("lead_id").to_pylist(), table.column("margin").to_pylist(), strict=True))
    expected = [margins[lead] for lead in kept.column("lead_id").to_pylist()]
    np.testing.assert_allclose(total, expected, rtol=0, atol=1e-9)


def test_the_reasons_beside_the_rank_are_the_published_ones_in_their_order(ranked):
    folder, table = ranked
    reasons = pq.read_table(folder / "reasons.parquet").to_pylist()
    said = {}
    for reason in sorted(reasons, key=lambda r: r["rank_in_row"]):
        said.setdefault((reason["lead_id"], reason["direction"]), []).append(reason["sentence"])
    for lead in table.to_pylist():
        pros = said.get((lead["lead_id"], "for"), []) + [None] * 3
        cons = said.get((lead["lead_id"], "against"), []) + [None] * 2
        assert [lead["for_1"], lead["for_2"], lead["for_3"]] == pros[:3]
        assert [lead["against_1"], lead["against_2"]] == cons[:2]
    assert any(lead["for_2"] for lead in table.to_pylist())
    assert any(lead["against_1"] and "days ago" in lead["against_1"] for lead in table.to_pylist())


def test_chunks_give_the_same_files_as_the_whole(ranked, model, tmp_path, monkeypatch):
    folder, _ = ranked
    monkeypatch.setattr(batch, "CHUNK_ROWS", 70)
    finished = []
    batch.score_leads(model, folder / "features.parquet", tmp_path, shown=Shown(), on_rows=finished.append)
    assert finished == [70, 70, 70, 70, 20]
    for name in ("reasons.parquet", "contributions.parquet"):
        assert pq.read_table(tmp_path / name).equals(pq.read_table(folder / name))


def rank(folder, scores, leads, *, publish=(), reasons=()):
    """Rank hand-made scores; returns the ranking as a table."""
    shown = Shown(publish_columns=publish)
    names = ("lead_id", "direction", "sentence", "rank_in_row")
    columns = list(zip(*reasons, strict=True)) or [()] * 4
    types = (pa.string(), pa.string(), pa.string(), pa.int64())
    said = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    pq.write_table(pa.table(said, names=names), folder / "reasons.parquet")
    pq.write_table(pa.table(scores), folder / "scores.parquet")
    with duckdb.connect() as connection:
        connection.register("leads", pa.table(leads))
        ledger.write_nothing(folder)
        batch.write_ranking(connection, folder, shown=shown)
    return pq.read_table(folder / "ranking.parquet")


def test_equal_probabilities_go_by_margin_and_equal_margins_by_lead_id(tmp_path):
    scores = {
        "lead_id": ["d", "a", "c", "b", "e"],
        "probability": [0.5, 0.5, 0.5, 0.5, 0.6],
        "margin": [0.1, 0.1, 0.2, 0.1, 0.0],
    }
    found = rank(tmp_path, scores, {"lead_id": list("abcde")})
    assert found.column("lead_id").to_pylist() == ["e", "c", "a", "b", "d"]


def test_a_lead_without_reasons_is_ranked_with_blank_ones(tmp_path):
    scores = {"lead_id": ["a", "b"], "probability": [0.2, 0.1], "margin": [-1.0, -2.0]}
    found = rank(tmp_path, scores, {"lead_id": ["a", "b"]}, reasons=[("b", "against", "silent", 1)])
    assert found.column("for_1").to_pylist() == [None, None]
    assert found.column("against_1").to_pylist() == [None, "silent"]


HOSTILE = ["=1+1", "+1", "-1", "@x", ";x", "\tx", "\rx", "\uff1d1", 'a"b', "Ann", "", None]


def test_no_cell_of_the_csv_is_a_formula_and_numbers_stay_numbers(tmp_path):
    ids = [f"={row}" if row == 0 else f"r{row:02d}" for row in range(len(HOSTILE))]
    scores = {
        "lead_id": ids,
        "probability": [0.5 - row / 100 for row in range(len(ids))],
        "margin": [-1.5 - row for row in range(len(ids))],
    }
    leads = {"lead_id": ids, "owner": HOSTILE, "delta": [-1.0] * len(ids), 'odd "name"': ["=x"] * len(ids)}
    reasons = [(ids[0], "for", "=cmd|' /C calc'!A0", 1)]
    found = rank(tmp_path, scores, leads, publish=["owner", "delta", 'odd "name"'], reasons=reasons)
    assert found.column("owner").to_pylist() == HOSTILE  # only the CSV is for spreadsheets
    with (tmp_path / "ranking.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["owner"] for row in rows] == [
        "'=1+1", "'+1", "'-1", "'@x", "';x", "'\tx", "'\rx", "'\uff1d1", 'a"b', "Ann", "", "",
    ]  # fmt: skip
    assert rows[0]["lead_id"] == "'=0"
    assert rows[0]["for_1"].startswith("'=cmd")
    assert {row['odd "name"'] for row in rows} == {"'=x"}
    assert [float(row["margin"]) for row in rows] == scores["margin"]
    assert {row["delta"] for row in rows} == {"-1.0"}


def test_a_lead_field_stands_beside_the_rank_only_where_it_is_published(tmp_path):
    scores = {"lead_id": ["a", "b"], "probability": [0.2, 0.1], "margin": [-1.0, -2.0]}
    leads = {"lead_id": ["b", "a"], "owner": ["Bo", "Al"], "phone": ["1", "2"]}
    found = rank(tmp_path, scores, leads, publish=["owner"])
    assert found.column("owner").to_pylist() == ["Al", "Bo"]
    assert "phone" not in found.column_names
    assert "phone" not in (tmp_path / "ranking.csv").read_text()
    assert not (tmp_path / "scores.parquet").exists()


def test_the_csv_and_the_parquet_file_hold_the_same_ranking(ranked):
    folder, table = ranked
    with (folder / "ranking.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == table.column_names
    assert [int(row["rank"]) for row in rows] == list(range(1, LEADS + 1))
    assert [row["lead_id"] for row in rows] == table.column("lead_id").to_pylist()
    assert [float(row["probability"]) for row in rows] == table.column("probability").to_pylist()
