"""Which published runs training remembers."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import params as parameters
from pipelines.remembering import memory
from serve import runs

PARAMS = "tables: {leads: {path: leads.csv}, outcomes: {path: outcomes.csv}, touches: {path: touches.csv}}\n"
NIGHT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def declared():
    return parameters.parse(PARAMS + "train: {memory: true}\n")


def publish(home, name, *, as_of=NIGHT, current=()):
    """A run with features and with what its manifest says of current fields."""
    (home / "runs").mkdir(exist_ok=True)
    with runs.staging(home / "runs") as staged:
        pq.write_table(pa.table({"lead_id": ["a"]}), staged / "features.parquet")
        manifest = {"as_of": as_of.isoformat(), "current_fields": list(current)}
        return runs.publish(staged, home / "runs", name, manifest)


def remembered(declared, home):
    return {path.parent.name: at for path, at in memory(declared, home, is_flat=False).nights.items()}


def test_every_night_is_remembered_once_from_the_run_with_the_most_current_fields(declared, tmp_path):
    later = NIGHT.replace(day=2)
    publish(tmp_path, "b-backfill")
    publish(tmp_path, "a-of-the-night", current=["mood"])
    publish(tmp_path, "c-backfill")
    publish(tmp_path, "d", as_of=later)
    assert remembered(declared, tmp_path) == {"a-of-the-night": NIGHT, "d": later}


def test_a_run_whose_features_were_altered_is_named_and_not_remembered(declared, tmp_path):
    publish(tmp_path, "a")
    victim = publish(tmp_path, "b", current=["mood"]).folder / "features.parquet"
    victim.write_bytes(victim.read_bytes() + b"x")
    assert memory(declared, tmp_path, is_flat=False).damaged == ("b",)
    assert remembered(declared, tmp_path) == {"a": NIGHT}


def test_nothing_is_remembered_unless_it_is_asked_for_or_in_a_flat_start(declared, tmp_path):
    publish(tmp_path, "a")
    assert not memory(parameters.parse(PARAMS), tmp_path, is_flat=False).nights
    assert not memory(declared, tmp_path, is_flat=True).nights


def test_before_the_first_run_there_is_nothing_to_remember(declared, tmp_path):
    assert remembered(declared, tmp_path) == {}
