"""Folders and patterns that are no whole table are refused: no part is left out in silence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import InputError
from tests.features.in_parts import ROWS, given, in_parts, part, refused, write
from tests.features.ingested import Ingested


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


def bare(crm: Ingested) -> None:
    (crm.folder / "leads").mkdir()


def hidden(crm: Ingested) -> None:
    write(crm, "leads/.a.parquet", ROWS)
    write(crm, "leads/_b.parquet", ROWS)
    write(crm, "leads/_c/d.parquet", ROWS)


def without_rows(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 0)


def half_written(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 5)
    write(crm, "leads/_temporary/0/task/b.parquet", ROWS)


def half_replaced(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 5)
    write(crm, "leads/.spark-staging-1/b.parquet", ROWS)


def delta(crm: Ingested) -> None:
    part(crm, "day=1/a.parquet", 0, 5)
    (crm.folder / "leads" / "_delta_log").mkdir()


def hudi(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 5)
    (crm.folder / "leads" / ".hoodie").mkdir()


def iceberg(crm: Ingested) -> None:
    part(crm, "data/a.parquet", 0, 5)
    (crm.folder / "leads" / "metadata").mkdir()
    (crm.folder / "leads" / "metadata" / "v1.metadata.json").write_text("{}")


def with_a_note(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 5)
    (crm.folder / "leads" / "readme.txt").write_text("Erika")


def cut_off(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 5)
    whole = (crm.folder / "leads" / "a.parquet").read_bytes()
    (crm.folder / "leads" / "b.parquet").write_bytes(whole[:-20])


def with_a_pipe(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 5)
    os.mkfifo(crm.folder / "leads" / "b.parquet")


def with_a_linked_folder(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 5)
    (crm.folder / "leads" / "b").symlink_to(crm.folder / "leads")


def with_a_dead_link(crm: Ingested) -> None:
    part(crm, "a.parquet", 0, 5)
    (crm.folder / "leads" / "b.parquet").symlink_to(crm.folder / "none.parquet")


@pytest.mark.parametrize(("make", "told"), [
    (bare, "'leads' has no parts"),
    (hidden, "'leads' has no parts"),
    (without_rows, "'leads' has no data rows: all of its 1 parts are empty"),
    (half_written, "'leads' is being written: its folder has '_temporary'"),
    (half_replaced, "'leads' is being written"),
    (delta, "'leads' belongs to a Delta table"),
    (hudi, "'leads' belongs to a Hudi table"),
    (iceberg, "'leads' belongs to an Iceberg table"),
    (with_a_note, "part 'leads/readme.txt' is truncated, damaged or no Parquet file"),
    (cut_off, "part 'leads/b.parquet' is truncated, damaged or no Parquet file"),
    (with_a_pipe, "'leads/b.parquet' is not a regular file"),
    (with_a_linked_folder, "'leads/b' is a link to a folder"),
    (with_a_dead_link, "part 'leads/b.parquet' of 'leads' cannot be found"),
])  # fmt: skip
def test_a_folder_that_is_no_whole_table_is_refused(
    crm: Ingested, make: Callable[[Ingested], None], told: str
) -> None:
    make(crm)
    assert told in refused(crm).reason


@pytest.mark.parametrize("path", ["leads/*.parquet", "l*s", "leads/day=1", "*/*/a.parquet"])
def test_a_pattern_in_an_unfinished_folder_or_a_lake_is_refused_as_the_folder_is(
    crm: Ingested, path: str
) -> None:
    part(crm, "a.parquet", 0, 5)
    part(crm, "day=1/a.parquet", 0, 5)
    (crm.folder / "leads" / "_delta_log").mkdir()
    lakes = {"leads/*.parquet", "leads/day=1"}
    if path in lakes:
        assert "a Delta table" in refused(crm, path=path).reason
    (crm.folder / "leads" / "_delta_log").rmdir()
    for folder in ("leads", "leads/day=1"):
        (crm.folder / folder / "_temporary").mkdir()
    assert "being written" in refused(crm, path=path).reason


def test_a_pattern_that_nothing_fits_is_refused(crm: Ingested) -> None:
    in_parts(crm)
    assert "'leads/2024-*' has no parts" in refused(crm, path="leads/2024-*").reason
    assert "'none' cannot be found" in refused(crm, path="none").reason


def test_a_folder_of_csv_files_is_refused(crm: Ingested) -> None:
    (crm.folder / "leads").mkdir()
    crm.write("leads/a.csv", "lead_id\nL1\n")
    for path in ("leads", "leads/*.csv"):
        error = refused(crm, path=path, format="csv")
        assert "a CSV table is one file" in error.reason


def test_no_part_of_a_relative_path_lies_outside_the_folder(crm: Ingested, tmp_path: Path) -> None:
    inner = Ingested(tmp_path / "inner")
    inner.folder.mkdir()
    part(crm, "a.parquet", 0, 5)
    for path in ("../leads", "../leads/*.parquet"):
        assert "outside the folder of params.yaml" in refused(inner, path=path).reason
    (inner.folder / "leads").mkdir()
    (inner.folder / "leads" / "b.parquet").symlink_to(crm.folder / "leads" / "a.parquet")
    error = refused(inner)
    assert error.reason == "file 'leads/b.parquet' lies outside the folder of params.yaml"
    assert inner.load(**given(path=str(inner.folder / "leads"))).counts["leads"].read == 5


@pytest.mark.parametrize("name", ["a.parquet", "b.parquet"])
def test_a_part_that_changes_or_comes_while_they_are_read_is_refused(
    crm: Ingested, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    part(crm, "a.parquet", 0, 3)
    from features.ingest import opening

    read = opening.part_scan

    def writing(*given: object) -> object:
        scan = read(*given)  # type: ignore[arg-type]
        part(crm, f"{name}.new", 3, 5)
        (crm.folder / "leads" / f"{name}.new").rename(crm.folder / "leads" / name)
        return scan

    monkeypatch.setattr(opening, "part_scan", writing)
    with pytest.raises(InputError, match="changed while it was read"):
        crm.load(**given())
