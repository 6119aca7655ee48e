"""What is told of a lead, also of rankings that lack a column, and of runs that are damaged."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import StorageError
from serve.lead import explained
from serve.lead_page import page
from serve.runs import Run

REASON = {
    "lead_id": "L1",
    "rank_in_row": 1,
    "direction": "for",
    "family": "fit",
    "points": 1.5,
    "sentence": "a fit",
}


@pytest.fixture
def run(tmp_path):
    """A run of an older version: no grades, tags, evidence or ledger."""
    figures = {"probability": 0.2, "probability_low": 0.1, "probability_high": 0.3, "score": 70.0}
    margins = {"margin": -1.0, "margin_base": -1.5, "margin_fit": 0.5}
    lead = pa.Table.from_pylist([{"lead_id": "L1", "rank": 1, **figures, **margins}])
    pq.write_table(lead, tmp_path / "ranking.parquet")
    pq.write_table(pa.Table.from_pylist([REASON]), tmp_path / "reasons.parquet")
    return Run("R", tmp_path, {"as_of": "2026-06-30T00:00:00+00:00", "model": {}})


def test_an_older_run_is_told_without_what_it_lacks(run):
    found = explained(run, "L1")
    assert (found["grade"], found["tags"], found["change"], found["steps"]) == (None, None, None, [])
    assert found["reasons"][0]["evidence_rate"] is None
    assert "a fit" in page({**found, "would_help": None})
    json.dumps(found, allow_nan=False)


def test_a_lead_that_is_not_ranked_is_none(run):
    assert explained(run, "L2") is None


def test_a_file_that_was_cut_short_is_a_damaged_run(run):
    path = run.folder / "reasons.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StorageError, match="reasons"):
        explained(run, "L1")
