"""A large table in parts is the same whether the command converts its rows or others do."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError, LeadrankError, StorageError
from features.ingest import spread
from features.ingest.part_scan import part_scan
from features.ingest.parts import parts
from features.tables import Field
from tests.features.in_parts import ROWS, SIZE, part, write
from tests.features.ingested import Ingested

TABLES = ("leads", "quarantine")
FIELDS = {**SIZE, "is_new": Field("flag"), "Tier": Field("category"), "signed_at": Field("timestamp")}
START = datetime(2024, 3, 31, 1, 30, tzinfo=UTC)


class Others:
    """Machines of an engine: this one, which does each task twice, as after a loss, and from the last on."""

    def __init__(self, shared: Path) -> None:
        self.shared, self.tasks, self.unseen = shared, 0, ""

    def sees(self, file: Path) -> bool:
        return file.is_absolute() and file.name != self.unseen

    def each(self, work: Callable[[int], None], places: int) -> None:
        self.tasks += places
        for place in [*reversed(range(places)), *range(places)]:
            work(place)

    def columns_of(self, table: str) -> tuple[str, ...]:
        raise NotImplementedError(table)

    def exported(self, table: str, columns: object) -> Path:
        raise NotImplementedError(table, columns)


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Others:
    monkeypatch.setattr(spread, "FEWEST_ROWS", 1)
    monkeypatch.setattr(spread, "ROWS_PER_TASK", 3)
    shared = tmp_path / "size=7" / "source=theirs"  # what the folder of the answers is called plays no part
    shared.mkdir(parents=True)
    return Others(shared)


def told(crm: Ingested, others: Others | None, **settings: Any) -> dict[str, Any]:
    """All that a load leaves, or its error."""
    from features.tables import Source

    given = {"path": "leads", "format": "parquet", **settings}
    try:
        loaded = crm.loads({"leads": Source(**given)}, exporter=others)
    except LeadrankError as error:
        return {"error": repr(error), "code": error.code, "hint": error.hint, "place": error.place}
    return {
        "loaded": loaded,
        "types": crm.rows("DESCRIBE leads"),
        **{name: crm.rows(f"FROM {name} ORDER BY ALL") for name in TABLES},
    }


def same(crm: Ingested, others: Others, tasks: int, **settings: Any) -> dict[str, Any]:
    """What both leave, if it is the same, and others did so many tasks."""
    found = told(crm, others, **settings)
    assert others.tasks == tasks
    assert list(others.shared.iterdir()) == []
    assert found == told(crm, None, **settings)
    return found


def every_kind(crm: Ingested) -> None:
    """Parts of several shapes, with cells of each kind that are right, settled, and turned away."""
    ids, stamps = (
        [f" L{n}\u00a0" for n in range(8)],
        ["2024-03-31 02:30", "2024-01-01T10:00:00+02:00", "9999-12-31"],
    )
    first = {
        "lead_id": ids,
        "created_at": [*stamps, "nonsense", None, "", "2024-05-05", "2024-05-06"],
        "size": ["1", "2.5", "x", "", None, "-0", "1e300", "7"],
        "is_new": ["yes", "No", "", None, "1", "0", "y", "maybe"],
        "Tier": ["\uff21", "e\u0301", " b ", "", None, "n/a", "B", "it's"],
        "signed_at": pa.nulls(8, pa.null()),
    }
    write(crm, "leads/a.parquet", first, row_group_size=3)
    second = {
        "signed_at": pa.array([START, None], pa.timestamp("us", "UTC")),
        "lead_id": ["L8", "L1"],  # L1 again, and not the same
        "created_at": ["2024-06-01", "2024-06-02"],
        "size": ["inf", "NaN"],
        "is_new": [None, None],
        "Tier": pa.nulls(2, pa.null()),
        "more": [1.5, 2.5],
    }
    write(crm, "leads/b.parquet", second)
    write(crm, "leads/c.parquet", {**first, "lead_id": [f"N{n}" for n in range(8)]})  # with b in one task


def test_every_kind_of_cell_comes_out_the_same(crm: Ingested, others: Others) -> None:
    every_kind(crm)
    found = same(crm, others, 2, fields=FIELDS, timezone="Europe/Berlin", null_tokens=("n/a",))
    counts = found["loaded"].counts["leads"]
    assert (counts.read, counts.accepted) == (18, len(found["leads"]))
    assert 0 < counts.accepted < 18
    assert len({reason for *_, reason in found["quarantine"]}) >= 4
    assert found["loaded"].notes


@pytest.mark.parametrize("kind", [pa.float64(), pa.decimal128(21, 2), pa.int16(), pa.string()])
def test_every_type_of_number_comes_out_the_same(crm: Ingested, others: Others, kind: pa.DataType) -> None:
    for name, values in (("a", [1, None, 3]), ("b", [4, 5, None])):
        size = pa.array(values, pa.int64()).cast(kind)
        write(crm, f"leads/{name}.parquet", {"lead_id": [f"{name}{n}" for n in range(3)], "size": size})
    assert [row[1] for row in same(crm, others, 2, fields=SIZE)["types"]][:2] == ["BIGINT", "VARCHAR"]


def test_a_moment_of_parquet_that_no_calendar_has_is_settled_the_same(crm: Ingested, others: Others) -> None:
    most = 2**63 - 1  # infinity, as DuckDB and PostgreSQL have it
    at = pa.array([most, -most, 0, None], pa.int64()).cast(pa.timestamp("us"))
    write(crm, "leads/a.parquet", {"lead_id": ["a", "b", "c", "d"], "created_at": at, "signed_at": at})
    same(crm, others, 1, fields={"signed_at": Field("timestamp")})


def test_folders_are_columns_and_parts_without_rows_do_no_harm(crm: Ingested, others: Others) -> None:
    rows = {name: values for name, values in ROWS.items() if name != "source"}
    for at, folder in enumerate(["source=it%27s%2Fa", "source=__HIVE_DEFAULT_PARTITION__", "source=b"]):
        two = {name: [values[at]] for name, values in rows.items()}
        write(crm, f"leads/{folder}/p.parquet", two)
    write(crm, "leads/source=b/empty.parquet", {"lead_id": pa.array([], pa.int64())})
    found = same(crm, others, 1, fields=SIZE)
    assert sorted(map(str, {row[3] for row in found["leads"]})) == ["None", "b", "it's/a"]


def test_a_record_is_named_by_the_part_and_the_row_that_it_stands_in(crm: Ingested, others: Others) -> None:
    part(crm, "a.parquet", 0, 4)
    write(crm, "leads/b.parquet", {**ROWS, "lead_id": ["M1", "M2", "", "M4", "M5"]})
    same(crm, others, 2, fields=SIZE)
    assert crm.rows("SELECT file, line FROM quarantine") == [("leads/b.parquet", 3)]


def test_a_column_that_is_declared_wrongly_is_refused_with_the_same_words(
    crm: Ingested, others: Others
) -> None:
    write(crm, "leads/a.parquet", {"lead_id": ["a", "b", "c"], "size": ["1,5", "2,5", "3"]})
    assert "decimal comma" in same(crm, others, 1, fields=SIZE)["error"]


@pytest.mark.parametrize(
    "why", ["few rows", "a folder that they do not see", "a name that DuckDB reads as more"]
)
def test_the_command_converts_what_others_cannot_or_need_not(
    crm: Ingested, others: Others, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    part(crm, "part[0].parquet" if "name" in why else "a.parquet", 0, 3)
    part(crm, "b.parquet", 3, 5)
    if why == "few rows":
        monkeypatch.setattr(spread, "FEWEST_ROWS", 5)
        assert same(crm, others, 2, fields=SIZE)["loaded"].counts["leads"].accepted == 5
        monkeypatch.setattr(spread, "FEWEST_ROWS", 6)
        others.tasks = 0
    others.unseen = "b.parquet" if "folder" in why else ""
    assert same(crm, others, 0, fields=SIZE)["loaded"].counts["leads"].accepted == 5


def test_tasks_are_neighbours_and_no_more_parts_than_one_query_bears(
    crm: Ingested, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "ROWS_PER_TASK", 4)
    monkeypatch.setattr(spread, "PARTS_PER_TASK", 3)
    for at, rows in enumerate([1, 3, 5, 1, 1, 1, 1]):
        more = {"more": [0] * rows} if at == 2 else {}  # of another shape
        write(crm, f"leads/{at}.parquet", {"lead_id": [f"{at}-{row}" for row in range(rows)], **more})
    (crm.folder / "work").mkdir()
    scan = part_scan(crm.connection, parts("leads", crm.folder), "leads", crm.folder / "work")
    assert scan.pieces is not None
    tasks = list(spread._tasks(scan.pieces(["c0"])))
    assert [[piece.rows for piece in task] for task in tasks] == [[1, 3], [5], [1, 1, 1], [1]]
    assert [piece.file.name for task in tasks for piece in task] == [f"{at}.parquet" for at in range(7)]


def test_a_part_that_is_damaged_within_is_told_as_ever(crm: Ingested, others: Others) -> None:
    rows = 5_000
    write(crm, "leads/a.parquet", {"lead_id": [f"L{row * 7919}" for row in range(rows)]})
    write(crm, "leads/b.parquet", {"lead_id": ["M1"]})
    file = crm.folder / "leads" / "a.parquet"
    held = bytearray(file.read_bytes())
    held[200:4000] = bytes(3800)  # the footer is as it was
    file.write_bytes(held)
    assert pq.read_metadata(file).num_rows == rows
    found = same(crm, others, 2)
    assert (found["code"], "damaged" in found["error"]) == (InputError.code, True)


def looked_at(others: Others) -> list[str]:
    """What is asked of each task, from now on."""
    asked: list[str] = []

    def each(work: Callable[[int], None], places: int) -> None:
        [folder] = others.shared.iterdir()
        asked.extend(file.read_text() for file in folder.glob("*.json"))
        list(map(work, range(places)))

    others.each = each  # type: ignore[method-assign]
    return asked


def test_a_link_is_sent_as_what_it_leads_to(crm: Ingested, others: Others) -> None:
    part(crm, "b.parquet", 0, 5)
    (crm.folder / "leads").rename(crm.folder / "real")
    (crm.folder / "leads").mkdir()
    (crm.folder / "leads" / "a.parquet").symlink_to(crm.folder / "real" / "b.parquet")
    assert same(crm, others, 1, fields=SIZE)["loaded"].counts["leads"].accepted == 5
    asked = looked_at(others)
    told(crm, others, fields=SIZE)
    assert ["real/b.parquet" in asked[0], "leads/a.parquet" in asked[0]] == [True, False]
    others.unseen = "b.parquet"
    assert told(crm, others, fields=SIZE) == told(crm, None, fields=SIZE)
    assert len(asked) == 1


def test_only_wanted_columns_are_asked_for(crm: Ingested, others: Others) -> None:
    write(crm, "leads/a.parquet", {**ROWS, **{f"other {n}": ["?"] * 5 for n in range(50)}})
    asked = looked_at(others)
    assert told(crm, others, fields=SIZE)["loaded"].counts["leads"].accepted == 5
    assert [text.count("other") for text in asked] == [0]


ELSEWHERE = (
    "import pickle, sys; work = pickle.load(sys.stdin.buffer); [work(at) for at in range(int(sys.argv[1]))]"
)


def test_the_zone_of_a_machine_plays_no_part(crm: Ingested, others: Others) -> None:
    at = pa.array([START, None], pa.timestamp("us", "UTC"))
    write(crm, "leads/a.parquet", {"lead_id": ["a", "b"], "Tier": at, "created_at": at})

    def each(work: Callable[[int], None], places: int) -> None:
        subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(places)],
            input=pickle.dumps(work),
            env={**os.environ, "TZ": "Asia/Kolkata"},
            check=True,
        )

    others.each = each  # type: ignore[method-assign]
    fields = {"Tier": Field("category")}
    found = told(crm, others, fields=fields)
    assert found == told(crm, None, fields=fields)
    assert "2024-03-31 01:30:00+00" in found["leads"][0]


FAILURES = {
    "memory": (duckdb.OutOfMemoryException, "too little memory", "engine.settings"),
    "disk": (duckdb.IOException, "disk of engine.shared", "free or mend"),
    "unseen": (duckdb.IOException, "do not see the same files", "run as its user"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_what_a_machine_refuses_is_told_without_a_cell(
    crm: Ingested, others: Others, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    part(crm, "a.parquet", 0, 5)
    error, reason, hint = FAILURES[kind]

    def refusing(*_: object, **__: object) -> None:
        if kind == "unseen":
            (crm.folder / "leads" / "a.parquet").rename(crm.folder / "elsewhere")
        raise error("No space left on device: could not write 'erika@example.com'")

    def each(work: Callable[[int], None], places: int) -> None:
        with monkeypatch.context() as there:
            there.setattr(spread.duckdb, "connect", refusing)
            list(map(work, range(places)))
        if kind == "unseen":
            (crm.folder / "elsewhere").rename(crm.folder / "leads" / "a.parquet")

    others.each = each  # type: ignore[method-assign]
    found = told(crm, others, fields=SIZE)
    assert found["code"] == StorageError.code
    assert reason in found["error"]
    assert hint in found["hint"]
    assert "erika" not in str(found)
    assert list(others.shared.iterdir()) == []


def test_a_machine_that_is_full_costs_nothing_where_another_did_the_task(
    crm: Ingested, others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    part(crm, "a.parquet", 0, 5)

    def each(work: Callable[[int], None], places: int) -> None:
        def full(*_: object, **__: object) -> None:
            raise duckdb.OutOfMemoryException

        with monkeypatch.context() as there:
            there.setattr(spread.duckdb, "connect", full)
            list(map(work, range(places)))
        list(map(work, range(places)))

    others.each = each  # type: ignore[method-assign]
    assert told(crm, others, fields=SIZE) == told(crm, None, fields=SIZE)


def test_an_answer_that_the_command_does_not_see_is_no_damaged_table(crm: Ingested, others: Others) -> None:
    part(crm, "a.parquet", 0, 5)
    others.each = lambda _work, _places: None  # type: ignore[method-assign]
    found = told(crm, others, fields=SIZE)
    assert (found["code"], "do not see the same files" in found["error"]) == (StorageError.code, True)
