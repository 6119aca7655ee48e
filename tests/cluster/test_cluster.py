"""Frames on a cluster of two workers: an executor that dies in the middle changes no bit of the answer."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from models.store import load
from serve import batch, frames
from serve.batch import CONTRIBUTIONS, REASONS, SCORES, Shown
from tests.cluster import standalone
from tests.cluster.killing import JOB_SECONDS, check_another_took_its_place, kill_one
from tests.cluster.sizes import PARTITIONS, ROWS, TIMES

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(1500)]

CARRIED = ["snapshot_id"]  # as the job carries it
ORDER = {SCORES: ["lead_id"], REASONS: ["lead_id", "rank_in_row"], CONTRIBUTIONS: ["lead_id"]}


def digests(tables):
    """SHA-256 over all columns of each table, in the order of its leads; every bit of a number counts."""
    found = {}
    for name, table in tables.items():
        ordered = table.sort_by([(column, "ascending") for column in ORDER[name]])
        state = hashlib.sha256()
        for column in ordered.column_names:
            state.update(f"{column} {ordered.schema.field(column).type}".encode())
            state.update(repr(ordered.column(column).to_pylist()).encode())
        found[name] = state.hexdigest()
    return found


@pytest.fixture(scope="module")
def expected(model, features, tmp_path_factory):
    """The digests of what a night makes of the same leads, in one process."""
    folder = tmp_path_factory.mktemp("night")
    pq.write_table(pq.read_table(features), folder / "features.parquet")
    bundle = load(model[0], digest=model[1])
    assert batch.score_leads(bundle, folder / "features.parquet", folder, shown=Shown()) == ROWS * TIMES
    return digests({name: pq.read_table(folder / name) for name in ORDER})


class Job:
    """A running job: what it says is in a file, its parts are in a folder."""

    def __init__(self, cluster, model, features, home):
        self.answers = home / "answers"
        script = str(Path(__file__).with_name("job.py"))
        words = [cluster.url, str(features), str(model[0]), model[1], str(self.answers)]
        self.running = standalone.start([sys.executable, script, *words], home, home / "job.log")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        standalone.stop([self.running])

    def said(self):
        return self.running.said()

    def parts_done(self):
        """Partitions whose answers are committed while the job runs."""
        return len(list(self.answers.glob("_temporary/0/task_*")))

    def finished(self, bundle):
        """The digests of the tables that the answers are taken apart into."""
        assert self.running.process.wait(JOB_SECONDS) == 0, self.said()[-3000:]
        assert (self.answers / "_SUCCESS").is_file()
        assert len(list(self.answers.glob("part-*.parquet"))) == PARTITIONS
        return digests(frames.parted(bundle, pq.read_table(self.answers), carried=CARRIED))


def test_a_cluster_gives_every_bit_that_one_process_gives(cluster, model, features, expected, tmp_path):
    with Job(cluster, model, features, tmp_path) as job:
        assert job.finished(load(model[0], digest=model[1])) == expected
        assert "Lost executor" not in job.said()


def test_an_executor_that_is_killed_in_the_middle_changes_no_bit(
    cluster, model, features, expected, tmp_path
):
    with Job(cluster, model, features, tmp_path) as job:
        kill_one(cluster, job.running, job.parts_done, of=PARTITIONS)
        found = job.finished(load(model[0], digest=model[1]))
        said = job.said()
    assert "Lost executor 0" in said
    assert "ExecutorLostFailure (executor 0 exited" in said  # it was at work on a partition
    check_another_took_its_place(cluster)
    assert found == expected
