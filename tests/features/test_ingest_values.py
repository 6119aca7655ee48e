"""What a cell means: numbers, moments, flags, ids, and what sends its row to quarantine."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from features.errors import ParameterError
from features.tables import Field
from tests.features.ingested import Ingested


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


def numbers(crm: Ingested, *cells: str, **settings: object) -> list:
    content = "lead_id|size\n" + "".join(f"L{row}|{cell}\n" for row, cell in enumerate(cells))
    crm.load(content=content, separator="|", fields={"size": Field("number")}, **settings)
    return crm.column("size")


def moments(crm: Ingested, *cells: str, **settings: object) -> list:
    content = "lead_id,created_at\n" + "".join(f"L{row},{cell}\n" for row, cell in enumerate(cells))
    crm.load(content=content, **settings)
    return [str(value) if value else None for value in crm.column("created_at")]


def test_numbers_are_exact_and_never_negative_zero(crm: Ingested) -> None:
    found = numbers(crm, "1", "-2.5", "1e3", " 7 ", "", "-0.0")
    assert found == [1.0, -2.5, 1000.0, 7.0, None, 0.0]
    assert str(found[-1]) == "0.0"


def test_numbers_that_are_not_finite_are_null_and_counted(crm: Ingested) -> None:
    assert numbers(crm, "NaN", "inf", "-Infinity", "1e400", "1") == [None, None, None, None, 1.0]
    loaded = crm.load(separator="|", fields={"size": Field("number")})
    assert [(note.column, note.kind, note.count) for note in loaded.notes] == [("size", "non_finite", 4)]
    assert crm.away == []


@pytest.mark.parametrize("cell", ["12-", "(12)", "1_000", "0x1F", "1,5", "1.2.3", "twelve"])
def test_a_cell_that_is_not_a_number_turns_its_row_away(crm: Ingested, cell: str) -> None:
    good = [str(row) for row in range(20)]
    assert len(numbers(crm, *good, cell)) == 20
    assert crm.away == [(22, "size", "not_a_number")]


def test_a_declared_decimal_comma_gives_exact_values(crm: Ingested) -> None:
    cells = ["1.234,50", "12,5", "7", "1 234"]
    assert numbers(crm, *cells[:3], decimal=",", thousands=".") == [1234.5, 12.5, 7.0]
    assert numbers(crm, "1 234,50", "1\u00a0234", "1\u202f234 ", decimal=",", thousands=" ") == [
        1234.5,
        1234,
        1234,
    ]
    assert numbers(crm, "1,234.5", "1,234,567", "1000", thousands=",") == [1234.5, 1234567, 1000]


def test_a_grouping_mark_in_the_wrong_place_is_not_a_number(crm: Ingested) -> None:
    # "1.5" under "." as grouping mark would become 15: ten times too much.
    assert numbers(crm, "1,5", "2,5", "3,5", "1.5", decimal=",", thousands=".") == [1.5, 2.5, 3.5]
    assert numbers(crm, "1,5", "2,5", "3,5", "1.5", decimal=",") == [1.5, 2.5, 3.5]


def test_an_undeclared_decimal_comma_refuses_the_file(crm: Ingested) -> None:
    content = "lead_id;size\nL1;12\nL2;13,5\nL3;14\n"
    error = crm.refused(content=content, separator=";", fields={"size": Field("number")})
    assert "looks like decimal comma" in error.reason
    assert error.hint == 'declare decimal: ","'
    assert (error.place.row, error.place.column, error.code) == (3, "size", 3)


def test_offsets_are_honoured_and_other_stamps_are_local(crm: Ingested) -> None:
    assert moments(crm, "2024-01-01T10:00:00+02:00", "2024-01-01 10:00Z", "2024-01-01T10:00:00.5-0530") == [
        "2024-01-01 08:00:00",
        "2024-01-01 10:00:00",
        "2024-01-01 15:30:00.500000",
    ]
    assert moments(crm, "2024-07-01 10:00", "2024-01-01", timezone="Europe/Berlin") == [
        "2024-07-01 08:00:00",
        "2023-12-31 23:00:00",
    ]


def test_stamps_with_and_without_offset_are_never_mixed(crm: Ingested) -> None:
    found = moments(
        crm, "2024-01-01 10:00", "2024-01-02 10:00", "2024-01-03T10:00Z", timezone="Europe/Berlin"
    )
    assert found == ["2024-01-01 09:00:00", "2024-01-02 09:00:00"]
    assert crm.away == [(4, "created_at", "mixed_offsets")]


def test_a_skipped_hour_is_turned_away_and_a_repeated_one_is_the_later_moment(crm: Ingested) -> None:
    cells = [
        "2024-03-31 01:59:59",
        "2024-03-31 02:00:00",  # does not exist, like …
        "2024-03-31 02:59:59",
        "2024-03-31 03:00:00",
        "2024-10-27 01:59:59",
        "2024-10-27 02:00:00",  # occurs twice, like …
        "2024-10-27 02:59:59",
        "2024-10-27 03:00:00",
    ]
    assert moments(crm, *cells, timezone="Europe/Berlin") == [
        "2024-03-31 00:59:59",
        "2024-03-31 01:00:00",
        "2024-10-26 23:59:59",
        "2024-10-27 01:00:00",
        "2024-10-27 01:59:59",
        "2024-10-27 02:00:00",
    ]
    assert crm.away == [(3, "created_at", "nonexistent_time"), (4, "created_at", "nonexistent_time")]
    notes = crm.load(timezone="Europe/Berlin").notes
    assert [(note.kind, note.count) for note in notes] == [("repeated_hour", 2)]


def test_moments_that_stand_for_none_are_null_and_counted(crm: Ingested) -> None:
    cells = ["0001-01-01", "1900-01-01", "1970-01-01", "9999-12-31", "infinity", "2200-01-01"]
    kept = ["1900-01-02", "1970-01-02", "2199-12-31"]
    assert moments(crm, *cells, *kept) == [None] * 6 + [f"{day} 00:00:00" for day in kept]
    assert [(note.kind, note.count) for note in crm.load().notes] == [("sentinel_timestamp", 6)]


@pytest.mark.parametrize(
    "cell", ["2024-02-30", "01/02/2024", "45291", "2024-01-01 10:00+2", "2024-01-01T10:00 PST"]
)
def test_a_cell_that_is_no_moment_turns_its_row_away(crm: Ingested, cell: str) -> None:
    assert len(moments(crm, "2024-01-01", "2024-01-02", cell)) == 2
    assert crm.away == [(4, "created_at", "not_a_timestamp")]


def test_a_file_that_contradicts_the_declared_format_is_refused(crm: Ingested) -> None:
    content = "lead_id,created_at\nL1,13/01/2024\nL2,14/01/2024\n"
    error = crm.refused(content=content, timestamp_format="%m/%d/%Y")
    assert "contradicts the declared timestamp_format, first in line 2" in error.reason
    assert moments(crm, "13/01/2024", timestamp_format="%d/%m/%Y") == ["2024-01-13 00:00:00"]


def test_epochs_are_told_apart_by_their_range(crm: Ingested) -> None:
    second = ["2024-01-01 00:00:00"]
    assert moments(crm, "1704067200", timestamp_format="unix_seconds") == second
    assert moments(crm, "1704067200000", timestamp_format="unix_milliseconds") == second
    for declared, cell in [("unix_seconds", "1704067200000"), ("unix_milliseconds", "1704067200")]:
        error = crm.refused(content=f"lead_id,created_at\nL1,{cell}\n", timestamp_format=declared)
        assert "contradicts" in error.reason


@pytest.mark.parametrize("settings", [{"timezone": "Europe/Bärlin"}, {"timestamp_format": "%Q"}])
def test_a_zone_or_format_that_does_not_exist_is_a_parameter_error(crm: Ingested, settings: dict) -> None:
    with pytest.raises(ParameterError):
        moments(crm, "2024-01-01", **settings)


def test_flags_are_one_zero_or_null(crm: Ingested) -> None:
    cells = ["Yes", "no", "TRUE", "0", "", "1.0", "f"]
    content = (
        "lead_id,is_new\n" + "".join(f"L{row},{cell}\n" for row, cell in enumerate(cells)) + "L9,maybe\n"
    )
    crm.load(content=content, fields={"is_new": Field("flag")})
    assert crm.column("is_new") == [1, 0, 1, 0, None, 1, 0]
    assert crm.away == [(9, "is_new", "not_a_flag")]


def test_ids_are_text_trimmed_and_in_one_unicode_form(crm: Ingested) -> None:
    content = "lead_id\n007\n a1 \nA1\ncafe\u0301\n9007199254740993\n1.23457E+14\n\u00a0\n"
    crm.load(content=content)
    assert crm.column("lead_id") == ["007", "a1", "A1", "café", "9007199254740993"]
    assert crm.away == [(7, "lead_id", "mangled_id"), (8, "lead_id", "missing_required")]


def test_declared_null_tokens_are_null_and_others_are_text(crm: Ingested) -> None:
    crm.load(content="lead_id,source\nL1,N/A\nL2, - \nL3,none\nL4,\n", null_tokens=("N/A", "-"))
    assert crm.column("source") == [None, None, "none", None]


def test_a_row_says_its_first_offending_column_only(crm: Ingested) -> None:
    content = "lead_id,size,created_at\n" + "".join(f"L{row},1,2024-01-01\n" for row in range(5)) + "L9,x,y\n"
    crm.load(content=content, fields={"size": Field("number")})
    assert crm.away == [(7, "created_at", "not_a_timestamp")]  # contract columns first, then own fields


def days(crm: Ingested) -> list[str]:
    return [f"{moment:%Y-%m-%d}" for moment in crm.column("recorded_at", "touches")]


def test_recorded_at_defaults_to_the_moment_itself(crm: Ingested) -> None:
    content = "lead_id,kind,occurred_at,recorded_at\nL1,call,2024-01-01,\nL1,call,2024-01-01,2024-01-03\n"
    crm.load("touches", content=content)
    assert days(crm) == ["2024-01-01", "2024-01-03"]
    crm.load("touches", content="lead_id,kind,occurred_at\nL1,call,2024-01-01\n")
    assert days(crm) == ["2024-01-01"]


def test_a_required_moment_that_stands_for_none_turns_its_row_away(crm: Ingested) -> None:
    crm.load("touches", content="lead_id,kind,occurred_at\nL1,call,9999-12-31\nL1,call,2024-01-01\n")
    assert crm.away == [(2, "occurred_at", "sentinel_timestamp")]


@pytest.mark.parametrize("kind", ["TIME", "UUID", "TIMESTAMP", "INTERVAL"])
def test_a_column_of_parquet_that_holds_no_numbers_is_refused_as_one(crm: Ingested, kind: str) -> None:
    value = {"TIME": "'10:00'", "UUID": "uuid()", "TIMESTAMP": "'2024-01-01'", "INTERVAL": "'3 days'"}[kind]
    file = crm.folder / "leads.parquet"
    duckdb.execute(f"COPY (SELECT 'L1' AS lead_id, {value}::{kind} AS size) TO '{file}'")
    error = crm.refused(path="leads.parquet", format="parquet", fields={"size": Field("number")})
    assert "is declared a number, but most of its cells are not" in error.reason
