"""A file of a run in parts has the rows of the one file, in bytes that follow from the rows alone."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import StorageError
from serve import part_rows, parts, queries, runs
from serve.part_rows import GROUP_ROWS
from tests.serve.published import publish

ROWS = 2 * GROUP_ROWS + 5
LEADS = [{"lead_id": name} for name in "ABCDE"]


def reader(table, size):
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(size))


@pytest.fixture
def table():
    return pa.table(
        {"lead_id": [f"L{row}" for row in range(ROWS)], "value": [row / 7 for row in range(ROWS)]}
    )


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("part_leads", [GROUP_ROWS - 1, GROUP_ROWS, ROWS - 1, ROWS, ROWS + 1])
def test_a_part_has_so_many_rows_and_the_last_one_the_rest(table, tmp_path, part_leads):
    part_rows.write(reader(table, 999), tmp_path / "f.parquet", part_leads)
    sizes = [pq.read_metadata(path).num_rows for path in parts.of(tmp_path / "f.parquet")]
    assert sizes[:-1] == [part_leads] * (len(sizes) - 1)
    assert (sum(sizes), len(sizes)) == (ROWS, parts.parts_for(ROWS, part_leads))
    assert pq.read_table(tmp_path / "f.parquet").equals(table)


def test_the_bytes_are_the_same_in_whatever_pieces_the_rows_come(table, tmp_path):
    noted = table.replace_schema_metadata({"who": "wrote it"})
    for name, size, rows in (("one", ROWS, table), ("other", 777, noted)):
        part_rows.write(reader(rows, size), tmp_path / name, GROUP_ROWS + 9)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "other")


def test_a_part_whose_leads_have_no_row_is_there_and_empty(tmp_path):
    placed = pa.table({"said": ["x", "y", "z"], part_rows.PLACE: [1, 1, 3]})
    part_rows.write_placed(reader(placed, 2), tmp_path / "f.parquet", 5)
    rows = [pq.read_table(path).to_pydict() for path in parts.of(tmp_path / "f.parquet")]
    assert rows == [{"said": said} for said in ([], ["x", "y"], [], ["z"], [])]


def test_no_rows_at_all_still_say_their_columns(table, tmp_path):
    part_rows.write(reader(table[:0], 9), tmp_path / "f.parquet", 1000)
    part_rows.write_placed(
        reader(pa.table({"a": [1], part_rows.PLACE: [0]})[:0], 9), tmp_path / "g.parquet", 1
    )
    assert [part_rows.schema(tmp_path / name).names for name in ("f.parquet", "g.parquet")][1] == ["a"]
    assert part_rows.rows(tmp_path / "g.parquet") == 0


def test_chunks_are_never_of_two_parts_and_know_their_place(table, tmp_path):
    part_rows.write(reader(table[:2500], 999), tmp_path / "f.parquet", 1000)
    found = [(start, chunk.num_rows) for start, chunk in part_rows.chunks(tmp_path / "f.parquet", 600)]
    assert found == [(0, 600), (600, 400), (1000, 600), (1600, 400), (2000, 500)]
    assert part_rows.column(tmp_path / "f.parquet", "value").equals(table[:2500].column("value"))


def test_what_is_made_takes_the_place_of_a_file_and_of_a_folder(table, tmp_path):
    file = tmp_path / "f.parquet"
    part_rows.write(reader(table[:3], 3), file, 2)
    pq.write_table(table[:1], tmp_path / "fresh")
    parts.put(tmp_path / "fresh", file)
    assert pq.read_table(file).num_rows == 1
    part_rows.write(reader(table[:3], 3), tmp_path / "fresh", 2)
    parts.put(tmp_path / "fresh", file)
    assert part_rows.rows(file) == 3


@pytest.fixture
def run(tmp_path):
    """Five leads in parts of two ranks."""
    return publish(tmp_path / "runs", LEADS, part_leads=2)


def test_each_part_is_in_the_manifest_and_a_torn_one_is_damage(run):
    names = [f"ranking.parquet/part-{place:05d}.parquet" for place in range(3)]
    assert [name for name in run.manifest["files"] if name.startswith("ranking.parquet")] == names
    assert runs.damaged_files(run) == []
    (run.folder / names[1]).write_bytes(b"torn")
    (run.folder / names[2]).unlink()
    assert runs.damaged_files(run) == runs.damaged_files(run, "ranking.parquet") == names[1:]
    assert runs.damaged_files(run, "leads.parquet") == []


def test_a_part_that_the_manifest_does_not_know_is_damage(run):
    strange = "ranking.parquet/part-00009.parquet"
    shutil.copy(run.folder / "ranking.parquet" / "part-00000.parquet", run.folder / strange)
    assert runs.damaged_files(run) == runs.damaged_files(run, "ranking.parquet") == [strange]


def test_a_part_that_cannot_be_read_is_told_without_a_trace(run):
    parts.part(run.folder / "ranking.parquet", 1).write_bytes(b"torn")
    with pytest.raises(StorageError, match=r"ranking\.parquet"):
        queries.lead(run, "C")


def test_the_digest_of_a_file_in_parts_changes_with_any_of_them(tmp_path):
    digests = {
        runs.digest_of(publish(tmp_path / name, leads, part_leads=2), "ranking.parquet")
        for name, leads in {"a": LEADS, "b": LEADS, "c": [*LEADS[:4], {"lead_id": "X"}]}.items()
    }
    whole = publish(tmp_path / "whole", LEADS)
    assert len(digests) == 2
    assert runs.digest_of(whole, "ranking.parquet") == whole.manifest["files"]["ranking.parquet"]["sha256"]
    assert runs.digest_of(whole, "none.parquet") is None


def test_the_first_leads_stand_in_the_order_of_their_ranks(run):
    assert [row["lead_id"] for row in queries.top_leads(run, 4)] == list("ABCD")
