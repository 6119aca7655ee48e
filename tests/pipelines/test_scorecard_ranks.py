"""Until a model is in force the scorecard ranks, and every output says so."""

from __future__ import annotations

import json
import shutil

import pyarrow.parquet as pq
import pytest

from pipelines.demo import command
from pipelines.progress import Progress
from tests.pipelines.ends import asked, failed

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

NIGHT = ("--as-of", "2026-06-30")


@pytest.fixture(scope="module")
def young(tmp_path_factory):
    """A CRM of 200 leads without a model."""
    home = tmp_path_factory.mktemp("young") / "crm"
    command.run(home, leads=200, seed=5, data_only=True, progress=Progress(is_quiet=True))
    return home


def with_rules(home, rules):
    path = home / "params.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("  mql_points: 50", f"  mql_points: 50\n  rules: {rules}\n  #"), "utf-8")


def test_without_a_model_the_card_ranks_and_every_output_says_so(young, leadrank):
    told = asked(leadrank, "score", *NIGHT, home=young)
    assert told["ranked_by"] == "scorecard"
    assert "no model is registered" in told["ranked_because"]
    assert told["leads"][0]["probability"] is None
    manifest = json.loads((young / "runs" / told["run_id"] / "manifest.json").read_text())
    assert (manifest["ranked_by"], manifest["model"]["name"]) == ("scorecard", "scorecard")
    assert {"feature": "days_since_last_touch", "points": -30, "at_least": 30}.items() <= next(
        rule for rule in manifest["model"]["rules"] if rule["feature"] == "days_since_last_touch"
    ).items()
    code, out, _ = leadrank("current", home=young)
    assert code == 0
    assert "RANKED BY THE SCORECARD" in out
    code, out, _ = leadrank("explain", told["leads"][0]["lead_id"], home=young)
    assert (code, "RANKED BY THE SCORECARD" in out) == (0, True)
    assert "scorecard" in leadrank("runs", home=young)[1]
    assert not asked(leadrank, "score", *NIGHT, home=young)["is_new"]


def test_rules_of_the_parameters_rank_and_other_rules_are_another_run(young, tmp_path, leadrank):
    home = shutil.copytree(young, tmp_path / "crm")
    before = asked(leadrank, "score", *NIGHT, home=home)["run_id"]
    with_rules(home, "[{feature: employees, at_least: 50, points: 60}]")
    told = asked(leadrank, "score", *NIGHT, home=home)
    assert told["run_id"] != before
    rows = pq.read_table(home / "runs" / told["run_id"] / "ranking.parquet").to_pylist()
    assert {row["score"] for row in rows} == {0, 60}
    assert all(row["is_mql"] == (row["score"] == 60) for row in rows)
    path = home / "params.yaml"
    path.write_text(path.read_text("utf-8").replace("{feature: employees,", "{feature: employes,"), "utf-8")
    line = failed(leadrank, "score", *NIGHT, home=home)
    assert (line["code"], "employees" in line["hint"]) == (2, True)


def test_the_points_of_an_action_fade_from_night_to_night(young, tmp_path, leadrank):
    home = shutil.copytree(young, tmp_path / "crm")
    given = []
    for night in ("2026-06-23", "2026-06-30"):
        run_id = asked(leadrank, "score", "--as-of", night, home=home)["run_id"]
        table = pq.read_table(home / "runs" / run_id / "contributions.parquet")
        given.append({row["lead_id"]: row for row in table.to_pylist()})
    earlier, later = given
    left = [
        later[lead][rule] / points
        for lead in earlier.keys() & later.keys()
        for rule, points in earlier[lead].items()
        if rule.startswith("kind_touches") and points > 0 and later[lead][rule] > 0
    ]
    untouched = 0.5 ** (7 / 30)  # who did it again has more
    assert min(left) == pytest.approx(untouched)
    assert sum(share == pytest.approx(untouched) for share in left) > 20


def test_a_lost_registry_does_not_turn_a_models_ranking_into_the_cards(crm, demo, leadrank):
    (crm / "mlflow.db").unlink()
    line = failed(leadrank, "score", "--as-of", "2026-07-01", home=crm)
    assert (line["code"], line["current_run_id"]) == (8, demo.result["score"]["run_id"])


def test_a_flat_table_without_rules_cannot_be_ranked_by_a_card_and_says_what_to_write(flat, leadrank):
    line = failed(leadrank, "score", home=flat)
    assert (line["code"], "scorecard.rules" in line["hint"]) == (8, True)


def test_a_history_too_thin_to_train_is_told_that_the_card_ranks(flat, leadrank):
    path = flat / "leads.csv"
    path.write_text(path.read_text().replace(",yes\n", ",no\n"))
    line = failed(leadrank, "train", home=flat)
    assert (line["code"], "`leadrank score` ranks by the points scorecard" in line["hint"]) == (8, True)
