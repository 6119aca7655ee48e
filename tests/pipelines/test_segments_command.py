"""Segments in the report, in MLflow, on the card and in the ranking say the same."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import params as parameters
from pipelines import score, train
from pipelines.progress import Progress

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

QUIET = Progress(is_quiet=True)
NIGHT = datetime(2026, 6, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def metrics(demo):
    """What MLflow has of the training, by name."""
    with sqlite3.connect(demo.home / "mlflow.db") as database:
        found = database.execute("SELECT key, value FROM latest_metrics WHERE run_uuid = ?",
                                 [demo.result["train"]["run_id"]])  # fmt: skip
        return dict(found.fetchall())


@pytest.fixture(scope="module")
def ranking(demo):
    return pq.read_table(Path(demo.result["score"]["folder"]) / "ranking.parquet").to_pylist()


def test_each_segment_stands_in_report_card_and_mlflow_alike(demo, metrics):
    segments = demo.result["train"]["segments"]
    [card] = demo.home.glob("mlartifacts/*/artifacts/model/card.json")
    assert json.loads(card.read_text(encoding="utf-8"))["slices"] == segments
    assert {part["slice"] for part in segments} == {"source", "country", "age"}
    for cut in ("source", "country", "age"):
        inside = [part["is_inside"] for part in segments if part["slice"] == cut]
        assert metrics[f"segments_{cut}"] == len(inside)
        assert metrics[f"segments_{cut}_inside"] == sum(inside)


def test_mlflow_names_no_value_of_a_segment(demo, metrics):
    values = {part["value"] for part in demo.result["train"]["segments"] if part["slice"] != "age"}
    assert values
    assert not [name for name in metrics for value in values if value in name]


@pytest.mark.parametrize("cut", ["source", "country", "age"])
def test_each_later_row_is_in_one_segment(demo, cut):
    parts = [part for part in demo.result["train"]["segments"] if part["slice"] == cut]
    tested = demo.result["train"]["metrics"]["model"]
    assert sum(part["rows"] for part in parts) == tested["n"]
    assert sum(part["positives"] for part in parts) == tested["positives"]


def test_mlflow_has_the_figures_of_horizons_stages_and_tags(demo, metrics):
    told = demo.result["train"]
    assert metrics["stage_sql_roc_auc"] == told["stages"]["sql"]["roc_auc"]
    assert metrics["horizon_30d_log_loss"] == told["horizons"]["30"]["log_loss"]
    assert metrics["expected_value_ratio"] == told["expected_value"]["ratio"]
    for name, trial in told["tags"].items():
        is_shown = "left_out" not in trial and trial["why_not"] is None
        assert metrics[f"tag_{name}_is_shown"] == is_shown
        assert metrics[f"tag_{name}_precision_floor"] == trial["precision_floor"]
        if trial.get("n"):
            assert metrics[f"tag_{name}_n"] == trial["n"]
            assert metrics[f"tag_{name}_precision"] == trial["precision"]


def test_a_lead_is_without_a_probability_just_where_its_source_is_below_the_floor(demo, ranking):
    floor = demo.result["train"]["withheld"]
    assert (floor["segment_by"], floor["least_outcomes"]) == ("source", 5)
    enough = {source for source, count in floor["outcomes"].items() if count >= 5}
    if floor["outcomes_without_value"] >= 5:
        enough.add(None)
    for lead in ranking:
        assert (lead["probability"] is None) == (lead["source"] not in enough)
        telling = {name: value for name, value in lead.items() if name.startswith("probability_")}
        why = telling.pop("probability_withheld")
        assert (why is None) == (lead["probability"] is not None)
        if why:
            assert set(telling.values()) == {None}
            assert lead["expected_value"] is None
            assert lead["score"] is not None
            assert lead["margin"] is not None
    counted = Counter(why for lead in ranking if (why := lead["probability_withheld"]))
    assert demo.result["score"]["withheld"] == counted


def test_the_margins_still_fall_from_rank_to_rank(ranking):
    assert [lead["rank"] for lead in ranking] == list(range(1, len(ranking) + 1))
    margins = [lead["margin"] for lead in ranking]
    assert all(one >= next_ - 1e-9 for one, next_ in pairwise(margins))


def write(folder, header, segment_by=""):
    """A flat table whose leads come from web or fair; the latest outcomes of fair are all the same."""
    rows = [f"{header},Visits,Bought"]
    for row in range(400):
        visits, is_fair = row * 7 % 23, row % 3 == 0
        won = visits + row % 5 > 14 and not (is_fair and row > 200)
        outcome = "" if row >= 380 else "yes" if won else "no"
        rows.append(f"{'fair' if is_fair else 'web'},{visits},{outcome}")
    (folder / "leads.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    fields = f"fields: {{{header}: {{kind: category}}, Visits: {{kind: number}}}}"
    leads = f"{{path: leads.csv, outcome_column: Bought, won_values: ['yes'], {fields}}}"
    text = f"tables:\n  leads: {leads}\ntrain: {{bags: 1, max_trees: 30{segment_by}}}\n"
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    return parameters.load(folder / "params.yaml")


def published(params, folder):
    ranked = score.run(params, folder, as_of=NIGHT, progress=QUIET)
    return ranked, pq.read_table(Path(ranked["folder"]) / "ranking.parquet")


def test_in_a_flat_start_too_a_source_without_later_outcomes_has_no_probability(tmp_path, leadrank):
    params = write(tmp_path, "source")
    told = train.run(params, tmp_path, rows=None, progress=QUIET)
    assert told["withheld"]["outcomes"]["fair"] == 0
    ranked, table = published(params, tmp_path)
    why = table.column("probability_withheld").to_pylist()
    assert ranked["withheld"] == {"too few outcomes in source": why.count("too few outcomes in source")}
    assert 0 < table.column("probability").null_count < table.num_rows
    code, out, _ = leadrank("current", "--top", "20", home=tmp_path)
    assert code == 0
    assert "leads have rank and score but no probability: too few outcomes in source" in " ".join(out.split())
    assert "withheld" in out


@pytest.mark.parametrize(
    ("header", "segment_by"), [("Channel", ""), ("source", ", segment_by: null"),
                               ("source", ", segment_outcomes: 1, segment_by: null")],
)  # fmt: skip
def test_without_a_segment_every_probability_is_published(tmp_path, header, segment_by):
    params = write(tmp_path, header, segment_by)
    assert train.run(params, tmp_path, rows=None, progress=QUIET)["withheld"] is None
    ranked, table = published(params, tmp_path)
    assert ranked["withheld"] == {}
    assert table.column("probability").null_count == 0
    assert table.column("probability_withheld").null_count == table.num_rows


def test_a_segment_of_ones_own_is_taken_and_a_slip_in_it_is_refused(tmp_path, leadrank):
    params = write(tmp_path, "Channel", ", segment_by: Channel")
    told = train.run(params, tmp_path, rows=None, progress=QUIET)
    assert told["withheld"]["segment_by"] == "Channel"
    write(tmp_path, "Channel", ", segment_by: Chanel")
    code, _, err = leadrank("train", home=tmp_path)
    assert code == 2
    assert "did you mean 'Channel'?" in err
