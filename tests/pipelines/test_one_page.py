"""The learned points card beside a trained model: in the report, in the bundle, and on one page."""

from __future__ import annotations

import json

import pytest

from tests.pipelines.ends import asked, failed

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def test_training_reports_the_card_as_a_contender_with_intervals(demo):
    told = demo.result["train"]
    auc = told["metrics"]["learned_card"]["roc_auc"]
    assert auc["low"] < auc["value"] < auc["high"]
    assert told["metrics"]["learned_card"]["n"] == told["metrics"]["model"]["n"]
    lost = told["learned_card"]["against_model"]["roc_auc"]["difference"]
    assert lost == pytest.approx(auc["value"] - told["metrics"]["model"]["roc_auc"]["value"])


def test_models_points_prints_the_registered_card_and_rules_to_copy(demo, crm, leadrank):
    version = demo.result["train"]["version"]
    told = asked(leadrank, "models", "--points", version, home=crm)
    assert told["lines"] == demo.result["train"]["learned_card"]["lines"]
    code, out, _ = leadrank("models", "--points", version, home=crm)
    assert code == 0
    assert "the card minus the model" in out
    assert all(json.dumps(rule, ensure_ascii=False) in out for rule in told["rules"])


def test_the_printed_rules_can_rank(demo, crm, leadrank):
    """Copied into params.yaml, with a registry that has no model, they order the leads."""
    rules = asked(leadrank, "models", "--points", demo.result["train"]["version"], home=crm)["rules"]
    path = crm / "params.yaml"
    text = path.read_text(encoding="utf-8").replace("  model: leadrank", "  model: another")
    path.write_text(
        text.replace("  mql_points: 50", f"  rules: {json.dumps(rules)}\n  mql_points: 50"), "utf-8"
    )
    told = asked(leadrank, "score", "--as-of", "2026-06-29", home=crm)
    assert told["ranked_by"] == "scorecard"
    assert told["leads"][0]["score"] > 40


def test_a_version_without_a_card_says_so(crm, leadrank):
    line = failed(leadrank, "models", "--points", "99", home=crm)
    assert line["code"] == 8
