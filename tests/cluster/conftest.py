"""A cluster for all tests of it, and leads of the demo for its jobs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.store import place
from tests.cluster import standalone
from tests.cluster.sizes import PARTITIONS, ROWS, TIMES


@pytest.fixture(scope="session")
def cluster():
    """Two workers; skips without Java."""
    if shutil.which("java") is None:
        pytest.skip("Spark tests want Java 17, which is not on this machine")
    pytest.importorskip("pyspark", reason="Spark tests want the extra [spark]")
    with standalone.cluster() as running:
        yield running


@pytest.fixture(scope="session")
def model(demo):
    """Where the demo's bundle is, and its digest."""
    manifest = Path(demo.result["score"]["folder"]) / "manifest.json"
    digest = json.loads(manifest.read_text(encoding="utf-8"))["model"]["digest"]
    return place(demo.home, digest), digest


@pytest.fixture(scope="session")
def features(demo, tmp_path_factory):
    """A folder of files with 31,950 leads of all: those of the demo, again and again under new ids."""
    rows = pq.read_table(Path(demo.result["score"]["folder"]) / "features.parquet")[:ROWS]
    leads = [f"{lead}-{time}" for time in range(TIMES) for lead in rows.column("lead_id").to_pylist()]
    many = pa.concat_tables([rows] * TIMES).drop_columns(["lead_id", "snapshot_id"])
    many = many.append_column("lead_id", pa.array(leads))
    many = many.append_column("snapshot_id", pa.array(range(len(leads))))
    folder = tmp_path_factory.mktemp("features")
    size = len(leads) // PARTITIONS
    for number in range(PARTITIONS):
        pq.write_table(many[number * size : (number + 1) * size], folder / f"part-{number:05d}.parquet")
    return folder
