"""A night that stands is left, made again and compared, or replaced."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from features.errors import StorageError
from pipelines.again import check_same, of_night, standing
from serve import runs

NIGHT = datetime(2026, 6, 30, tzinfo=UTC)


def publish(folder, name, *, content="1", as_of=NIGHT):
    folder.mkdir(exist_ok=True)
    with runs.staging(folder) as staged:
        (staged / "ranking.csv").write_text(content)
        return runs.publish(staged, folder, name, {"as_of": as_of.isoformat()})


def test_what_replaces_a_run_has_a_name_of_its_own_and_stands_in_its_place(tmp_path):
    assert standing(tmp_path, "night") is None
    publish(tmp_path, "night")
    assert runs.replacing(tmp_path, "night") == "night-r2"
    for number in range(2, 12):
        assert runs.replacing(tmp_path, "night") == f"night-r{number}"
        publish(tmp_path, f"night-r{number}")
        assert standing(tmp_path, "night").run_id == f"night-r{number}"
        assert runs.current(tmp_path).run_id == f"night-r{number}"


def test_a_damaged_run_does_not_stand(tmp_path):
    publish(tmp_path, "night")
    last = publish(tmp_path, "night-r2")
    (last.folder / "ranking.csv").write_text("2")
    assert standing(tmp_path, "night").run_id == "night"


def test_of_one_night_the_run_in_force_is_made_again(tmp_path):
    publish(tmp_path, "a")
    publish(tmp_path, "b")
    runs.put_in_force(runs.find(tmp_path, "a"), tmp_path)
    assert of_night(tmp_path, NIGHT).run_id == "a"
    assert of_night(tmp_path, datetime(2026, 6, 29, tzinfo=UTC)) is None


def test_another_content_and_another_file_are_told_by_name(tmp_path):
    run = publish(tmp_path / "runs", "night")
    made = tmp_path / "made"
    made.mkdir()
    (made / "ranking.csv").write_text("1")
    check_same(run, made)
    (made / "ranking.csv").write_text("2")
    (made / "more.csv").write_text("")
    with pytest.raises(StorageError, match=r"2 files .* more\.csv, ranking\.csv"):
        check_same(run, made)


def test_a_night_comes_out_the_same_and_is_replaced_beside_itself(leadrank, crm):
    words = ("score", "--as-of", "2026-06-30", "--json", "--if-exists")
    code, out, err = leadrank(*words, "verify", home=crm)
    assert code == 0, err
    first = json.loads(out)
    assert not first["is_new"]
    again = json.loads(leadrank(*words, "replace", home=crm)[1])
    assert (again["run_id"], again["is_new"]) == (f"{first['run_id']}-r2", True)
    assert json.loads(leadrank("current", "--json", home=crm)[1])["run_id"] == again["run_id"]
    assert (crm / "runs" / first["run_id"] / "ranking.csv").is_file()
