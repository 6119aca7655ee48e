"""``leadrank score`` lists calls and leads to nurture; ``leadrank calls`` shows whom to call."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest


@pytest.fixture
def run(demo) -> Path:
    return Path(demo.result["score"]["folder"])


def test_the_demo_lists_calls_for_its_reps_and_leads_to_nurture(demo, run):
    ranked = pq.read_table(run / "ranking.parquet").to_pylist()
    calls = pq.read_table(run / "calls.parquet").to_pylist()
    assert demo.result["score"]["listed"]["calls"] == len(calls) > 0
    value = {lead["lead_id"]: lead["expected_value"] for lead in ranked}
    owner = {lead["lead_id"]: lead["owner"] for lead in ranked}
    assert all(call["value"] == value[call["lead_id"]] for call in calls)
    assert {call["owner"] for call in calls} <= set(owner.values())
    assert all(call["owner"] == owner[call["lead_id"]] for call in calls if owner[call["lead_id"]])
    nurtured = [lead["lead_id"] for lead in ranked if lead["route"] == "nurture"]
    assert pq.read_table(run / "nurture.parquet")["lead_id"].to_pylist() == nurtured
    assert demo.result["score"]["listed"]["nurture"] == len(nurtured) > 0


def test_calls_are_shown_by_rep(leadrank, demo, run):
    code, out, _ = leadrank("calls", "--json", home=demo.home)
    told = json.loads(out)
    assert code == 0
    assert told["calls"] == pq.read_table(run / "calls.parquet").to_pylist()
    rep = told["totals"][1]["owner"]
    own = json.loads(leadrank("calls", "--owner", rep, "--json", home=demo.home)[1])
    assert own["calls"] == [call for call in told["calls"] if call["owner"] == rep]
    assert [total["owner"] for total in own["totals"]] == [rep]


def test_a_name_that_nobody_has_is_refused_and_not_repeated(leadrank, demo):
    code, _, err = leadrank("calls", "--owner", "Nobody Known", home=demo.home)
    assert code == 3
    assert "Nobody" not in err.replace("nobody of that name", "")


def test_without_a_call_list_the_way_to_one_is_told(leadrank, crm):
    for file in crm.glob("runs/*/calls.parquet"):
        file.unlink()
    code, _, err = leadrank("calls", home=crm)
    assert code == 3
    assert "capacity.calls_per_owner" in json.loads(err)["hint"]
    shutil.rmtree(crm / "runs")
    assert leadrank("calls", home=crm)[0] == 8
