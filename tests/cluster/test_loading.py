"""A table in parts that a cluster converts: an executor that dies meanwhile changes no bit of the load."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from features.backend import workspace
from features.ingest import load
from tests.benches.loading_on_spark import make
from tests.cluster import standalone
from tests.cluster.killing import JOB_SECONDS, check_another_took_its_place, kill_one
from tests.cluster.loading import SOURCES

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(1500)]

ROWS, PARTS = 8_000_000, 40


def converted(home):
    """Parts that executors have converted, while the job runs."""
    return len(list(home.glob(".leadrank/work-*/converted-*/*.parquet")))


def test_an_executor_that_is_killed_while_it_converts_changes_no_bit_of_the_load(cluster, tmp_path):
    make(tmp_path, ROWS, PARTS)
    script = str(Path(__file__).with_name("loading.py"))
    words = [cluster.url, str(tmp_path), str(ROWS // PARTS)]
    running = standalone.start([sys.executable, script, *words], tmp_path, tmp_path / "load.log")
    try:
        kill_one(cluster, running, lambda: converted(tmp_path), of=PARTS)
        assert running.process.wait(JOB_SECONDS) == 0, running.said()[-3000:]
    finally:
        standalone.stop([running])
    with workspace(tmp_path) as home:
        assert f"digest {load(home.con, SOURCES, folder=tmp_path).digest}" in running.said()
    assert converted(tmp_path) == 0
    check_another_took_its_place(cluster)
