"""``train`` says how good horizons, stages and tags are; ``score`` and ``predict`` publish them."""

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.further.tags import shown_tags

DAYS = (30, 60, 90, 120)  # as the demo's params.yaml asks


@pytest.fixture(scope="module")
def published(demo):
    """The leads whose probabilities are published: of the others nothing here is told."""
    ranking = pq.read_table(Path(demo.result["score"]["folder"]) / "ranking.parquet")
    told = ranking.filter(ranking["probability_withheld"].is_null())
    assert told.num_rows > 0.8 * ranking.num_rows
    return told


def column(table, name):
    return table.column(name).to_numpy(zero_copy_only=False).astype(float)


def test_no_lead_has_a_lower_probability_for_a_longer_horizon(demo, published):
    report = demo.result["train"]["horizons"]
    days = [number for number in DAYS if "left_out" not in report[str(number)]]
    assert {30, 60, 90} <= set(days)
    chances = [column(published, f"probability_{number}d") for number in days]
    for shorter, longer in pairwise(chances):
        assert (shorter <= longer).all()
    assert (chances[0] < chances[-1]).mean() > 0.9
    assert (column(published, "probability_90d") == column(published, "probability")).all()


def test_a_lead_that_reached_a_stage_is_not_asked_about_it(demo, published):
    with (demo.home / "data" / "outcomes.csv").open(encoding="utf-8") as file:
        there = {row["lead_id"].strip() for row in csv.DictReader(file) if row["stage"] == "mql"}
    leads = published.column("lead_id").to_pylist()
    asked = ~np.isnan(column(published, "probability_mql"))
    assert asked.any()
    assert not any(lead in there for lead, is_asked in zip(leads, asked, strict=True) if is_asked)


def test_the_report_has_each_horizon_stage_and_tag_with_its_figures_or_a_reason(demo):
    train = demo.result["train"]
    assert list(train["horizons"]) == [str(days) for days in DAYS]
    assert set(train["stages"]) == {"mql", "sql", "opportunity"}
    assert len(train["tags"]) == 6
    for figures in (*train["horizons"].values(), *train["stages"].values()):
        assert "left_out" in figures or {"log_loss", "calibration_error", "n"} <= set(figures)
    assert train["horizons"]["90"]["n"] == train["metrics"]["model"]["n"]
    longest = train["horizons"]["120"]
    assert "left_out" in longest or (longest["immature"] > 0 and longest["overlap_days"] > 0)
    assert train["expected_value"]["low"] < 1 < train["expected_value"]["high"]


def test_only_tags_that_held_are_shown_and_the_bundle_says_how_well(demo, published):
    from pipelines import params
    from pipelines.champion import champion

    bundle = champion(params.load(demo.home / "params.yaml"), demo.home).bundle
    shown = {tag.name: tag for tag in shown_tags(bundle.extras)}
    for name, trial in demo.result["train"]["tags"].items():
        assert (name in shown) == ("why_not" in trial and trial["why_not"] is None), name
    for tag in shown.values():
        assert tag.precision >= tag.precision_floor
        assert tag.n >= 20
    if shown:
        carried = {name for tags in published.column("tags").to_pylist() for name in tags.split(", ") if name}
        assert carried <= set(shown)


def test_expected_value_is_published_where_outcomes_have_amounts(published):
    assert (column(published, "expected_value") > 0).all()


def test_predict_gives_the_same_columns(leadrank, crm, published):
    rows = crm / "rows.csv"
    leads = published.column("lead_id").to_pylist()[:3]
    rows.write_text("lead_id,as_of\n" + "".join(f"{lead},2026-01-01\n" for lead in leads), encoding="utf-8")
    code, _, err = leadrank("predict", "--rows", "rows.csv", "--out", "out.parquet", home=crm)
    assert code == 0, err
    found = pq.read_table(crm / "out.parquet").column_names
    beside = [name for name in published.column_names if name.startswith("probability_")]
    assert set(beside) - set(found) == {"probability_withheld"}  # predictions are for judging: none is
    assert "expected_value" in found
