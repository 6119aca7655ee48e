"""A table in Parquet parts: the same as in one file, places in the parts, and many of them."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from features.errors import InputError, ParameterError
from features.ingest.quarantine import Counts
from features.ingest.sighting import sighting
from features.tables import Field, Source
from tests.features.in_parts import ROWS, digest, given, in_parts, part, refused, write
from tests.features.ingested import Ingested
from tests.timing import quickest


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


def test_parts_have_the_digest_of_one_file_however_the_rows_are_cut(crm: Ingested) -> None:
    write(crm, "one.parquet", ROWS)
    whole = digest(crm, path="one.parquet")
    in_parts(crm)
    assert digest(crm) == whole
    for file in (crm.folder / "leads").iterdir():
        file.unlink()
    for row in range(5):
        part(crm, f"{9 - row}.parquet", row, row + 1)
    assert digest(crm) == whole
    assert crm.column("lead_id") == ["L5", "L4", "L3", "L2", "L1"]
    part(crm, "0.parquet", 0, 1)
    assert crm.load(**given()).counts["leads"].deduplicated == 1


def test_rows_are_numbered_over_all_parts_and_placed_in_their_own(crm: Ingested) -> None:
    in_parts(crm)
    write(crm, "leads/part-00001-b.parquet", {**ROWS, "lead_id": ["M1", "", "M3", "M4", None]})
    counts = crm.load(**given()).counts["leads"]
    assert (counts.read, counts.accepted, counts.quarantined) == (10, 8, 2)
    assert crm.column("lead_id") == ["L1", "L2", "M1", "M3", "M4", "L3", "L4", "L5"]
    assert crm.column("row_number") == [0, 1, 2, 4, 5, 7, 8, 9]
    assert crm.rows("SELECT file, line FROM quarantine ORDER BY line") == [
        ("leads/part-00001-b.parquet", 2),
        ("leads/part-00001-b.parquet", 5),
    ]


def test_a_wrong_declaration_is_told_with_the_part_and_its_row(crm: Ingested) -> None:
    write(
        crm, "leads/a.parquet", {**{name: cells[:1] for name, cells in ROWS.items()}, "source": pa.nulls(1)}
    )
    part(crm, "b.parquet", 2, 5)
    error = refused(
        crm, fields={"source": Field("category"), "kind": Field("number")}, mapping={"kind": "source"}
    )
    assert "column 'source' of file 'leads'" in error.reason
    assert "first in row 2 of 'leads/b.parquet'" in error.reason
    assert (error.place.file, error.place.row) == ("leads/b.parquet", 2)


@pytest.mark.parametrize(
    "path", ["leads/*.parquet", "leads/part-0000[0-2]*", "l*/", "**/part*.parquet", "leads/."]
)
def test_a_pattern_means_all_that_fits_it_once(crm: Ingested, path: str) -> None:
    in_parts(crm)
    part(crm, "_old/part-00000.parquet", 0, 5)
    assert crm.load(**given(path=path)).counts["leads"].read == 5
    assert crm.rows("SELECT count(*) FROM leads") == [(5,)]


def test_what_does_not_fit_a_pattern_is_not_read(crm: Ingested) -> None:
    in_parts(crm)
    (crm.folder / "leads" / "readme.txt").write_text("no part")
    assert crm.load(**given(path="leads/part-00002*")).counts["leads"].read == 3


def test_a_file_whose_name_is_a_pattern_is_that_file(crm: Ingested) -> None:
    write(crm, "leads/[ab]*.parquet", {"lead_id": ["L1"], "size": [1.0]})
    write(crm, "leads/a.parquet", {"lead_id": ["L2"], "size": [1.0]})
    crm.load(**given(path="leads/[ab]*.parquet"))
    assert crm.column("lead_id") == ["L1"]
    crm.load(**given())
    assert crm.column("lead_id") == ["L1", "L2"]


def test_an_absolute_path_means_the_same(crm: Ingested) -> None:
    in_parts(crm)
    relative = digest(crm)
    assert digest(crm, path=str(crm.folder / "leads")) == relative
    assert digest(crm, path=f"{crm.folder}/leads/*.parquet") == relative


# ── folders called key=value ─────────────────────────────────────────────────────────────────────


def test_a_partition_folder_is_a_column_of_its_rows(crm: Ingested) -> None:
    bare = {"lead_id": ["L1", "L2"], "size": [1.0, 2.0]}
    write(crm, "leads/source=web/day=2024-01-01/a.parquet", {**bare})
    write(crm, "leads/source=caf%C3%A9%2F1/day=2024-01-02/a.parquet", {**bare, "lead_id": ["L3", "L4"]})
    write(crm, "leads/source=__HIVE_DEFAULT_PARTITION__/day=01/a.parquet", {**bare, "lead_id": ["", "L5"]})
    crm.load(**given(mapping={"created_at": "day"}, null_tokens=("01",)))
    first, second = datetime(2024, 1, 1), datetime(2024, 1, 2)  # noqa: DTZ001  # UTC without a zone
    assert crm.rows("SELECT lead_id, source, created_at FROM leads ORDER BY lead_id") == [
        ("L1", "web", first),
        ("L2", "web", first),
        ("L3", "café/1", second),
        ("L4", "café/1", second),
        ("L5", None, None),
    ]
    assert crm.rows("SELECT file, line FROM quarantine") == [
        ("leads/source=__HIVE_DEFAULT_PARTITION__/day=01/a.parquet", 1)
    ]


def test_a_pattern_keeps_the_columns_of_the_folders_that_it_leaves_open(crm: Ingested) -> None:
    for day in ("2024-01-31", "2024-02-01"):
        write(crm, f"leads/created_at={day}/a.parquet", {"lead_id": [day], "size": [1.0]})
    crm.load(**given(path="leads/created_at=2024-02-*"))
    assert crm.rows("SELECT lead_id, CAST(created_at AS VARCHAR) FROM leads") == [
        ("2024-02-01", "2024-02-01 00:00:00")
    ]


def test_a_key_that_begins_with_an_underscore_is_a_partition(crm: Ingested) -> None:
    write(crm, "leads/_day=1/a.parquet", {"lead_id": ["L1"], "size": [1.0]})
    assert crm.load(**given()).ignored["leads"] == ("_day",)


def test_a_key_that_the_files_have_too_is_refused(crm: Ingested) -> None:
    write(crm, "leads/size=1/a.parquet", {"lead_id": ["L1"], "Size": [2.0]})
    assert "repeats 'Size', 'size'" in refused(crm).reason


def test_a_wanted_key_that_some_parts_lack_is_refused(crm: Ingested) -> None:
    write(crm, "leads/day=1/a.parquet", {"lead_id": ["L1"]})
    write(crm, "leads/b.parquet", {"lead_id": ["L2"]})
    assert crm.load(**given(fields={})).ignored["leads"] == ("day",)
    error = refused(crm, fields={"day": Field("number")})
    assert "absent from 'leads/b.parquet'" in error.reason


# ── parts that differ ────────────────────────────────────────────────────────────────────────────


def test_a_wanted_column_of_another_type_is_refused_and_not_rounded(crm: Ingested) -> None:
    write(crm, "leads/a.parquet", {"lead_id": ["L1"], "size": [1]})
    write(crm, "leads/b.parquet", {"lead_id": ["L2"], "size": [1.5]})
    error = refused(crm)
    assert (
        "disagree of column 'size': BIGINT in 'leads/a.parquet', DOUBLE in 'leads/b.parquet'" in error.reason
    )
    assert (error.place.file, error.place.column) == ("leads/b.parquet", "size")


@pytest.mark.parametrize("lacking", ["a", "b"])
def test_a_wanted_column_that_a_part_lacks_is_refused_and_not_empty(crm: Ingested, lacking: str) -> None:
    for name in ("a", "b"):
        own = {} if name == lacking else {"source": ["web"]}
        write(crm, f"leads/{name}.parquet", {"lead_id": [name], "size": [1.0], **own})
    error = refused(crm)
    assert "disagree of column 'source'" in error.reason
    assert f"absent from 'leads/{lacking}.parquet'" in error.reason


def test_columns_that_nobody_wants_may_differ(crm: Ingested) -> None:
    write(crm, "leads/a.parquet", {"lead_id": ["L1"], "size": [1.0], "note": ["x"], "old": pa.nulls(1)})
    write(crm, "leads/b.parquet", {"new": [1], "note": [7], "size": [2.0], "lead_id": ["L2"]})
    assert crm.load(**given()).ignored["leads"] == ("note", "old", "new")
    assert crm.column("size") == [1.0, 2.0]


def test_a_column_without_a_value_in_a_part_has_the_type_of_the_others(crm: Ingested) -> None:
    void, at = pa.nulls(1), [datetime(2024, 1, 1)]  # noqa: DTZ001  # naive
    write(crm, "leads/a.parquet", {"lead_id": ["L1"], "created_at": void, "source": void, "size": [1.5]})
    write(crm, "leads/b.parquet", {"size": void, "lead_id": ["L2"], "created_at": at, "source": ["web"]})
    write(crm, "leads/c.parquet", {"lead_id": ["L3"], "created_at": at, "source": ["fair"], "size": [2.5]})
    counts = crm.load(**given()).counts["leads"]
    assert (counts.read, counts.accepted) == (3, 3)
    assert crm.column("row_number") == [0, 1, 2]
    assert crm.column("size") == [1.5, None, 2.5]
    assert crm.column("source") == [None, "web", "fair"]
    assert crm.column("created_at") == [None, *at, *at]


def test_an_empty_part_may_have_any_columns(crm: Ingested) -> None:
    write(crm, "leads/a.parquet", {"lead_id": pa.array([], pa.int64())})
    part(crm, "b.parquet", 0, 5)
    assert crm.load(**given()).counts["leads"].read == 5


@pytest.mark.parametrize("name", ["file_index", "FILE_ROW_NUMBER"])
def test_a_column_that_would_number_the_rows_is_refused(crm: Ingested, name: str) -> None:
    write(crm, "leads/a.parquet", {"lead_id": ["L1"], "size": [1.0], name: [7]})
    assert f"a column '{name}'" in refused(crm).reason


# ── many parts, and looking at them ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_small_parts_are_one_table_as_quickly_as_duckdb_reads_them(crm: Ingested, count: int) -> None:
    contacts = [f"C{row}" for row in range(10)]
    rows = {"contact_id": contacts, "occurred_at": ["2024-01-01"] * 10, "kind": ["a"] * 10}
    write(crm, "touches/00000.parquet", rows)
    for at in range(1, count):
        os.link(crm.folder / "touches" / "00000.parquet", crm.folder / "touches" / f"{at:05}.parquet")

    def plain() -> None:
        with duckdb.connect() as connection:
            connection.read_parquet(f"{crm.folder}/touches/*.parquet", union_by_name=True).fetchall()

    def load() -> Counts:
        return crm.load("touches", path="touches", format="parquet").counts["touches"]

    assert quickest(load) < 3 * quickest(plain)
    counts = load()
    assert (counts.read, counts.accepted) == (10 * count, 10 * count)
    numbers = crm.rows("SELECT count(DISTINCT row_number), min(row_number), max(row_number) FROM touches")
    assert numbers == [(10 * count, 0, 10 * count - 1)]


def test_a_new_a_changed_and_a_lost_part_are_seen_from_outside(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 2)
    sources = {"leads": Source(path="leads", format="parquet")}
    seen = [sighting(sources, crm.folder, {})]
    assert sighting(sources, crm.folder, {}) == seen[0]
    part(crm, "b.parquet", 2, 5)
    seen.append(sighting(sources, crm.folder, {}))
    part(crm, "b.parquet", 2, 4)
    seen.append(sighting(sources, crm.folder, {}))
    (crm.folder / "leads" / "a.parquet").unlink()
    seen.append(sighting(sources, crm.folder, {}))
    assert len({text["leads"] for text in seen}) == 4
    (crm.folder / "leads" / "b.parquet").unlink()
    with pytest.raises(InputError):
        sighting(sources, crm.folder, {})


def test_a_part_of_the_same_size_is_another_by_its_time_or_its_inode(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 2)
    sources, file = {"leads": Source(path="leads", format="parquet")}, crm.folder / "leads" / "a.parquet"
    seen, at = [sighting(sources, crm.folder, {})], file.stat().st_mtime_ns
    os.utime(file, ns=(at, at + 1))
    seen.append(sighting(sources, crm.folder, {}))
    (crm.folder / "new").write_bytes(file.read_bytes())
    os.utime(crm.folder / "new", ns=(at, at + 1))
    (crm.folder / "new").rename(file)
    seen.append(sighting(sources, crm.folder, {}))
    assert len({text["leads"] for text in seen}) == 3


def test_a_table_of_spark_is_not_watched(crm: Ingested) -> None:
    sources = {"leads": Source(format="spark", spark_table="crm.leads")}
    with pytest.raises(ParameterError, match=r"'leads' is one of Spark.*tables\.leads\.path"):
        sighting(sources, crm.folder, {})
