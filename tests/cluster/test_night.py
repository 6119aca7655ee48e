"""A night in parts on a cluster of two workers: an executor that dies while it scores changes no byte."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

from models.store import load
from serve import batch, ledger, parts
from serve.batch import CONTRIBUTIONS, RANKING, REASONS, Shown
from tests.cluster import standalone
from tests.cluster.killing import JOB_SECONDS, check_another_took_its_place, kill_one
from tests.cluster.sizes import PARTITIONS, ROWS, TIMES

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(1500)]

PART_LEADS = ROWS * TIMES // PARTITIONS


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


def test_an_executor_that_is_killed_while_it_scores_changes_no_byte_of_the_night(
    cluster, model, features, expected, tmp_path
):
    shared, staged = tmp_path / "shared", tmp_path / "staged"
    shared.mkdir(), staged.mkdir()
    script = str(Path(__file__).with_name("night.py"))
    words = [cluster.url, features, model[0], model[1], shared, staged, PART_LEADS]
    running = standalone.start([sys.executable, script, *map(str, words)], tmp_path, tmp_path / "night.log")
    try:
        kill_one(cluster, running, lambda: scored(shared), of=PARTITIONS)
        assert running.process.wait(JOB_SECONDS) == 0, running.said()[-3000:]
    finally:
        standalone.stop([running])
    assert bytes_of(staged) == expected
    check_another_took_its_place(cluster)
