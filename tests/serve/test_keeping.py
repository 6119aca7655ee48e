"""Old runs go; what is in force, and what somebody reads, stays."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest

from serve import runs
from serve.keeping import collect, reading

FIRST = datetime(2026, 6, 1, tzinfo=UTC)


def publish(folder, day, *, text="lead_id"):
    folder.mkdir(exist_ok=True)
    as_of = FIRST + timedelta(days=day)
    with runs.staging(folder) as staged:
        (staged / "ranking.csv").write_text(text)
        return runs.publish(staged, folder, runs.run_id(as_of, text), {"as_of": as_of.isoformat()})


def names(folder):
    return {path.name for path in folder.iterdir() if path.is_dir()}


def test_the_latest_nights_stay_and_the_bytes_are_told(tmp_path):
    made = [publish(tmp_path, day) for day in range(4)]
    size = sum(sum(p.stat().st_size for p in run.folder.iterdir()) for run in made[:2])
    dry = collect(tmp_path, keep=2, is_dry=True)
    assert names(tmp_path) == {run.run_id for run in made}
    done = collect(tmp_path, keep=2)
    assert dry == done
    assert (set(done.removed), done.in_use, done.bytes) == ({r.run_id for r in made[:2]}, (), size)
    assert names(tmp_path) == {run.run_id for run in made[2:]}


def test_the_run_in_force_stays_however_old_it_is(tmp_path):
    made = [publish(tmp_path, day) for day in range(3)]
    runs.withdraw(made[2], tmp_path, reason="wrong", instead=made[0])
    assert collect(tmp_path, keep=1).removed == (made[1].run_id,)
    assert runs.current(tmp_path).run_id == made[0].run_id


def _read(folder, run_id, is_reading, may_end):
    with reading(runs.find(folder, run_id)):
        is_reading.set()
        may_end.wait(30)


def test_a_run_that_another_process_reads_stays_until_it_ends(tmp_path):
    old, _ = publish(tmp_path, 0), publish(tmp_path, 1)
    context = multiprocessing.get_context("spawn")
    is_reading, may_end = context.Event(), context.Event()
    reader = context.Process(target=_read, args=(tmp_path, old.run_id, is_reading, may_end))
    reader.start()
    try:
        assert is_reading.wait(60)
        assert collect(tmp_path, keep=1).in_use == (old.run_id,)
        assert not runs.damaged_files(old)
    finally:
        may_end.set()
        reader.join(60)
    assert collect(tmp_path, keep=1).removed == (old.run_id,)


def test_what_a_crash_left_is_swept_up(tmp_path):
    publish(tmp_path, 0)
    for name in (".staging-abc", ".gone-20260501"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.parquet").write_bytes(b"12345")
    told = collect(tmp_path, keep=1)
    assert (told.leftovers, told.bytes, len(names(tmp_path))) == (2, 10, 1)


def test_a_run_that_is_gone_cannot_be_read(tmp_path):
    old, _ = publish(tmp_path, 0), publish(tmp_path, 1)
    collect(tmp_path, keep=1)
    with pytest.raises(FileNotFoundError), reading(old):
        pass


def test_a_withdrawn_ranking_is_not_put_back_by_its_own_night(tmp_path):
    first, second = publish(tmp_path, 0), publish(tmp_path, 1)
    runs.withdraw(second, tmp_path, reason="a wrong export", instead=first)
    assert runs.current(tmp_path).run_id == first.run_id
    runs.put_in_force(second, tmp_path)
    assert runs.current(tmp_path).run_id == first.run_id
    assert runs.withdrawn(tmp_path) == {second.run_id: "a wrong export"}
    assert runs.before(tmp_path, FIRST + timedelta(days=2)).run_id == first.run_id
    third = publish(tmp_path, 2)
    assert runs.current(tmp_path).run_id == third.run_id


def test_a_ranking_that_is_brought_back_is_withdrawn_no_more(tmp_path):
    first, second = publish(tmp_path, 0), publish(tmp_path, 1)
    runs.withdraw(second, tmp_path, reason="one", instead=first)
    runs.withdraw(first, tmp_path, reason="other", instead=second)
    assert runs.withdrawn(tmp_path) == {first.run_id: "other"}
    assert runs.current(tmp_path).run_id == second.run_id
