"""A night whose source is cut, silent or emptied is not published, unless somebody says why it may be."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from tests.pipelines.ends import asked, failed

FIRST, NEXT = "2026-06-27", "2026-06-28"


@pytest.fixture(scope="module")
def published(demo, tmp_path_factory):
    """A demo with two past nights; the second passed all gates."""
    from datetime import UTC, datetime

    from pipelines import params as parameters
    from pipelines import score
    from pipelines.progress import Progress

    home = tmp_path_factory.mktemp("gates") / "crm"
    shutil.copytree(demo.home, home)
    params = parameters.load(home / "params.yaml")
    nights = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (FIRST, NEXT)]
    told = [score.run(params, home, as_of=night, progress=Progress(is_quiet=True)) for night in nights]
    shutil.rmtree(told[1]["folder"])
    return home, told


@pytest.fixture
def night(published, tmp_path):
    """The demo after the first of them."""
    return shutil.copytree(published[0], tmp_path / "crm")


def changed(home, name, change):
    """Overwrite a table of the demo."""
    path = home / "data" / name
    change(pd.read_csv(path, dtype=str)).to_csv(path, index=False)


def test_ordinary_nights_are_published(published):
    for told in published[1]:
        assert told["gates"] == {"findings": [], "accepted": [], "reason": None}


def test_a_table_that_lost_rows_is_published_for_a_reason_only(night, leadrank):
    changed(night, "spend.csv", lambda spend: spend.head(len(spend) // 2))
    line = failed(leadrank, "score", "--as-of", NEXT, home=night)
    assert (line["code"], line["stage"]) == (4, "gates")
    assert "rows: 'spend' has" in line["reason"]
    assert "--accept-gate rows" in line["hint"]
    gates = ("--accept-gate", "rows", "--accept-gate", "freshness")
    told = asked(leadrank, "score", "--as-of", NEXT, *gates, "--reason", "campaigns ended", home=night)
    assert told["is_new"]
    assert (told["gates"]["accepted"], told["gates"]["reason"]) == (["rows", "freshness"], "campaigns ended")
    assert {finding["subject"] for finding in told["gates"]["findings"]} == {"spend"}


def test_everything_that_is_wrong_with_a_night_is_named_at_once(night, leadrank):
    """A column is empty, another was shuffled, and touches stopped a week ago."""

    def spoiled(leads):
        return leads.assign(country=None, source=leads["source"].sample(frac=1, random_state=0).to_numpy())

    changed(night, "leads.csv", spoiled)
    path = night / "data" / "touches.parquet"
    touches = pd.read_parquet(path)
    moments = pd.to_datetime(touches["recorded_at"], utc=True)
    touches[moments < pd.Timestamp("2026-06-20", tz="UTC")].to_parquet(path, index=False)
    line = failed(leadrank, "score", "--as-of", NEXT, home=night)
    assert line["code"] == 4
    assert "freshness: the newest row of 'touches' was recorded at 2026-06-" in line["reason"]
    assert "100% of the leads are without a value of 'country'" in line["reason"]
    assert all(f"--accept-gate {gate}" in line["hint"] for gate in ("freshness", "nulls", "skew"))
    shown = asked(leadrank, "current", home=night)
    assert shown["last_failure"]["reason"] == line["reason"]
    assert shown["age_days"] > 100


def test_a_gate_that_is_none_is_refused_before_anything_is_read(night, leadrank):
    line = failed(leadrank, "score", "--accept-gate", "row", "--reason", "why", home=night)
    assert (line["code"], "there is no gate 'row'" in line["reason"]) == (2, True)
