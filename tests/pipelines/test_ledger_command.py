"""Two nights of the demo: what changed between them, and why."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines import params as parameters
from pipelines import score
from pipelines.progress import Progress

WEEK = "occurred_at BETWEEN '2026-05-23' AND '2026-06-01'"
PARTS = ("new_facts", "time_passing", "model", "calibration")


@pytest.fixture(scope="module")
def nights(demo, tmp_path_factory):
    """Two past nights a week apart, published by one model: the later run's folder and manifest."""
    home = tmp_path_factory.mktemp("nights") / "crm"
    shutil.copytree(demo.home, home)
    params = parameters.load(home / "params.yaml")
    told = [
        score.run(params, home, as_of=datetime(2026, 5, day, tzinfo=UTC), progress=Progress(is_quiet=True))
        for day in (24, 31)
    ]
    runs = home / "runs"
    manifests = [json.loads((runs / t["run_id"] / "manifest.json").read_text(encoding="utf-8")) for t in told]
    return runs / told[1]["run_id"], *manifests


def test_the_first_night_has_an_empty_ledger_and_the_second_names_the_first(nights):
    _, first, second = nights
    assert first["changes"] is None
    assert second["changes"]["previous_run"] == first["run_id"]


def test_every_lead_of_the_night_is_in_both_or_new(nights):
    folder, first, second = nights
    counts = second["changes"]
    assert counts["both"] + counts["new"] == second["counts"]["ranked"]
    assert counts["both"] + counts["departed"] == first["counts"]["ranked"]
    assert pq.read_table(folder / "changes.parquet").num_rows == counts["both"] > 100
    assert counts["new"] > 0
    assert counts["departed"] > 0


def test_facts_and_time_account_for_the_whole_change_under_one_model(nights):
    folder, *_ = nights
    for row in pq.read_table(folder / "changes.parquet").to_pylist():
        assert sum(row[part] for part in PARTS) == pytest.approx(row["total"], abs=1e-9)
        assert row["model"] == pytest.approx(0, abs=1e-9)


def test_a_lead_without_a_new_fact_is_moved_by_time_alone(nights, demo):
    """Leads that nobody heard of in the week; what others did moves the rates of their peers a little."""
    folder, *_ = nights
    rows = pq.read_table(folder / "changes.parquet").to_pylist()
    data = demo.home / "data"
    files = (duckdb.read_parquet(f"{data}/touches.parquet"), duckdb.read_csv(f"{data}/outcomes.csv"))
    heard = {lead for facts in files for (lead,) in facts.filter(WEEK).project("lead_id").fetchall()}
    silent = [row for row in rows if row["lead_id"] not in heard]
    loud = [row for row in rows if row["lead_id"] in heard]
    assert len(silent) > 50
    assert median([abs(row["new_facts"]) for row in silent]) < 0.02
    assert median([abs(row["new_facts"]) for row in loud]) > 0.05
    assert median([abs(row["time_passing"]) for row in silent]) > 0.02


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def test_the_ranking_tells_the_rank_before_and_the_change(nights):
    folder, *_ = nights
    ranking = pq.read_table(folder / "ranking.parquet").to_pylist()
    known = [lead for lead in ranking if lead["rank_before"] is not None]
    assert min(lead["rank_before"] for lead in known) >= 1
    moved = {row["lead_id"]: row["change"] for row in pq.read_table(folder / "changes.parquet").to_pylist()}
    assert all(lead["change"] == moved[lead["lead_id"]] for lead in known)
    assert any(lead["change_1"] for lead in known)
    assert all(lead["change_1"] is None for lead in ranking if lead["rank_before"] is None)


def test_teams_add_up_to_the_whole_and_to_the_ledger(nights):
    folder, _, second = nights
    rows = pq.read_table(folder / "change_totals.parquet").to_pylist()
    [whole] = [row for row in rows if row["by"] == "all"]
    assert {name: whole[name] for name in ("both", "new", "departed")} == {
        name: second["changes"][name] for name in ("both", "new", "departed")
    }
    changes = pq.read_table(folder / "changes.parquet").to_pandas()
    assert whole["expected_wins"] == pytest.approx(changes["change"].sum() / 100)
    for part in (*PARTS, "total"):
        assert whole[part] == pytest.approx(changes[part].mean())
    for by in ("territory", "owner"):
        teams = [row for row in rows if row["by"] == by]
        assert len(teams) > 2
        for name in ("both", "new", "departed", "expected_wins"):
            assert sum(row[name] or 0 for row in teams) == pytest.approx(whole[name])
        moved = sum((row["total"] or 0) * row["both"] for row in teams)
        assert moved == pytest.approx(whole["total"] * whole["both"])
