"""``segments.by``: what training says of models of their own; nights and requests score by them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.explaining import Explainer
from models.fitting.blend import Ensemble
from models.matrix import encode
from models.segments.trials import Trials
from models.store import load, place
from pipelines import params as parameters
from pipelines import score, told_own, train
from pipelines.demo import command
from pipelines.progress import Progress
from serve.batch import CONTRIBUTIONS, SCORES
from serve.frames import parted, scorer
from tests.pipelines.test_online import Asked

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

QUIET = Progress(is_quiet=True)
NIGHT = datetime(2026, 6, 30, tzinfo=UTC)
EXACT = 1e-9


# ── a flat table with two worlds in it ───────────────────────────────────────────────────────────


def write(folder: Path, segments: str, rows: int = 1800) -> None:
    """A flat table whose ten numbers speak for a lead from the web and against one from the fair."""
    random = np.random.default_rng(3)
    values, is_fair = random.normal(size=(rows, 10)).round(3), random.uniform(size=rows) < 0.5
    won = random.uniform(size=rows) < 1 / (1 + np.exp(-np.where(is_fair, -1, 1) * values.sum(axis=1) / 2))
    names = [f"N{number}" for number in range(10)]
    lines = [",".join(["Channel", *names, "Bought"])]
    for row in range(rows):
        numbers = ",".join(map(str, values[row]))
        lines.append(f"{'fair' if is_fair[row] else 'web'},{numbers},{'yes' if won[row] else 'no'}")
    (folder / "leads.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    fields = ", ".join(["Channel: {kind: category}", *(f"{name}: {{kind: number}}" for name in names)])
    leads = f"path: leads.csv, outcome_column: Bought, won_values: ['yes'], fields: {{{fields}}}"
    text = f"tables:\n  leads: {{{leads}}}\ntrain: {{bags: 1, max_trees: 60}}\nsegments: {segments}\n"
    (folder / "params.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("worlds")
    write(folder, "{by: Channel}")
    params = parameters.load(folder / "params.yaml")
    return folder, train.run(params, folder, rows=None, progress=QUIET)


def test_report_and_card_say_the_same_and_the_bundle_has_the_models(worlds):
    folder, told = worlds
    found = told["segment_models"]
    assert (found["by"], found["min_outcomes"]) == ("Channel", 100)
    assert {value["value"] for value in found["values"]} == {"web", "fair"}
    used = [value for value in found["values"] if value["share"]]
    assert used
    [card] = folder.glob("mlartifacts/*/artifacts/model/card.json")
    assert json.loads(card.read_text(encoding="utf-8"))["segment_models"] == found
    page = card.with_name("card.md").read_text(encoding="utf-8")
    assert "## Models of their own" in page
    for value in used:
        assert re.search(rf"\| {value['value']} \|.*\| (half )?used: surely better \|", page)
    boosters = {file.name for file in card.parent.glob("**/boosters/segment-*")}
    assert {name.split("-")[1] for name in boosters} == {str(number) for number in range(len(used))}


def test_mlflow_has_counts_and_differences_and_names_no_value(worlds):
    folder, told = worlds
    with sqlite3.connect(folder / "mlflow.db") as database:
        metrics = dict(database.execute("SELECT key, value FROM latest_metrics WHERE run_uuid = ?",
                                        [told["run_id"]]).fetchall())  # fmt: skip
    found = told["segment_models"]
    assert metrics["segment_models_values"] == metrics["segment_models_compared"] == 2
    assert metrics["segment_models_used"] == sum(value["share"] > 0 for value in found["values"])
    assert metrics["segment_models_log_loss_high"] == found["whole"]["log_loss"]["high"] < 0
    assert not [name for name in metrics if "web" in name or "fair" in name]


def test_the_terminal_says_which_value_has_a_model_of_its_own_and_what_it_brought(worlds):
    said = "\n".join(told_own.lines(worlds[1]))
    assert "2 of 2 values of Channel have outcomes enough for a model of their own, and" in said
    assert re.search(r"Channel '(web|fair)' by its own model: surely better, log loss 0\.\d{4}", said)
    assert "all later leads: log loss" in said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, []),
        (
            {"by": "source", "values": [], "whole": None},
            ["segments.by: the model reads no 'source', so one model serves all leads"],
        ),
        (
            {"by": "source", "values": [{"value": "web", "share": 0.0}], "whole": None},
            ["0 of 1 values of source have outcomes enough for a model of their own"],
        ),
    ],
)
def test_where_nothing_is_compared_the_terminal_says_so(found, said):
    assert [*told_own.lines({"segment_models": found})] == said


def test_where_nothing_pays_the_terminal_says_that_one_model_serves_all():
    part = {"rows": 9, "tried": 0.5, "pooled": 0.49, "difference": 0.01, "low": -0.02, "high": 0.04}
    value = {"value": "web", "share": 0.0, "tried": 0.5, "why": "not surely better", "calibrate": part}
    found = {"by": "source", "values": [{**value, "test": {"rows": 0}}], "whole": None}
    one, other = told_own.lines({"segment_models": found})
    assert one.endswith("and none is surely better: one model serves all leads")
    assert other == (
        "  source 'web' half by its own model: not surely better, log loss 0.5000, by that of all leads "
        "0.4900 (difference +0.0100, -0.0200 to +0.0400)"
    )


def test_a_slip_in_the_category_is_refused_before_anything_is_trained(tmp_path, leadrank):
    write(tmp_path, "{by: Chanel}", rows=60)
    code, _, err = leadrank("train", home=tmp_path)
    assert code == 2
    assert "segments.by names 'Chanel', which is no category of the leads" in err
    assert "did you mean 'Channel'?" in err


def test_without_a_category_the_parameters_mean_what_they_meant_before():
    plain = "tables: {leads: {path: leads.csv, outcome_column: won}}\n"
    digests = [
        parameters.digest(parameters.parse(plain + more))
        for more in ("", "segments: {min_outcomes: 50}\n", "segments: {by: source}\n")
    ]
    assert digests[0] == digests[1] != digests[2]
    asked = parameters.parse(plain + "segments: {by: source, min_outcomes: 50}\n")
    assert (train.options(asked).own_by, train.options(asked).own_min_outcomes) == ("source", 50)
    assert train.options(parameters.parse(plain)).own_by is None


# ── a night, a request and a team's own frame ────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A demo CRM trained and ranked with a model of its own for each source, whether it pays or not."""
    home = tmp_path_factory.mktemp("night") / "home"
    command.run(home, leads=2000, seed=7, data_only=True, progress=QUIET)
    file = home / "params.yaml"
    text = re.sub(r"(?m)^segments:\n(  .*\n)+", "segments: {by: source, min_outcomes: 5}\n", file.read_text())
    file.write_text(text.replace("\ntrain:\n", "\ntrain:\n  bags: 1\n  max_trees: 40\n"))
    params = parameters.load(file)
    assert params.segments.by == "source"
    judged = Trials.judged

    def all_used(self, tried):  # type: ignore[no-untyped-def]  # as the method that it stands for
        return ({**found, "share": found["tried"]} for found in judged(self, tried))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trials, "judged", all_used)
        patch.setattr("models.segments.trials.FEWEST_JUDGED", 1)
        train.run(params, home, rows=None, progress=QUIET)
    score.run(params, home, as_of=NIGHT, progress=QUIET)
    made = Asked(home)
    yield made
    made.standing.close()


@pytest.fixture(scope="module")
def model(night):
    digest = night.run.manifest["model"]["digest"]
    return load(place(night.run.folder.parents[1], digest), digest=digest)


def test_the_night_ranks_leads_of_a_value_by_its_own_model(night, model):
    features = pq.read_table(night.run.folder / "features.parquet")
    encoding, own = model.encoding, model.target.blend.own
    assert own
    names = {encoding.categories["source"][one.code] for one in own}
    margin = dict(zip(*(night.ranking.column(n).to_pylist() for n in ("lead_id", "margin")), strict=True))
    pooled = Ensemble(type(model.target.blend)(
        model.target.blend.boosters, model.target.blend.weights, model.target.blend.linear
    )).margin(encode(features, encoding))  # fmt: skip
    apart = [
        (source in names, abs(margin[lead] - one))
        for lead, source, one in zip(features["lead_id"].to_pylist(), features["source"].to_pylist(), pooled,
                                     strict=True)
    ]  # fmt: skip
    assert max(distance for is_own, distance in apart if not is_own) < EXACT
    assert min(distance for is_own, distance in apart if is_own) > 0
    margins = night.ranking.column("margin").to_pylist()
    assert margins == sorted(margins, reverse=True)


def test_published_contributions_add_up_to_the_published_margin(night, model):
    features = pq.read_table(night.run.folder / "features.parquet")
    base = Explainer(model, threads=1).explain(features.slice(0, 1)).base
    table = pq.read_table(night.run.folder / CONTRIBUTIONS)
    names = [spec.name for spec in model.specs]
    sums = base + np.sum([table.column(name).to_numpy() for name in names], axis=0)
    margin = dict(zip(*(night.ranking.column(n).to_pylist() for n in ("lead_id", "margin")), strict=True))
    expected = [margin[lead] for lead in table.column("lead_id").to_pylist()]
    np.testing.assert_allclose(sums, expected, rtol=0, atol=1e-6)


def test_a_request_is_answered_as_the_night_did(night):
    found = night.scored()
    for name, columns in ((SCORES, ["margin", "score"]), (CONTRIBUTIONS, None)):
        ours = found[name].to_pylist()
        theirs = night.published("ranking.parquet" if name == SCORES else name)
        for column in columns or [n for n in found[name].column_names if n not in ("lead_id", "snapshot_id")]:
            told, published = ([row[column] for row in rows] for rows in (ours, theirs))
            assert told == pytest.approx(published, abs=EXACT, rel=0, nan_ok=True), column


def test_a_frame_of_ones_own_is_scored_as_the_night_did(night, model):
    features = pq.read_table(night.run.folder / "features.parquet")
    told = pa.Table.from_batches(scorer(model)(iter(features.to_batches(max_chunksize=97))))
    scores = parted(model, told)[SCORES]
    margin = dict(zip(*(night.ranking.column(n).to_pylist() for n in ("lead_id", "margin")), strict=True))
    assert scores["margin"].to_pylist() == [margin[lead] for lead in scores["lead_id"].to_pylist()]
