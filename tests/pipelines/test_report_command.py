"""`leadrank report`: the reports of the demo's ranking, on the terminal, as data and as a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from models.labels import labels
from pipelines import told_reports
from serve.reporting.reading import REPORTS
from tests.test_docs import cells, section


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_of_the_ranking_in_force_is_data_and_a_page(demo, leadrank, tmp_path, name):
    file = tmp_path / "report.html"
    code, out, _ = leadrank("report", name, "--html", file, "--json", home=demo.home)
    assert code == 0
    told = json.loads(out)
    assert (told["name"], told["run_id"], told["territories"]) == (name, demo.result["score"]["run_id"], None)
    assert told["run_id"] in file.read_text(encoding="utf-8")
    code, shown, _ = leadrank("report", name, home=demo.home)
    assert code == 0
    assert shown.strip()


def test_a_page_that_cannot_be_written_is_refused(demo, leadrank, tmp_path):
    code, _, err = leadrank("report", "model", "--html", tmp_path / "no" / "report.html", home=demo.home)
    line = json.loads(err.splitlines()[-1])
    assert (code, line["hint"]) == (7, "no such file or directory")


def test_the_counts_of_the_demo_are_those_of_its_tables(demo, leadrank):
    report = json.loads(leadrank("report", "sources", "--json", home=demo.home)[1])["report"]
    accepted = {row["table"]: row["accepted"] for row in demo.result["score"]["counts"]["tables"]}
    assert 0.95 * accepted["leads"] < report["total"]["leads"] <= accepted["leads"]
    assert report["total"]["open"] == demo.result["score"]["counts"]["ranked"]
    team = json.loads(leadrank("report", "team", "--json", home=demo.home)[1])["report"]
    assert team["total"]["calls"] == demo.result["score"]["listed"]["calls"]
    model = json.loads(leadrank("report", "model", "--json", home=demo.home)[1])["report"]
    assert model["figures"]["model"]["roc_auc"]["value"] > 0.6
    assert len(model["reliability"]) == 10


def test_a_territory_narrows_the_report(demo, leadrank):
    whole = json.loads(leadrank("report", "sources", "--json", home=demo.home)[1])
    part = json.loads(leadrank("report", "sources", "--territory", "DACH", "--json", home=demo.home)[1])
    assert part["territories"] == ["DACH"]
    assert 0 < part["report"]["total"]["leads"] < whole["report"]["total"]["leads"]
    assert (part["report"]["cost"], whole["report"]["cost"]) == ("hidden", "shown")


def test_without_a_ranking_there_is_no_report(leadrank, tmp_path):
    (tmp_path / "params.yaml").write_text(
        "tables: {leads: {path: l.csv, outcome_column: won}}", encoding="utf-8"
    )
    code, _, said = leadrank("report", "sources", home=tmp_path)
    assert code == 8
    assert "no ranking is published yet" in said


RATE = {"value": 0.25, "low": 0.125, "high": 0.5, "n": 1200}
DONE = {"accepted": 3, "returned_at_once": 1, "won": 2}
DRAWN = {
    "sources": {
        "about": {"is_dated": True}, "cost": "hidden",
        "sources": [
            {"place": 1, "source": "☎", "leads": 1200, "mature": 900, "rates": {"won": RATE},
             "amount_won": 12345.0, "cost": None},
            {"place": None, "source": None, "leads": 2, "mature": 0, "rates": {"won": None},
             "amount_won": None, "cost": 5.0},
        ],
    },
    "funnel": {
        "about": {"is_dated": True},
        "steps": [
            {"from_stage": "lead", "to_stage": "won", "mature": 1200, "rate": RATE, "days": {"median": 2.5}},
            {"from_stage": "lost", "to_stage": "won", "mature": 0, "rate": None, "days": {"median": None}},
        ],
    },
    "team": {
        "judged": {
            "by": "rank",
            "rows": [
                {"side": "for", "is_known": True, "from": 1, "to": 100, "leads": 7, "mature": 5, "won": 3,
                 "converted": 2, "rate": None},
                {"side": "against", "is_known": False, "from": None, "to": None, "leads": 7, "mature": 5,
                 "won": 3, "converted": 2, "rate": None},
            ],
        },
        "about": {"is_dated": True},
        "reps": [{"owner": name, "leads": 1, "open": 1, "calls": None, "last": DONE} for name in ("☎", None)],
    },
    "model": {
        "families": [
            {"family": "fit", "features": 3, "share": 0.5}, {"family": "stage", "features": 1, "share": None},
        ],
        "figures": {"model": {"capture_20": RATE}},
    },
}  # fmt: skip


def said_of(name, report, code, capsys):
    told_reports.report({"name": name, "report": report, "html": None}, labels(code))
    return capsys.readouterr().out


@pytest.mark.parametrize("name", DRAWN)
def test_the_terminal_speaks_each_language(name, capsys):
    english = said_of(name, DRAWN[name], "en", capsys)
    russian, chinese = (said_of(name, DRAWN[name], code, capsys) for code in ("ru", "zh"))
    assert len({english, russian, chinese}) == 3
    assert "1,200" in english or name in {"team", "model"}
    assert ("25.0%" in english) == (name != "team")
    assert "25,0\xa0%" in russian or name == "team"


def test_a_flat_start_has_nothing_to_report_of_its_funnel(capsys):
    nothing = {"about": {"is_dated": False}, "steps": []}
    assert "there is nothing to report" in said_of("funnel", nothing, "en", capsys)


def test_the_manual_has_every_report_of_a_run_and_every_column(demo):
    folder = Path(demo.result["score"]["folder"]) / "reports"
    rows = dict(cells(section("runs.md", "## reports"))[1:])
    assert set(rows) == {file.name for file in folder.iterdir()}
    for name, text in rows.items():
        if name.endswith(".parquet"):
            columns = set(pq.read_schema(folder / name).names)
        else:
            columns = set(json.loads((folder / name).read_text(encoding="utf-8")))
        assert columns <= set(re.findall(r"\w+", text)), name
