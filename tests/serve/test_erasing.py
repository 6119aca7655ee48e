"""A lead that is erased is in no file of any run; every other row stands as it was published."""

from __future__ import annotations

import csv
import json
import os
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import LockedError
from serve import keeping, runs, swapping
from serve.erasing import erase
from serve.without import Gone, rows_of
from tests.serve import test_crashes

STEPS = ("fsync", "rename", "replace", "chmod", "link")
LEADS = ["L-100", "L-101", "L-102", "L-103"]
CLICK = "Cj0KCQ.x-1"
OUT = Gone(frozenset({"L-101"}), frozenset({CLICK}))


def write_run(staged):
    """Files of every kind that a run has: columns and rows of a lead, totals without, uploads of a CRM."""
    ranks = pa.array(range(1, len(LEADS) + 1), pa.int32())
    pq.write_table(pa.table({"rank": ranks, "lead_id": LEADS}), staged / "ranking.parquet", row_group_size=2)
    reasons = pa.table(
        {
            "lead_id": pa.array([lead for lead in LEADS for _ in "12"]).dictionary_encode(),
            "sentence": ["x"] * 8,
        }
    )
    pq.write_table(reasons, staged / "reasons.parquet")
    pq.write_table(
        pa.table({"team": ["north", "L-101"]}), staged / "totals.parquet"
    )  # no lead: a team's name
    text = "rank,lead_id,said\r\n" + "".join(
        f'{n},{lead},"two\nlines, ""{LEADS[1]}"""\r\n' for n, lead in enumerate(LEADS, start=1)
    )
    (staged / "ranking.csv").write_text(text, newline="")
    (staged / "exports").mkdir()
    (staged / "exports" / "crm-001.csv").write_text('"Id";"Score"\n"L-100";"9"\n"L-101";"8"\n"=L";"7"\n')
    (staged / "exports" / "ads.csv").write_text(f"event,fbc\na,fb.1.99.{CLICK}\nb,fb.1.99.other\nL-101,\n")


def publish(folder, name="20260630T000000Z-aaaaaaaaaaaa", moment="2026-06-30T00:00:00+00:00"):
    folder.mkdir(exist_ok=True)
    with runs.staging(folder) as staged:
        write_run(staged)
        manifest = {"as_of": moment, "counts": {"ranked": len(LEADS), "tables": []}}
        return runs.publish(staged, folder, name, manifest)


def bytes_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("[!.]*") if path.is_file()
    }


def cleaned(folder, gone=OUT, **options):
    with runs.lock(folder):
        swapping.finish(folder)
        return list(erase(folder, gone, **options))


def test_the_lead_is_in_no_file_and_the_other_rows_are_byte_for_byte_as_they_were(tmp_path):
    run = publish(tmp_path)
    [told] = cleaned(tmp_path)
    expected = {
        "exports/ads.csv": 2,  # by the click, behind Meta's words for it, and by the first column
        "exports/crm-001.csv": 1,
        "ranking.csv": 1,
        "ranking.parquet": 1,
        "reasons.parquet": 2,
    }
    assert (told.run_id, told.files, told.problem) == (run.run_id, expected, None)
    ranked = pq.read_table(run.folder / "ranking.parquet")
    assert ranked.to_pydict() == {"rank": [1, 3, 4], "lead_id": ["L-100", "L-102", "L-103"]}  # the gap stays
    reasons = pq.read_table(run.folder / "reasons.parquet")
    assert set(reasons.column("lead_id").to_pylist()) == set(LEADS) - {"L-101"}
    assert pq.read_table(run.folder / "totals.parquet").column("team").to_pylist() == ["north", "L-101"]
    with (run.folder / "ranking.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[1] for row in rows[1:]] == ["L-100", "L-102", "L-103"]
    text = (run.folder / "ranking.csv").read_bytes()
    assert text.startswith(b'rank,lead_id,said\r\n1,L-100,"two\nlines, ""L-101"""\r\n3,L-102,')
    assert (run.folder / "exports" / "crm-001.csv").read_text() == '"Id";"Score"\n"L-100";"9"\n"=L";"7"\n'
    assert (run.folder / "exports" / "ads.csv").read_text() == "event,fbc\nb,fb.1.99.other\n"


def test_the_manifest_says_how_many_are_gone_and_its_digests_are_those_of_the_files(tmp_path):
    before = publish(tmp_path)
    cleaned(tmp_path)
    after = runs.current(tmp_path)
    assert after.run_id == before.run_id
    assert runs.damaged_files(after) == []
    assert (after.manifest["erased"], after.manifest["counts"]["ranked"]) == (1, 3)
    assert after.manifest["files"].keys() == before.manifest["files"].keys()
    cleaned(tmp_path, Gone(frozenset({"L-102", "L-103"})))
    assert runs.current(tmp_path).manifest["erased"] == 3


def test_every_run_is_cleaned_and_one_without_the_lead_is_not_touched(tmp_path):
    first = publish(tmp_path)
    second = publish(tmp_path, "20260701T000000Z-bbbbbbbbbbbb", "2026-07-01T00:00:00+00:00")
    assert [told.run_id for told in cleaned(tmp_path)] == [second.run_id, first.run_id]
    before = bytes_of(tmp_path)
    assert cleaned(tmp_path) == []
    assert cleaned(tmp_path, Gone(frozenset({"L-10", "l-100", "L-1000"}))) == []
    assert bytes_of(tmp_path) == before


def test_a_dry_run_tells_the_same_and_changes_nothing(tmp_path):
    publish(tmp_path)
    before = bytes_of(tmp_path)
    told = cleaned(tmp_path, is_dry=True)
    assert bytes_of(tmp_path) == before
    assert told == cleaned(tmp_path)


def test_an_id_that_was_kept_from_being_a_formula_is_found(tmp_path):
    path = tmp_path / "ranking.csv"
    path.write_text("lead_id,rank\n'=A1,1\n=A1,2\n'B,3\n", encoding="utf-8")
    assert rows_of(path, Gone(frozenset({"=A1", "B"})), tmp_path / "out.csv") == 3
    assert (tmp_path / "out.csv").read_text() == "lead_id,rank\n"


def test_a_damaged_file_does_not_look_whole_in_the_copy(tmp_path):
    run = publish(tmp_path)
    (run.folder / "ranking.csv").write_text("rank,lead_id\n1,L-100\n2,L-101\n")
    cleaned(tmp_path)
    assert runs.damaged_files(runs.current(tmp_path)) == ["ranking.csv"]
    assert "L-101" not in (run.folder / "ranking.csv").read_text()


def test_a_run_that_cannot_be_read_is_named_and_the_others_are_clean(tmp_path):
    torn = publish(tmp_path)
    whole = publish(tmp_path, "20260701T000000Z-bbbbbbbbbbbb", "2026-07-01T00:00:00+00:00")
    (torn.folder / "reasons.parquet").write_bytes(b"PAR1")
    told = {run.run_id: run for run in cleaned(tmp_path)}
    assert told[torn.run_id].problem is not None
    assert told[whole.run_id].problem is None
    assert "L-101" not in pq.read_table(whole.folder / "ranking.parquet").column("lead_id").to_pylist()


def test_a_run_that_is_being_read_is_waited_for_and_the_next_call_goes_on(tmp_path, monkeypatch):
    run = publish(tmp_path)
    monkeypatch.setattr(swapping, "_PAUSE_SECONDS", 0.0)
    with keeping.reading(runs.current(tmp_path)):
        with pytest.raises(LockedError, match="somebody reads run"):
            cleaned(tmp_path)
        assert "L-101" in pq.read_table(run.folder / "ranking.parquet").column("lead_id").to_pylist()
    with runs.lock(tmp_path):
        assert swapping.finish(tmp_path) == [run.run_id]
    assert "L-101" not in pq.read_table(run.folder / "ranking.parquet").column("lead_id").to_pylist()


def test_a_reader_who_waited_is_told_to_follow_the_pointer_again(tmp_path):
    before = publish(tmp_path)
    held = (before.folder / runs.MANIFEST).stat().st_ino
    cleaned(tmp_path)
    assert (before.folder / runs.MANIFEST).stat().st_ino != held
    with keeping.reading(runs.current(tmp_path)) as after:
        assert after.manifest["erased"] == 1


def copies_at_each_step(folder, into, monkeypatch):
    """A copy of the folder before and after each step: what a kill at that moment would leave."""
    copying = False

    def keep(count):
        nonlocal copying
        if not copying:
            copying = True  # copying takes such steps, too
            shutil.copytree(folder, into / f"{count:04}")
            copying = False

    for name in STEPS:
        monkeypatch.setattr(os, name, getattr(os, name))  # put back afterwards
    monkeypatch.setattr(test_crashes, "STEPS", STEPS)
    test_crashes.at_each_step(keep)


def test_killed_at_any_step_the_old_or_the_cleaned_run_is_whole_and_the_same_command_heals(
    tmp_path, monkeypatch
):
    run = publish(tmp_path / "runs")
    with monkeypatch.context() as patch:
        copies_at_each_step(tmp_path / "runs", tmp_path / "kills", patch)
        cleaned(tmp_path / "runs")
    seen = []
    for folder in sorted((tmp_path / "kills").iterdir()):
        found = runs.current(folder)
        assert (found.run_id, runs.damaged_files(found)) == (run.run_id, [])
        assert [each.run_id for each in runs.published(folder)] == [run.run_id]
        seen.append(found.manifest.get("erased", 0))
        cleaned(folder)
        keeping.leftovers(folder)
        healed = runs.current(folder)
        assert (runs.damaged_files(healed), healed.manifest["erased"]) == ([], 1)
        assert rows_of(healed.folder / "ranking.parquet", OUT) == 0
        assert {path.name for path in folder.iterdir()} == {run.run_id, runs.POINTER, ".lock"}
    assert seen == sorted(seen)  # once cleaned, always cleaned
    assert set(seen) == {0, 1}
    assert len(seen) > 40


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_published_files_and_folders_have_their_modes_under_any_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        folder = tmp_path / "runs"
        with runs.lock(folder):
            publish(folder)
        cleaned(folder)
        runs.withdraw(runs.current(folder), folder, reason="r", instead=runs.current(folder))
    finally:
        os.umask(before)
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode & 0o777
        if path.name == ".lock":
            assert mode & 0o027 == 0 or mode == 0o640
        else:
            assert mode == (0o750 if path.is_dir() else 0o640), path
    assert json.loads((folder / runs.WITHDRAWN).read_text()) == {}
