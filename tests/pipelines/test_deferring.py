"""A night on which MLflow does not answer is ranked by the champion of the night before, and says so."""

from __future__ import annotations

import json
import threading

import pytest

from features.errors import ModelError, UpstreamError
from pipelines.deferring import FILE, kept, within


def test_a_call_that_ends_in_time_gives_its_answer():
    assert within(5, lambda: 42) == 42


def test_what_a_call_raises_is_raised_here():
    def ask():
        raise ModelError("no champion")

    with pytest.raises(ModelError, match="no champion"):
        within(5, ask)


def test_a_call_that_never_ends_is_given_up():
    never = threading.Event()
    with pytest.raises(UpstreamError, match="did not answer"):
        within(0.05, never.wait)
    never.set()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": "leadrank", "version": "1"}'])
def test_a_note_that_cannot_be_read_names_no_champion(tmp_path, text):
    (tmp_path / ".leadrank").mkdir()
    (tmp_path / ".leadrank" / FILE).write_text(text)
    assert kept(tmp_path, "leadrank") is None


def test_mlflow_down_leaves_a_ranking_by_the_last_champion_and_without_one_none(leadrank, crm):
    params = crm / "params.yaml"
    params.write_text(params.read_text().replace("sqlite:///mlflow.db", "http://127.0.0.1:9"))
    told = json.loads((crm / ".leadrank" / FILE).read_text())
    code, out, err = leadrank("score", "--as-of", "2026-06-29", "--json", home=crm)
    assert code == 0, err
    manifest = json.loads((crm / "runs" / json.loads(out)["run_id"] / "manifest.json").read_text())
    assert manifest["tracking"] == "deferred"
    assert manifest["model"]["digest"] == told["digest"]

    (crm / ".leadrank" / FILE).unlink()
    code, _, err = leadrank("score", "--as-of", "2026-06-28", "--json", home=crm)
    assert (code, json.loads(err.splitlines()[-1])["code"]) == (5, 5)
