"""A manifest that says nothing any more makes its folder no run, and stops nobody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from features.errors import StorageError
from serve import runs

NIGHTS = [datetime(2026, 6, day, tzinfo=UTC) for day in (28, 29, 30)]


@pytest.fixture
def folder(tmp_path):
    """Three nights; the manifest of the one in the middle is cut off."""
    for night in NIGHTS:
        publish(tmp_path, night)
    (tmp_path / name(NIGHTS[1]) / runs.MANIFEST).write_text('{"as_of":', encoding="utf-8")
    return tmp_path


def name(night):
    return runs.run_id(night, "digest")


def publish(folder, night):
    with runs.lock(folder), runs.staging(folder) as staged:
        (staged / "ranking.csv").write_text("rank\n1\n", encoding="utf-8")
        runs.publish(staged, folder, name(night), {"as_of": night.isoformat()})


def test_the_others_are_found_and_the_damaged_one_is_named(folder):
    assert [run.run_id for run in runs.published(folder)] == [name(NIGHTS[2]), name(NIGHTS[0])]
    assert runs.damaged(folder) == [name(NIGHTS[1])]


def test_the_night_before_is_the_last_whole_one(folder):
    found = runs.before(folder, NIGHTS[2])
    assert found is not None
    assert found.run_id == name(NIGHTS[0])


def test_whoever_asks_for_it_by_name_is_told_the_way_back(folder):
    with pytest.raises(StorageError, match="score that night again, or move the folder"):
        runs.find(folder, name(NIGHTS[1]))


def test_publishing_its_night_again_mends_it(folder):
    assert runs.made_of(folder, name(NIGHTS[1])) == []
    publish(folder, NIGHTS[1])
    assert runs.damaged(folder) == []
    manifest = json.loads((folder / name(NIGHTS[1]) / runs.MANIFEST).read_text(encoding="utf-8"))
    assert manifest["as_of"] == NIGHTS[1].isoformat()
    assert runs.current(folder).run_id == name(NIGHTS[2])
