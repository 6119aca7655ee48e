"""The report on the model: what a run keeps of the card, and how pictures are drawn of it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from features.errors import InputError
from serve.reporting import model
from serve.reporting.drawing import HEIGHT, WIDTH, months, reliability
from serve.reporting.reading_model import COMPANYS
from serve.reporting.reading_model import model as read

AS_OF = datetime(2026, 6, 30, 12, tzinfo=UTC)
MODEL = {"name": "leadrank", "version": "3", "digest": "d", "made_with": {"lightgbm": "4"}}
CARD = {
    "predicts": "probability",
    "data": {"rows": 900, "last_as_of": "2026-06-20T00:00:00.000000"},
    "figures": {"model": {"n": 90, "roc_auc": {"value": 0.7, "low": 0.6, "high": 0.8}}},
    "calibration": [{"forecast": 0.1, "rate": 0.2, "rows": 45}],
    "families": {"behaviour": 40, "fit": 9, "generic": 2},
    "views": {
        "families": {"fit": 0.7, "behaviour": 0.3},
        "features": [{"feature": f"f{n}", "family": "fit"} for n in range(7)],
    },
    "leaks": [{"column": "tier", "verdict": "drop", "evidence": "filled in later"}],
    "slices": [{"value": "web"}],
    "limits": ["900 rows"],
}  # fmt: skip


def told(card=CARD, ranked_by="model", of=MODEL):
    return model.told(as_of=AS_OF, ranked_by=ranked_by, card=card, model=of)


def test_the_age_is_that_of_the_last_moment_learned_from():
    assert told()["age_days"] == 10.5
    assert told({**CARD, "data": {**CARD["data"], "last_as_of": None}})["age_days"] is None  # a flat start


def test_families_stand_by_their_share_with_their_strongest_features():
    found = [
        (row["family"], row["features"], row["share"], len(row["strongest"])) for row in told()["families"]
    ]
    assert found == [("fit", 9, 0.7, model.MOST_FEATURES), ("behaviour", 40, 0.3, 0), ("generic", 2, None, 0)]


def test_a_model_whose_card_is_gone_is_named_and_no_more():
    bare = told(None)
    assert (bare["version"], bare["digest"], bare["age_days"]) == ("3", "d", None)
    assert (bare["figures"], bare["families"], bare["reliability"], bare["limits"]) == ({}, [], [], [])


@pytest.fixture
def run(tmp_path):
    (tmp_path / "reports").mkdir()
    model.write(tmp_path, as_of=AS_OF, ranked_by="model", card=CARD, model=MODEL)
    gates = {"findings": [{"gate": "drift", "reason": "moved"}]}
    (tmp_path / "manifest.json").write_text(json.dumps({"gates": gates}), encoding="utf-8")
    return tmp_path


def test_who_sees_every_lead_reads_all_of_it_and_what_the_gates_found(run):
    found = read(run, None)
    assert [gate["reason"] for gate in found["gates"]] == ["moved"]
    assert (found["data"]["rows"], found["reliability"][0]["rows"], found["figures"]["model"]["n"]) == (
        900,
        45,
        90,
    )


def test_a_reader_of_some_territories_learns_how_good_it_is_and_no_number_of_leads(run):
    found = read(run, frozenset({"N"}))
    assert found["figures"] == {"model": {"roc_auc": CARD["figures"]["model"]["roc_auc"]}}
    assert found["reliability"] == [{"forecast": 0.1, "rate": 0.2, "rows": None}]
    assert {name: found[name] for name in COMPANYS} == dict.fromkeys(COMPANYS)


def test_a_run_from_before_there_were_reports_says_so(tmp_path):
    with pytest.raises(InputError, match="without reports"):
        read(tmp_path, None)


def test_the_reliability_curve_stands_in_its_square():
    drawn = reliability([{"forecast": 0.1, "rate": 0.0}, {"forecast": 0.2, "rate": 0.4}])
    assert drawn["top"] == 0.4
    assert drawn["line"] == "75.0,300.0 150.0,0.0"
    assert reliability([]) is None


def test_a_line_over_months_breaks_where_nothing_is_known_and_has_its_zero_inside():
    found = [
        {"month": f"2026-0{n}", "velocity": value} for n, value in enumerate([10.0, -10.0, None, 0.0], 1)
    ]
    drawn = months(found, "velocity")
    assert (drawn["low"], drawn["high"], drawn["zero"]) == (-10.0, 10.0, HEIGHT / 2)
    assert drawn["lines"] == [f"0.0,0.0 {WIDTH / 3:.1f},{HEIGHT:.1f}", f"{WIDTH:.1f},{HEIGHT / 2:.1f}"]
    assert months(found[:1], "velocity") is None
    assert (
        months([{"month": "a", "velocity": 0.0}, {"month": "b", "velocity": 0.0}], "velocity")["zero"]
        == HEIGHT
    )


def test_reading_a_report_loads_no_model_and_no_engine_of_features():
    heavy = ("ibis", "lightgbm", "numba", "shap", "mlflow", "pandas", "scipy", "sklearn")
    loaded = f"print([name for name in {heavy} if name in sys.modules])"
    asked = f"import sys, serve.reporting.reading, serve.reporting.values; {loaded}"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
