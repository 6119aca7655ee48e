"""`leadrank monitor` from end to end, on a small demo in which a source turns bad."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from features.errors import GateError, StorageError
from pipelines import monitor, monitoring
from serve import runs
from serve.monitoring import store
from tests.benches.monitoring import TURNS_IN
from tests.pipelines import turned_crm
from tests.pipelines.ends import asked, contents
from tests.pipelines.turned_crm import LONG_AGO, SOURCE

NAMED = f"new leads of source {SOURCE} are not what such leads were in training: 'email_kind'"


@pytest.fixture(scope="session")
def made_turned(tmp_path_factory):
    return turned_crm.made(tmp_path_factory.mktemp("turned") / "crm")


@pytest.fixture
def turned(made_turned, tmp_path):
    """A copy that a test may change, and the ids of its weeks."""
    home = shutil.copytree(made_turned.home, tmp_path / "crm")
    return home, {week: run.run_id for week, run in made_turned.weeks.items()}


@pytest.fixture
def alarmed(turned, leadrank):
    """A look at the second run after the turn: the folder, exit code, what was printed, and the last line."""
    home, weeks = turned
    files = ("--report", "monitor.html", "--metrics", "leadrank.prom")
    return home, *looked(leadrank, home, weeks[TURNS_IN + 1], *files)


def changed(home, section, **values):
    file = home / "params.yaml"
    said = yaml.safe_load(file.read_text(encoding="utf-8"))
    said[section] = {**said.get(section, {}), **values}
    file.write_text(yaml.safe_dump(said), encoding="utf-8")


def looked(leadrank, home, run_id, *words):
    """Exit code, and what was printed, of a look at a run."""
    code, out, err = leadrank("monitor", "--run", run_id, *words, "--json", home=home)
    return code, json.loads(out), err


def test_a_source_that_turned_bad_is_named_within_two_weekly_runs_and_all_of_it_is_left(alarmed, made_turned):
    home, code, told, err = alarmed
    assert (code, told["level"], told["retrain"]) == (4, "alarm", False)
    assert told["reasons"][0].startswith(NAMED)
    first = told["found"][0]
    assert (first["kind"], first["slice"], first["subject"]) == (
        "newcomers",
        f"source={SOURCE}",
        "email_kind",
    )
    line = json.loads(err.splitlines()[-1])
    assert (line["code"], line["stage"]) == (4, "monitor")
    assert "training again would learn from it" in line["hint"]
    # Everything is written before the command fails.
    page = (home / "monitor.html").read_text(encoding="utf-8")
    assert told["run_id"] in page
    assert "email_kind" in page
    assert "<script" not in page
    lines = (home / "leadrank.prom").read_text(encoding="utf-8").splitlines()
    assert "leadrank_monitor_level 2.0" in lines
    assert any(line.startswith('leadrank_monitor_figure{figure="newcomers"') for line in lines)
    rows = pq.read_table(told["table"])
    assert {"drift", "score", "newcomers", "skew", "estimated"} <= set(rows["kind"].to_pylist())
    assert len(told["found"]) == sum(level != "ok" for level in rows["level"].to_pylist())
    assert contents(home / "runs").keys() == {
        home / path.relative_to(made_turned.home) for path in contents(made_turned.home / "runs")
    }


def test_nothing_that_a_look_leaves_has_a_lead_in_it(alarmed):
    home, _, told, _ = alarmed
    some = pq.read_table(home / "runs" / told["run_id"] / "ranking.parquet")["lead_id"].to_pylist()[:20]
    left = [json.dumps(told), (home / "monitor.html").read_text(encoding="utf-8")]
    left.append(json.dumps(pq.read_table(told["table"]).to_pylist()))
    assert not [lead for lead in some if any(f'"{lead}"' in text or f">{lead}<" in text for text in left)]


def test_the_week_before_is_clean_and_mlflow_has_its_figures_beside_those_of_the_training(turned, leadrank):
    import mlflow

    home, weeks = turned
    told = asked(leadrank, "monitor", "--run", weeks[TURNS_IN - 1], home=home)
    assert told["level"] != "alarm", told["reasons"]
    assert told["last_week"] == weeks[TURNS_IN - 2]
    assert (told["knows_training"], told["logged"]) == (True, True)
    client = mlflow.MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    version = client.get_model_version_by_alias("leadrank", "champion")
    kept = client.get_run(version.run_id).data.metrics
    assert kept["monitor/model_drift/training"] == pytest.approx(told["figures"]["model_drift|training"])
    assert kept["monitor/alarms"] == 0


@pytest.mark.parametrize(
    ("level", "fail_on", "is_refused"),
    [
        ("alarm", "alarm", True),
        ("alarm", "warning", True),
        ("alarm", None, False),
        ("warning", "alarm", False),
        ("warning", "warning", True),
        ("ok", "warning", False),
    ],
)
def test_the_level_that_fails_is_the_one_that_was_asked_for(level, fail_on, is_refused):
    said = {"level": level, "reasons": ["it moved"], "advice": "look"}
    with pytest.raises(GateError, match=f"{level}: it moved") if is_refused else nullcontext():
        monitor.check(said, fail_on)


def test_past_rankings_are_judged_by_all_leads_and_by_the_calls_that_were_drawn(turned, leadrank):
    home, weeks = turned
    ranked = pq.read_table(home / "runs" / weeks[LONG_AGO] / "ranking.parquet")
    count = ranked.num_rows
    called = {
        "lead_id": ranked["lead_id"],
        "probability": ranked["probability"],
        "why": ["best" if place < count // 2 else "explore" for place in range(count)],
        "selection_probability": [1.0 if place < count // 2 else 0.5 for place in range(count)],
    }
    for run_id in (weeks[LONG_AGO], weeks[TURNS_IN - 2]):  # of the younger one nothing is known yet
        pq.write_table(pa.table(called), home / "runs" / run_id / "calls.parquet")
    looked(leadrank, home, weeks[TURNS_IN - 1], "--report", "monitor.html")
    rows = pq.read_table(home / store.FOLDER / f"{weeks[TURNS_IN - 1]}.parquet").to_pylist()
    found = {(row["kind"], row["subject"]): row for row in rows if row["slice"] == ""}
    rate, won = found["unbiased", "rate"], found["realised", "wins"]
    assert (rate["rows"], won["rows"]) == (count, count)
    assert rate["against"] == pytest.approx(won["value"] / count)  # of the called ones, who are all
    assert {"roc_auc", "lift_10"} <= {subject for kind, subject in found if kind == "unbiased"}
    _, shown, _ = leadrank("monitor", "--run", weeks[TURNS_IN - 1], home=home)
    assert "Past weekly rankings whose outcomes are known: 1; not yet: 1." in shown
    assert f"{found['realised', 'roc_auc']['value']:.3f}" in shown
    assert "All leads of past call lists" in (home / "monitor.html").read_text(encoding="utf-8")


def test_a_model_from_before_says_what_is_not_known(turned, leadrank, monkeypatch):
    home, weeks = turned
    monkeypatch.setattr("models.populations.kept", lambda _extras: None)
    code, told, _ = looked(leadrank, home, weeks[TURNS_IN - 2])
    assert (code, told["knows_training"], told["last_week"]) == (0, False, None)
    _, said, _ = leadrank("monitor", "--run", weeks[TURNS_IN - 2], home=home)
    assert "Train again, and it is kept" in said
    assert "No run is between one and five weeks older" in said


@pytest.mark.parametrize(("run", "what"), [("2026-01-01-absent", "there is no run"), (None, "no ranking")])
def test_a_run_that_is_not_there_is_named(turned, leadrank, run, what):
    home, _ = turned
    if run is None:
        (home / "runs" / "CURRENT").unlink()
    words = () if run is None else ("--run", run)
    code, _, err = leadrank("monitor", *words, "--json", home=home)
    line = json.loads(err.splitlines()[-1])
    assert code == line["code"] != 0
    assert what in line["reason"]


def test_a_damaged_run_is_not_judged(turned, leadrank):
    home, weeks = turned
    path = home / "runs" / weeks[TURNS_IN] / "features.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    code, _, err = leadrank("monitor", "--run", weeks[TURNS_IN], "--json", home=home)
    assert code != 0
    assert "'features.parquet'" in json.loads(err.splitlines()[-1])["reason"]


def test_a_night_is_looked_at_and_published_whatever_is_found(crm, leadrank):
    told = asked(leadrank, "score", "--as-of", "2026-06-29", home=crm)
    assert told["monitoring"]["level"] in {"ok", "warning", "alarm"}
    assert told["monitoring"]["run_id"] == told["run_id"]
    assert told["run_id"] in {verdict["run_id"] for verdict in store.verdicts(crm)}
    changed(crm, "monitor", at_score=False)
    assert asked(leadrank, "score", "--as-of", "2026-06-28", home=crm)["monitoring"] is None


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (StorageError("the file 'x' cannot be read", hint="see"), "the file 'x' cannot be read — see"),
        (
            ValueError("L0001 has a secret"),
            "ValueError",
        ),  # of a foreign error only its name: it may quote a lead
        (duckdb.IOException("gone"), "IOException"),
    ],
)
def test_a_monitor_that_fails_costs_no_night(crm, leadrank, monkeypatch, fault, problem):
    def broken(*_):
        raise fault

    monkeypatch.setattr(monitoring, "measured", broken)
    code, out, err = leadrank("score", "--as-of", "2026-06-29", "--json", home=crm)
    told = json.loads(out)
    assert (code, told["is_new"]) == (0, True), err
    assert told["monitoring"] == {"run_id": told["run_id"], "level": None, "problem": problem}
    assert runs.find(crm / "runs", told["run_id"]) is not None


def test_mlflow_down_leaves_the_verdict_and_says_that_it_was_not_logged(crm, leadrank, monkeypatch):
    monkeypatch.setattr(monitoring, "LOG_SECONDS", 2.0)
    params = crm / "params.yaml"
    params.write_text(params.read_text().replace("sqlite:///mlflow.db", "http://127.0.0.1:9"))
    told = asked(leadrank, "score", "--as-of", "2026-06-29", home=crm)["monitoring"]
    assert told["logged"] is False
    assert told["run_id"] in {verdict["run_id"] for verdict in store.verdicts(crm)}
