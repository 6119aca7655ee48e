"""Whenever a publish dies, the old ranking or the new one is in force, whole; and the next attempt heals."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import signal
from datetime import UTC, datetime, timedelta

import pytest

from features.errors import StorageError
from serve import runs
from serve.keeping import collect

SPAWN = multiprocessing.get_context("spawn")
FIRST = datetime(2026, 6, 1, tzinfo=UTC)
STEPS = ("fsync", "rename", "replace", "chmod")
"""What a publish asks of the disk beside writing; each is a place to die before and after."""
FILES = ("ranking.csv", "ranking.parquet/part-00000.parquet", "ranking.parquet/part-00001.parquet")


def publish(folder, night):
    """A run whose files all hold their night."""
    as_of = FIRST + timedelta(days=night)
    with runs.lock(folder), runs.staging(folder) as staged:
        for name in FILES:
            (staged / name).parent.mkdir(exist_ok=True)
            (staged / name).write_text(f"night {night}")
        return runs.publish(staged, folder, runs.run_id(as_of, str(night)), {"as_of": as_of.isoformat()})


def at_each_step(act):
    """Have ``act(count)`` called before and after each step; the count goes on from 1."""
    count = 0

    def watched(step):
        def call(*given, **named):
            nonlocal count
            for is_done in (False, True):
                count += 1
                act(count)
                if not is_done:
                    result = step(*given, **named)
            return result

        return call

    for name in STEPS:
        setattr(os, name, watched(getattr(os, name)))


def _dying(folder, night, moment):
    at_each_step(lambda count: os.kill(os.getpid(), signal.SIGKILL) if count == moment else None)
    publish(folder, night)


def whole(folder):
    """The night of the run in force, each of whose files is of that night."""
    run = runs.current(folder)
    assert runs.damaged_files(run) == []
    [text] = {(run.folder / name).read_text() for name in FILES}
    return text


@pytest.mark.timeout(300)
def test_killed_at_any_step_the_old_or_the_new_ranking_is_whole_and_a_rerun_heals(tmp_path):
    publish(tmp_path, 0)
    seen, codes, moment = set(), [], 0
    while not codes or codes[-1] != 0:
        moment += 1
        child = SPAWN.Process(target=_dying, args=(tmp_path, 1, moment))
        child.start()
        child.join(60)
        codes.append(child.exitcode)
        seen.add(whole(tmp_path))
        healed = publish(tmp_path, 1)
        assert whole(tmp_path) == "night 1"
        collect(tmp_path, keep=9)
        assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
            runs.run_id(FIRST, "0"),
            healed.run_id,
        }
        runs.withdraw(
            healed, tmp_path, reason="again", instead=runs.before(tmp_path, FIRST + timedelta(days=1))
        )
        (tmp_path / runs.WITHDRAWN).unlink()
        collect(tmp_path, keep=9)
        shutil.rmtree(healed.folder)
    assert set(codes[:-1]) == {-signal.SIGKILL}
    assert len(codes) > 2 * 2 * len(FILES)
    assert seen == {"night 0", "night 1"}


def test_a_full_disk_at_any_step_leaves_a_whole_ranking_and_is_told(tmp_path, monkeypatch):
    counts = []
    publish(tmp_path / "dry", 0)
    steps_of(monkeypatch, tmp_path / "dry", 1, counts.append)
    for moment in counts:
        folder = tmp_path / str(moment)
        publish(folder, 0)

        def full(count, moment=moment):
            if count == moment:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with pytest.raises(StorageError):
            steps_of(monkeypatch, folder, 1, full)
        assert whole(folder) in {"night 0", "night 1"}
        publish(folder, 1)
        assert whole(folder) == "night 1"
    assert len(counts) > 2 * 2 * len(FILES)


def steps_of(monkeypatch, folder, night, act):
    """Publish a night with ``act`` called before and after each step."""
    with monkeypatch.context() as patched:
        for name in STEPS:
            patched.setattr(os, name, getattr(os, name))  # put back afterwards
        at_each_step(act)
        publish(folder, night)


def _following(folder, is_ready, may_end, torn):
    reads = 0
    while not may_end.is_set() or not reads:
        run = runs.current(folder)
        texts = {(run.folder / name).read_text() for name in FILES}
        kept = json.loads((run.folder / runs.MANIFEST).read_text())
        reads += 1
        is_ready.set()
        if len(texts) != 1 or kept["run_id"] != run.run_id:
            torn.value += 1


@pytest.mark.timeout(120)
def test_four_readers_see_no_torn_run_in_fifty_publishes(tmp_path):
    publish(tmp_path, 0)
    torn, may_end = SPAWN.Value("i", 0), SPAWN.Event()
    ready = [SPAWN.Event() for _ in range(4)]
    readers = [SPAWN.Process(target=_following, args=(tmp_path, one, may_end, torn)) for one in ready]
    for reader in readers:
        reader.start()
    try:
        assert all(one.wait(60) for one in ready)
        for night in range(1, 51):
            publish(tmp_path, night)
    finally:
        may_end.set()
        for reader in readers:
            reader.join(60)
    assert [reader.exitcode for reader in readers] == [0] * 4
    assert torn.value == 0
    assert whole(tmp_path) == "night 50"
