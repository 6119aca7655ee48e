"""Training remembers what the nightly runs knew, and says where that differs from what it reconstructs."""

from __future__ import annotations

import json
import shutil
import warnings
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import params as parameters
from pipelines import score
from pipelines.progress import Progress
from tests.pipelines.ends import asked

pytestmark = pytest.mark.slow  # its fixture trains and scores two nights

NIGHTS = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2)]
CSV = "all_varchar = true, quote = '\"', escape = '\"', ignore_errors = true"
MOMENTS = {
    "leads.csv": "created_at",
    "outcomes.csv": "recorded_at",
    "touches.parquet": "recorded_at",
    "field_history.parquet": "recorded_at",
}


def scan(path):
    return f"read_parquet('{path}')" if path.suffix == ".parquet" else f"read_csv('{path}', {CSV})"


def exported(data, full, night):
    """The tables as they were exported on a night: without what was recorded later."""
    for name, column in MOMENTS.items():
        known = {row[0] for row in duckdb.sql(f"DESCRIBE FROM {scan(full / name)}").fetchall()}
        moment = column if column in known else "occurred_at" if "occurred_at" in known else "changed_at"
        rows = duckdb.sql(
            f"FROM {scan(full / name)} WHERE TRY_CAST({moment} AS TIMESTAMP) < TIMESTAMP '{night:%Y-%m-%d}'"
        )
        write = rows.write_parquet if name.endswith("parquet") else rows.write_csv
        write(str(data / name))


@pytest.fixture(scope="module")
def remembered(demo, tmp_path_factory):
    """The demo with a field of which only today's value is known, scored on two nights as it was then."""
    home = tmp_path_factory.mktemp("memory") / "crm"
    shutil.copytree(demo.home, home)
    shutil.rmtree(home / "runs")
    text = (home / "params.yaml").read_text()
    text = text.replace("    fields:\n", "    fields:\n      territory: {kind: category, time: current}\n", 1)
    text = text.replace("train:\n", "train:\n  stages: []\n  memory: true\n  bags: 2\n  max_trees: 60\n", 1)
    text = text.replace("tags: null", "tags: {}")
    (home / "params.yaml").write_text(text)
    shutil.copytree(home / "data", home / "full")
    declared, quiet = parameters.load(home / "params.yaml"), Progress(is_quiet=True)
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        for night in NIGHTS:
            exported(home / "data", home / "full", night)
            score.run(declared, home, as_of=night, progress=quiet)
    shutil.rmtree(home / "data")
    (home / "full").rename(home / "data")
    return home


def promote(home):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{home}/mlflow.db")
    versions = client.search_model_versions("name='leadrank'")
    client.set_registered_model_alias("leadrank", "champion", max(int(v.version) for v in versions))


def test_a_run_keeps_current_fields_that_its_model_does_not_use(remembered):
    for path in (remembered / "runs").glob("*/features.parquet"):
        table = pq.read_table(path)
        manifest = json.loads((path.parent / "manifest.json").read_text())
        assert manifest["current_fields"] == ["territory"]
        assert table["territory"].null_count < table.num_rows


def test_training_remembers_the_nights_it_scored_and_finds_no_skew(remembered, leadrank):
    told = asked(leadrank, "train", home=remembered)
    memory = told["memory"]
    assert memory["runs"] == 2
    assert memory["remembered"] > 100
    assert memory["remembered"] + memory["reconstructed"] == told["rows"]
    assert memory["current_features"] == ["territory"]
    assert memory["compared"] > 30
    assert memory["skew"] == {}
    assert "territory" in told["features"]


def test_a_model_that_learned_a_current_field_reads_it_tonight_and_not_in_the_past(remembered, leadrank):
    promote(remembered)
    told = asked(leadrank, "score", "--as-of", "2026-06-30", home=remembered)
    table = pq.read_table(f"{told['folder']}/features.parquet")
    assert table["territory"].null_count < table.num_rows
    backfill = asked(leadrank, "score", "--as-of", "2026-06-01", home=remembered)
    table = pq.read_table(f"{backfill['folder']}/features.parquet")
    assert table["territory"].null_count == table.num_rows
    lead = table["lead_id"][0].as_py()
    (remembered / "rows.csv").write_text(f"lead_id,as_of\n{lead},2026-05-01\n")
    predicted = asked(leadrank, "predict", "--rows", "rows.csv", "--out", "out.csv", home=remembered)
    assert predicted["without_probability"] == 0


def test_a_static_field_that_the_crm_overwrote_is_named(remembered, leadrank, tmp_path):
    home = shutil.copytree(remembered, tmp_path / "crm")
    path = home / "data" / "leads.csv"
    leads = duckdb.sql(f"FROM {scan(path)}").to_arrow_table()
    place = leads.column_names.index("industry")
    leads = leads.set_column(place, "industry", pa.array(["other"] * leads.num_rows))
    duckdb.from_arrow(leads).write_csv(str(path))
    code, out, err = leadrank("train", home=home)
    assert (code, "skew: 'industry' is not what was scored in" in out) == (0, True), err
    assert out.count("skew:") == 1
