"""A published run never changes, and at every moment exactly one whole run is in force."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.errors import LockedError, StorageError
from serve import runs

NIGHT = datetime(2026, 6, 30, tzinfo=UTC)
YESTERDAY = NIGHT - timedelta(days=1)


def publish(folder, as_of=NIGHT, content="rank,lead_id\n1,a\n"):
    """Publish a small run of a moment; its name depends on the moment and the content."""
    folder.mkdir(exist_ok=True)
    with runs.staging(folder) as staged:
        (staged / "ranking.csv").write_text(content)
        (staged / "reasons.csv").write_text("lead_id\na\n")
        name = runs.run_id(as_of, content)
        return runs.publish(staged, folder, name, {"as_of": as_of.isoformat(), "counts": {"ranked": 1}})


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_published_run_is_in_force_and_whole(tmp_path):
    run = publish(tmp_path)
    assert (tmp_path / "CURRENT").read_text().strip() == run.run_id
    assert runs.current(tmp_path) == run
    assert set(run.manifest["files"]) == {"ranking.csv", "reasons.csv"}
    assert run.manifest["files"]["ranking.csv"]["bytes"] == len("rank,lead_id\n1,a\n")
    assert runs.damaged_files(run) == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".staging")] == []


def test_nothing_is_in_force_before_the_first_run(tmp_path):
    assert runs.current(tmp_path) is None
    assert runs.current(tmp_path / "absent") is None
    assert runs.published(tmp_path) == []


def test_the_run_id_is_a_function_of_its_inputs_and_of_each_of_them():
    assert runs.run_id(NIGHT, "data", "model") == runs.run_id(NIGHT, "data", "model")
    others = [(YESTERDAY, "data", "model"), (NIGHT, "data2", "model"), (NIGHT, "data", "model2")]
    assert len({runs.run_id(NIGHT, "data", "model"), *(runs.run_id(*other) for other in others)}) == 4


def test_the_same_run_again_leaves_the_same_bytes(tmp_path):
    first = publish(tmp_path)
    before = contents(tmp_path)
    assert publish(tmp_path).run_id == first.run_id
    assert contents(tmp_path) == before


def test_a_newer_night_takes_force_and_the_older_run_stays_as_it_was(tmp_path):
    older = publish(tmp_path, YESTERDAY)
    before = contents(older.folder)
    newer = publish(tmp_path, NIGHT)
    assert runs.current(tmp_path) == newer
    assert contents(older.folder) == before
    assert [run.run_id for run in runs.published(tmp_path)] == [newer.run_id, older.run_id]


def test_the_same_night_with_other_data_takes_force(tmp_path):
    publish(tmp_path, NIGHT, "first")
    again = publish(tmp_path, NIGHT, "late data")
    assert runs.current(tmp_path) == again


def test_a_backfill_of_an_older_night_is_published_and_does_not_take_force(tmp_path):
    newer = publish(tmp_path, NIGHT)
    older = publish(tmp_path, NIGHT - timedelta(microseconds=1))
    assert runs.current(tmp_path) == newer
    assert runs.find(tmp_path, older.run_id) == older


def test_a_changed_or_missing_file_is_found_by_its_digest(tmp_path):
    run = publish(tmp_path)
    path = run.folder / "ranking.csv"
    path.write_text(path.read_text().replace("a", "b"))  # as long as before
    assert runs.damaged_files(run) == ["ranking.csv"]
    (run.folder / "reasons.csv").unlink()
    assert runs.damaged_files(run) == ["ranking.csv", "reasons.csv"]


def test_a_damaged_run_is_replaced_by_publishing_it_again(tmp_path):
    run = publish(tmp_path)
    before = contents(tmp_path)
    (run.folder / "ranking.csv").write_text("torn")
    publish(tmp_path)
    assert contents(tmp_path) == before


def test_a_pointer_to_a_missing_run_is_a_storage_error_and_the_next_publish_mends_it(tmp_path):
    (tmp_path / "CURRENT").write_text("20260630T000000Z-000000000000\n")
    with pytest.raises(StorageError, match="names a run that is not there"):
        runs.current(tmp_path)
    assert runs.current_or_none(tmp_path) is None
    run = publish(tmp_path)
    assert runs.current(tmp_path) == run


@pytest.mark.parametrize("text", ["{", "[]", '"text"', "{}", '{"as_of": "2026-06-30"}', "\udcff"])
def test_a_manifest_that_is_not_one_is_a_storage_error(tmp_path, text):
    run = publish(tmp_path)
    (run.folder / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(StorageError, match="manifest"):
        runs.find(tmp_path, run.run_id)


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "inner/run", "/etc", "a\0b"])
def test_a_name_that_leads_elsewhere_finds_nothing(tmp_path, name):
    folder = tmp_path / "runs"
    run = publish(folder)
    for elsewhere in (tmp_path / "outside", folder / "inner" / "run", tmp_path, folder):
        elsewhere.mkdir(parents=True, exist_ok=True)
        (elsewhere / "manifest.json").write_bytes((run.folder / "manifest.json").read_bytes())
    assert runs.find(folder, name) is None


def test_a_second_publisher_is_refused_with_its_own_exit_code(tmp_path):
    with runs.lock(tmp_path / "runs"):
        with (
            pytest.raises(LockedError, match="another run holds the lock") as refused,
            runs.lock(tmp_path / "runs"),
        ):
            pass
        assert refused.value.code == 6
    with runs.lock(tmp_path / "runs"):
        pass


def test_a_publisher_that_died_leaves_no_lock(tmp_path):
    code = "import os, pathlib\nfrom serve.runs import lock\nwith lock(pathlib.Path('runs')): os._exit(9)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == 9
    with runs.lock(tmp_path / "runs"):
        pass


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="writing to 'runs' failed"), runs.lock(tmp_path / "file" / "runs"):
        pass


def test_an_error_of_the_work_under_the_lock_is_not_taken_for_the_lock_s(tmp_path):
    with pytest.raises(FileNotFoundError), runs.lock(tmp_path / "runs"):
        (tmp_path / "absent").read_text()


def test_a_full_disk_is_a_storage_error_that_says_what_stays_in_force(tmp_path, monkeypatch):
    publish(tmp_path, YESTERDAY)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space left") as refused:
        publish(tmp_path, NIGHT)
    assert refused.value.code == 7
    assert "in force" in refused.value.hint


class Stopped(BaseException):
    """The power goes out: nothing of ours may handle it."""


class Calls:
    """Counts the calls that make a publish durable, records them, and stops before one of them."""

    def __init__(self, monkeypatch, folder, stop_before=None):
        self.seen: list[str] = []
        self._folder, self._stop_before, self._names = folder, stop_before, {}
        open_, fsync, rename, replace = os.open, os.fsync, os.rename, os.replace

        def opened(path, *args, **kwargs):
            descriptor = open_(path, *args, **kwargs)
            self._names[descriptor] = self._short(path)
            return descriptor

        def synced(descriptor):
            self._step(f"fsync {self._names.get(descriptor, '?')}")
            return fsync(descriptor)

        def renamed(source, target, **kwargs):
            self._step(f"rename {self._short(source)} → {self._short(target)}")
            return rename(source, target, **kwargs)

        def replaced(source, target, **kwargs):
            self._step(f"rename {self._short(source)} → {self._short(target)}")
            return replace(source, target, **kwargs)

        for name, double in (("open", opened), ("fsync", synced), ("rename", renamed), ("replace", replaced)):
            monkeypatch.setattr(os, name, double)

    def _step(self, what):
        if len(self.seen) == self._stop_before:
            raise Stopped(what)
        self.seen.append(what)

    def _short(self, path):
        path = Path(path)
        if path == self._folder:
            return "runs"
        return "/".join(
            "staged" if part.startswith(".staging-") else part
            for part in path.relative_to(self._folder).parts
        )


def recorded(monkeypatch, folder):
    with monkeypatch.context() as patch:
        calls = Calls(patch, folder)
        run = publish(folder, NIGHT)
    return [call.replace(run.run_id, "run") for call in calls.seen]


def test_files_are_durable_before_the_folder_and_the_folder_before_the_pointer(tmp_path, monkeypatch):
    calls = recorded(monkeypatch, tmp_path)
    files = {f"fsync staged/{name}" for name in ("ranking.csv", "reasons.csv", "manifest.json")}
    assert set(calls[:3]) == files
    assert calls[3:] == [
        "fsync staged",
        "rename staged → run",
        "fsync runs",
        "fsync CURRENT.new",
        "rename CURRENT.new → CURRENT",
        "fsync runs",
    ]


@pytest.mark.parametrize("step", range(9))
def test_a_crash_before_any_step_leaves_the_old_run_or_the_new_one_whole(tmp_path, monkeypatch, step):
    old = publish(tmp_path, YESTERDAY)
    with monkeypatch.context() as patch:
        calls = Calls(patch, tmp_path, stop_before=step)
        with pytest.raises(Stopped):
            publish(tmp_path, NIGHT)
    in_force = runs.current(tmp_path)
    assert runs.damaged_files(in_force) == []
    has_moved = any("→ CURRENT" in call for call in calls.seen)
    assert (in_force.run_id == old.run_id) is not has_moved
    assert publish(tmp_path, NIGHT) == runs.current(tmp_path)  # and the next start finishes the work


@pytest.mark.parametrize("step", range(6))
def test_a_crash_while_a_damaged_run_is_replaced_leaves_a_pointer_that_the_next_start_mends(
    tmp_path, monkeypatch, step
):
    run = publish(tmp_path, NIGHT)
    (run.folder / "ranking.csv").write_text("torn")
    with monkeypatch.context() as patch:
        Calls(patch, tmp_path, stop_before=step)
        with pytest.raises(Stopped):
            publish(tmp_path, NIGHT)
    mended = publish(tmp_path, NIGHT)
    assert runs.current(tmp_path) == mended
    assert runs.damaged_files(mended) == []
