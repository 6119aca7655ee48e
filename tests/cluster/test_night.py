"""A night in parts on a cluster of two workers: an executor that dies while it scores changes no byte."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import duckdb
import pytest

from models.store import load
from serve import batch, ledger, parts
from serve.batch import CONTRIBUTIONS, RANKING, REASONS, Shown
from tests.cluster import standalone
from tests.cluster.sizes import PARTITIONS, ROWS, TIMES

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(1500)]

PART_LEADS = ROWS * TIMES // PARTITIONS
JOB_SECONDS = 600


@pytest.fixture(scope="module")
def expected(model, features, tmp_path_factory):
    """The files of the same night, made by one process."""
    folder = tmp_path_factory.mktemp("night")
    bundle = load(model[0], digest=model[1])
    given = {"shown": Shown(), "part_leads": PART_LEADS}
    assert batch.score_leads(bundle, features, folder, **given) == ROWS * TIMES
    ledger.write_nothing(folder)
    with duckdb.connect() as connection:
        connection.read_parquet(str(features)).project("lead_id").create_view("leads")
        batch.write_ranking(connection, folder, **given)
    return bytes_of(folder)


def bytes_of(folder):
    """Every file of a staged folder."""
    for name in (RANKING, REASONS, CONTRIBUTIONS):
        assert len(parts.of(folder / name)) == PARTITIONS
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def scored(shared):
    """Parts whose scores lie in the shared folder."""
    return len(list(shared.rglob("[0-9]*-scores.parquet")))


def wait_for_parts(shared, running, count):
    end = time.monotonic() + JOB_SECONDS
    while scored(shared) < count:
        assert running.process.poll() is None, running.said()[-3000:]
        assert time.monotonic() < end, running.said()[-3000:]
        time.sleep(0.02)


def test_an_executor_that_is_killed_while_it_scores_changes_no_byte_of_the_night(
    cluster, model, features, expected, tmp_path
):
    shared, staged = tmp_path / "shared", tmp_path / "staged"
    shared.mkdir(), staged.mkdir()
    script = str(Path(__file__).with_name("night.py"))
    words = [cluster.url, features, model[0], model[1], shared, staged, PART_LEADS]
    running = standalone.start([sys.executable, script, *map(str, words)], tmp_path, tmp_path / "night.log")
    try:
        wait_for_parts(shared, running, 2)
        at_work = cluster.executors()
        assert sorted(at_work) == ["0", "1"]
        os.kill(at_work["0"], signal.SIGKILL)
        assert 2 <= scored(shared) < PARTITIONS
        assert running.process.wait(JOB_SECONDS) == 0, running.said()[-3000:]
    finally:
        standalone.stop([running])
    assert bytes_of(staged) == expected
    ended = re.compile(
        rf"Executor {cluster.last_job()}/0 finished with state \w+ .*exitStatus 137"
    )  # by SIGKILL
    assert any(ended.search(worker.said()) for worker in cluster.workers)
    assert f"Launching executor {cluster.last_job()}/2" in cluster.master.said()  # in its place
