"""Upload files of a CRM: what is in them, and how they are split."""

from __future__ import annotations

import csv
import tempfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError, ParameterError
from serve.sinks import uploads
from serve.sinks.targets import TARGETS
from tests.serve.rankings import ranking

LEADS = [
    {
        "lead_id": "00Q1",
        "score": 98.25,
        "probability": 0.4,
        "grade": "A1",
        "route": "call_now",
        "for_1": "2 visits",
    },
    {"lead_id": "00Q2", "score": 51.0, "probability": None, "grade": "B2", "route": "nurture", "for_1": None},
]


def written(folder: Path, rows=LEADS, crm="salesforce", fields=None, **limits):
    target = replace(TARGETS[crm], **limits)
    with duckdb.connect() as connection:
        path = ranking(folder, rows)
        return uploads.write(connection, path, folder, name=crm, target=target, fields=fields or {})


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_salesforce_file_has_api_names_the_id_and_a_word_for_no_value(tmp_path):
    written(tmp_path)
    assert cells(tmp_path / "salesforce-001.csv") == [
        ["Id", *(f"LeadRank_{n}__c" for n in ("Score", "Probability", "Grade", "Route", "Reason"))],
        ["00Q1", "98.25", "0.4", "A1", "call_now", "2 visits"],
        ["00Q2", "51.0", "#N/A", "B2", "nurture", "#N/A"],
    ]
    assert b"\r" not in (tmp_path / "salesforce-001.csv").read_bytes()


@pytest.mark.parametrize("crm", ["hubspot", "dynamics"])
def test_no_value_is_an_empty_cell_elsewhere(tmp_path, crm):
    written(tmp_path, crm=crm)
    assert cells(tmp_path / f"{crm}-001.csv")[2] == ["00Q2", "51.0", "", "B2", "nurture", ""]


def test_named_fields_replace_the_usual_ones_and_the_id_stays_first(tmp_path):
    written(tmp_path, fields={"grade": "Grade__c", "rank": "Rank__c"})
    assert cells(tmp_path / "salesforce-001.csv")[:2] == [["Id", "Grade__c", "Rank__c"], ["00Q1", "A1", "1"]]
    written(tmp_path, fields={"grade": "Grade__c", "lead_id": "Ext__c"})
    assert cells(tmp_path / "salesforce-001.csv")[0] == ["Ext__c", "Grade__c"]


def test_a_column_that_is_not_there_is_refused_if_it_was_named(tmp_path):
    with pytest.raises(ParameterError, match="'owner'"):
        written(tmp_path, fields={"owner": "OwnerId"})
    written(tmp_path, [{"lead_id": "1", "score": 3.0}])
    assert cells(tmp_path / "salesforce-001.csv") == [["Id", "LeadRank_Score__c"], ["1", "3.0"]]


def test_two_columns_of_one_header_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="alike"):
        written(tmp_path, fields={"grade": "id"})


def test_more_fields_than_the_crm_takes_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="3 fields, and the CRM takes 2"):
        written(tmp_path, fields={"grade": "a", "route": "b"}, fields_max=2)


def test_an_api_gets_text_as_it_is_and_a_spreadsheet_gets_no_formula(tmp_path):
    rows = [{"lead_id": "1", "for_1": '=cmd|"/c calc"!A1'}, {"lead_id": "2", "for_1": "-0.5"}]
    written(tmp_path, rows)
    assert [row[1] for row in cells(tmp_path / "salesforce-001.csv")[1:]] == ['=cmd|"/c calc"!A1', "-0.5"]
    written(tmp_path, rows, crm="dynamics")
    assert [row[1] for row in cells(tmp_path / "dynamics-001.csv")[1:]] == ['\'=cmd|"/c calc"!A1', "'-0.5"]


def test_numbers_below_zero_stay_numbers_in_a_spreadsheet(tmp_path):
    written(tmp_path, [{"lead_id": "1", "score": -0.5}], crm="hubspot")
    assert cells(tmp_path / "hubspot-001.csv")[1] == ["1", "-0.5"]


def test_a_text_that_is_too_long_is_cut_visibly_and_counted(tmp_path):
    rows = [{"lead_id": str(n), "for_1": "ü" * n} for n in (4, 5, 6)]
    assert written(tmp_path, rows, characters=5).cut == 1
    assert [row[1] for row in cells(tmp_path / "salesforce-001.csv")[1:]] == ["üüüü", "üüüüü", "üüüü…"]


def test_a_file_ends_exactly_at_its_bytes(tmp_path):
    rows = [{"lead_id": f"{n:02}", "for_1": 'ü"'} for n in range(10)]
    whole = written(tmp_path, rows, file_bytes=10**6)
    size = (tmp_path / "salesforce-001.csv").stat().st_size
    assert len(whole.files) == 1
    assert len(written(tmp_path, rows, file_bytes=size).files) == 1
    assert len(written(tmp_path, rows, file_bytes=size - 1).files) == 2


def test_a_file_ends_exactly_at_its_rows(tmp_path):
    rows = [{"lead_id": f"{n:02}"} for n in range(10)]
    assert written(tmp_path, rows, file_rows=10).files == {"salesforce-001.csv": 10}
    assert max(written(tmp_path, rows, file_rows=9).files.values()) <= 9


def test_a_row_larger_than_a_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="larger than the 60 bytes"):
        written(tmp_path, [{"lead_id": "1", "for_1": "x" * 60}], file_bytes=60)


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), min_size=1
    ),
    room=st.integers(0, 60),
    rows=st.integers(1, 7),
)
def test_files_together_are_the_ranking_and_each_keeps_its_limits(texts, room, rows):
    leads = [{"lead_id": f"L{n}", "for_1": text} for n, text in enumerate(texts)]
    heaviest = max(len(t.encode()) + t.count('"') for t in texts) + 40
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = written(folder, leads, file_bytes=heaviest + room, file_rows=rows)
        found = [cells(folder / file) for file in told.files]
        assert all((folder / file).stat().st_size <= heaviest + room for file in told.files)
    assert [len(part) - 1 for part in found] == list(told.files.values())
    assert max(told.files.values()) <= rows
    assert [row for part in found for row in part[1:]] == [[lead["lead_id"], lead["for_1"]] for lead in leads]
