"""Real events on every engine: the same files, byte for byte."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest

from pipelines import score, train
from pipelines.again import IfExists
from tests.features.test_engines import url_of
from tests.pipelines.test_engine_commands import QUIET, on
from tests.real.test_real_data import as_three_tables

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    # mlflow and its dependencies warn about themselves while they are imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]
NIGHT = datetime(2012, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ranked(shared, tmp_path_factory):
    """bpic2012, trained on and ranked by the command's own DuckDB."""
    home = tmp_path_factory.mktemp("bpic2012")
    _, params = as_three_tables(shared, home, 3)
    train.run(params, home, rows=home / "train_rows.csv", progress=QUIET)
    told = score.run(params, home, as_of=NIGHT, progress=QUIET)
    assert told["ranked_by"] == "model"
    assert told["counts"]["ranked"] > 500
    return home


def verified(home, **engine):
    """Makes the night again, and raises where one byte of its files differs."""
    params = on(home, **engine)
    return score.run(params, home, as_of=NIGHT, progress=QUIET, if_exists=IfExists.VERIFY)


def test_bpic2012_in_postgres(ranked, postgres, monkeypatch, tmp_path):
    assert verified(_copied(ranked, tmp_path), name="postgres", url_env=url_of(postgres, monkeypatch))


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_bpic2012_on_spark(ranked, tmp_path):
    assert verified(_copied(ranked, tmp_path), name="spark")


def _copied(home, folder):
    shutil.copytree(home, folder / "home")
    return folder / "home"
