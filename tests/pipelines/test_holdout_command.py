"""``leadrank holdout`` says how large an experiment has to be; a night with one publishes its groups."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from models.experiments import needed

NEXT = ("--as-of", "2026-07-01", "--accept-gate", "freshness", "--reason", "the demo ends the day before")


def test_the_size_is_told_without_a_history_if_all_is_said(leadrank, tmp_path):
    (tmp_path / "params.yaml").write_text("tables: {leads: {path: no.csv, outcome_column: won}}\n")
    words = ["--base-rate", "0.05", "--leads-a-week", "500", "--share", "0.5", "--json"]
    code, out, _ = leadrank("holdout", *words, home=tmp_path)
    told = json.loads(out)
    assert code == 0
    assert (told["treated"], told["control"]) == needed(0.05, 0.2) == (8158, 8158)
    assert (told["weeks"], told["then_days"]) == (33, 93)  # 16,316 leads, 500 a week


def test_a_lift_that_cannot_be_is_refused(leadrank, tmp_path):
    (tmp_path / "params.yaml").write_text("tables: {leads: {path: no.csv, outcome_column: won}}\n")
    words = ["--base-rate", "0.6", "--lift", "0.9", "--leads-a-week", "500"]
    code, _, err = leadrank("holdout", *words, home=tmp_path)
    assert code == 2
    assert "base rate" in err


@pytest.mark.parametrize(
    "words",
    [
        ["--base-rate", "0", "--leads-a-week", "500"],  # which is said, and not left out
        ["--base-rate", "1e-300", "--leads-a-week", "500"],
        ["--base-rate", "0.05", "--leads-a-week", "inf"],
    ],
)
def test_a_rate_of_nothing_and_leads_without_end_are_refused(leadrank, tmp_path, words):
    (tmp_path / "params.yaml").write_text("tables: {leads: {path: no.csv, outcome_column: won}}\n")
    code, _, err = leadrank("holdout", *words, home=tmp_path)
    assert code == 2
    assert "cannot be" in err


def test_what_is_not_said_is_read_from_the_history(leadrank, demo):
    told = json.loads(leadrank("holdout", "--json", home=demo.home)[1])
    assert told["share"] == 0.1
    assert 0.01 < told["base_rate"] < 0.3
    assert told["leads_a_week"] > 1
    assert (told["treated"], told["control"]) == needed(told["base_rate"], 0.2, share=0.1)


@pytest.mark.timeout(600)
def test_a_night_with_an_experiment_publishes_its_groups_and_reports_them(leadrank, crm):
    params = crm / "params.yaml"
    before, _, after = params.read_text().partition("holdout:")  # the demo says that none runs
    rest = after.partition("\n\n")[2]
    params.write_text(f"{before}holdout: {{share: 0.3, salt: spring}}\n\n{rest}")
    code, out, err = leadrank("score", "--json", *NEXT, home=crm)
    assert code == 0, err
    folder = crm / "runs" / json.loads(out)["run_id"]
    groups = pq.read_table(folder / "holdout.parquet").to_pylist()
    ranked = set(pq.read_table(folder / "ranking.parquet")["lead_id"].to_pylist())
    assert {row["lead_id"] for row in groups} == ranked
    control = {row["lead_id"] for row in groups if row["group"] == "control"}
    assert len(control) / len(ranked) == pytest.approx(0.3, abs=0.08)
    calls = pq.read_table(folder / "calls.parquet").to_pylist()
    assert {call["lead_id"] for call in calls if call["why"] == "control"} == control & {
        call["lead_id"] for call in calls
    }
    told = json.loads(leadrank("report", "model", "--json", home=crm)[1])["report"]["holdout"]
    assert told["groups"]["control"]["leads"] == len(control)
    assert told["ratio"] is None  # nobody is mature yet
    assert "control group" in leadrank("report", "model", home=crm)[1]
    assert "as without" in leadrank("calls", home=crm)[1]
    (folder / "holdout.parquet").unlink()
    later = ("--as-of", "2026-07-02", *NEXT[2:])
    code, _, err = leadrank("score", "--json", *later, home=crm)
    line = json.loads(err.splitlines()[-1])
    assert (code, "holdout.parquet" in line["reason"]) == (7, True)  # else the experiment began anew, unsaid
    assert leadrank("score", "--json", *NEXT, home=crm)[0] == 0  # as the hint says
    assert leadrank("score", "--json", *later, home=crm)[0] == 0
