"""Scoring on an engine's machines leaves the files that one process writes."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from features.errors import ModelError
from serve import spread
from serve.batch import CHUNK_ROWS, Shown, score_leads
from tests.serve import small

LEADS = 2 * CHUNK_ROWS + 333


class Elsewhere:
    """An engine whose machines do each piece twice, the last one first, as after the loss of one."""

    def __init__(self, folder):
        self.shared = folder

    def each(self, work, places):
        for place in (*reversed(range(places)), *range(places)):
            work(place)


@pytest.fixture(scope="module")
def model():
    return small.bundle()


@pytest.fixture
def features(tmp_path):
    pq.write_table(small.features(LEADS), tmp_path / "features.parquet")
    return tmp_path / "features.parquet"


def test_the_files_are_those_of_one_process_byte_for_byte(model, features, tmp_path):
    asked = {target.name: np.arange(LEADS) % 3 == 0 for target in model.targets[1:]}
    here, there, rows = tmp_path / "here", tmp_path / "there", []
    here.mkdir(), there.mkdir()
    score_leads(model, features, here, shown=Shown(), asked=asked)
    leads = spread.score_leads(
        Elsewhere(tmp_path), model, features, there, shown=Shown(), asked=asked, on_rows=rows.append
    )
    assert (leads, rows) == (LEADS, [CHUNK_ROWS, CHUNK_ROWS, 333])
    for name in spread.FILES:
        assert (there / name).read_bytes() == (here / name).read_bytes(), name
    assert not list(tmp_path.glob("chunks-*"))


def test_a_table_without_a_feature_of_the_model_is_refused(model, tmp_path):
    rows = small.features(10)
    lacking = rows.drop_columns([model.specs[0].name])
    pq.write_table(lacking, tmp_path / "features.parquet")
    with pytest.raises(ModelError):
        spread.score_leads(
            Elsewhere(tmp_path), model, tmp_path / "features.parquet", tmp_path, shown=Shown(), asked={}
        )
