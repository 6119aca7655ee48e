"""``leadrank retrain``: one load, the steps in order, the first refusal ends it, and the champion stays."""

from __future__ import annotations

import json
import shutil

import pytest
from filelock import FileLock

from features.errors import GateError
from models import registry
from pipelines import checks, retrain, retrain_asked, retrain_steps
from tests.pipelines.ends import asked, failed

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(autouse=True)
def _nothing_was_monitored(monkeypatch):
    monkeypatch.setattr(retrain_asked, "advice", lambda _home: None)


@pytest.fixture
def crm(two_versions, tmp_path):
    """A champion, and a challenger that does without the telling field; ``without.yaml`` trains such ones."""
    return shutil.copytree(two_versions, tmp_path / "crm")


def aliases(home):
    return {v.version: list(v.aliases) for v in registry.versions(f"sqlite:///{home}/mlflow.db", "leadrank")}


def set_to(home, text, *, file="params.yaml"):
    with (home / file).open("a", encoding="utf-8") as params:
        params.write(text)


def test_nothing_is_due_right_after_a_training_and_no_table_is_read(crm, leadrank, monkeypatch):
    monkeypatch.setattr(retrain_steps, "opened", lambda *_: pytest.fail("a table was read"))
    told = asked(leadrank, "retrain", home=crm)
    assert (told["action"], told["steps"], told["refused"]) == ("wait", [], None)
    assert (told["champion"], told["challenger"], told["is_new_champion"]) == ("1", "2", False)
    assert told["because"][0]["says"] == "the latest training is 0 days old, 7 at least"
    assert aliases(crm) == {"1": ["champion"], "2": ["challenger"]}


def test_a_dry_run_tells_what_is_due_and_does_nothing(crm, leadrank):
    told = asked(leadrank, "retrain", "--force", "--dry-run", home=crm)
    assert (told["action"], told["is_dry"], told["steps"]) == ("train", True, [])
    assert list(aliases(crm)) == ["2", "1"]


def test_all_steps_speak_of_one_load_and_the_champion_changes_when_every_gate_is_open(
    crm, leadrank, monkeypatch
):
    loads, opened = [], retrain_steps.opened
    monkeypatch.setattr(retrain_steps, "opened", lambda *given: loads.append(1) or opened(*given))
    told = asked(leadrank, "retrain", "--force", home=crm)
    assert len(loads) == 1
    assert [step["step"] for step in told["steps"]] == ["check", "audit", "train", "backtest", "promote"]
    check, audit, trained, backtest, promoted = (step["summary"] for step in told["steps"])
    assert (check["read"], check["accepted"]) == (800, 800)
    assert audit["excluded"] == []
    assert trained["lineage"]["data_digest"] == check["data_digest"]
    assert backtest == {"left_out": "retrain.backtest is false"}
    assert (promoted["version"], promoted["instead_of"]) == ("3", "1")
    assert (told["champion"], told["is_new_champion"]) == ("3", True)
    assert aliases(crm) == {"3": ["champion"], "2": [], "1": []}
    kept = json.loads((crm / ".leadrank" / "champion.json").read_text())
    assert kept["version"] == "3"
    code, out, _ = leadrank("retrain", home=crm)
    assert (code, "Nothing is due" in out, "version 3 stays in force" in out) == (0, True, True)


def test_a_refused_challenger_ends_with_its_code_and_all_that_was_done(crm, leadrank):
    code, out, err = leadrank("retrain", "--force", "--params", "without.yaml", "--json", home=crm)
    told, line = json.loads(out), json.loads(err.splitlines()[-1])
    assert (code, line["code"]) == (8, 8)
    assert told["refused"]["step"] == "promote"
    assert told["refused"]["reason"] == line["reason"]
    assert "gate 'log_loss' is shut" in line["reason"]
    assert [step["step"] for step in told["steps"]] == ["check", "audit", "train", "backtest"]
    assert (told["champion"], told["is_new_champion"]) == ("1", False)
    assert aliases(crm) == {"3": ["challenger"], "2": [], "1": ["champion"]}
    tags = registry.version(f"sqlite:///{crm}/mlflow.db", "leadrank", "3").tags
    assert tags["leadrank.promotion"] == "refused"
    told = asked(leadrank, "retrain", home=crm)
    assert told["last_failure"]["reason"] == line["reason"]
    code, out, _ = leadrank("retrain", home=crm)
    assert (code, "the latest attempt failed on" in out) == (0, True)


def test_a_person_may_keep_the_last_word(crm, leadrank):
    set_to(crm, "retrain: {promote: false}\n")
    told = asked(leadrank, "retrain", "--force", home=crm)
    assert told["steps"][-1]["summary"] == {
        "left_out": "retrain.promote is false: `leadrank promote` decides"
    }
    assert aliases(crm) == {"3": ["challenger"], "2": [], "1": ["champion"]}


def test_a_table_that_breaks_its_contract_stops_it_before_any_training(crm, leadrank, monkeypatch):
    def refusing(*_given, **_named):
        raise GateError("too much", hint="mend it")

    monkeypatch.setattr(checks, "run", refusing)
    code, out, err = leadrank("retrain", "--force", "--json", home=crm)
    told = json.loads(out)
    assert (code, told["refused"]) == (4, {"step": "check", "code": 4, "reason": "too much"})
    assert json.loads(err.splitlines()[-1])["hint"] == "mend it"
    assert list(aliases(crm)) == ["2", "1"]
    kept = json.loads((crm / ".leadrank" / retrain.FILE).read_text())
    assert (kept["code"], kept["reason"]) == (4, "too much")


def test_two_at_once_are_one_and_a_night_does_not_wait_for_either(crm, leadrank):
    with (crm / "leads.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{row},{12 - row},\n" for row in range(12))
    with FileLock(crm / ".leadrank" / "retrain.lock"):
        line = failed(leadrank, "retrain", home=crm)
        assert (line["code"], line["reason"]) == (6, "another retraining is under way")
        assert asked(leadrank, "score", "--as-of", "2026-06-30", home=crm)["is_new"]


def test_a_flat_start_has_no_past_to_replay(crm, leadrank):
    set_to(crm, "retrain: {promote: false, backtest: true}\n")
    told = asked(leadrank, "retrain", "--force", home=crm)
    assert told["steps"][3]["summary"] == {"left_out": "one table without dates has no past to replay"}
