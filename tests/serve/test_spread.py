"""Scoring on an engine's machines leaves the files that one process writes."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from features.errors import ModelError
from serve import part_rows, parts, spread
from serve.batch import CHUNK_ROWS, FILES, REASONS, Shown, score_leads
from tests.serve import small
from tests.serve.elsewhere import Elsewhere

LEADS = 2 * CHUNK_ROWS + 333


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
    for name in FILES:
        assert (there / name).read_bytes() == (here / name).read_bytes(), name
    assert not list(tmp_path.glob("chunks-*"))


@pytest.mark.parametrize("part_leads", [25_000, CHUNK_ROWS, LEADS])
def test_the_parts_are_those_of_one_process_byte_for_byte(model, tmp_path, part_leads):
    rows = small.features(LEADS)
    part_rows.write(rows.to_reader(), tmp_path / "features.parquet", part_leads)
    asked = {target.name: np.arange(LEADS) % 3 == 0 for target in model.targets[1:]}
    here, there, told = tmp_path / "here", tmp_path / "there", []
    here.mkdir(), there.mkdir()
    given = {"shown": Shown(), "asked": asked, "part_leads": part_leads}
    score_leads(model, tmp_path / "features.parquet", here, **given)
    leads = spread.score_leads(
        Elsewhere(tmp_path), model, tmp_path / "features.parquet", there, **given, on_rows=told.append
    )
    assert leads == sum(told) == LEADS
    for name in FILES:
        own = [path.read_bytes() for path in parts.of(here / name)]
        assert own == [path.read_bytes() for path in parts.of(there / name)], name
        assert len(own) == parts.parts_for(LEADS, part_leads)
    leads_of = [part_rows.column(path, "lead_id").unique().to_pylist() for path in parts.of(here / REASONS)]
    assert [name for part in leads_of for name in part] == rows.column("lead_id").to_pylist()


def test_a_table_without_a_feature_of_the_model_is_refused(model, tmp_path):
    rows = small.features(10)
    lacking = rows.drop_columns([model.specs[0].name])
    pq.write_table(lacking, tmp_path / "features.parquet")
    with pytest.raises(ModelError):
        spread.score_leads(
            Elsewhere(tmp_path), model, tmp_path / "features.parquet", tmp_path, shown=Shown(), asked={}
        )
