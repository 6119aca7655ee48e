"""A challenger on trial: the night is the same without it, whatever happens to it the night stands."""

from __future__ import annotations

import json
import shutil

import pytest

from models import registry
from pipelines import retrain_asked, shadowing
from serve import runs
from tests.pipelines.ends import asked, failed

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
NIGHTS = "2026-06-28", "2026-06-29", "2026-06-30"


@pytest.fixture(autouse=True)
def _nothing_was_monitored(monkeypatch):
    monkeypatch.setattr(retrain_asked, "advice", lambda _home: None)


@pytest.fixture
def crm(two_versions, tmp_path):
    """Champion, challenger, and sixty leads to rank; the challenger's features are among the champion's."""
    home = shutil.copytree(two_versions, tmp_path / "crm")
    with (home / "leads.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{row % 12},{row % 7},\n" for row in range(60))
    return home


def on_trial(home, text="{nights: 2}"):
    with (home / "params.yaml").open("a", encoding="utf-8") as params:
        params.write(f"shadow: {text}\n")
    return home


def files(home):
    """Every file of the ranking in force, by the digest of its bytes."""
    found = runs.current(home / "runs")
    return found.run_id, {name: entry["sha256"] for name, entry in found.manifest["files"].items()}


def test_a_night_is_the_same_bytes_with_and_without_a_challenger_beside_it(crm, leadrank, tmp_path):
    other = on_trial(shutil.copytree(crm, tmp_path / "other"))
    assert "shadow" not in asked(leadrank, "score", "--as-of", NIGHTS[0], home=crm)
    told = asked(leadrank, "score", "--as-of", NIGHTS[0], home=other)["shadow"]
    assert files(crm) == files(other)
    assert (told["version"], told["nights"], told["of"], told["is_new"]) == ("2", 1, 2, True)
    report = told["report"]
    assert report["leads"] == 60
    assert report["features_built"] == 0
    assert report["first_tenth"]["leads"] == 6
    assert 0 < report["rank_correlation"] < 1
    assert report["seconds"] > 0
    assert not list((other / "runs").glob("**/*shadow*"))


def test_each_day_is_one_night_until_all_are_done(crm, leadrank):
    on_trial(crm)
    nights = [asked(leadrank, "score", "--as-of", night, home=crm)["shadow"] for night in NIGHTS]
    assert [night and night["nights"] for night in nights] == [1, 2, None]
    again = asked(leadrank, "score", "--as-of", NIGHTS[1], home=crm)["shadow"]
    assert (again["is_new"], again["nights"]) == (False, 2)
    told = asked(leadrank, "shadow", home=crm)
    assert (told["champion"], told["challenger"], told["nights"], told["of"]) == ("1", "2", 2, 2)
    assert [report["as_of"][:10] for report in told["reports"]] == list(NIGHTS[:2])
    code, out, _ = leadrank("shadow", home=crm)
    assert (code, "2026-06-29" in out, "nights" in out) == (0, True, True)


def test_a_night_whose_report_is_damaged_is_none_for_anybody_and_is_made_again(crm, leadrank):
    on_trial(crm)
    asked(leadrank, "score", "--as-of", NIGHTS[0], home=crm)
    (kept,) = (crm / ".leadrank" / "shadow").rglob("*.json")
    kept.write_text(kept.read_text()[:40])
    digest = kept.parent.name
    assert (shadowing.nights(crm, digest), shadowing.kept(crm, digest)) == (0, [])
    again = asked(leadrank, "score", "--as-of", NIGHTS[0], home=crm)["shadow"]
    assert (again["is_new"], again["nights"]) == (True, 1)


def test_whatever_ends_the_trial_the_night_stands(crm, leadrank, monkeypatch):
    on_trial(crm)

    def broken(*_given):
        raise RuntimeError("lead L1 has 5 calls")

    monkeypatch.setattr(shadowing.shadow, "both", broken)
    told = asked(leadrank, "score", "--as-of", NIGHTS[0], home=crm)
    assert told["is_new"]
    assert told["shadow"] == {"failed": {"code": 70, "reason": "RuntimeError"}}  # no word of a lead
    code, out, _ = leadrank("score", "--as-of", NIGHTS[0], home=crm)
    assert (code, "the challenger was not compared (code 70)" in out) == (0, True)
    assert asked(leadrank, "shadow", home=crm)["reports"] == []
    monkeypatch.undo()
    monkeypatch.chdir(crm)
    assert asked(leadrank, "score", "--as-of", NIGHTS[0], home=crm)["shadow"]["nights"] == 1


def test_features_that_the_champion_does_not_have_are_built_for_the_challenger(crm, leadrank):
    asked(leadrank, "promote", "2", "--force", "--reason", "the poorer one ranks", home=crm)
    from mlflow import MlflowClient

    MlflowClient(f"sqlite:///{crm}/mlflow.db").set_registered_model_alias("leadrank", "challenger", "1")
    told = asked(leadrank, "score", "--as-of", NIGHTS[0], home=on_trial(crm))["shadow"]
    assert told["report"]["features_built"] == 1  # Visits
    assert not list((crm / ".leadrank").glob("work-*"))


def test_tables_that_changed_since_the_night_are_not_compared(crm, leadrank, monkeypatch):
    on_trial(crm)
    monkeypatch.setattr(shadowing, "_lacking", lambda *_: ["Calls"])
    night = asked(leadrank, "score", "--as-of", NIGHTS[0], home=crm)
    shutil.rmtree(crm / ".leadrank" / "shadow")
    with (crm / "leads.csv").open("a", encoding="utf-8") as file:
        file.write("1,1,\n")
    from pipelines import params as parameters
    from pipelines.progress import Progress

    given = parameters.load(crm / "params.yaml")
    told = shadowing.after(given, crm, night["run_id"], Progress(is_quiet=True))
    assert told["failed"]["code"] == 3
    assert "have changed since" in told["failed"]["reason"]


def test_a_challenger_is_promoted_only_after_its_nights(crm, leadrank):
    on_trial(crm)
    line = failed(leadrank, "promote", home=crm)
    assert "gate 'shadow' is shut: scored beside the champion on 0 nights; 2 are needed" in line["reason"]
    told = asked(leadrank, "retrain", home=crm)
    assert (told["action"], told["because"][0]["name"]) == ("wait", "shadow")
    for night in NIGHTS[:2]:
        asked(leadrank, "score", "--as-of", night, home=crm)
    code, out, err = leadrank("retrain", "--json", home=crm)
    told, line = json.loads(out), json.loads(err.splitlines()[-1])
    assert (code, told["action"], told["refused"]["step"]) == (8, "promote", "promote")
    assert "gate 'shadow'" not in line["reason"]  # it is the poorer model: other gates keep it out
    assert asked(leadrank, "retrain", home=crm)["action"] == "wait"  # it was judged; nothing else is due
    tags = registry.version(f"sqlite:///{crm}/mlflow.db", "leadrank", "2").tags
    assert "shadow" not in tags["leadrank.promotion_shut"]


def test_a_new_challenger_waits_for_its_trial(crm, leadrank):
    told = asked(leadrank, "retrain", "--force", home=on_trial(crm))
    assert told["steps"][-1]["summary"] == {"left_out": "it is on trial beside the champion for 2 nights"}
    assert (told["champion"], told["challenger"], told["refused"]) == ("1", "3", None)


def test_nothing_that_the_trial_keeps_names_a_lead(crm, leadrank):
    asked(leadrank, "score", "--as-of", NIGHTS[0], home=on_trial(crm))
    (kept,) = (crm / ".leadrank" / "shadow").rglob("*.json")
    text = kept.read_text(encoding="utf-8")
    ids = [f"row-{row}" for row in range(801, 861)]
    assert json.loads(text)["leads"] == len(ids)
    assert not any(f'"{lead}"' in text for lead in ids)
    assert kept.stat().st_mode & 0o777 == 0o600
