"""``promote``, ``rollback`` and the model card: the commands on two registered versions."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from features.errors import LockedError
from models import registry
from pipelines import score
from pipelines.champion import moving
from tests.pipelines.ends import asked, failed

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

ROLLBACK_SECONDS = 30
"""Within which a bad model is out of force, on a machine that does other work too; usually two."""


@pytest.fixture
def crm(two_versions, tmp_path):
    return shutil.copytree(two_versions, tmp_path / "crm")


def aliases(home):
    return {v.version: list(v.aliases) for v in registry.versions(f"sqlite:///{home}/mlflow.db", "leadrank")}


def tags(home, number):
    return registry.version(f"sqlite:///{home}/mlflow.db", "leadrank", number).tags


def predicted(leadrank, home):
    asked(leadrank, "predict", "--rows", "leads.csv", "--out", "out.csv", home=home)
    return (home / "out.csv").read_bytes()


def test_a_worse_challenger_is_refused_forced_with_a_reason_and_rolled_back(crm, leadrank):
    assert aliases(crm) == {"1": ["champion"], "2": ["challenger"]}
    before = predicted(leadrank, crm)

    line = failed(leadrank, "promote", home=crm)
    assert line["code"] == 8
    assert "gate 'log_loss' is shut" in line["reason"]
    assert "--force --reason" in line["hint"]
    assert aliases(crm) == {"1": ["champion"], "2": ["challenger"]}
    assert list(crm.glob("mlartifacts/*/artifacts/promotion/against-version-1.json"))

    told = asked(leadrank, "promote", "--force", "--reason", "the field is gone", home=crm)
    assert (told["version"], told["instead_of"], told["forced_for"]) == ("2", "1", "the field is gone")
    assert (told["rows"], told["leads"]) == (160, 160)  # the test slice of both: the last fifth
    assert told["figures"]["log_loss"]["low"] > 0
    assert aliases(crm) == {"1": [], "2": ["champion"]}
    assert tags(crm, "2")["leadrank.promotion"] == "forced"
    assert tags(crm, "2")["leadrank.promotion_reason"] == "the field is gone"
    assert "log_loss" in tags(crm, "2")["leadrank.promotion_shut"]
    assert predicted(leadrank, crm) != before

    start = time.perf_counter()
    back = asked(leadrank, "rollback", "--model", "--reason", "calls went wrong", home=crm)
    assert time.perf_counter() - start < ROLLBACK_SECONDS
    assert (back["version"], back["instead_of"]) == ("1", "2")
    assert aliases(crm) == {"1": ["champion"], "2": []}
    assert tags(crm, "1")["leadrank.rollback_reason"] == "calls went wrong"
    assert predicted(leadrank, crm) == before


def test_a_better_version_passes_and_the_champion_again_is_a_no_op(crm, leadrank):
    asked(leadrank, "promote", "2", "--force", "--reason", "for the test", home=crm)
    told = asked(leadrank, "promote", "1", home=crm)
    assert (told["version"], told["instead_of"], told["forced_for"]) == ("1", "2", None)
    assert all(gate["is_open"] for gate in told["gates"])
    assert tags(crm, "1")["leadrank.promotion"] == "passed"
    assert asked(leadrank, "promote", "1", home=crm)["is_new"] is False
    code, out, _ = leadrank("rollback", "--model", "2", "--reason", "and back", home=crm)
    assert code == 0
    assert "version 2 is the champion again instead of version 1" in out


def test_a_version_whose_files_were_altered_is_not_brought_back(crm, leadrank):
    asked(leadrank, "promote", "--force", "--reason", "for the test", home=crm)
    shutil.rmtree(crm / ".leadrank" / "models")
    for path in crm.glob("mlartifacts/*/artifacts/model/bundle/model.json"):
        path.write_text(path.read_text().replace("Visits", "Visitz"))
    line = failed(leadrank, "rollback", "--model", "--reason", "why not", home=crm)
    assert line["code"] == 8
    assert "bundle is refused" in line["reason"]
    assert aliases(crm) == {"1": [], "2": ["champion"]}


def test_there_is_nothing_to_go_back_to_before_the_first_champion(crm, leadrank):
    line = failed(leadrank, "rollback", "--model", "--reason", "why not", home=crm)
    assert (line["code"], "took nobody's place" in line["reason"]) == (8, True)


@pytest.mark.parametrize(
    "words",
    [
        ("promote", "--force"),
        ("promote", "--reason", "why not"),
        ("promote", "--force", "--reason", " "),
        ("rollback", "--reason", "why not"),
        ("rollback", "--model"),
    ],
)
def test_a_change_by_hand_needs_its_words(two_versions, leadrank, words):
    assert failed(leadrank, *words, home=two_versions)["code"] == 2


def test_a_version_that_is_not_there_is_refused(two_versions, leadrank):
    for words in (
        ("promote", "9"),
        ("rollback", "--model", "9", "--reason", "why"),
        ("models", "--card", "9"),
    ):
        line = failed(leadrank, *words, home=two_versions)
        assert (line["code"], "has no version 9" in line["reason"]) == (8, True)


def test_a_model_without_signal_is_promoted_by_no_reason(crm, leadrank):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{crm}/mlflow.db")
    client.set_model_version_tag("leadrank", "2", "leadrank.has_signal", "false")
    line = failed(leadrank, "promote", "--force", "--reason", "I like it", home=crm)
    assert (line["code"], "gate 'signal' is shut" in line["reason"]) == (8, True)
    client.delete_registered_model_alias("leadrank", "champion")  # and it is not promoted over nobody either
    line = failed(leadrank, "promote", "--force", "--reason", "I like it", home=crm)
    assert (line["code"], "gate 'signal' is shut" in line["reason"]) == (8, True)
    asked(leadrank, "promote", "1", home=crm)
    line = failed(leadrank, "rollback", "--model", "2", "--reason", "I like it", home=crm)
    assert "ranks like chance" in line["reason"]


def test_two_changes_at_once_are_one(crm):
    with moving(crm), pytest.raises(LockedError, match="another promotion or rollback"), moving(crm):
        pass


def test_a_night_keeps_the_champion_that_it_began_with(crm, leadrank, monkeypatch):
    with (crm / "leads.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{row},{12 - row},\n" for row in range(12))
    uri, write = f"sqlite:///{crm}/mlflow.db", score.write

    def promoting(*given, **named):
        second = registry.version(uri, "leadrank", "2")
        registry.put_in_force(uri, "leadrank", second, instead_of="1", record={})
        return write(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(score, "write", promoting)
        told = asked(leadrank, "score", "--as-of", "2026-06-30", home=crm)
    model = json.loads((Path(told["folder"]) / "manifest.json").read_text())["model"]
    assert (model["version"], model["digest"]) == ("1", registry.version(uri, "leadrank", "1").digest)
    assert aliases(crm) == {"1": [], "2": ["champion"]}
    after = asked(leadrank, "score", "--as-of", "2026-07-01", home=crm)
    model = json.loads((Path(after["folder"]) / "manifest.json").read_text())["model"]
    assert model["version"] == "2"


def test_the_card_of_a_version_is_printed(two_versions, leadrank):
    code, out, _ = leadrank("models", "--card", "1", home=two_versions)
    assert code == 0
    assert out.startswith("# Model card: leadrank")
    told = asked(leadrank, "models", "--card", "1", home=two_versions)
    assert told["text"] == out
    assert told["families"] == {"fit": 2}
    assert "there are no dates" in " ".join(told["limits"])
    kept = {path.name for path in two_versions.glob("mlartifacts/*/artifacts/model/card.*")}
    assert kept == {"card.md", "card.html", "card.json"}
