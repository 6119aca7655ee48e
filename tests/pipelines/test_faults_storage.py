"""The disk refuses, memory is short, files were spoiled: the last ranking stays and the command says why."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import console, score
from pipelines import params as parameters
from pipelines.progress import Progress
from serve import runs
from tests.pipelines.ends import asked, failed
from tests.pipelines.small_crm import NIGHT, write

NEXT = ("--as-of", "2026-07-01")
MIB = 1 << 20


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    """The small CRM after its first night."""
    home = write(tmp_path_factory.mktemp("storage") / "crm")
    params = parameters.load(home / "params.yaml")
    score.run(params, home, as_of=console.moment_of(NIGHT[1]), progress=Progress(is_quiet=True))
    return home


@pytest.fixture
def crm(ranked, tmp_path):
    return Path(shutil.copytree(ranked, tmp_path / "crm"))


@contextmanager
def largest_file(size):
    """No file may become larger: what a full disk or a quota does to a write, at a place of our choice."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def folders(home):
    return {path.name for path in (home / "runs").iterdir() if path.is_dir()}, list(
        (home / ".leadrank").glob("work-*")
    )


def test_a_disk_that_is_full_at_any_size_ends_with_7_and_the_next_attempt_heals(crm, leadrank):
    old, codes = runs.current(crm / "runs").run_id, []
    for kilobytes in (1, 2, 4, 6, 8, 10, 12, 16, 24):
        with largest_file(kilobytes * 1024):
            code, out, err = leadrank("score", *NEXT, "--json", home=crm)
        codes.append(code)
        if code:
            assert (code, out) == (7, ""), err
            assert "the disk refuses: file too large" in err or "(file too large)" in err
            assert runs.current(crm / "runs").run_id == old
            assert folders(crm) == ({old}, [])
    assert codes[0] == 7
    assert len([code for code in codes if code]) > 2
    assert asked(leadrank, "score", *NEXT, home=crm)["is_new"] is (codes[-1] == 7)
    assert runs.damaged_files(runs.current(crm / "runs")) == []


def mounted(folder, options):
    """Whether this machine lets us mount a file system of our own."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, check=False
    )
    return done.returncode == 0


@pytest.fixture
def file_system(tmp_path):
    """Make a folder a file system with some options, or skip."""
    folder = tmp_path / "disk"

    def make(options):
        if not mounted(folder, options):
            pytest.skip("mounting is not allowed on this machine")
        return folder

    yield make
    subprocess.run(["umount", folder], capture_output=True, check=False)


def fill(path):
    filler = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(filler, bytes(4096))
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017  # what it was written for
    finally:
        os.close(filler)


def test_a_whole_night_on_a_disk_that_is_really_full_ends_with_7(file_system, leadrank):
    home = write(file_system("size=512k"))
    fill(home / "filler")
    assert failed(leadrank, "score", *NIGHT, home=home)["code"] == 7
    (home / "filler").unlink()
    assert asked(leadrank, "score", *NIGHT, home=home)["is_new"]
    assert len(folders(home)[0]) == 1
    assert folders(home)[1] == []


def test_a_read_only_disk_is_told_before_any_table_is_read(file_system, crm, leadrank):
    disk = file_system("size=1m")
    (disk / "runs").mkdir()
    (disk / "runs" / ".lock").touch()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with (crm / "params.yaml").open("a") as file:
        file.write(f"score: {{runs: {disk}/runs}}\n")
    line = failed(leadrank, "score", *NIGHT, home=crm)
    assert (line["code"], "read-only file system" in line["reason"]) == (7, True)
    assert console.PROGRESS.finished == []


def test_an_output_folder_that_cannot_be_made_is_told_before_any_table_is_read(crm, leadrank):
    (crm / "place").write_text("")
    with (crm / "params.yaml").open("a") as file:
        file.write("score: {runs: place/runs}\n")
    line = failed(leadrank, "score", *NEXT, home=crm)
    assert (line["code"], line["stage"]) == (7, None)
    assert console.PROGRESS.finished == []


def test_an_output_folder_of_somebody_else_takes_no_lock(tmp_path):
    from features.errors import StorageError

    with runs.lock(tmp_path / "runs"):
        pass
    (tmp_path / "runs").chmod(0o555)
    is_root = os.geteuid() == 0
    os.seteuid(65_534) if is_root else None  # root may write anywhere
    try:
        with pytest.raises(StorageError, match="writing to 'runs' failed"), runs.lock(tmp_path / "runs"):
            pass
    finally:
        os.seteuid(0) if is_root else None
        (tmp_path / "runs").chmod(0o755)


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_failed_fsync_is_a_failed_publish(crm, leadrank, monkeypatch, code):
    old = runs.current(crm / "runs").run_id
    calls = []

    def failing(descriptor):
        calls.append(descriptor)
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        told, _, err = leadrank("score", *NEXT, home=crm)
    assert (told, len(calls)) == (7, 2)  # one of a file, which is not asked again; one of the attempt's note
    assert os.strerror(code).lower() in err
    assert (runs.current(crm / "runs").run_id, folders(crm)) == (old, ({old}, []))
    assert asked(leadrank, "score", *NEXT, home=crm)["is_new"]


def test_runs_may_be_on_another_file_system(crm, leadrank, tmp_path):
    other = Path("/dev/shm") / f"leadrank-{os.getpid()}"  # noqa: S108  # the test wants that very file system
    if not other.parent.is_dir() or other.parent.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    with (crm / "params.yaml").open("a") as file:
        file.write(f"score: {{runs: {other}}}\n")
    try:
        assert asked(leadrank, "score", *NIGHT, home=crm)["is_new"]
        assert runs.damaged_files(runs.current(other)) == []
        with runs.staging(other) as staged:
            assert staged.parent == other
    finally:
        shutil.rmtree(other, ignore_errors=True)


def test_leftovers_whatever_they_are_called_are_never_read(crm, leadrank):
    folder, run = crm / "runs", runs.current(crm / "runs")
    for name in ("Zzz", ".staging-zzz", ".gone-zzz", "zzz.new"):
        shutil.copytree(run.folder, folder / name)
    (folder / "Zzz" / "manifest.json").unlink()
    (folder / "zzz.new" / "manifest.json").unlink()
    (folder / "CURRENT.new").write_text("Zzz")
    assert [each["run_id"] for each in asked(leadrank, "runs", home=crm)["runs"]] == [run.run_id]
    assert asked(leadrank, "current", home=crm)["run_id"] == run.run_id
    after = asked(leadrank, "score", *NEXT, home=crm)
    assert runs.current(folder).run_id == after["run_id"]
    assert asked(leadrank, "gc", "--keep", "2", home=crm)["leftovers"] == 2
    assert {run.run_id, after["run_id"]} <= folders(crm)[0]


@pytest.mark.parametrize("pointer", [b"", b"\n", b"no-such-run", b"\xff\x00" * 300, "é".encode() * 300])
def test_a_spoiled_pointer_is_told_and_the_next_night_mends_it(crm, leadrank, pointer):
    (crm / "runs" / "CURRENT").write_bytes(pointer)
    for words in (("current",), ("explain", "L1"), ("runs",)):
        assert failed(leadrank, *words, home=crm)["code"] == 7
    assert not asked(leadrank, "score", *NIGHT, home=crm)["is_new"]
    assert asked(leadrank, "current", home=crm)["leads"]


def test_a_ranking_that_was_altered_is_not_shown(crm, leadrank):
    run = runs.current(crm / "runs")
    table = pq.read_table(run.folder / "ranking.parquet")
    upside_down = table.set_column(0, "rank", pa.array(table["rank"].to_pylist()[::-1], table["rank"].type))
    pq.write_table(upside_down, run.folder / "ranking.parquet")
    for words in (("current",), ("explain", "L1")):
        line = failed(leadrank, *words, home=crm)
        assert (line["code"], "is not what was published" in line["reason"]) == (7, True)
    assert asked(leadrank, "score", *NIGHT, home=crm)["is_new"]
    assert asked(leadrank, "current", home=crm)["leads"]


def test_too_little_memory_ends_with_7_and_names_the_setting(crm, leadrank, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("LEADRANK_MEMORY", "1MB")
        line = failed(leadrank, "score", *NEXT, home=crm)
    assert (line["code"], line["stage"]) == (7, "reading tables")
    assert "LEADRANK_MEMORY" in line["hint"]
    assert folders(crm)[1] == []
    assert asked(leadrank, "current", home=crm)["last_failure"]["code"] == 7


def test_a_spill_folder_that_cannot_be_made_is_told(crm, leadrank):
    shutil.rmtree(crm / ".leadrank")
    (crm / ".leadrank").write_text("a file")
    assert failed(leadrank, "score", *NEXT, home=crm)["code"] == 7


def test_published_runs_are_read_without_the_database_of_mlflow(crm, leadrank):
    (crm / "mlflow.db").write_bytes(os.urandom(9000))
    line = failed(leadrank, "score", *NEXT, home=crm)
    assert (line["code"], "mlflow.db" in line["reason"]) == (7, True)
    assert "backup" in line["hint"]
    assert asked(leadrank, "current", home=crm)["leads"]
    assert asked(leadrank, "runs", home=crm)["runs"]
    assert asked(leadrank, "explain", "L1", home=crm)["lead_id"] == "L1"
