"""``leadrank features``: the table that a model is asked with, as a file; and what each family takes."""

from __future__ import annotations

import json
from statistics import median

import duckdb
import pyarrow.parquet as pq
import pytest

DEAREST = 10
"""How much more seconds a feature may take than is usual among the families."""
MOST_BYTES = 16
"""Of a value in a Parquet file, on the average of a family."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    return tmp_path_factory.mktemp("asked")


def made(leadrank, home, *words):
    code, out, _ = leadrank("features", *words, "--json", home=home)
    assert code == 0
    return json.loads(out)


def test_the_features_of_a_night_are_those_that_its_leads_were_ranked_by(demo, leadrank, asked):
    told = made(leadrank, demo.home, "--as-of", demo.result["as_of"], "--out", asked / "night.parquet")
    table = pq.read_table(asked / "night.parquet")
    published = pq.read_table(f"{demo.result['score']['folder']}/features.parquet")
    assert told["rows"] == table.num_rows == published.num_rows
    assert told["features"] == table.num_columns - 2
    names = [name for name in published.column_names if name != "snapshot_id"]
    assert len(names) > 20
    assert table.select(names).sort_by("lead_id").equals(published.select(names).sort_by("lead_id"))


def test_the_history_is_what_training_learned_from(demo, leadrank, asked):
    made(leadrank, demo.home, "--history", "--out", asked / "history.csv")
    learned = "SELECT count(*), sum(label::INTEGER) FROM read_csv($1) WHERE label IS NOT NULL"
    rows, won = duckdb.execute(learned, [str(asked / "history.csv")]).fetchone()
    assert (rows, won) == (demo.result["train"]["rows"], demo.result["train"]["positives"])


def test_rows_of_one_s_own_come_back_in_their_order(demo, leadrank, asked):
    leads = [lead["lead_id"] for lead in demo.result["score"]["leads"][:3]]
    at = demo.result["as_of"][:10]
    (asked / "rows.csv").write_text("lead_id,as_of\n" + "".join(f"{lead},{at}\n" for lead in leads))
    told = made(leadrank, demo.home, "--rows", asked / "rows.csv", "--out", asked / "own.parquet")
    assert told["costs"] is None
    assert pq.read_table(asked / "own.parquet").column("lead_id").to_pylist() == leads


def test_a_flat_table_has_features_and_no_moments(flat, leadrank, tmp_path):
    leadrank("init", "leads.csv", "--outcome", "Bought", "--yes", "--force", home=flat)
    told = made(leadrank, flat, "--out", tmp_path / "flat.parquet")
    assert told["features"] > 0
    assert "as_of" not in pq.read_schema(tmp_path / "flat.parquet").names


def test_no_family_takes_far_more_than_the_others(demo, leadrank, asked):
    """The budget of the ML Test Score (Data 3): who adds a feature that scans the history anew fails here."""
    twice = [made(leadrank, demo.home, "--costs", "--out", asked / f"{name}.parquet") for name in "ab"]
    told = twice[0]
    costs = told["costs"]
    assert sum(cost["features"] for cost in costs) == told["features"]
    seconds = [{cost["family"]: cost["seconds"] for cost in run["costs"]} for run in twice]
    each = {cost["family"]: min(s[cost["family"]] for s in seconds) / cost["features"] for cost in costs}
    usual = median(each.values())
    assert {family: taken for family, taken in each.items() if taken > DEAREST * usual} == {}
    assert all(cost["bytes"] < MOST_BYTES * told["rows"] * cost["features"] for cost in costs)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--history", "--as-of", "2026-01-01", "--out", "x.csv"), "more than one kind of rows"),
        (("--out", "x.xlsx"), "neither .csv nor .parquet"),
        (("--as-of", "1999-01-01", "--out", "x.csv"), "no lead to make features of"),
        (("--out", "nowhere/x.csv"), "cannot be written"),
    ],
)
def test_what_cannot_be_made_is_told(demo, leadrank, words, said):
    code, _, err = leadrank("features", *words, home=demo.home)
    assert code in (2, 3, 7)
    assert said in err
