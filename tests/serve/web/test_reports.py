"""The pages of the reports: who may open which, and that nobody reads of another territory's leads."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from models.labels import labels
from pipelines.report import page as file_of
from serve.reporting import model
from serve.reporting.files import rows
from serve.reporting.reading import REPORTS
from serve.runs import Run
from serve.views.scope import Scope
from serve.web.reports import territories_of
from tests.serve.nights import MOMENTS, TEXTS, table
from tests.serve.reports import leads, outcomes, reported, touches
from tests.serve.web.conftest import Site

import pyarrow as pa  # isort: skip

PLACES = ("North", "South")
FIGURE = {"value": 0.6, "low": 0.5, "high": 0.7}
CARD = {
    "predicts": "probability that a lead reaches the stage 'won' within 90 days",
    "data": {"rows": 98765, "positives": 4321, "base_rate": 0.07, "last_as_of": "2026-03-24T00:00:00"},
    "figures": {
        name: {"n": 98765, "roc_auc": FIGURE, "capture_20": FIGURE, "lift_10": FIGURE}
        for name in ("model", "scorecard", "newest_first")
    },
    "calibration": [
        {"forecast": 0.1, "rate": 0.2, "rows": 98765}, {"forecast": 0.3, "rate": 0.25, "rows": 98765},
    ],
    "families": {"fit": 3, "behaviour": 2},
    "views": {
        "families": {"fit": 0.4, "behaviour": 0.6},
        "features": [{"feature": "opens_7d", "family": "behaviour"}],
    },
    "leaks": [{"column": "tier", "verdict": "drop", "evidence": "filled in later"}],
    "slices": [{"value": "zqSouth"}],
    "limits": ["98765 rows are zqSouth"],
}  # fmt: skip
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """A run with reports in which every text of a territory holds its name."""
    born = [
        (f"{where}{n}", "2026-01-05", where, f"rep zq{where}", f"source zq{where}", f"campaign zq{where}")
        for where in PLACES for n in range(4)
    ]  # fmt: skip
    nobodys = ("x", "2026-01-05", None, "rep zqnobody", EVIL, "campaign zqnobody")
    won = [(f"{where}0", "won", "2026-02-01") for where in PLACES]
    seen = [(f"{where}{n}", f"place zq{where}", "in", "2026-01-06") for where in PLACES for n in range(3)]
    spend = table(
        [("2026-01-05", f"source zq{where}", 7654321.0) for where in PLACES],
        date=MOMENTS, source=TEXTS, cost=pa.float64(),
    )  # fmt: skip
    said = table(
        [(f"{where}0", "accept", "2026-03-01", 98765, 0.3, n) for n, where in enumerate(PLACES)],
        lead_id=TEXTS, action=TEXTS, said_at=MOMENTS, rank=pa.int64(), probability=pa.float64(),
        place=pa.int64(),
    )  # fmt: skip
    folder = reported(
        tmp_path_factory.mktemp("run"),
        feedback=said,
        leads=leads(*born, nobodys, campaign=TEXTS),
        outcomes=outcomes(*won),
        touches=touches(*seen),
        spend=spend,
        ranked={name: 0.25 for name, *_ in born},
    )
    told = {"name": "leadrank", "version": "3", "digest": "d", "made_with": {}}
    as_of = datetime(2026, 6, 30, tzinfo=UTC)
    model.write(folder, as_of=as_of, ranked_by="model", card=CARD, model=told)
    found = [{"gate": "rows", "reason": "98765 rows are gone zqSouth"}]
    manifest = {"as_of": as_of.isoformat(), "ranked_by": "model", "gates": {"findings": found}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Run("R", folder, manifest)


@pytest.fixture
def reporting(site, run) -> Site:
    """The page with that run in force; its users see the territory North, except for analyst and admin."""
    following = SimpleNamespace(index=lambda _=None: SimpleNamespace(run=run))
    return Site(replace(site.place, following=following), site.clock)


@pytest.mark.parametrize("name", REPORTS)
def test_a_manager_reads_of_the_own_territory_and_of_no_other(reporting, name):
    answer = reporting.login("manager").get(f"/{name}")
    assert answer.status_code == 200
    assert "zqSouth" not in answer.text
    assert "zqnobody" not in answer.text
    assert "98,765" not in answer.text
    assert "7,654,321" not in answer.text
    if name in {"sources", "team"}:
        assert "zqNorth" in answer.text


@pytest.mark.parametrize("name", REPORTS)
def test_who_sees_every_lead_reads_of_all(reporting, name):
    answer = reporting.login("analyst").get(f"/{name}")
    assert answer.status_code == 200
    if name in {"sources", "team"}:
        assert all(f"zq{where}" in answer.text for where in PLACES)
    assert EVIL not in answer.text


@pytest.mark.parametrize(
    ("name", "status"), [("sources", 403), ("funnel", 403), ("team", 403), ("model", 200)]
)
def test_a_rep_opens_the_report_on_the_model_alone(reporting, name, status):
    assert reporting.login("rep").get(f"/{name}").status_code == status
    assert reporting.browser().get(f"/{name}").status_code == 303


def test_who_sees_own_leads_only_sees_no_sum_of_a_territory():
    assert territories_of(Scope(frozenset({"North"}), owner="Ann")) == frozenset()
    assert territories_of(Scope(None)) is None


def test_who_was_right_is_told_by_chance_where_a_rank_would_tell_of_others(reporting):
    part, whole = (reporting.login(name).get("/team").text for name in ("manager", "analyst"))
    assert "20.0% and more" in part
    assert "10,001" not in part
    assert "10,001 and later" in whole


@pytest.mark.parametrize("name", REPORTS)
def test_before_the_first_report_the_page_says_so(site, name):
    answer = site.login("admin").get(f"/{name}")
    assert answer.status_code == 200
    assert "There is no report yet" in answer.text


def test_the_rule_of_attribution_is_chosen_by_the_address(reporting):
    browser = reporting.login("analyst")
    assert 'aria-sort="descending">first touch' in browser.get("/sources?rule=first").text
    assert browser.get("/sources?rule=zzz").status_code == 422


@pytest.mark.parametrize("code", ["en", "zh", "ru"])
@pytest.mark.parametrize("territories", [None, frozenset({"North"}), frozenset()])
@pytest.mark.parametrize("name", REPORTS)
def test_a_file_has_its_style_inside_and_asks_nobody(run, name, territories, code):
    text = file_of(run, name, REPORTS[name](run.folder, territories), code)
    assert set(re.findall(r"https?://[^\"')\s]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "<script" not in text
    assert 'style="' not in text
    assert f'<html lang="{code}">' in text
    title = {"sources": "Sources", "funnel": "Funnel", "team": "Team", "model": "Model"}[name]
    assert f"<h1>{labels(code).text(title)}</h1>" in text
    for svg in re.findall(r"<svg class=\"chart\".*?</svg>", text, re.DOTALL):
        assert re.search(r"<title id=.*?<desc id=", svg, re.DOTALL)


def test_every_file_of_a_report_is_read_through_a_scope(run):
    """Rows of a territory that may not be seen are in no answer, whatever is asked."""
    files = [file for file in (run.folder / "reports").glob("*.parquet") if file.name != "spend.parquet"]
    assert len(files) == 10
    for file in files:
        seen = rows(run.folder, file.name, frozenset({"North"}), "SELECT DISTINCT territory FROM seen")
        assert seen in ([{"territory": "North"}], [])
