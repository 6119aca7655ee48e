"""Trace and explain: a lead computed anew is the lead that was published, number by number."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import duckdb
import pytest

from models.calibration import Calibration
from pipelines import params as parameters
from pipelines.helping import Helper
from serve.online.refusal import BusyError
from serve.runs import current_or_none


@pytest.fixture(scope="module")
def first(demo):
    return demo.result["score"]["leads"][0]


def asked(leadrank, *words, home):
    code, out, err = leadrank(*words, "--json", home=home)
    assert code == 0, err
    return json.loads(out)


def test_a_traced_lead_is_the_published_one_and_its_numbers_add_up(demo, first, leadrank):
    found = asked(leadrank, "trace", first["lead_id"], home=demo.home)
    added = sum(feature["contribution"] for feature in found["features"])
    assert found["base"] + added == pytest.approx(found["margin"], abs=1e-9)
    assert found["base"] + sum(found["families"].values()) == pytest.approx(found["margin"], abs=1e-9)
    curve = Calibration.from_json(found["curve"])
    assert curve.apply([found["margin"]])[0] == pytest.approx(found["probability"], abs=1e-12)
    assert found["published"] == {
        "run_id": demo.result["score"]["run_id"],
        "rank": 1,
        "probability": pytest.approx(found["probability"], abs=1e-12),
        "margin": pytest.approx(found["margin"], abs=1e-9),
        "features_differ": [],
        "probability_withheld": first["probability_withheld"],
    }


def test_a_trace_counts_the_facts_that_were_known_and_those_that_were_not_yet(demo, first, leadrank):
    moment = "2026-05-31T00:00:00"
    found = asked(leadrank, "trace", first["lead_id"], "--as-of", moment, home=demo.home)
    known = f"occurred_at < '{moment}' AND recorded_at < '{moment}'"
    counted = duckdb.execute(
        f"SELECT count(*) FILTER ({known}), count(*) FROM read_parquet(?) WHERE lead_id = ?",  # noqa: S608
        [str(demo.home / "data" / "touches.parquet"), first["lead_id"]],
    )
    of_known, every = counted.fetchone()
    assert found["facts"]["touches"]["known"] == of_known
    assert found["facts"]["touches"]["later"] == every - of_known
    assert found["published"] is None


def test_a_person_can_read_a_trace(demo, first, leadrank):
    code, out, _ = leadrank("trace", first["lead_id"], home=demo.home)
    assert code == 0
    assert "features that differ today: none" in out
    assert "touches: " in out


def test_a_lead_that_is_in_no_table_is_refused(demo, leadrank):
    code, _, err = leadrank("trace", "nobody", home=demo.home)
    assert code == 3
    assert "no such lead" in err


def test_explain_tells_the_way_from_the_base_and_writes_a_page(demo, first, leadrank, tmp_path):
    page = tmp_path / "lead.html"
    found = asked(leadrank, "explain", first["lead_id"], "--html", page, home=demo.home)
    assert found["steps"][0]["name"] == "base"
    assert found["steps"][-1]["probability"] == pytest.approx(found["probability"], abs=1e-9)
    assert sum(step["points"] for step in found["steps"]) == pytest.approx(100 * found["probability"])
    text = page.read_text(encoding="utf-8")
    assert text.count("<rect") == len(found["steps"]) + 1
    assert any(reason["evidence_rate"] is not None for reason in found["reasons"])


def test_what_could_help_is_in_the_team_s_hands_and_of_enough_leads(demo, leadrank):
    told = [
        asked(leadrank, "explain", lead["lead_id"], home=demo.home)["would_help"]
        for lead in demo.result["score"]["leads"][:4]
    ]
    assert all(helps is None or (helps["points"] >= 0.5 and helps["leads"] >= 50) for helps in told)


def test_the_page_is_told_what_explain_tells(demo, first, leadrank):
    params, run = parameters.load(demo.home / "params.yaml"), current_or_none(demo.home / "runs")
    with closing(Helper(params, demo.home)) as helper:
        with pytest.raises(BusyError):  # the first question begins to make the model ready
            helper(run, first["lead_id"])
        helper.close()
        told = helper(run, first["lead_id"])
        assert told == asked(leadrank, "explain", first["lead_id"], home=demo.home)["would_help"]
        assert helper(run, "erased meanwhile") is None
        gone = replace(run, manifest={**run.manifest, "model": {"digest": "0" * 64}})
        helper.prepare(gone)
        assert helper(gone, first["lead_id"]) is None  # as where the model is no longer kept
        assert helper(replace(run, manifest={"ranked_by": "scorecard"}), first["lead_id"]) is None
